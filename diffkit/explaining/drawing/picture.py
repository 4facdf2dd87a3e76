"""How a drawn graph looks: a rectangle for each intermediate variable, its function inside and its name above it.

Inputs, parameters and constants are nodes without a rectangle: their names stand for them. All lengths are in inches.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch, Polygon, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextToPath

from diffkit.explaining.drawing.dot import COLOURS
from diffkit.explaining.drawing.layout import Edge, Layout, Size, place
from diffkit.explaining.lines import Line

INK = "0.15"
EDGE = "0.45"
FILL = {"intermediate": "#EAF2FA", "loss": "#FCE9DC"}
NAMES = {"input": "#004B78", "parameter": "#8A4A75", "constant": "0.4"}
SIZE, SMALL = 10.0, 8.0  # of letters, in points
BOX = 0.32  # how high a box is
LINE = 0.155  # from one line of small letters to the next
NAME = 0.22  # above a box, for its name
ROOM = 0.08  # below a node and its words
GAP = 0.34  # between columns, for curves
HEAD = 0.1  # how long an arrow's head is; the last part of an edge is level
MARGIN = 0.06
LEGEND, WIDTH = 0.22, 2.4  # room below all for what the numbers are


@dataclass(frozen=True)
class Node:
    """A line of the blackboard, as it is drawn.

    Attributes
    ----------
    line
        What it is.
    notes
        Lines of small letters below it: (kind, text).
    """

    line: Line
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def boxed(self) -> bool:
        """Whether it has a rectangle."""
        return bool(self.line.function)

    @property
    def half(self) -> float:
        """Half as high as its rectangle, or as its name where it has none."""
        return BOX / 2 if self.boxed else 0.1

    @property
    def inner(self) -> float:
        """How wide its rectangle is, or its name where it has none."""
        if self.boxed:
            return max(0.42, text_width(self.line.function, SIZE) + 0.2)
        return text_width(self.line.name, SIZE) + 0.06

    @property
    def size(self) -> Size:
        """How much room it takes with its words."""
        words = [(self.line.name, SIZE), *((text, SMALL) for _, text in self.notes)]
        width = max(self.inner, *(text_width(text, size) + 0.06 for text, size in words))
        return Size(width, self.half + NAME * self.boxed, self.half + len(self.notes) * LINE + ROOM)


@functools.lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> float:
    """How wide letters are, drawn upright or slanted."""
    font = FontProperties(family="DejaVu Sans", style="italic", size=size)
    return float(TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]) / 72


def picture(nodes: Sequence[Node]) -> Figure:
    """Draw nodes, placed so that nothing covers anything.

    Raises
    ------
    UnsupportedError
        igraph or SciPy is not installed.
    """
    numbers = {node.line.position: number for number, node in enumerate(nodes)}
    edges = [(numbers[operand], end) for end, node in enumerate(nodes) for operand in node.line.operands]
    sizes = [node.size for node in nodes]
    layout = place(sizes, edges, gap=GAP + HEAD, border=0.8 * BOX)
    numbered = any(kind == "gradient" for node in nodes for kind, _ in node.notes)
    figure, axes = _canvas(layout, sizes, LEGEND if numbered else 0.0)
    if numbered:
        _legend(axes)
    for number, node in enumerate(nodes):
        _draw_node(axes, node, *layout.middle(number))
    for (start, end), way in zip(edges, ways(nodes, edges, layout), strict=True):
        _draw_edge(axes, way, f"{nodes[start].line.position}-{nodes[end].line.position}")
    return figure


def _canvas(layout: Layout, sizes: Sequence[Size], legend: float) -> tuple[Figure, Axes]:
    passed = [height for heights in layout.passed for height in heights]
    top = min([*passed, *(y - size.above for y, size in zip(layout.heights, sizes, strict=True))]) - MARGIN
    bottom = max([*passed, *(y + size.below for y, size in zip(layout.heights, sizes, strict=True))]) + MARGIN + legend
    left, right = layout.columns[0][0] - MARGIN, layout.columns[-1][1] + MARGIN
    right = max(right, left + (WIDTH if legend else 0.0))
    figure = Figure(figsize=(right - left, bottom - top))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.axis("off")
    return figure, axes


def _legend(axes: Axes) -> None:
    """Say what the numbers are, in their colours."""
    x, y = axes.get_xlim()[0] + MARGIN, axes.get_ylim()[0] - MARGIN - LINE / 2
    for kind, words in {"value": "value", "gradient": "derivative of the result by it"}.items():
        axes.text(x, y, words, size=SMALL, color=COLOURS[kind], va="center_baseline", gid=f"legend-{kind}")
        x += text_width(words, SMALL) + 0.15


def _draw_node(axes: Axes, node: Node, x: float, y: float) -> None:
    line = node.line
    name_y = y
    if node.boxed:
        axes.add_patch(
            Rectangle(
                (x - node.inner / 2, y - BOX / 2), node.inner, BOX, facecolor=FILL[line.kind], edgecolor=INK,
                linewidth=1.0, gid=f"box-{line.position}",
            )
        )  # fmt: skip
        function = "−" if line.function == "-" else line.function  # a hyphen is too short to be seen
        _write(axes, (x, y), function, f"function-{line.position}", size=SIZE, color=INK)
        name_y = y - BOX / 2 - 0.11
    colour = NAMES.get(line.kind, INK)
    _write(axes, (x, name_y), line.name, f"name-{line.position}", size=SIZE, color=colour, style="italic")
    for number, (kind, text) in enumerate(node.notes):
        spot = (x, y + node.half + (number + 0.6) * LINE)
        _write(axes, spot, text, f"{kind}-{line.position}", size=SMALL, color=COLOURS[kind])


def _write(axes: Axes, spot: tuple[float, float], text: str, gid: str, **looks: Any) -> None:
    axes.text(*spot, text, ha="center", va="center_baseline", parse_math=False, gid=gid, **looks)


# ---------------------------------------------------------------- edges

Way = list[tuple[float, float]]
"""An edge's corners: pairs of them are level within a column, and a curve leads from pair to pair."""


def ways(nodes: Sequence[Node], edges: Sequence[Edge], layout: Layout) -> list[Way]:
    """From the right border of each edge's start to the left border of its end, level through columns between.

    What edges from one start share is part of one of them; the others begin where they leave it.
    """
    found = []
    for (start, end), passed, port in zip(edges, layout.passed, layout.ports, strict=True):
        x, y = layout.middle(start)
        way = [(x + nodes[start].inner / 2, y), (layout.columns[layout.layers[start]][1], y)]
        for column, height in enumerate(passed, layout.layers[start] + 1):
            left, right = layout.columns[column]
            way += [(left - HEAD, height), (right, height)]
        x, y = layout.middle(end)
        way += [(layout.columns[layout.layers[end]][0] - HEAD, y + port), (x - nodes[end].inner / 2, y + port)]
        found.append(way)
    furthest = _furthest(edges, layout)
    return [way if number in furthest else way[-3:-2] + way[-3:] for number, way in enumerate(found)]


def _furthest(edges: Sequence[Edge], layout: Layout) -> set[int]:
    """For each start the edge that leads furthest: it draws the trunk, from which the others branch."""
    order = sorted(range(len(edges)), key=lambda number: len(layout.passed[number]))
    return {*{edges[number][0]: number for number in order}.values()}


def _draw_edge(axes: Axes, way: Way, gid: str) -> None:
    axes.add_patch(PathPatch(_curve(way), fill=False, edgecolor=EDGE, capstyle="butt", gid=f"edge-{gid}"))
    x, y = way[-1]
    head = [(x, y), (x - HEAD, y - HEAD / 3), (x - HEAD, y + HEAD / 3)]
    axes.add_patch(Polygon(head, color=EDGE, linewidth=0, gid=f"head-{gid}"))


def _curve(way: Way) -> Path:
    corners, codes = [way[0]], [Path.MOVETO]
    for number, (x, y) in enumerate(way[1:], 1):
        if number % 2:  # level within a column
            corners.append((x, y))
            codes.append(Path.LINETO)
        else:
            x0, y0 = way[number - 1]
            corners += [((x0 + x) / 2, y0), ((x0 + x) / 2, y), (x, y)]
            codes += [Path.CURVE4] * 3
    return Path(corners, codes)
