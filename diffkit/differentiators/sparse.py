"""Sparse derivatives: the pattern from f's graph, columns and rows that share no entry in one direction.

"As many sweeps as colours": a tridiagonal Jacobian takes three, whatever A and B are. Curtis, Powell and Reid (1974),
"On the estimation of sparse Jacobian matrices"; Griewank and Walther (2008), "Evaluating Derivatives", chapters 7, 8.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from diffkit import trees
from diffkit.differentiators.base import GraphDifferentiator
from diffkit.differentiators.derivative import Derivative
from diffkit.differentiators.programs import GIGABYTE, Branch, Program, check_dense
from diffkit.differentiators.recording import Recording, record
from diffkit.differentiators.sweeping import bytes_per_direction
from diffkit.errors import UnsupportedError, check_name, check_positive
from diffkit.graph import Graph
from diffkit.ops import Static
from diffkit.primitives import gather, scatter
from diffkit.tracing import current_trace

if TYPE_CHECKING:  # SciPy's arrays are loaded when the first sparse derivative is prepared
    from diffkit.sparsity import Recovery

WAYS = ("fewest", "columns", "rows")
FORMS = ("csr", "dense")


@dataclass(frozen=True, kw_only=True)
class Sparse(GraphDifferentiator):
    """Sparse Jacobians and Hessians: exact; one direction per colour.

    Parameters
    ----------
    engine
        "numpy" or "interpreted".
    by
        Which entries share a direction: "columns" (forward sweeps), "rows" (return sweeps), or "fewest" of these and
        both together. Hessians are symmetric, so theirs are always forward sweeps over the gradient.
    form
        "csr", a ``scipy.sparse.csr_array``, or "dense", an array in which what was found stands among zeros.
    memory_limit
        Bytes that the directions of one run may take together; above it they are run in chunks.

    Raises
    ------
    TooLargeError
        Where the matrix is not sparse.
    UnsupportedError
        Where SciPy is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from diffkit import Sparse
    >>> plan = Sparse().prepare(lambda x: np.diff(x**2), np.ones(1000))
    >>> plan.run(np.ones(1000)).shape, plan.pattern.entries, plan.colours
    ((999, 1000), 1998, 2)
    """

    name: ClassVar[str] = "sparse"
    by: str = "fewest"
    form: str = "csr"
    memory_limit: int = GIGABYTE

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.by, WAYS, kind="way of colouring")
        check_name(self.form, FORMS, kind="form")
        check_positive(self.memory_limit, "memory_limit", " of bytes")

    def sweeps(self, inputs: int, outputs: int) -> int:
        """At most; how many there are is ``plan.colours``, once the pattern is known."""
        return min(inputs, outputs)

    def jacobian(self, recording: Recording) -> Any:
        """A dense array: the directions of a colouring at once, their results scattered into zeros."""
        return self.spread(recording, self.recovery(recording.graph, recording.wanted, len(recording.outputs)))

    def spread(self, recording: Recording, recovery: Recovery) -> Any:
        """The directions of a colouring at once, and what they find, scattered into zeros."""
        shape, inputs, outputs = recovery.shape, recording.inputs, recording.outputs
        check_dense(*shape)
        forward, back = (
            [recording.trace.constant(leaf) for leaf in _leaves(bank, like)]
            for bank, like in zip(recovery.seeds(), (inputs, outputs), strict=True)
        )
        found = trees.join(_sweeps(recording, forward, back))
        entries = gather(found, place=Static(recovery.place), shape=found.shape)
        return np.reshape(scatter(entries, shape=(math.prod(shape),), places=(Static(recovery.spots),)), shape)

    def recovery(self, graph: Graph, wanted: Sequence[bool], results: int, most: int | None = None) -> Recovery:
        """The seeds that find a Jacobian, and where its entries are found.

        Raises
        ------
        TooLargeError
            Where more than ``most`` entries can be other than zero.
        """
        from diffkit.sparsity import Recovery, colour, pattern_of

        return Recovery(colour(pattern_of(graph, wanted, results, most), by=self.by))

    def jvp(self, recording: Recording, tangents: list[Any]) -> list[Any]:
        """One forward sweep."""
        return recording.filled(recording.push(tangents), recording.outputs)

    def vjp(self, recording: Recording, cotangents: list[Any]) -> list[Any]:
        """One return sweep."""
        return recording.filled(recording.pull(cotangents), recording.inputs)

    def in_pieces(self, derivative: Derivative, branch: Branch, product: str) -> Program | None:
        """A matrix is made of the directions of its colouring."""
        dense = self.form == "dense"
        if product not in ("jacobian", "hessian") or (dense and (product == "jacobian" or current_trace() is not None)):
            return None
        if current_trace() is not None:
            raise UnsupportedError(
                "a sparse matrix inside a function that is differentiated: an array of SciPy cannot be traced; use "
                "form='dense' there"
            )
        from diffkit.sparsity import Recovery, colour, pattern_of

        wanted, symmetric = derivative.layout.wanted, product == "hessian"
        graph = self.graph_of(branch, wanted, "gradient") if symmetric else branch.graph
        results = sum(wanted) if symmetric else len(branch.traced.leaves)
        pattern = pattern_of(graph, wanted, results)
        colouring = colour(pattern, by="fewest" if symmetric else self.by, symmetric=symmetric)
        check_dense(colouring.count, max(pattern.shape))
        return self._coloured(graph, wanted, results, Recovery(colouring))

    def _coloured(self, graph: Graph, wanted: tuple[bool, ...], results: int, recovery: Recovery) -> Program:
        """Run the directions of a colouring, in as few chunks as memory allows, and read the matrix off."""
        seeds = recovery.seeds()
        needed = bytes_per_direction(graph, wanted) * sum(map(len, seeds))
        chunks = max(1, math.ceil(needed / self.memory_limit))
        pushed, pulled = (_divided(bank, chunks) for bank in seeds)
        columns, rows = pushed.shape[1], pulled.shape[1]

        def make(recording: Recording) -> list[Any]:
            forward = recording.directions(recording.inputs, (columns,)) if columns else []
            return _sweeps(recording, forward, recording.directions(recording.outputs, (rows,)) if rows else [])

        program = self.compiled(record(graph, results, wanted, make))
        inputs = [graph.steps[spot] for spot, flag in zip(graph.inputs, wanted, strict=True) if flag]
        outputs = [graph.steps[spot] for spot in graph.outputs[:results]]
        directions = [
            [*_leaves(forward, inputs), *_leaves(back, outputs)] for forward, back in zip(pushed, pulled, strict=True)
        ]
        lengths = [len(bank) for bank in seeds if len(bank)]

        def run(*arrays: Any) -> tuple[Any, ...] | None:
            found = []
            for given in directions:
                part = program.run(*arrays, *given)
                if part is None:
                    return None
                found.append(part)
            banks = [np.concatenate([part[k] for part in found])[:length] for k, length in enumerate(lengths)]
            matrix = recovery.matrix(banks)
            return (matrix.toarray() if self.form == "dense" else matrix, *found[0][len(lengths) :])

        operations = program.operations * chunks if program.operations else None
        return Program(run, program.graph, program.source, operations, colouring=recovery.colouring)


def _sweeps(recording: Recording, forward: list[Any], back: list[Any]) -> list[Any]:
    """Forward directions give columns ``(K, B)``, return directions rows ``(L, A)``; a kind without any is left out."""
    found = []
    if forward:
        found.append(recording.rows(recording.push(forward), recording.outputs, forward[0].shape[0]))
    if back:
        found.append(recording.rows(recording.pull(back), recording.inputs, back[0].shape[0]))
    return found


def _divided(seeds: Any, chunks: int) -> Any:
    """Seeds in chunks of one length, ``(chunks, K, entries)``; the last is filled up with zeros."""
    count = math.ceil(len(seeds) / chunks)
    filled = np.zeros((chunks * count, seeds.shape[1]))
    filled[: len(seeds)] = seeds
    return filled.reshape(chunks, count, seeds.shape[1])


def _leaves(seeds: Any, like: Sequence[Any]) -> list[Any]:
    """Directions as one array per leaf; none where there are no directions."""
    if not len(seeds):
        return []
    return [part.astype(leaf.dtype) for part, leaf in zip(trees.split(seeds, like), like, strict=True)]
