"""The choice made for you: forward, reverse, mixed or sparse, by counted cost.

A Jacobian takes A sweeps forward, B in reverse, as many as the narrowest place of f has entries in mixed mode, and as
many as its pattern needs colours where it is sparse; before simplification: where f is one layer, what is left of 3,000
sweeps may be less work than what is left of one. So the derivatives are recorded, and what is left of them is priced.
Where recording would take long, only those are recorded that their numbers of sweeps do not rule out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import ClassVar, NamedTuple

from diffkit import costs
from diffkit.differentiators.base import Differentiator, GraphDifferentiator
from diffkit.differentiators.derivative import Derivative
from diffkit.differentiators.forward import Forward
from diffkit.differentiators.mixed import Mixed, bottleneck, entries
from diffkit.differentiators.programs import GIGABYTE, Branch, Considered, Program
from diffkit.differentiators.recording import record
from diffkit.differentiators.reverse import Reverse
from diffkit.differentiators.sparse import Sparse
from diffkit.differentiators.sweeping import holds
from diffkit.errors import TooLargeError, TracingError, UnsupportedError
from diffkit.graph import Graph

SHORT = 100
"""Steps of f up to which all derivatives are recorded, whatever A and B are: it takes a few milliseconds."""

CLOSE = 3.0
"""Of a longer f those are recorded whose predictions from f alone are within this factor of the least."""

DENSE = "sparse(form=dense)"
"""The sparse method, as a candidate among methods that give dense arrays."""

FEW = 16
"""A pattern is not looked for where there are so few inputs or outputs: there are few sweeps to be saved."""

FULL = 4
"""A pattern that fills more than a quarter of the matrix saves little."""


class Candidate(NamedTuple):
    """A method that could make a product.

    Attributes
    ----------
    method
        Who.
    sweeps
        How many directions it takes, before simplification.
    record
        Makes the derivative's graph.
    seconds
        What one run should cost.
    graph
        The derivative's graph, where it was recorded and fits into memory.
    """

    method: GraphDifferentiator
    sweeps: int
    record: Callable[[], Graph]
    seconds: float = 0.0
    graph: Graph | None = None

    @property
    def label(self) -> str:
        """The method as suites and tables name it."""
        return DENSE if isinstance(self.method, Sparse) else self.method.name


@dataclass(frozen=True, kw_only=True)
class Auto(Differentiator):
    """The method that should be fastest: exact; picks forward, reverse, mixed or sparse for each function and product.

    ``plan.method`` of what it prepares says which. All arrays are dense.

    Parameters
    ----------
    engine
        "auto", "numpy", "llvm" or "interpreted".
    memory_limit
        Bytes that the directions of one sweep may take together; above it the sweep is cut into chunks.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> matrix = np.ones((3, 100))
    >>> dk.get("auto").prepare(lambda x: np.sum(np.sin(matrix @ x)), np.ones(100), product="gradient").method
    'reverse'
    """

    name: ClassVar[str] = "auto"
    memory_limit: int = GIGABYTE

    def sweeps(self, inputs: int, outputs: int) -> int:
        """One per input or one per output, whichever are fewer; at most."""
        return min(inputs, outputs)

    def program(self, derivative: Derivative, branch: Branch, product: str) -> Program:
        """Let the cheapest candidate make the product."""
        best, *_ = found = self.candidates(derivative, branch, product)
        program = best.method.compiled(best.graph) if best.graph else best.method.program(derivative, branch, product)
        considered = tuple(Considered(one.label, one.sweeps, one.seconds) for one in found) if len(found) > 1 else ()
        return replace(program, method=best.method.name, considered=considered)

    def candidates(self, derivative: Derivative, branch: Branch, product: str) -> list[Candidate]:
        """Who could make a product, at which predicted cost; the cheapest first."""
        wanted = derivative.layout.wanted

        def candidate(kind: type[Forward | Reverse | Mixed], sweeps: int) -> Candidate:
            method = kind(engine=self.engine, memory_limit=self.memory_limit)
            return Candidate(method, sweeps, partial(method.graph_of, branch, wanted, product))

        if product != "jacobian":  # one sweep is enough: a Hessian is a forward sweep over the gradient
            return [candidate(Forward if product == "jvp" else Reverse, 1)]
        inputs, outputs = derivative.inputs, derivative.outputs
        found = [candidate(Reverse, outputs), candidate(Forward, inputs)]
        cut = bottleneck(branch.graph, wanted, len(branch.traced.leaves))
        if cut:
            found.append(candidate(Mixed, entries(branch.graph, cut)))
        if min(inputs, outputs) > FEW:
            found += self._sparse(derivative, branch)
        fits = 8 * max(inputs, outputs) ** 2 <= self.memory_limit  # all directions in one sweep
        return sorted(self._priced(found, branch.graph, fits=fits), key=_seconds)

    def _sparse(self, derivative: Derivative, branch: Branch) -> list[Candidate]:
        """The directions of a colouring, where they are fewer than inputs and outputs."""
        inputs, outputs, wanted = derivative.inputs, derivative.outputs, derivative.layout.wanted
        method, results = Sparse(form="dense", engine=self.engine), len(branch.traced.leaves)
        try:
            recovery = method.recovery(branch.graph, wanted, results, inputs * outputs // FULL)
        except (TooLargeError, UnsupportedError):  # it is not sparse, or SciPy is not there
            return []
        count = recovery.colouring.count
        recorded = partial(record, branch.graph, results, wanted, lambda made: [method.spread(made, recovery)])
        return [Candidate(method, count, recorded)] if count < min(inputs, outputs) else []

    def _priced(self, found: list[Candidate], graph: Graph, *, fits: bool) -> list[Candidate]:
        """What each should cost: by its own graph where that is worth recording, or else by f's."""
        once = costs.work(graph)
        rough = [costs.sweep(once, candidate.sweeps).seconds(self.engine) for candidate in found]
        limit = inf if len(graph.steps) <= SHORT else CLOSE * min(rough)
        priced, failures = [], []
        for candidate, seconds in zip(found, rough, strict=True):
            if not (fits and seconds < limit):
                priced.append(candidate._replace(seconds=seconds))
                continue
            try:
                priced.append(self._recorded(candidate))
            except TracingError as error:  # a primitive of the user's has a rule for one mode only
                failures.append(error)
        if not priced:
            raise failures[0]
        return priced

    def _recorded(self, candidate: Candidate) -> Candidate:
        graph = candidate.record()
        seconds = costs.run_seconds(graph, self.engine)
        return candidate._replace(seconds=seconds, graph=graph if holds(graph, self.memory_limit) else None)


def _seconds(candidate: Candidate) -> float:
    return candidate.seconds
