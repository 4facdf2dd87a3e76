"""Pictures of matrix calculus: the nine derivatives as rectangles, and what makes a Jacobian diagonal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from diffkit.differentiators import get
from diffkit.lab.figures import LabFigure
from diffkit.lab.matrix_calculus import Kind, table
from diffkit.operators import jacobian
from diffkit.ops import Shape
from diffkit.pictures import BASE, REFERENCE, headline

INK = {"numerator": BASE["forward"], "denominator": BASE["finite-difference"], "jacobian": REFERENCE}
ACROSS, DOWN = 22.0, 9.5
"""The size of a panel, in entries."""


def shapes() -> Figure:
    """The nine derivatives, an entry a square."""
    figure = Figure(figsize=(8.0, 4.3))
    axes = figure.subplots(3, 3, gridspec_kw={"wspace": 0.03, "hspace": 0.03, "top": 0.82})
    for kind, ax in zip(table(), axes.flat, strict=True):
        _panel(ax, kind)
    for ax, by in zip(axes[0], ("by a scalar", "by a vector (4)", "by a matrix (4 × 5)"), strict=True):
        ax.set_title(by, loc="center", pad=5, fontsize=9)
    for ax, of in zip(axes[:, 0], ("a scalar", "a vector (2)", "a matrix\n(2 × 3)"), strict=True):
        ax.set_ylabel(of, fontsize=9, fontweight="bold")
    finding = "Five of the nine derivatives are a matrix in both layouts, three in neither"
    figure.suptitle(finding, x=0.125, y=0.98, ha="left", size=11, weight="bold")
    figure.text(0.125, 0.9, "A square is an entry.", color="0.35")
    for left, name, told in (
        (0.32, "numerator", "numerator layout"),
        (0.5, "denominator", "denominator layout"),
        (0.7, "jacobian", "no matrix: as jacobian has it"),
    ):
        figure.text(left, 0.9, told, color=INK[name], fontweight="bold", fontsize=8.5)
    return figure


def _panel(ax: Axes, kind: Kind) -> None:
    ax.set(xlim=(0, ACROSS), ylim=(DOWN, 0), xticks=[], yticks=[], aspect="equal")
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set(visible=True, color="0.85")
    ax.text(0.4, 0.35, kind.example, va="top", fontsize=8.5, color="0.35")
    if kind.numerator is None:
        blocks = " × ".join(map(str, kind.blocks))
        _rectangle(ax, kind.jacobian, INK["jacobian"], (ACROSS - kind.jacobian[1]) / 2, f", in blocks {blocks}")
        return
    drawn = [("numerator", kind.numerator)]
    drawn += [("denominator", kind.denominator)] if kind.denominator is not None else []
    for k, (layout, shape) in enumerate(drawn):
        columns = (*shape, 1, 1)[1]
        centre = ACROSS * (2 * k + 1) / (2 * len(drawn))
        _rectangle(ax, shape, INK[layout], centre - columns / 2)


def _rectangle(ax: Axes, shape: Shape, colour: Any, left: float, told: str = "") -> None:
    rows, columns = (*shape, 1, 1)[:2]
    top = 0.3 + (DOWN - 1 - rows) / 2
    for row in range(rows):
        for column in range(columns):
            place = (left + column + 0.06, top + row + 0.06)
            ax.add_patch(Rectangle(place, 0.88, 0.88, facecolor=colour, edgecolor="none", alpha=0.75))
    written = (" × ".join(map(str, shape)) or "a number") + told
    ax.text(left + columns / 2, top + rows + 0.25, written, ha="center", va="top", fontsize=8.5, color="0.1")


def diagonal() -> Figure:
    """Jacobians of an elementwise map, of one that looks at neighbours, and of one that mixes all entries."""
    x = np.linspace(-2.0, 2.0, 12)
    maps: dict[str, Callable[[Any], Any]] = {
        "Diagonal: tanh(x)": np.tanh,
        "Band: tanh(x + next)": lambda x: np.tanh(x + np.roll(x, -1)),
        "Full: softmax(x)": lambda x: np.exp(x) / np.sum(np.exp(x)),
    }
    figure = Figure(figsize=(8.0, 3.1))
    for ax, (name, f) in zip(figure.subplots(1, 3), maps.items(), strict=True):
        plan = get("sparse").prepare(f, x)
        matrix = np.abs(jacobian(f)(x))
        ax.imshow(np.where(matrix > 0, matrix, np.nan), cmap="Blues", vmin=-0.25 * matrix.max(), vmax=matrix.max())
        ax.set(xticks=[], yticks=[], xlabel="input", ylabel="output")
        ax.grid(visible=False)
        for side in ax.spines.values():
            side.set(visible=True, color="0.6")
        told = "1 direction" if plan.colours == 1 else f"{plan.colours} directions"
        headline(ax, name, f"{plan.pattern.entries} of {matrix.size} entries, {told}")
    return figure


FIGURES = (
    LabFigure("matrix-calculus-shapes", "Which shapes have the nine derivatives, in both layouts?", shapes),
    LabFigure("matrix-calculus-diagonal", "Which maps have a diagonal Jacobian?", diagonal),
)
