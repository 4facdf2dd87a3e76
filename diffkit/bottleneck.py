"""Where is f narrowest? The fewest entries that every path from its inputs to its outputs passes through.

Whatever f computes behind such a place, it computes from the entries there: J is a product of the Jacobians behind and
before it. The place is a minimum vertex cut of the graph, each step weighing its entries; it is as large as the largest
flow that steps of such capacities let through (Ford and Fulkerson 1956), which is found by Dinic's algorithm (1970).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from diffkit.graph import Graph
from diffkit.ops import size
from diffkit.sweeps import active_steps

SOURCE, SINK = 0, 1


def narrowest(graph: Graph, wanted: Sequence[bool]) -> tuple[int, ...]:
    """The steps that have the fewest entries together, such that each path from inputs to outputs meets one.

    Inputs and outputs are such steps too: where f is nowhere narrower than there, they are the answer. Of several equal
    places it is the one nearest to the inputs.

    Parameters
    ----------
    graph
        f.
    wanted
        For each input, whether f is differentiated by it.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> f = lambda x: np.exp(np.array([1.0, 2.0, 3.0]) * np.sum(x * x))
    >>> graph = dk.get("mixed").prepare(f, np.ones(4)).function_graph
    >>> [str(graph.steps[position].op) for position in narrowest(graph, [True])]
    ['sum']
    """
    on_path = _on_paths(graph, active_steps(graph, wanted))
    network = _Network(2 + 2 * len(graph.steps))
    total = 1 + sum(size(graph.steps[position]) for position in graph.inputs)  # more than can flow
    for position in on_path:
        network.connect(_entry(position), _exit(position), size(graph.steps[position]))
        for operand in set(graph.steps[position].operands) & on_path:
            network.connect(_exit(operand), _entry(position), total)
    for position in on_path & set(graph.inputs):
        network.connect(SOURCE, _entry(position), total)
    for position in on_path & set(graph.outputs):
        network.connect(_exit(position), SINK, total)
    reached = network.fill()
    return tuple(p for p in sorted(on_path) if reached[_entry(p)] >= 0 > reached[_exit(p)])


def _on_paths(graph: Graph, active: Sequence[bool]) -> set[int]:
    """The active steps that an output is computed from."""
    needed = {position for position in graph.outputs if active[position]}
    for position in range(len(graph.steps) - 1, -1, -1):
        if position in needed:
            needed.update(operand for operand in graph.steps[position].operands if active[operand])
    return needed


def _entry(position: int) -> int:
    return 2 + 2 * position


def _exit(position: int) -> int:
    return 3 + 2 * position


class _Network:
    """Nodes and edges with capacities; edge ``e ^ 1`` goes back along ``e``, and takes back what flows there."""

    def __init__(self, nodes: int) -> None:
        self.edges: list[list[int]] = [[] for _ in range(nodes)]  # out of each node
        self.head: list[int] = []
        self.room: list[int] = []

    def connect(self, tail: int, head: int, capacity: int) -> None:
        """Add an edge, and the way back."""
        self.edges[tail].append(len(self.head))
        self.edges[head].append(len(self.head) + 1)
        self.head += [head, tail]
        self.room += [capacity, 0]

    def fill(self) -> list[int]:
        """Let as much flow as can; how far each node is from the source in the end, -1 where it is cut off."""
        while (level := self._levels())[SINK] >= 0:
            tried = [0] * len(self.edges)
            while path := self._path(level, tried):
                amount = min(self.room[edge] for edge in path)
                for edge in path:
                    self.room[edge] -= amount
                    self.room[edge ^ 1] += amount
        return level

    def _levels(self) -> list[int]:
        level = [-1] * len(self.edges)
        level[SOURCE] = 0
        waiting = deque([SOURCE])
        while waiting:
            node = waiting.popleft()
            for edge in self.edges[node]:
                head = self.head[edge]
                if self.room[edge] and level[head] < 0:
                    level[head] = level[node] + 1
                    waiting.append(head)
        return level

    def _path(self, level: list[int], tried: list[int]) -> list[int]:
        """Edges from source to sink, a level further each; what leads nowhere is not tried again."""
        path: list[int] = []
        node = SOURCE
        while node != SINK:
            edge = self._onward(node, level, tried)
            if edge is not None:
                path.append(edge)
                node = self.head[edge]
            elif path:
                node = self.head[path.pop() ^ 1]
                tried[node] += 1
            else:
                break
        return path

    def _onward(self, node: int, level: list[int], tried: list[int]) -> int | None:
        edges = self.edges[node]
        while tried[node] < len(edges):
            edge = edges[tried[node]]
            if self.room[edge] and level[self.head[edge]] == level[node] + 1:
                return edge
            tried[node] += 1
        return None
