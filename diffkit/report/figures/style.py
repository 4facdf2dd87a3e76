"""How large a picture of a report is, and where its axes lie."""

from __future__ import annotations

from dataclasses import dataclass

HEIGHT = 4.6
"""Of a picture in inches."""


@dataclass(frozen=True)
class Form:
    """How wide a picture is, in inches, and where its axes lie: left, bottom, width and height, in parts of it."""

    width: float
    box: tuple[float, float, float, float]


WIDE = Form(8.0, (0.1, 0.13, 0.61, 0.72))
"""For files and large screens; names stand right of the axes, and widen the picture where they need to."""

NARROW = Form(4.4, (0.14, 0.13, 0.84, 0.84))
"""For telephones; names stand below the axes."""
