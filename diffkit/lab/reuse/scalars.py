"""A graph of arrays as a graph of numbers: a node per entry, an edge wherever an entry is an operand of another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from diffkit.graph import CONSTANT, INPUT, Graph, Step, run
from diffkit.sparsity.pattern import pattern_of
from diffkit.sweeps import active_steps

MOVES = frozenset({"reshape", "transpose", "broadcast", "index", "gather", "convert", "scatter"})
"""Ops that put entries elsewhere and compute nothing, as reading ``x[2]`` does; a sort chooses, as max does."""


class Edge(NamedTuple):
    """An operand of a node: which entry of the array in which place of the op."""

    source: int
    slot: int
    entry: int


@dataclass(frozen=True, eq=False)
class Scalars:
    """The numbers of a graph at one point, and how they depend on the inputs.

    Attributes
    ----------
    graph
        Of arrays.
    values
        The value of each of its steps.
    """

    graph: Graph
    values: list[Any]

    @classmethod
    def of(cls, graph: Graph, arguments: list[Any]) -> Scalars:
        """Evaluate a graph at a point."""
        with np.errstate(all="ignore"):
            return cls(graph, run(graph.steps, dict(zip(graph.inputs, arguments, strict=True))))

    @cached_property
    def starts(self) -> list[int]:
        """The first node of each step; one more at the end."""
        return [0, *np.cumsum([math.prod(step.shape) for step in self.graph.steps]).tolist()]

    @cached_property
    def active(self) -> list[bool]:
        """Which steps depend on an input."""
        return active_steps(self.graph, [True] * len(self.graph.inputs))

    @property
    def inputs(self) -> list[int]:
        """The nodes that are inputs."""
        return self._nodes(self.graph.inputs)

    @property
    def outputs(self) -> list[int]:
        """The nodes that are outputs."""
        return self._nodes(self.graph.outputs)

    def _nodes(self, positions: tuple[int, ...]) -> list[int]:
        return [node for position in positions for node in range(self.starts[position], self.starts[position + 1])]

    @cached_property
    def home(self) -> list[int]:
        """The step of each node."""
        sizes = np.diff(self.starts)
        return np.repeat(np.arange(len(sizes)), sizes).tolist()

    @cached_property
    def computes(self) -> list[bool]:
        """Whether a node is the result of a function, rather than a number at another place."""
        free = [step.op.family == "leaf" or step.op.name in MOVES for step in self.graph.steps]
        return [not free[position] for position in self.home]

    @cached_property
    def edges(self) -> list[tuple[Edge, ...]]:
        """For each node, its operands that depend on an input; ``x * x`` has two."""
        found: list[tuple[Edge, ...]] = []
        for position, step in enumerate(self.graph.steps):
            whole = self.active[position] and step.operands
            found += self._edges(step) if whole else [()] * math.prod(step.shape)
        return found

    def _edges(self, step: Step) -> list[tuple[Edge, ...]]:
        """The pattern of this one step, by its operands as if they were inputs."""
        flags = [self.active[operand] for operand in step.operands]
        leaves = [
            _leaf(self.graph.steps[operand], self.values[operand], flag)
            for operand, flag in zip(step.operands, flags, strict=True)
        ]
        slots = tuple(slot for slot, flag in enumerate(flags) if flag)
        alone = step._replace(operands=tuple(range(len(leaves))))
        pattern = pattern_of(Graph((*leaves, alone), slots, (len(leaves),)), [True] * len(slots), 1).matrix
        places = [(slot, entry) for slot in slots for entry in range(math.prod(leaves[slot].shape))]
        sources = [self.starts[step.operands[slot]] + entry for slot, entry in places]
        return [
            tuple(Edge(sources[column], *places[column]) for column in pattern.indices[first:last])
            for first, last in zip(pattern.indptr[:-1], pattern.indptr[1:], strict=True)
        ]

    # ------------------------------------------------------------ one node, from operands that are handed in

    def value(self, node: int, operands: dict[Edge, Any]) -> Any:
        """Evaluate one node; operands that are not handed in do not depend on the inputs."""
        step, arrays = self._step(node, operands)
        with np.errstate(all="ignore"):
            return np.ravel(step.op.evaluate(*arrays, **step.params))[node - self.starts[self.home[node]]]

    def partial(self, node: int, edge: Edge, operands: dict[Edge, Any]) -> float:
        """The partial of one node by one of its operands."""
        step, arrays = self._step(node, operands)
        tangents: list[Any] = [None] * len(arrays)
        tangents[edge.slot] = np.zeros(np.shape(arrays[edge.slot]))
        tangents[edge.slot].reshape(-1)[edge.entry] = 1.0
        with np.errstate(all="ignore"):
            result = step.op.evaluate(*arrays, **step.params)
            tangent = step.op.jvp(result, tuple(arrays), tuple(tangents), step.params)  # type: ignore[misc]  # it is active
        return float(np.ravel(np.broadcast_to(tangent, step.shape))[node - self.starts[self.home[node]]])

    def _step(self, node: int, operands: dict[Edge, Any]) -> tuple[Step, list[Any]]:
        step = self.graph.steps[self.home[node]]
        arrays = [np.array(self.values[operand]) for operand in step.operands]
        for edge, number in operands.items():
            arrays[edge.slot].reshape(-1)[edge.entry] = number
        return step, arrays


def _leaf(step: Step, value: Any, flag: bool) -> Step:  # noqa: FBT001  # whether it is active
    op, params = (INPUT, {}) if flag else (CONSTANT, {"value": np.asarray(value)})
    return Step(op, (), params, step.shape, step.dtype)
