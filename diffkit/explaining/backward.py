"""The backward column: two versions of backpropagation over the lines of a blackboard.

Version B starts every gradient at zero; each line, the last one first, increments the gradients of what it reads.
Version A finds the gradient of each variable, the last one first, as the sum over the lines that read it. Both call the
rules that `diffkit.sweeps` calls, on tracers: what they compute is recorded, and is the same graph once simplified.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from diffkit.explaining.lines import Board
from diffkit.graph import Graph
from diffkit.ops import Array
from diffkit.simplify import simplify
from diffkit.sweeps import Cotangent, accumulate, active_steps, pull
from diffkit.tracing import Trace, replay

Parts = dict[int, list[Cotangent]]
"""What a line sends to each of the lines that it reads."""


class Sweep:
    """A backward sweep over a blackboard, being recorded.

    Parameters
    ----------
    trace
        Where it is recorded.
    board
        The lines of the function.
    wanted
        For each input of the graph, whether f is differentiated by it.
    values
        A tracer for each step of the graph.
    """

    def __init__(self, board: Board, wanted: Sequence[bool], trace: Trace, values: Sequence[Array]) -> None:
        self.board, self.trace, self.values = board, trace, values
        self.active = active_steps(board.graph, wanted)
        self.nodes = [
            position for position, shown in enumerate(board.shown) if position == shown and self.active[position]
        ]
        self.edges: dict[tuple[int, int], Cotangent] = {}

    def version_b(self) -> dict[int, Cotangent]:
        """Initialise to zero, then increment: the gradient of each line, from the last to the first."""
        collected = {position: self._seed(position) or [self._zero(position)] for position in self.nodes}
        found: dict[int, Cotangent] = {}
        for position in reversed(self.nodes):
            found[position] = accumulate(collected[position])  # adds from the left: zero, one increment, the next
            for source, parts in self._sent(position, found[position]).items():
                self.edges[position, source] = accumulate(parts)
                collected[source] += parts
        return found

    def version_a(self) -> dict[int, Cotangent]:
        """Sum over consumers: the gradient of each line, from the last to the first."""
        found: dict[int, Cotangent] = {}
        consumers = self.consumers()
        for position in reversed(self.nodes):
            total = self._seed(position)
            for consumer in reversed(consumers[position]):
                parts = self._sent(consumer, found[consumer], to=position).get(position)
                if parts:
                    self.edges[consumer, position] = accumulate(parts)
                    total += parts
            found[position] = accumulate(total or [self._zero(position)])
        return found

    def consumers(self) -> dict[int, list[int]]:
        """The lines that read each line, in order."""
        reading: dict[int, list[int]] = {position: [] for position in self.nodes}
        for position in self.nodes:
            for source in dict.fromkeys(self.board.sources(position)):
                if source in reading:
                    reading[source].append(position)
        return reading

    def _seed(self, position: int) -> list[Cotangent]:
        """What a sweep starts from: the gradient of the result by itself."""
        step = self.board.graph.steps[position]
        loss = position in self.board.graph.outputs
        return [Cotangent(self.trace.constant(np.ones(step.shape, step.dtype)))] if loss else []

    def _zero(self, position: int) -> Cotangent:
        step = self.board.graph.steps[position]
        zero = self.trace.constant(np.zeros(step.shape, step.dtype))
        return Cotangent(zero, self.trace.constant(np.zeros(step.shape)))

    def _sent(self, position: int, cotangent: Cotangent, to: int | None = None) -> Parts:
        wanted = {o for o in self.board.graph.steps[position].operands if to in (None, self.board.shown[o])}
        return sent(self.board, position, self.values, cotangent, {o for o in wanted if self.active[o]})


def sent(board: Board, position: int, values: Any, cotangent: Cotangent, to: Collection[int]) -> Parts:
    """What a line's rule sends to some of its operands, through the views to the lines behind them."""
    step = board.graph.steps[position]
    flags = tuple(operand in to for operand in step.operands)
    operands = tuple(values[operand] for operand in step.operands)
    found: Parts = {}
    for operand, part in zip(
        step.operands, pull(step.op, cotangent, values[position], operands, flags, step.params), strict=True
    ):
        if part is not None and operand in to:
            found.setdefault(board.shown[operand], []).append(_through_views(board, operand, values, part))
    return found


def _through_views(board: Board, position: int, values: Any, part: Cotangent) -> Cotangent:
    while board.shown[position] != position:
        step = board.graph.steps[position]
        (source,) = step.operands
        (pulled,) = pull(step.op, accumulate([part]), values[position], (values[source],), (True,), step.params)
        position, part = source, pulled or part  # a view always sends something
    return part


def derivative_graph(board: Board, wanted: Sequence[bool], version: str) -> Graph:
    """The gradient by every wanted input, as one version of backpropagation records it; simplified."""
    trace = Trace(frozen=True)
    with trace.recording():
        _, found = swept(trace, board, wanted, version)
        inputs = [position for position, flag in zip(board.graph.inputs, wanted, strict=True) if flag]
        smaller = simplify(by_need(trace.graph([found[position].value for position in inputs])))
        return simplify(by_need(smaller))  # where a number has moved, steps may have changed places


def by_need(graph: Graph) -> Graph:
    """The same steps in the order in which the results need them, whatever the order in which they were recorded."""
    order: dict[int, int] = {}
    pending = [*reversed(graph.outputs), *reversed(graph.inputs)]
    while pending:
        here = pending[-1]
        missing = [operand for operand in graph.steps[here].operands if operand not in order]
        if missing and here not in order:
            pending += reversed(missing)
        else:
            order.setdefault(pending.pop(), len(order))
    steps = [graph.steps[position] for position in order]
    steps = [step._replace(operands=tuple(order[operand] for operand in step.operands)) for step in steps]
    inputs, outputs = (tuple(order[position] for position in part) for part in (graph.inputs, graph.outputs))
    return Graph(tuple(steps), inputs, outputs)


def swept(trace: Trace, board: Board, wanted: Sequence[bool], version: str) -> tuple[Sweep, dict[int, Cotangent]]:
    """Record one version on a trace; the sweep, and the gradient of each line."""
    arguments = [trace.abstract_input(board.graph.steps[position]) for position in board.graph.inputs]
    sweep = Sweep(board, wanted, trace, replay(trace, board.graph, arguments))
    return sweep, sweep.version_a() if version == "A" else sweep.version_b()
