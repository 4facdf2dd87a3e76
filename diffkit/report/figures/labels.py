"""Names beside the ends of lines, spread so that they never collide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.typing import ColorType

LINE_HEIGHT = 1.5
"""Distance of two labels over the size of their letters."""

NAMES_AT = 1.04
"""Where labels begin, in widths of the axes."""


@dataclass(frozen=True)
class End:
    """Where a line ends, in data coordinates, and what to write beside it."""

    x: float
    y: float
    text: str
    colour: ColorType


def spread(wanted: Sequence[float], gap: float, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Move positions as little as possible so that all are at least `gap` apart and between `low` and `high`.

    Least squares under an order constraint: with i gaps taken from the i-th position, the nearest
    non-decreasing sequence is found by pooling neighbours that are out of order (pool adjacent violators,
    Barlow et al. 1972, section 1.2). Where there are too many positions for the interval, the gap shrinks.

    Examples
    --------
    >>> spread([0.5, 0.5, 0.9], gap=0.2)
    [0.4, 0.6, 0.9]
    """
    count = len(wanted)
    gap = min(gap, (high - low) / max(count - 1, 1))
    order = np.argsort(wanted, kind="stable")
    pools: list[list[float]] = []
    for rank, position in enumerate(order):
        pools.append([wanted[position] - rank * gap])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    settled = np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools]) if pools else np.empty(0)
    places = np.empty(count)
    places[order] = settled.clip(low, high - (count - 1) * gap) + gap * np.arange(count)
    return [round(float(place), 12) for place in places]


def headline(axes: Axes, finding: str, context: str) -> None:
    """Write what was found as the title, and under it what it was found on."""
    axes.set_title(finding)
    axes.annotate(context, (0, 1), (0, 7), "axes fraction", "offset points", color="0.35")


def label_ends(axes: Axes, ends: Sequence[End]) -> None:
    """Write each line's name right of the axes, at the height of its end, with a thin leader to it.

    Call it last: it holds the limits of the axes as they are, and a later change of their size or scale would
    leave the labels where they were.
    """
    axes.set_xlim(axes.get_xlim())
    axes.set_ylim(axes.get_ylim())
    to_axes = axes.transData + axes.transAxes.inverted()
    points = to_axes.transform([(end.x, end.y) for end in ends])
    letters = rcParams["font.size"] / 72 * axes.figure.dpi
    heights = spread([y for _, y in points], gap=LINE_HEIGHT * letters / axes.bbox.height)
    for end, (x, y), height in zip(ends, points, heights, strict=True):
        leader = {
            "arrowstyle": "-",
            "linestyle": ":",
            "linewidth": 0.7,
            "color": end.colour,
            "relpos": (0, 0.5),
        }
        place = (NAMES_AT, height)
        axes.annotate(end.text, (x, y), place, "axes fraction", va="center", color=end.colour, arrowprops=leader)
