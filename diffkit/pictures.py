"""How every picture looks, and how it becomes a file: colours for the colour-blind, small files, the same each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

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


UNSAID: dict[str, dict[str, str | None]] = {".png": {"Software": None}, ".svg": {"Date": None}}
"""Kinds of picture files, and what they leave unsaid, so that the same picture is the same file."""

CONTEXT = "context"
"""How the line under a title is found again."""

SHADES = 128
"""Of a PNG: enough for lines and letters with soft edges, in a third of the bytes."""


def write(figure: Figure, file: Path) -> Path:
    """Write a picture as PNG or SVG, by the name of the file; call it within ``mpl.rc_context(STYLE)``.

    Examples
    --------
    >>> import tempfile
    >>> figure = Figure()
    >>> line = figure.subplots().plot([1, 2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(figure, Path(folder) / "line.png").read_bytes()[1:4]
    b'PNG'
    """
    if file.suffix != ".png":
        figure.savefig(file, metadata=UNSAID[file.suffix])
        return file
    drawn = BytesIO()
    figure.savefig(drawn, format="png", metadata=UNSAID[".png"])
    Image.open(drawn).convert("RGB").quantize(SHADES, dither=Image.Dither.NONE).save(file, optimize=True)
    return file


def headline(axes: Axes, finding: str, context: str) -> None:
    """Write what was found as the title, and under it what it was found on."""
    axes.set_title(finding, loc="left", parse_math=False)  # a name may hold dollars
    axes.annotate(
        context, (0, 1), (0, 7), "axes fraction", "offset points", color="0.35", parse_math=False, gid=CONTEXT
    )


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
