"""The two columns of a blackboard, row by row: what stands there in a notation, and the number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from typing import NamedTuple

import numpy as np

from diffkit.explaining.backward import swept
from diffkit.explaining.edges import Edge, Rule
from diffkit.explaining.lines import Board
from diffkit.explaining.notation import Notation
from diffkit.graph import run
from diffkit.ops import Array
from diffkit.tracing import Trace

ZEROS = 4  # how many gradients of zero stand in a row


class Row(NamedTuple):
    """A row of one column."""

    written: Callable[[Notation], str]
    value: Array | None


class Columns:
    """A blackboard with its numbers at a point.

    Attributes
    ----------
    values
        Of each step of the graph.
    gradients
        Of the result by each line; found by the version's own sweep, as are the contributions.
    contributions
        What a line sends to a line that it reads, by (target, source).
    """

    def __init__(self, board: Board, wanted: Sequence[bool], arguments: Sequence[Array], version: str) -> None:
        self.board, self.version = board, version
        (self.loss,) = board.graph.outputs
        with np.errstate(all="ignore"):
            self.values = run(board.graph.steps, dict(zip(board.graph.inputs, arguments, strict=True)))
            trace = Trace(frozen=True)
            with trace.recording():
                sweep, found = swept(trace, board, wanted, version)
                recorded = trace.graph([part.value for part in (*found.values(), *sweep.edges.values())])
            results = recorded.evaluate(*arguments)
        self.gradients: dict[int, Array] = dict(zip(found, results, strict=False))
        self.contributions = dict(zip(sweep.edges, results[len(found) :], strict=True))

    # ------------------------------------------------------------ edges

    def pairs(self) -> list[tuple[int, int]]:
        """Target and source of each edge between lines, the last target first."""
        named = self.board.names
        pairs = [(target, source) for target, source in self.contributions if target in named and source in named]
        return sorted(pairs, reverse=True)

    def edge(self, target: int, source: int) -> Edge:
        """What a line sends to a line that it reads."""
        gradient, value = self.gradients[target], self.contributions[target, source]
        rule = Rule(self.board, target, source, self.values, gradient)
        return Edge(self.board.line(source), self.board.line(target), gradient, value, rule)

    # ------------------------------------------------------------ rows

    def forward(self) -> list[Row]:
        """The forward column: inputs by their names, then a formula for each variable."""
        board = self.board
        shown = [position for position in sorted(board.names) if not board.is_number(position)]
        return [Row(partial(self._equation, position=position), self.values[position]) for position in shown]

    def backward(self) -> list[Row]:
        """The backward column, the last line first."""
        begin = Row(partial(self._chain, positions=[self.loss], last="1"), np.ones(()))
        return [begin, *(self._sums() if self.version == "A" else self._increments())]

    def _sums(self) -> Iterator[Row]:
        """Version A: each gradient as a sum over the lines that read the variable."""
        targets: dict[int, list[int]] = {}
        for target, source in self.pairs():
            targets.setdefault(source, []).append(target)
        for node in self._nodes():
            yield Row(partial(self._sum, node=node, targets=targets.get(node, [])), self.gradients[node])

    def _increments(self) -> Iterator[Row]:
        """Version B: zeros, then an increment for each edge, with what the gradient has become."""
        nodes = self._nodes()
        for start in range(0, len(nodes), ZEROS):
            yield Row(partial(self._chain, positions=nodes[start : start + ZEROS], last="0"), np.zeros(()))
        totals: dict[int, Array] = {}
        for target, source in self.pairs():
            totals[source] = totals.get(source, 0.0) + self.contributions[target, source]
            yield Row(partial(self._increment, target=target, source=source), totals[source])

    def _nodes(self) -> list[int]:
        """The variables that get a gradient, the last first, the result aside."""
        return sorted(
            (position for position in self.gradients if position in self.board.names and position != self.loss),
            reverse=True,
        )

    # ------------------------------------------------------------ what a row says

    def _equation(self, n: Notation, position: int) -> str:
        name = n.name(self.board.names[position]).string
        return f"{name} = {self.board.written(n, position).string}" if self.board.computed(position) else name

    def _chain(self, n: Notation, positions: Sequence[int], last: str) -> str:
        return " = ".join([*(self._gradient(n, position) for position in positions), last])

    def _sum(self, n: Notation, node: int, targets: Sequence[int]) -> str:
        pieces = [self.edge(target, node).piece(n) for target in targets] or [n.number(0)]
        return f"{self._gradient(n, node)} = {reduce(n.sum, pieces).string}"

    def _increment(self, n: Notation, target: int, source: int) -> str:
        return f"{self._gradient(n, source)} {n.increment} {self.edge(target, source).piece(n).string}"

    def _gradient(self, n: Notation, position: int) -> str:
        names = self.board.names
        return n.gradient(names[self.loss], names[position]).string
