"""What forward and reverse mode share: a Jacobian is a sweep of many directions, in chunks when memory asks for it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diffkit import trees
from diffkit.differentiators.base import GraphDifferentiator
from diffkit.differentiators.derivative import Derivative
from diffkit.differentiators.programs import GIGABYTE, Branch, Program, check_dense
from diffkit.differentiators.recording import Recording, record
from diffkit.errors import check_positive
from diffkit.graph import Graph
from diffkit.ops import nbytes, size
from diffkit.sweeps import active_steps
from diffkit.tracing import current_trace


@dataclass(frozen=True, kw_only=True)
class SweepDifferentiator(GraphDifferentiator):
    """A method whose Jacobian is a sweep of K directions at once."""

    memory_limit: int = GIGABYTE

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self.memory_limit, "memory_limit", " of bytes")

    @abstractmethod
    def seeded(self, recording: Recording) -> list[Any]:
        """The leaves that directions belong to."""

    @abstractmethod
    def block(self, recording: Recording, seeds: list[Any], count: int) -> Any:
        """Record the part of the Jacobian that belongs to ``count`` directions."""

    @abstractmethod
    def place(self, whole: np.ndarray[Any, Any], start: int, block: np.ndarray[Any, Any]) -> None:
        """Put a block into the Jacobian."""

    def jacobian(self, recording: Recording) -> Any:
        """All directions at once: the identity is the seed. One direction needs no axis, so numbers stay numbers."""
        leaves = self.seeded(recording)
        total = trees.total_size(leaves)
        check_dense(trees.total_size(recording.outputs), trees.total_size(recording.inputs))
        check_dense(total, total)
        seeds = recording.ones(leaves) if total == 1 else recording.identity(leaves)
        return self.block(recording, seeds, total)

    def in_pieces(self, derivative: Derivative, branch: Branch, product: str) -> Program | None:
        """A Jacobian or a gradient of more directions than fit into memory together is made by several sweeps."""
        graph, wanted = branch.graph, derivative.layout.wanted
        if product not in ("jacobian", "gradient") or current_trace() is not None:
            return None  # what joins an outer trace joins it whole
        check_dense(derivative.outputs, derivative.inputs)
        total = self.sweeps(derivative.inputs, derivative.outputs)
        count = max(1, int(self.memory_limit // max(1, bytes_per_direction(graph, wanted))))
        if count >= total or holds(self.graph_of(branch, wanted, product), self.memory_limit):
            return None
        whole = self._chunked(derivative, branch, total, count)
        if product == "jacobian":
            return whole
        specs = [spec for spec, flag in zip(derivative.layout.specs, wanted, strict=True) if flag]

        def gradient(*arrays: Any) -> tuple[Any, ...] | None:
            found = whole.run(*arrays)
            return found and (*trees.split(found[0][0], specs), *found[1:])

        return replace(whole, run=gradient)

    def _chunked(self, derivative: Derivative, branch: Branch, total: int, count: int) -> Program:
        graph, wanted = branch.graph, derivative.layout.wanted
        leaves: list[Any] = []

        def make(recording: Recording) -> list[Any]:
            leaves.extend(self.seeded(recording))
            seeds = recording.directions(leaves, (count,))
            return [self.block(recording, seeds, count)]

        program = self.compiled(record(graph, len(branch.traced.leaves), wanted, make))
        shape = (derivative.outputs, derivative.inputs)
        dtype = np.result_type(*[leaf.dtype for leaf in branch.traced.leaves])
        specs = [(leaf.shape, leaf.dtype) for leaf in leaves]

        def run(*arrays: Any) -> tuple[Any, ...] | None:
            whole = np.empty(shape, dtype)
            extra: tuple[Any, ...] = ()
            for start in range(0, total, count):
                # The last chunk overlaps the one before, instead of having a shape of its own.
                first = min(start, total - count)
                found = program.run(*arrays, *_seeds(specs, first, count))
                if found is None:
                    return None
                self.place(whole, first, found[0])
                extra = found[1:]
            return (whole, *extra)

        chunks = -(-total // count)
        operations = program.operations * chunks if program.operations else None
        return Program(run, program.graph, program.source, operations)


def _seeds(specs: list[Any], start: int, count: int) -> list[Any]:
    """Rows ``start`` to ``start + count`` of the identity matrix, cut into leaves."""
    seeds, offset = [], 0
    for shape, dtype in specs:
        entries = int(np.prod(shape))
        seeds.append(np.eye(count, entries, start - offset, dtype=dtype).reshape(count, *shape))
        offset += entries
    return seeds


def holds(graph: Graph, memory_limit: int) -> bool:
    """Whether a recorded derivative may run whole: of what is not dead yet, a handful is large at a time."""
    sizes = sorted((nbytes(step) for step in graph.steps), reverse=True)
    return sum(sizes[:8]) <= memory_limit


def bytes_per_direction(graph: Graph, wanted: tuple[bool, ...]) -> int:
    """What a sweep holds per direction: the entries of the active steps that are larger than a number."""
    active = active_steps(graph, wanted)
    sizes = [size(step) * step.dtype.itemsize for step, flag in zip(graph.steps, active, strict=True) if flag]
    return sum(sorted(sizes, reverse=True)[:8])  # what is dead is freed: a handful lives at a time
