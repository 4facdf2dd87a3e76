"""Where the labels of crossing edges go: each on its own edge, and none on another label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

SIZE = 8.0  # of letters, in points
HEIGHT = 0.19
ROUNDS = 4
ALONG = np.linspace(0.1, 0.9, 33).tolist()  # where on its edge a label may be, as a part of the edge

Point = tuple[float, float]


class Label(NamedTuple):
    """What stands on which edge, in inches."""

    text: str
    start: Point
    end: Point

    @property
    def width(self) -> float:
        """How wide it is."""
        font = FontProperties(family="DejaVu Sans", size=SIZE)
        ismath = "$" in self.text
        return float(TextToPath().get_text_width_height_descent(self.text, font, ismath=ismath)[0]) / 72 + 0.06

    def at(self, part: float) -> Point:
        """The point of its edge that is so far along."""
        (x0, y0), (x1, y1) = self.start, self.end
        return x0 + part * (x1 - x0), y0 + part * (y1 - y0)


def arrange(labels: Sequence[Label]) -> list[Point]:
    """Find a place for each label on its edge: away from other labels first, from other edges next.

    Each label in turn takes the best place that the others leave; four rounds of that.

    Examples
    --------
    >>> crossing = [Label("a", (0, 0), (1, 1)), Label("b", (0, 1), (1, 0))]
    >>> (x, y), (x2, y2) = arrange(crossing)
    >>> x == y, x2 == 1 - y2, abs(y - y2) > HEIGHT or abs(x - x2) > crossing[0].width
    (True, True, True)
    """
    widths = [label.width for label in labels]
    spots: dict[int, Point] = {}
    for _ in range(ROUNDS):
        for number, label in enumerate(labels):
            taken = [(spot, widths[other]) for other, spot in spots.items() if other != number]
            crossing = [other for other in labels if other is not label]
            parts = {part: _cost(label.at(part), widths[number], taken, crossing) + abs(part - 0.5) for part in ALONG}
            spots[number] = label.at(min(parts, key=parts.__getitem__))
    return [spots[number] for number in range(len(labels))]


def _cost(spot: Point, width: float, taken: Sequence[tuple[Point, float]], crossing: Sequence[Label]) -> float:
    """How bad a place is: what it covers of other labels counts most, then how many edges run behind it."""
    x, y = spot
    covered = 0.0
    for (other_x, other_y), other in taken:
        beside, above = (width + other) / 2 - abs(x - other_x), HEIGHT - abs(y - other_y)
        covered += max(0.0, beside) * max(0.0, above)
    return 1000 * covered + sum(_behind(edge, x, y, width) for edge in crossing)


def _behind(edge: Label, x: float, y: float, width: float) -> bool:
    """Whether an edge runs behind a label of this width at (x, y)."""
    (x0, y0), (x1, y1) = edge.start, edge.end
    left, right = max(x - width / 2, x0), min(x + width / 2, x1)
    if left > right:
        return False
    heights = [y0 + (at - x0) / (x1 - x0) * (y1 - y0) for at in (left, right)]
    return min(heights) < y + HEIGHT / 2 and max(heights) > y - HEIGHT / 2
