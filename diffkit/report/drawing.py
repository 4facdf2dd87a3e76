"""Pictures as files beside a page, and as SVG within one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffkit.pictures import STYLE, UNSAID, write
from diffkit.report.figures import NARROW, WIDE, Form, Picture
from diffkit.report.figures.labels import take_headline

BARE = dict.fromkeys(("Creator", "Date", "Format", "Type"))
"""What SVG within a page leaves unsaid: it names addresses of vocabularies, and the page is enough."""

PIXELS = 1.55
"""Of a page per point of a picture, so that letters are as large in every picture."""

TAG = re.compile(r"<[^>]+>")

LETTERS = STYLE | {"svg.fonttype": "none"}
"""In SVG words stay words: they can be found, read aloud and copied, in a page in the page's own letters."""


@dataclass(frozen=True)
class Drawing:
    """A picture within a page: what it found, what it was found on, and its SVG for wide and narrow screens."""

    finding: str
    context: str
    wide: str
    narrow: str


def write_files(picture: Picture, frame: pd.DataFrame, folder: Path, *, wanted: bool = True) -> None:
    """Write a picture as PNG and SVG; what an earlier run left goes when it is not wanted or has no rows."""
    files = [folder / f"{picture.name}{suffix}" for suffix in UNSAID]
    if not wanted or picture.select(frame).empty:
        for file in files:
            file.unlink(missing_ok=True)
        return
    with mpl.rc_context(LETTERS):
        figure, _ = _drawn(picture, frame, WIDE)
        for file in files:
            write(figure, file)


def draw(picture: Picture, frame: pd.DataFrame) -> Drawing | None:
    """Draw a picture for a page that says its title itself; None without rows for it."""
    if picture.select(frame).empty:
        return None
    forms = {}
    with mpl.rc_context(LETTERS):
        for form in (WIDE, NARROW):
            figure, axes = _drawn(picture, frame, form)
            finding, context = take_headline(axes)
            forms[form] = _inline(figure, f"{picture.name}-{form.width:.0f}")
    return Drawing(finding, context, forms[WIDE], forms[NARROW])


def _drawn(picture: Picture, frame: pd.DataFrame, form: Form) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(form.width, picture.height(frame)))
    return figure, picture.draw(frame, figure.add_axes(form.box))


def _inline(figure: Figure, prefix: str) -> str:
    """Make an SVG element for HTML: as wide as its place, its identifiers its own, its letters the page's."""
    file = StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata=BARE)
    whole = file.getvalue()
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', whole)
    width, height = map(float, found.groups()) if found else (0.0, 0.0)
    content = whole.partition("</style>")[2].partition("</defs>")[2].rpartition("</svg>")[0]
    content = re.sub(r"<!--.*?-->", "", content, flags=re.DOTALL)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', "".join(TAG.findall(content))))
    content = TAG.sub(lambda tag: _own(tag[0], prefix, used), content)
    size = f'viewBox="0 0 {width:.1f} {height:.1f}" width="{PIXELS * width:.0f}"'
    return f'<svg {size} aria-hidden="true">{content}</svg>'


def _own(tag: str, prefix: str, used: set[str]) -> str:
    """Rename what a tag names or points at, and drop names that nothing points at, fonts, and turns by nothing."""
    tag = re.sub(r' id="([^"]+)"', lambda found: f' id="{prefix}-{found[1]}"' if found[1] in used else "", tag)
    tag = re.sub(r'(xlink:)?href="#', f'href="#{prefix}-', tag).replace("url(#", f"url(#{prefix}-")
    return re.sub(r' ?font-family: [^;"]+;?| transform="rotate\(-0 [^"]+"', "", tag)
