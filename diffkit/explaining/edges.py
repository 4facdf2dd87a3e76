"""What each edge of a blackboard contributes, [local gradient] x [its gradient], read off what an op's rule records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diffkit.explaining.backward import sent
from diffkit.explaining.lines import Board, Line
from diffkit.explaining.notation import LATEX, TEXT, Notation, Piece
from diffkit.explaining.wording import HIDDEN, formula
from diffkit.graph import CONSTANT, Graph, Step, run
from diffkit.ops import Array
from diffkit.primitives import transpose
from diffkit.simplify import simplify
from diffkit.sweeps import Cotangent, accumulate
from diffkit.tracing import Trace


@dataclass(frozen=True, eq=False)
class Edge:
    """What one line sends back to a line that it reads.

    Attributes
    ----------
    source, target
        The variable that is read, and the line that reads it; a gradient goes from the target to the source.
    gradient
        [its gradient]: that of the loss by the target.
    value
        The contribution to the gradient of the source.
    """

    source: Line
    target: Line
    gradient: Array
    value: Array
    _rule: Rule

    @property
    def local(self) -> Array | None:
        """[local gradient], entry by entry; None where the rule is no product of entries (a matrix product, a sum)."""
        return self._rule.local_value

    @property
    def local_text(self) -> str:
        """The local gradient in names, ``cos(t)``; empty where there is none."""
        return self._rule.local(TEXT)

    @property
    def local_latex(self) -> str:
        """The local gradient in LaTeX."""
        return self._rule.local(LATEX)

    @property
    def gradient_text(self) -> str:
        """[its gradient] in names, ``dJ/du``."""
        return self._rule.seed(TEXT).string

    @property
    def gradient_latex(self) -> str:
        """[its gradient] in LaTeX."""
        return self._rule.seed(LATEX).string

    @property
    def text(self) -> str:
        """The contribution in names, ``dJ/du cos(t)``."""
        return self._rule.contribution(TEXT).string

    @property
    def latex(self) -> str:
        """The contribution in LaTeX."""
        return self._rule.contribution(LATEX).string

    def __str__(self) -> str:
        way = f"{self.source.name} -> {self.target.name}: "
        if self.local is None:
            return f"{way}{self.text} = {TEXT.value(self.value)}"
        factors = f"{TEXT.value(self.local)} x {TEXT.value(self.gradient)}"
        return f"{way}[{self.local_text}] x [{self.gradient_text}] = {factors} = {TEXT.value(self.value)}"

    def piece(self, n: Notation) -> Piece:
        """The contribution, to be written into a sum."""
        return self._rule.contribution(n)


class Rule:
    """An op's rule, run on tracers for one edge: once for any gradient that comes in, once for a gradient of one."""

    def __init__(self, board: Board, target: int, source: int, values: Sequence[Array], gradient: Array) -> None:
        self.board, self.target, self.source = board, target, source
        self.values, self.gradient = values, gradient
        step, operand = board.graph.steps[target], board.graph.steps[source]
        by_entry = step.shape == operand.shape and (step.op.family == "elementwise" or step.shape == ())
        self.entrywise = by_entry and not any(map(self._turned, step.operands))

    def _turned(self, position: int) -> bool:
        """Whether the line reads the other one with its axes exchanged, so that entries do not meet their own."""
        step = self.board.graph.steps[position]
        looking = self.board.shown[position] == self.source != position
        return looking and (step.op is transpose or self._turned(step.operands[0]))

    def local(self, n: Notation) -> str:
        """The local gradient; empty where there is none."""
        return self._local(n).string if self.entrywise else ""

    @property
    def local_value(self) -> Array | None:
        """The local gradient as numbers."""
        if not self.entrywise:
            return None
        with np.errstate(all="ignore"):
            found = self._with_one.evaluate(*self._given[:-1])[0]
        return np.broadcast_to(found, self.gradient.shape)[()]

    def seed(self, n: Notation) -> Piece:
        """[its gradient]: that of the loss by the target."""
        names = self.board.names
        return n.gradient(names[self.board.graph.outputs[0]], names[self.target])

    def contribution(self, n: Notation) -> Piece:
        """[local gradient] x [its gradient] where the rule is a product of entries, its formula otherwise."""
        last = self.target == self.board.graph.outputs[0]
        if not (self.entrywise or last):
            return self._written(n, self._with_any, self.seed(n))
        local = self._local(n)
        if last:
            return local
        scalar = self.gradient.size == 1 or spread_from_one(self._with_one)
        return n.product(self.seed(n), local) if scalar else n.entrywise_product(self.seed(n), local)

    def _local(self, n: Notation) -> Piece:
        found = self._written(n, self._with_one)
        return found.lifted or found

    # ------------------------------------------------------------ what the rule records

    @cached_property
    def _leaves(self) -> list[int]:
        """The line itself and the lines that it reads, numbers aside: the inputs of the rule."""
        read = dict.fromkeys((self.target, *self.board.sources(self.target)))
        return [position for position in read if not self.board.is_number(position)]

    @property
    def _given(self) -> list[Array]:
        return [*(self.values[position] for position in self._leaves), self.gradient]

    @cached_property
    def _with_one(self) -> Graph:
        return self._recorded(one=True)

    @cached_property
    def _with_any(self) -> Graph:
        return self._recorded(one=False)

    def _recorded(self, *, one: bool) -> Graph:
        steps, step = self.board.graph.steps, self.board.graph.steps[self.target]
        trace = Trace(frozen=True)
        with trace.recording():
            values = {position: trace.abstract_input(steps[position]) for position in self._leaves}
            for position in self.board.sources(self.target):
                if position not in values:
                    values[position] = trace.constant(steps[position].params["value"])
            for operand in step.operands:
                self._look(trace, values, operand)
            seed = trace.constant(np.ones(step.shape, step.dtype)) if one else trace.abstract_input(step)
            read = {o for o in step.operands if self.board.shown[o] == self.source}
            found = sent(self.board, self.target, values, Cotangent(seed), read)
            total = accumulate(found[self.source]).value
            graph = simplify(trace.graph([total]))
        return decided(graph, self._given)

    def _look(self, trace: Trace, values: dict[int, Array], position: int) -> None:
        """Record the views between a line and what it reads."""
        if position not in values:
            step = self.board.graph.steps[position]
            self._look(trace, values, step.operands[0])
            values[position] = trace.record(step.op, [values[step.operands[0]]], step.params)

    def _written(self, n: Notation, graph: Graph, seed: Piece | None = None) -> Piece:
        names = [self.board.piece(n, position) for position in self._leaves]
        pieces = dict(zip(graph.inputs, [*names, *([seed] if seed else [])], strict=True))
        return written(n, graph, pieces, self.board)


def decided(graph: Graph, arguments: Sequence[Array]) -> Graph:
    """Take a rule's decisions as they fall at this point: what holds everywhere, or nowhere, is a constant."""
    if not any(step.dtype == bool for step in graph.steps):
        return graph
    with np.errstate(all="ignore"):
        values = run(graph.steps, dict(zip(graph.inputs, arguments, strict=False)))
    steps = list(graph.steps)
    for position, step in enumerate(steps):
        if step.dtype == bool and len(np.unique(values[position])) == 1:
            steps[position] = Step(CONSTANT, (), {"value": np.asarray(values[position])}, step.shape, step.dtype)
    return simplify(Graph(tuple(steps), graph.inputs, graph.outputs))


def spread_from_one(graph: Graph) -> bool:
    """Whether all entries of the result are one number, of which a product needs no sign."""
    step = graph.steps[graph.outputs[0]]
    while step.op in HIDDEN:
        step = graph.steps[step.operands[0]]
    return math.prod(step.shape) == 1


def written(n: Notation, graph: Graph, names: dict[int, Piece], board: Board) -> Piece:
    """The one result of a graph as a formula in the names of its inputs, on a board."""
    pieces: list[Piece] = []
    for position, step in enumerate(graph.steps):
        if position in names:
            pieces.append(names[position])
        elif step.op is CONSTANT:
            value = step.params["value"]
            pieces.append(n.array(value) if value.ndim else board.number(n, value.item()))
        else:
            operands = [graph.steps[operand] for operand in step.operands]
            pieces.append(formula(n, step, operands, [pieces[operand] for operand in step.operands]))
    return pieces[graph.outputs[0]]
