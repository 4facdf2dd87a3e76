"""The choice made for you: forward or reverse mode, by counted cost.

A Jacobian takes A sweeps forward or B sweeps in reverse, before simplification: where f is one layer, what is left of
3,000 sweeps may be less work than what is left of one. Both derivatives are therefore recorded, and what is left of
them is priced. Where recording would take long, A and B decide if they differ enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from diffkit import costs
from diffkit.differentiators.base import Differentiator
from diffkit.differentiators.derivative import Derivative
from diffkit.differentiators.forward import Forward
from diffkit.differentiators.programs import GIGABYTE, Branch, Program
from diffkit.differentiators.reverse import Reverse
from diffkit.differentiators.sweeping import SweepDifferentiator
from diffkit.graph import Graph

CANDIDATES: dict[str, tuple[Callable[..., SweepDifferentiator], ...]] = {
    "jvp": (Forward,),
    "jacobian": (Reverse, Forward),
}
"""Who may make a product. One sweep is enough for the others, and it is reverse mode's: a Hessian is a forward sweep
over its gradient."""

SHORT = 100
"""Steps of f up to which both derivatives are recorded, whatever A and B are: it takes a few milliseconds."""

CLOSE = 3.0
"""A longer f is recorded both ways where predictions from f alone differ by less than this factor."""


class Candidate(NamedTuple):
    """A method that could make a product, what one run should cost, and the derivative's graph if it was recorded."""

    method: SweepDifferentiator
    seconds: float
    graph: Graph | None = None


@dataclass(frozen=True, kw_only=True)
class Auto(Differentiator):
    """The method that should be fastest: exact; picks forward or reverse mode for each product and function.

    ``plan.method`` of what it prepares says which.

    Parameters
    ----------
    engine
        "numpy" or "interpreted".
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
        """One per input or one per output, whichever are fewer."""
        return min(inputs, outputs)

    def program(self, derivative: Derivative, branch: Branch, product: str) -> Program:
        """Let the cheapest candidate make the product."""
        method, _, graph = self.candidates(derivative, branch, product)[0]
        program = method.compiled(graph) if graph else method.program(derivative, branch, product)
        return replace(program, method=method.name)

    def candidates(self, derivative: Derivative, branch: Branch, product: str) -> list[Candidate]:
        """Who could make a product, at which predicted cost; the cheapest first."""
        inputs, outputs = derivative.inputs, derivative.outputs
        found = []
        for kind in CANDIDATES.get(product, (Reverse,)):
            method = kind(engine=self.engine, memory_limit=self.memory_limit)
            sweeps = method.sweeps(inputs, outputs) if product == "jacobian" else 1
            found.append(Candidate(method, costs.sweep_seconds(branch.graph, sweeps, self.engine)))
        found.sort(key=_seconds)
        close = len(branch.graph.steps) <= SHORT or found[-1].seconds < CLOSE * found[0].seconds
        fits = 8 * max(inputs, outputs) ** 2 <= self.memory_limit  # all directions in one sweep
        if len(found) > 1 and close and fits:
            wanted = derivative.layout.wanted
            graphs = [method.graph_of(branch, wanted, product) for method, *_ in found]
            found = [
                Candidate(method, costs.run_seconds(graph, self.engine), graph if method.holds(graph) else None)
                for (method, *_), graph in zip(found, graphs, strict=True)
            ]
        return sorted(found, key=_seconds)


def _seconds(candidate: Candidate) -> float:
    return candidate.seconds
