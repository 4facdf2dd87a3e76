"""Every figure of the lab's pages, by name: a function that runs what it shows.

A topic is a file here, with its figures in ``FIGURES``; ``diffkit lab`` draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from diffkit.errors import check_name
from diffkit.pictures import STYLE, write

__all__ = ["LabFigure", "all_figures", "choose", "draw"]

TOPICS: tuple[str, ...] = (
    "graphs",
    "diagrams",
    "networks",
    "training",
    "data",
    "depth",
    "matrix_calculus",
    "least_squares",
    "checking",
    "efficiency",
)
"""Files of this folder, in the order of the pages."""


@dataclass(frozen=True)
class LabFigure:
    """A figure of the lab.

    Attributes
    ----------
    name
        Of its file, without the suffix.
    question
        What it answers, in one sentence.
    make
        Runs what it shows, and draws it.
    """

    name: str
    question: str
    make: Callable[[], Figure]


def all_figures() -> dict[str, LabFigure]:
    """Which figures are there? By name, in the order of the pages.

    Examples
    --------
    >>> all_figures()["band"].question
    'Can a straight line part a band, and can two hidden units?'
    """
    modules = [import_module(f"diffkit.lab.figures.{topic}") for topic in TOPICS]
    return {figure.name: figure for module in modules for figure in module.FIGURES}


def choose(names: Sequence[str] = ()) -> list[LabFigure]:
    """Find figures by name; all, where none is named.

    Raises
    ------
    UnknownNameError
        No figure has that name; the message says which one comes near.

    Examples
    --------
    >>> [figure.name for figure in choose(["band", "pocket"])]
    ['band', 'pocket']
    """
    known = all_figures()
    for name in names:
        check_name(name, known, kind="figure")
    return [known[name] for name in names or known]


def draw(figure: LabFigure | str, folder: str | Path) -> Path:
    """Draw a figure, or the one of that name, into a folder, as PNG; the same figure is the same file.

    Raises
    ------
    UnknownNameError
        No figure has that name; the message says which one comes near.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw("diagram-wide", folder).name
    'diagram-wide.png'
    """
    drawn = figure if isinstance(figure, LabFigure) else choose([figure])[0]
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        return write(drawn.make(), into / f"{drawn.name}.png")
