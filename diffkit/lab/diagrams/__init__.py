"""Networks as diagrams: a circle for each unit, a column for each layer, an edge for each weight.

The other picture of a network, the graph (`dk.draw`), has a node for each intermediate variable. A diagram has no nodes
for intercepts and none for the loss. All lengths are in inches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from diffkit.errors import InputError, TooLargeError, check_whole
from diffkit.lab.diagrams.labels import SIZE, Label, arrange
from diffkit.pictures import BASE, Drawing

__all__ = ["diagram"]

WIDEST = 8
"""Units of a layer that is shown whole; a wider one shows its first four and its last, and dots between."""
LABELLED = 24
"""Edges between two layers that have labels; where there are more, or units are left out, none has."""
LAYERS = 20
"""Layers of weights, at most."""

RADIUS = 0.24
UNIT = 0.8  # from unit to unit
COLUMN = 2.1  # from layer to layer; labels need more
LEGEND = 3.8  # how wide the line is that says what colours and widths mean
EDGE, WORDS = "0.6", "0.4"
POSITIVE, NEGATIVE = BASE["forward"], BASE["finite-difference"]

Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """A layer as it is shown.

    Attributes
    ----------
    layer
        Its number; 0 are the inputs.
    units
        How many it has.
    x
        Where it is.
    """

    layer: int
    units: int
    x: float

    @property
    def whole(self) -> bool:
        """Whether all units are shown."""
        return self.units <= WIDEST

    @property
    def places(self) -> dict[int, float]:
        """Height of each unit that is shown, by its number from 0; the dots take the place of one."""
        shown = [*range(self.units)] if self.whole else [0, 1, 2, 3, self.units - 1]
        rows = len(shown) + (not self.whole)
        heights = [((rows - 1) / 2 - row) * UNIT for row in range(rows)]
        return dict(zip(shown, heights if self.whole else [*heights[:4], heights[-1]], strict=True))

    @property
    def dots(self) -> float:
        """Height of the middle of the dots."""
        return -1.5 * UNIT


def diagram(network: Any) -> Drawing:
    """What does this network look like, unit by unit and weight by weight?

    Parameters
    ----------
    network
        The widths n[0], ..., n[L]: features, then units of each layer; or anything that has ``widths``, a network; or
        the weights W[1], ..., W[L], each of shape ``(n[l], n[l-1])``, whose values are then shown: blue where positive,
        orange where negative, the wider the larger.

    Returns
    -------
    Drawing
        With ``svg()``, ``png()`` and ``save(path)``; a notebook shows it. The weight from unit j to unit i of layer l
        is called w with l above and ij below. A layer of more than 8 units shows its first four and its last. Weights
        have labels where two layers are shown whole and at most 24 edges run between them.

    Raises
    ------
    InputError
        Widths that are no whole numbers from 1, or weights that do not fit together.
    TooLargeError
        More than 20 layers of weights.

    Examples
    --------
    >>> drawing = diagram([2, 5, 3, 1])
    >>> drawing.svg()[:5]
    '<?xml'
    """
    widths, weights = _read(network)
    if len(widths) > LAYERS + 1:
        raise TooLargeError(f"the network has {len(widths) - 1} layers of weights; a diagram shows {LAYERS} at most")
    return Drawing(lambda: _figure(widths, weights))


# ---------------------------------------------------------------- what was given


def _read(network: Any) -> tuple[list[int], list[Weights] | None]:
    given = getattr(network, "widths", network)
    if not isinstance(given, (list, tuple, np.ndarray)) or len(given) == 0:
        raise InputError(f"network={network!r}; give its widths, such as [2, 5, 3, 1], or its arrays of weights")
    if all(np.ndim(entry) == 2 for entry in given):
        weights = [np.asarray(entry) for entry in given]
        _check_weights(weights)
        return [weights[0].shape[1], *(W.shape[0] for W in weights)], weights
    for layer, width in enumerate(given):
        check_whole(width, f"widths[{layer}]")
    if len(given) < 2:
        raise InputError(f"widths={network!r}; a network has two layers or more: its inputs and its outputs")
    return [int(width) for width in given], None


def _check_weights(weights: Sequence[Any]) -> None:
    for layer, W in enumerate(weights, 1):
        if W.dtype.kind not in "iuf" or not W.size or not np.all(np.isfinite(W)):
            raise InputError(f"W[{layer}] has shape {W.shape} and dtype {W.dtype}; give finite real numbers")
    for layer, (before, after) in enumerate(pairwise(weights), 2):
        if after.shape[1] != before.shape[0]:
            raise InputError(
                f"W[{layer}] has shape {after.shape}, but W[{layer - 1}] has {before.shape[0]} rows, a unit each; "
                f"W[l] has shape (n[l], n[l-1]), so W[{layer}] needs {before.shape[0]} columns"
            )


# ---------------------------------------------------------------- the picture


def _figure(widths: Sequence[int], weights: Sequence[Weights] | None) -> Figure:
    columns = _columns(widths)
    height = max(max(column.places.values()) for column in columns)
    top, bottom = height + RADIUS + 0.5, -height - RADIUS - (0.5 if weights is None else 0.75)
    middle, half = columns[-1].x / 2, columns[-1].x / 2 + RADIUS + 0.35
    if weights is not None:
        half = max(half, LEGEND / 2)
    left, right = middle - half, middle + half
    figure = Figure(figsize=(right - left, top - bottom))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.axis("off")
    for before, after in pairwise(columns):
        _connect(axes, before, after, None if weights is None else weights[after.layer - 1])
        words = rf"$W^{{[{after.layer}]}}$: {after.units} × {before.units}"
        axes.text((before.x + after.x) / 2, -height - RADIUS - 0.25, words, ha="center", va="center", color=WORDS)
    for column in columns:
        _draw_units(axes, column, "x" if column.layer == 0 else "a")
        words = "inputs" if column.layer == 0 else f"layer {column.layer}"
        axes.text(column.x, height + RADIUS + 0.25, words, ha="center", va="center", color=WORDS)
    if weights is not None:
        words = "blue: positive, orange: negative; the wider, the larger"
        axes.text(middle, bottom + 0.15, words, ha="center", va="center", color=WORDS)
    return figure


def _columns(widths: Sequence[int]) -> list[Column]:
    x, columns = 0.0, [Column(0, widths[0], 0.0)]
    for layer, units in enumerate(widths[1:], 1):
        x += COLUMN + (0.06 * units * widths[layer - 1] if _labelled(widths[layer - 1], units) else 0.0)
        columns.append(Column(layer, units, x))
    return columns


def _labelled(before: int, after: int) -> bool:
    return max(before, after) <= WIDEST and before * after <= LABELLED


def _draw_units(axes: Axes, column: Column, letter: str) -> None:
    above = f"^{{[{column.layer}]}}" if column.layer else ""
    for unit, y in column.places.items():
        axes.add_patch(
            Circle(
                (column.x, y), RADIUS, facecolor="white", edgecolor="0.15", zorder=3, gid=f"unit-{column.layer}-{unit}"
            )
        )
        name = rf"${letter}{above}_{{{unit + 1}}}$"
        axes.text(column.x, y, name, size=9, ha="center", va="center", zorder=4)
    if not column.whole:
        axes.text(column.x, column.dots, "⋮", size=14, ha="center", va="center", zorder=4)


def _connect(axes: Axes, before: Column, after: Column, weights: Weights | None) -> None:
    largest = 1.0 if weights is None else float(np.max(np.abs(weights))) or 1.0
    labels = []
    for (j, low), (i, high) in product(before.places.items(), after.places.items()):
        ends = _between(before.x, low, after.x, high)
        if weights is None:
            colour, width, word = EDGE, 1.0, rf"$w^{{[{after.layer}]}}_{{{i + 1}{j + 1}}}$"
        else:
            weight = float(weights[i, j]) + 0.0  # which makes 0 of -0
            colour = POSITIVE if weight > 0 else NEGATIVE if weight < 0 else EDGE
            width, word = 0.3 + 2.2 * abs(weight) / largest, f"{weight:.2g}"
        axes.plot(*zip(*ends, strict=True), color=colour, linewidth=width, zorder=1, gid=f"edge-{after.layer}-{i}-{j}")
        labels.append(Label(word, *ends))
    if _labelled(before.units, after.units):
        for label, (x, y) in zip(labels, arrange(labels), strict=True):
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
            axes.text(x, y, label.text, size=SIZE, ha="center", va="center", zorder=2, bbox=box, gid="weight")


def _between(x0: float, y0: float, x1: float, y1: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """From border to border of two circles."""
    way = np.array([x1 - x0, y1 - y0])
    short = RADIUS * way / np.hypot(*way)
    return (x0 + short[0], y0 + short[1]), (x1 - short[0], y1 - short[1])
