"""Names beside the ends of lines, spread so that they never collide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter
from matplotlib.typing import ColorType
from numpy.typing import NDArray

from diffkit.pictures import CONTEXT
from diffkit.report.figures.style import NARROW

LINE_HEIGHT = 1.5
"""Distance of two labels over the size of their letters."""

NAMES_AT = 1.04
"""Where labels begin, in widths of the axes."""

BELOW = 42
"""How far under the axes a legend begins, in points: under the ticks and the name of the axis."""


@dataclass(frozen=True)
class End:
    """A line, what to write beside its last point, and in which colour."""

    line: Line2D
    text: str
    colour: ColorType

    @property
    def points(self) -> NDArray[np.float64]:
        """The points of the line, (n, 2), in data coordinates."""
        return np.asarray(self.line.get_xydata(), dtype=np.float64)


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


def take_headline(axes: Axes) -> tuple[str, str]:
    """Take what `headline` wrote off a picture, for a page that says it in its own letters."""
    finding = axes.get_title(loc="left")
    axes.set_title("", loc="left")
    context = next(text for text in axes.texts if text.get_gid() == CONTEXT)
    context.remove()
    return finding, context.get_text()


def on_decades(axes: Axes) -> None:
    """Let a logarithmic axis begin and end so that it shows two powers of ten, and name nothing else on it."""
    for axis, low_high, widen in (
        (axes.xaxis, axes.get_xlim(), axes.set_xlim),
        (axes.yaxis, axes.get_ylim(), axes.set_ylim),
    ):
        if axis.get_scale() != "log":
            continue
        low, high = np.log10(low_high)
        if np.floor(high) - np.ceil(low) < 1:
            widen(10 ** np.floor(low), 10 ** np.ceil(high))
        axis.set_minor_formatter(NullFormatter())


def is_narrow(axes: Axes) -> bool:
    """Is there no room right of the axes?"""
    figure = axes.get_figure(root=True)
    return figure is not None and figure.get_figwidth() <= NARROW.width


def legend(axes: Axes, shown: Sequence[Artist], names: Sequence[str]) -> None:
    """Name what is drawn, right of the axes, or below them where the picture is narrow."""
    corner = (0.0, -_pixels(axes, BELOW) / axes.bbox.height) if is_narrow(axes) else (1.02, 1.0)
    drawn = axes.legend(shown, names, loc="upper left", bbox_to_anchor=corner, frameon=False, borderaxespad=0)
    for text in drawn.get_texts():
        text.set_parse_math(False)


def _pixels(axes: Axes, points: float) -> float:
    return points / 72 * axes.figure.dpi


def label_ends(axes: Axes, ends: Sequence[End]) -> None:
    """Write each line's name right of the axes, at the height of its end, with a thin leader to it.

    Where the picture is narrow, the names are a legend below, in the order of the ends from top to bottom.
    Call it last: it holds the limits of the axes as they are, and a later change of their size or scale would
    leave the labels where they were.
    """
    on_decades(axes)
    ends = [end for end in ends if len(end.points)]
    if is_narrow(axes):
        ends.sort(key=lambda end: -end.points[-1, 1])
        legend(axes, [end.line for end in ends], [end.text for end in ends])
        return
    axes.set_xlim(axes.get_xlim())
    axes.set_ylim(axes.get_ylim())
    to_axes = axes.transData + axes.transAxes.inverted()
    points = to_axes.transform([end.points[-1] for end in ends])
    letters = _pixels(axes, rcParams["font.size"])
    heights = spread([y for _, y in points], gap=LINE_HEIGHT * letters / axes.bbox.height)
    for end, point, height in zip(ends, points, heights, strict=True):
        leader = {
            "arrowstyle": "-",
            "linestyle": ":",
            "linewidth": 0.7,
            "color": end.colour,
            "relpos": (0, 0.5),
        }
        place = (NAMES_AT, height)
        axes.annotate(
            end.text, point, place, "axes fraction",
            va="center", color=end.colour, arrowprops=leader, parse_math=False,
        )  # fmt: skip
