"""Mixed mode: where f passes through few numbers, sweeps start there, back to its inputs and on to its outputs.

"As many sweeps as the narrowest place has entries": with k entries there, J is (B, k) by (k, A), k forward sweeps
behind times k return sweeps before. Griewank and Walther (2008), "Evaluating Derivatives", chapters 9 and 10:
elimination in other orders than forward and reverse, here across a vertex cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from diffkit import trees
from diffkit.bottleneck import narrowest
from diffkit.differentiators.base import GraphDifferentiator
from diffkit.differentiators.derivative import Derivative
from diffkit.differentiators.forward import Forward
from diffkit.differentiators.programs import GIGABYTE, Branch, Program, check_dense
from diffkit.differentiators.recording import Recording
from diffkit.differentiators.reverse import Reverse
from diffkit.differentiators.sweeping import SweepDifferentiator, bytes_per_direction
from diffkit.graph import Graph
from diffkit.ops import size


@dataclass(frozen=True, kw_only=True)
class Mixed(GraphDifferentiator):
    """Mixed mode: exact; a Jacobian costs as many sweeps as the narrowest place of f has entries.

    Inputs and outputs are such places too: where f is nowhere narrower, this is forward or reverse mode.

    Parameters
    ----------
    engine
        "auto", "numpy", "llvm" or "interpreted".
    memory_limit
        Bytes that the directions of one sweep may take together; above it, this is forward or reverse mode in chunks.

    Examples
    --------
    >>> import numpy as np
    >>> from diffkit import Mixed
    >>> f = lambda x: np.array([1.0, 2.0, 3.0]) * np.sum(x * x)  # everything passes through one number
    >>> plan = Mixed().prepare(f, np.ones(4))
    >>> plan.run(np.array([1.0, 2.0, 3.0, 4.0]))
    array([[ 2.,  4.,  6.,  8.],
           [ 4.,  8., 12., 16.],
           [ 6., 12., 18., 24.]])
    """

    name: ClassVar[str] = "mixed"
    memory_limit: int = GIGABYTE

    def __post_init__(self) -> None:
        super().__post_init__()
        self._sweep(1, 1)  # refuses what cannot be a limit

    def sweeps(self, inputs: int, outputs: int) -> int:
        """At most; how many there are, f itself decides."""
        return min(inputs, outputs)

    def jacobian(self, recording: Recording) -> Any:
        """Sweeps from the narrowest place to both ends, multiplied."""
        inputs, outputs = trees.total_size(recording.inputs), trees.total_size(recording.outputs)
        cut = bottleneck(recording.graph, recording.wanted, len(recording.outputs))
        if not cut:
            return self._sweep(inputs, outputs).jacobian(recording)
        check_dense(outputs, inputs)
        before, after = recording.halves(cut)
        leaves = after.inputs
        count = trees.total_size(leaves)
        seeds = recording.ones(leaves) if count == 1 else recording.identity(leaves)
        behind = after.rows(after.push(seeds), after.outputs, count)
        rows = before.rows(before.pull(seeds, after.reaches()), before.inputs, count)
        if count > 1:
            return np.transpose(behind) @ rows
        # One column times one row is faster without a BLAS, and with the longer one along the inner loop.
        return np.transpose(behind) * rows if outputs <= inputs else np.transpose(np.transpose(rows) * behind)

    def jvp(self, recording: Recording, tangents: list[Any]) -> list[Any]:
        """One forward sweep."""
        return recording.filled(recording.push(tangents), recording.outputs)

    def vjp(self, recording: Recording, cotangents: list[Any]) -> list[Any]:
        """One return sweep."""
        return recording.filled(recording.pull(cotangents), recording.inputs)

    def in_pieces(self, derivative: Derivative, branch: Branch, product: str) -> Program | None:
        """A Jacobian that is too large to be made whole is made by the better of the two sweeps."""
        graph, wanted = branch.graph, derivative.layout.wanted
        cut = bottleneck(graph, wanted, len(branch.traced.leaves)) if product == "jacobian" else ()
        count = entries(graph, cut)
        if cut and count * bytes_per_direction(graph, wanted) <= self.memory_limit:
            return None
        return self._sweep(derivative.inputs, derivative.outputs).in_pieces(derivative, branch, product)

    def _sweep(self, inputs: int, outputs: int) -> SweepDifferentiator:
        kind = Forward if inputs < outputs else Reverse
        return kind(engine=self.engine, memory_limit=self.memory_limit)


def bottleneck(graph: Graph, wanted: Sequence[bool], results: int) -> tuple[int, ...]:
    """The steps where f is narrowest; none where that is at its inputs or its outputs."""
    main = Graph(graph.steps, graph.inputs, graph.outputs[:results])
    cut = narrowest(main, wanted)
    inputs = [position for position, flag in zip(main.inputs, wanted, strict=True) if flag]
    ends = min(entries(main, inputs), entries(main, main.outputs))
    return cut if 0 < entries(main, cut) < ends else ()


def entries(graph: Graph, positions: Sequence[int]) -> int:
    """How many entries some steps have together."""
    return sum(size(graph.steps[position]) for position in positions)
