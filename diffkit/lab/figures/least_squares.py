"""Pictures of least squares: how fast three algorithms come to the least cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffkit.lab.figures import LabFigure
from diffkit.lab.least_squares import Example, Fit, fit, network, neuron
from diffkit.pictures import BASE

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
    axes = figure.subplots(1, 3, sharey=True, gridspec_kw={"wspace": 0.08})
    panels = {
        "a sigmoid unit": neuron(),
        "2-5-3-1, from near": network(),
        "2-5-3-1, from far": network(distance=0.3),
    }
    for ax, (name, example) in zip(axes, panels.items(), strict=True):
        _panel(ax, example)
        ax.set_title(name, fontsize=9.5, pad=6)
    axes[0].set_ylabel("cost ½|r|² above the least")
    axes[0].legend(loc="upper right", fontsize=8, frameon=False)
    figure.suptitle(
        "Far from the solution Gauss-Newton's J'J is singular",
        x=0.125,
        y=1.03,
        ha="left",
        fontsize=11,
        fontweight="bold",
    )
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
