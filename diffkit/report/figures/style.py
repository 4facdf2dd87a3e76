"""How pictures look: one colour and one marker per method, readable for the colour-blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib import colors

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

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that text is as wide everywhere
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 22.0,  # room for the line of context under the title
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "savefig.dpi": 150,
    "savefig.bbox": "tight",
    "svg.hashsalt": "diffkit",  # the same picture is the same file
}
"""Settings for `matplotlib.rc_context`, in force while pictures are drawn and written, never at import."""

# Okabe and Ito, Color Universal Design (2008).
BASE = {"finite-difference": "#D55E00", "symbolic": "#CC79A7", "forward": "#0072B2", "reverse": "#009E73"}
SPARE = ("#E69F00", "#56B4E9", "#000000", "#999933")
MARKERS = {"finite-difference": "v", "symbolic": "s", "forward": ">", "reverse": "o"}
REFERENCE = "0.45"
"""Grey of what is no method: f itself, bounds, diagonals."""


@dataclass(frozen=True)
class Look:
    """Colour, marker and line of one method."""

    colour: str
    marker: str
    linestyle: str

    @property
    def ink(self) -> tuple[float, float, float]:
        """The colour, dark enough for text on white."""
        red, green, blue = colors.to_rgb(self.colour)
        return 0.6 * red, 0.6 * green, 0.6 * blue

    @property
    def line(self) -> dict[str, Any]:
        """Arguments of ``axes.plot``."""
        return {"color": self.colour, "marker": self.marker, "linestyle": self.linestyle}


def looks(labels: Sequence[str]) -> dict[str, Look]:
    """Give each method its look: the four their own colours, their variants and others spare ones, dashed.

    Examples
    --------
    >>> looks(["symbolic", "symbolic(form=expression)"])["symbolic(form=expression)"]
    Look(colour='#E69F00', marker='s', linestyle='--')
    """
    given: dict[str, Look] = {}
    spare = 0
    for label in labels:
        name = label.partition("(")[0]
        colour, marker = BASE.get(name), MARKERS.get(name, "D")
        if colour and all(look.colour != colour for look in given.values()):
            given[label] = Look(colour, marker, "-")
        else:
            given[label] = Look(SPARE[spare % len(SPARE)], marker, "--")
            spare += 1
    return given
