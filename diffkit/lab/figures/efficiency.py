"""Figures of docs/lab/efficiency.md: what the chain rule takes, with and without reuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffkit.lab.figures import LabFigure
from diffkit.lab.reuse import reuse
from diffkit.pictures import BASE, headline

WIDTH = 4
WAYS = {
    "written_out": ("written out, no reuse", BASE["finite-difference"], "v", 4),
    "values_kept": ("values of f kept", BASE["symbolic"], "s", 6),
    "sweep": ("one return sweep", BASE["reverse"], "o", 3),
}


def _chain(depth: int) -> tuple[Callable[[Any], Any], Any]:
    def f(x: Any) -> Any:
        for _ in range(depth):
            x = np.sin(x)
        return x

    return f, 0.3


def _braid(depth: int) -> tuple[Callable[[Any], Any], Any]:
    def f(x: Any) -> Any:
        for _ in range(depth):
            x = np.sin(x) * np.cos(x)
        return x

    return f, 0.3


def _net(depth: int) -> tuple[Callable[[Any], Any], Any]:
    weights = np.random.default_rng(0).standard_normal((WIDTH, WIDTH))

    def f(x: Any) -> Any:
        for _ in range(depth):
            x = np.tanh(weights @ x)
        return np.sum(x)

    return f, np.full(WIDTH, 0.1)


def growth() -> Figure:
    """Counted operations against depth, for three shapes of graph."""
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    panels = figure.subplots(1, 3)
    shapes = (
        ("chain: n² / 2", "sin(sin(... x)), one path", _chain, range(1, 33)),
        ("braid: 2ⁿ paths", "x = sin(x) cos(x), n times", _braid, range(1, 17)),
        (f"net: {WIDTH}ⁿ paths", f"n layers of {WIDTH} units", _net, range(1, 9)),
    )
    for axes, (title, what, make, depths) in zip(panels, shapes, strict=True):
        _panel(axes, make, list(depths))
        headline(axes, title, what)
    panels[0].set_ylabel("operations of the gradient")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _panel(axes: Axes, make: Callable[[int], tuple[Callable[[Any], Any], Any]], depths: list[int]) -> None:
    found = [reuse(*make(depth)) for depth in depths]
    for way, (label, colour, marker, size) in WAYS.items():
        totals = [getattr(one, way).total for one in found]
        axes.semilogy(depths, totals, color=colour, marker=marker, markersize=size, label=label)
    axes.set_xlabel("depth n")


FIGURES: tuple[LabFigure, ...] = (
    LabFigure(
        "efficiency-growth", "How do the operations of a gradient grow with depth, with and without reuse?", growth
    ),
)
