"""Where the boxes of a drawn graph go, and which way its edges take: columns from left to right.

As in Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures" (1981): nodes
stand in columns, each right of its operands; igraph orders every column so that few edges cross; then heights are
chosen that make edges as level as the order allows, by a linear program (Gansner, Koutsofios, North and Vo, "A
technique for drawing directed graphs", 1993, section 4). A value that is read further right is carried there by one
trunk, which has a spot of its own in every column that it passes. Edges bend between columns only, and so meet no box,
nor the words beside it, but their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import Any, NamedTuple

import numpy as np

from diffkit.errors import needing

Edge = tuple[int, int]
"""From which node to which, by their numbers; the second is larger."""


class Size(NamedTuple):
    """Room for a node with its words: its width, and how far it reaches above and below its middle."""

    width: float
    above: float
    below: float


TRUNK = Size(0.0, 0.09, 0.09)
STRAIGHT, ALONE = 8.0, 3.0  # how much more than others a trunk should be level, and an edge that arrives alone
PORTS = 0.09  # between edges that arrive at one node, at most


@dataclass(frozen=True)
class Layout:
    """Where everything is, in inches; y goes down.

    Attributes
    ----------
    columns
        Left and right border of each column.
    layers
        The column of each node.
    heights
        The y of each node's middle.
    passed
        For each edge, the y at which it passes each column between its ends.
    ports
        For each edge, how far below the middle of its end it arrives.
    """

    columns: list[tuple[float, float]]
    layers: list[int]
    heights: list[float]
    passed: list[list[float]]
    ports: list[float]

    def middle(self, node: int) -> tuple[float, float]:
        """Where the middle of a node is."""
        left, right = self.columns[self.layers[node]]
        return (left + right) / 2, self.heights[node]


class Link(NamedTuple):
    """A part of an edge, between neighbours: from which spot to which, where there, and how level it should be."""

    start: int
    end: int
    port: float
    weight: float


def place(sizes: Sequence[Size], edges: Sequence[Edge], *, gap: float, border: float) -> Layout:
    """Place nodes of these sizes; columns are apart by ``gap``, and edges arrive along a left border of this length.

    Raises
    ------
    UnsupportedError
        igraph or SciPy is not installed.

    Examples
    --------
    >>> layout = place([Size(1.0, 0.5, 0.5)] * 3, [(0, 1), (1, 2), (0, 2)], gap=0.5, border=0.3)
    >>> layout.columns, layout.layers, len(layout.passed[2])
    ([(0.0, 1.0), (1.5, 2.5), (3.0, 4.0)], [0, 1, 2], 1)
    """
    layers = _layers(len(sizes), edges)
    trunks = _trunks(layers, edges)
    columns = _columns(layers, trunks)
    parts = [pair for trunk in trunks for pair in pairwise(trunk)]
    arriving = [(trunks[start][layers[end] - layers[start] - 1], end) for start, end in edges]
    order = _order(columns, [*parts, *arriving])
    ports = _ports(arriving, order, border)
    alone = np.bincount([end for _, end in edges], minlength=len(sizes)) == 1
    links = [Link(*part, 0.0, STRAIGHT) for part in parts]
    links += [Link(*edge, port, ALONE if alone[edge[1]] else 1.0) for edge, port in zip(arriving, ports, strict=True)]
    heights = _level([*sizes, *[TRUNK] * (len(columns) - len(sizes))], links, columns, order)
    passed = [[heights[spot] for spot in trunks[start][1 : layers[end] - layers[start]]] for start, end in edges]
    return Layout(_borders(layers, sizes, gap), layers, heights[: len(sizes)], passed, ports)


def _borders(layers: Sequence[int], sizes: Sequence[Size], gap: float) -> list[tuple[float, float]]:
    """Left and right of each column, which is as wide as its widest node."""
    wide = [0.0] * (max(layers) + 1)
    for layer, size in zip(layers, sizes, strict=True):
        wide[layer] = max(wide[layer], size.width)
    rights = accumulate(wide, lambda right, width: right + gap + width)
    return [(right - width, right) for right, width in zip(rights, wide, strict=True)]


def _layers(count: int, edges: Sequence[Edge]) -> list[int]:
    """As far left as a node's operands allow; what has no operand stands right before its first reader."""
    layers = [0] * count
    for start, end in sorted(edges, key=lambda edge: edge[1]):
        layers[end] = max(layers[end], layers[start] + 1)
    for node in set(range(count)) - {end for _, end in edges}:
        layers[node] = min((layers[end] - 1 for start, end in edges if start == node), default=0)
    return layers


def _trunks(layers: Sequence[int], edges: Sequence[Edge]) -> list[list[int]]:
    """For each node the numbers of its spots: its own, then one in each column that its value passes."""
    trunks, count = [], len(layers)
    for node, layer in enumerate(layers):
        passed = max((layers[end] - layer - 1 for start, end in edges if start == node), default=0)
        trunks.append([node, *range(count, count + passed)])
        count += passed
    return trunks


def _columns(layers: Sequence[int], trunks: Sequence[Sequence[int]]) -> list[int]:
    """The column of each spot."""
    columns = {spot: layers[trunk[0]] + further for trunk in trunks for further, spot in enumerate(trunk)}
    return [columns[spot] for spot in range(len(columns))]


def _order(columns: Sequence[int], pairs: Sequence[Edge]) -> list[float]:
    """Numbers by which to sort the spots of each column."""
    with needing("a drawn graph", extra="lab", instead="take its .dot(), which needs nothing"):
        import igraph
    graph = igraph.Graph(n=len(columns), edges=pairs, directed=True)
    return [y for y, _ in graph.layout_sugiyama(layers=columns, maxiter=1000).coords]


def _ports(arriving: Sequence[Edge], order: Sequence[float], border: float) -> list[float]:
    """Where each edge arrives, from the middle of its end: what comes from above above the others."""
    ports = [0.0] * len(arriving)
    for _, group in groupby(sorted(range(len(arriving)), key=lambda edge: arriving[edge][1]), lambda e: arriving[e][1]):
        edges = sorted(group, key=lambda edge: order[arriving[edge][0]])
        apart = min(PORTS, border / len(edges))
        for number, edge in enumerate(edges):
            ports[edge] = (number - (len(edges) - 1) / 2) * apart
    return ports


def _level(sizes: Sequence[Size], links: Sequence[Link], columns: Sequence[int], order: Sequence[float]) -> list[float]:
    """The heights that minimise the weighted rises of all links, where spots have the room that they need."""
    with needing("a drawn graph", extra="lab", instead="take its .dot(), which needs nothing"):
        from scipy import optimize, sparse
    spots = sorted(range(len(columns)), key=lambda spot: (columns[spot], order[spot]))
    apart = [(upper, lower) for upper, lower in pairwise(spots) if columns[upper] == columns[lower]]
    rises = _differences([link[:2] for link in links], len(spots))
    slack = sparse.eye_array(len(links))
    room = _differences(apart, len(spots))
    ports = np.array([link.port for link in links])
    solved = optimize.linprog(
        np.concatenate([np.zeros(len(spots)), [link.weight for link in links]]),
        A_ub=sparse.block_array([[rises, -slack], [-rises, -slack], [room, None]], format="csr"),
        b_ub=np.concatenate([ports, -ports, [-sizes[upper].below - sizes[lower].above for upper, lower in apart]]),
        method="highs",
    )
    return [float(y) for y in solved.x[: len(spots)]]


def _differences(pairs: Sequence[Edge], count: int) -> Any:
    """The matrix that takes heights to the differences of pairs, first less second."""
    from scipy import sparse

    rows = np.arange(len(pairs))
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    ones = np.ones(len(pairs))
    entries = (np.concatenate([ones, -ones]), (np.tile(rows, 2), np.concatenate([first, second])))
    return sparse.csr_array(entries, shape=(len(pairs), count))
