"""Pictures of least squares: how fast three algorithms come to the least cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffkit.lab.figures import LabFigure
from diffkit.lab.least_squares import Example, Fit, fit, network, neuron
from diffkit.pictures import BASE, headline

LOOKS: dict[str, dict[str, Any]] = {
    "gradient-descent": {"color": BASE["finite-difference"]},
    "levenberg-marquardt": {"color": BASE["reverse"], "marker": "s", "markersize": 3.5},
    "gauss-newton": {"color": BASE["forward"], "marker": "o", "markersize": 6.5, "fillstyle": "none", "linewidth": 1.0},
}
LAST = 40
"""Iterations that are drawn."""
FLOOR = 1e-15
"""Costs closer than this to the least one are not told apart."""


def rates() -> Figure:
    """The cost above the least one, by iteration."""
    figure = Figure(figsize=(8.0, 3.3))
    unit, near, far = figure.subplots(1, 3, sharey=True, gridspec_kw={"wspace": 0.08})
    _panel(unit, neuron())
    headline(unit, "7 steps for a unit", "sigmoid, 3 parameters")
    _panel(near, network())
    headline(near, "About 10 from near", "2-5-3-1, 37 parameters")
    _panel(far, network(distance=0.3))
    headline(far, "Singular from far", "2-5-3-1, begun farther off")
    unit.set_ylabel("cost ½|r|² above the least")
    unit.legend(loc="upper right", fontsize=8, frameon=False)
    return figure


def _panel(ax: Axes, example: Example) -> None:
    fits = {name: fit(*example[:2], algorithm=name, engine="numpy", max_iterations=LAST) for name in LOOKS}
    least = min(found.costs.min() for found in fits.values())
    for name, look in LOOKS.items():
        found = fits[name]
        above = np.maximum(found.costs - least, FLOOR)
        ax.semilogy(above, label=name, **look)
        if "singular" in found.reason:
            _stopped(ax, found, above[-1])
    ax.set(xlim=(-1, LAST + 1), ylim=(FLOOR / 3, 1e3), xlabel="iteration")


def _stopped(ax: Axes, found: Fit, height: float) -> None:
    ax.annotate(
        found.reason.split(",")[0].replace(": ", ":\n"),
        (len(found.costs) - 1, height),
        xytext=(8, 8),
        textcoords="offset points",
        fontsize=8,
    )


FIGURES = (LabFigure("least-squares-rates", "How fast do three algorithms come to the least cost?", rates),)
