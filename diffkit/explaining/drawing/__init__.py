"""Graphs as pictures: a rectangle for each intermediate variable, and edges to what reads it."""

from __future__ import annotations

from typing import Any

from diffkit.errors import TooLargeError
from diffkit.explaining.drawing.dot import dot
from diffkit.explaining.drawing.picture import Node, picture
from diffkit.explaining.lines import Line, lines
from diffkit.graph import Graph
from diffkit.pictures import Drawing

MOST = 200
"""Nodes of a picture; DOT has no limit."""


def draw(graph: Graph) -> Drawing:
    """What does this graph look like?"""
    written = lines(graph)
    return Drawing(lambda: picture(_nodes(written)), lambda: dot(written))


def _nodes(written: list[Line]) -> list[Node]:
    if len(written) > MOST:
        raise TooLargeError(
            f"the graph has {len(written):,} nodes, and a picture of more than {MOST} shows nobody anything; "
            "draw a smaller case, or save as .dot and let Graphviz place it"
        )
    return [Node(line) for line in written]
