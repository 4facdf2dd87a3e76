"""How every picture looks, and how it becomes a file: colours for the colour-blind, small files, the same each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from diffkit.errors import InputError, UnsupportedError

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
    file.write_bytes(_written(figure, file.suffix))
    return file


def _written(figure: Figure, suffix: str) -> bytes:
    drawn, packed = BytesIO(), BytesIO()
    figure.savefig(drawn, format=suffix.removeprefix("."), metadata=UNSAID[suffix])
    if suffix != ".png":
        return drawn.getvalue()
    rare = Image.Quantize.MAXCOVERAGE  # keeps a colour that few letters have; the median cut would give it another's
    Image.open(drawn).convert("RGB").quantize(SHADES, rare, dither=Image.Dither.NONE).save(packed, "png", optimize=True)
    return packed.getvalue()


@dataclass(frozen=True)
class Drawing:
    """A picture that is drawn when it is asked for; a notebook shows it.

    Attributes
    ----------
    make
        Draws it; called within ``mpl.rc_context(STYLE)``.
    source
        Writes it in the DOT language; None where it has no such form.

    Examples
    --------
    >>> drawing = Drawing(Figure)
    >>> drawing.png()[1:4]
    b'PNG'
    >>> drawing.save("boxes.jpeg")
    Traceback (most recent call last):
    diffkit.errors.InputError: 'boxes.jpeg' ends in '.jpeg'; a drawing is saved as .png or .svg
    """

    make: Callable[[], Figure]
    source: Callable[[], str] | None = None

    def figure(self) -> Figure:
        """The picture as a figure of matplotlib."""
        with mpl.rc_context(STYLE):
            return self.make()

    def svg(self) -> str:
        """The picture as the text of an SVG file."""
        return self._written(".svg").decode()

    def png(self) -> bytes:
        """The picture as the bytes of a PNG file."""
        return self._written(".png")

    def dot(self) -> str:
        """The picture in the DOT language of Graphviz.

        Raises
        ------
        UnsupportedError
            It has no such form.
        """
        if self.source is None:
            raise UnsupportedError("this drawing has no form in the DOT language; take .svg() or .png()")
        return self.source()

    def save(self, path: str | Path) -> Path:
        """Write the picture into a file: .png, .svg or .dot, by its name.

        Raises
        ------
        InputError
            The name ends otherwise, or its folder does not exist.
        """
        file = Path(path)
        suffixes = [".dot", ".png", ".svg"][self.source is None :]
        if file.suffix not in suffixes:
            known = ", ".join(suffixes[:-1]) + f" or {suffixes[-1]}"
            raise InputError(f"{file.name!r} ends in {file.suffix!r}; a drawing is saved as {known}")
        if not file.parent.is_dir():
            raise InputError(f"{str(file)!r} cannot be written: {str(file.parent)!r} is no folder; make it first")
        file.write_bytes(self.dot().encode() if file.suffix == ".dot" else self._written(file.suffix))
        return file

    def _repr_svg_(self) -> str:
        return self.svg()

    def _written(self, suffix: str) -> bytes:
        with mpl.rc_context(STYLE):
            return _written(self.make(), suffix)


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
