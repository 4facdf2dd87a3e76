"""What a derivative is made of and what it costs: the facts about a prepared product, apart from running it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit import costs, trees
from diffkit.differentiators.programs import DIRECTED, Branch, Considered, Program
from diffkit.errors import UnsupportedError, check_positive
from diffkit.graph import Graph, Operations

if TYPE_CHECKING:
    from diffkit.differentiators.arguments import Layout
    from diffkit.differentiators.base import Differentiator
    from diffkit.roofline import Roofline
    from diffkit.sparsity import Colouring, Pattern


class Described(ABC):
    """The part of a `Derivative` that tells what was prepared."""

    differentiator: Differentiator
    layout: Layout
    product: str
    _branches: list[Branch]

    @abstractmethod
    def _program(self, branch: Branch, product: str) -> Program:
        """What a branch's product was made into; made when first asked for."""

    def _latest(self) -> Program:
        return self._program(self._branches[0], self.product)

    @property
    def graph(self) -> Graph | None:
        """The derivative graph of the prepared product."""
        return self._latest().graph

    @property
    def source(self) -> str:
        """The generated program of the prepared product."""
        return self._latest().source

    @property
    def operations(self) -> Operations | None:
        """Counted operations of one run of the prepared product."""
        return self._latest().operations

    @property
    def calls(self) -> int:
        """How often one run of the prepared product calls f."""
        return self._latest().calls

    @property
    def function_graph(self) -> Graph | None:
        """The graph of f; None where it could not be traced."""
        return self._branches[0].traced.graph

    @property
    def function_operations(self) -> Operations | None:
        """Counted operations of one evaluation of f."""
        graph = self.function_graph
        return graph.operations if graph else None

    @property
    def inputs(self) -> int:
        """A, the number of entries that f is differentiated by."""
        return trees.total_size(
            [spec for spec, flag in zip(self.layout.specs, self.layout.wanted, strict=True) if flag]
        )

    @property
    def outputs(self) -> int:
        """B, the number of entries of f's result."""
        return trees.total_size(self._branches[0].traced.leaves)

    @property
    def expressions(self) -> Any:
        """What a symbolic derivative found, as SymPy expressions (`diffkit.expressions.Assignments`)."""
        found = self._latest().expressions
        if found is None:
            raise UnsupportedError(f"{self.differentiator.name} makes no expressions; use method='symbolic'")
        return found

    def latex(self) -> str:
        """What a symbolic derivative found, in LaTeX."""
        return str(self.expressions.latex())

    @property
    def colouring(self) -> Colouring:
        """Which columns and rows of a sparse derivative are found together (`diffkit.sparsity.Colouring`)."""
        found = self._latest().colouring
        if found is None:
            raise UnsupportedError(
                f"{self.differentiator.name} makes no sparse {self.product}; prepare with dk.get('sparse')"
            )
        return found

    @property
    def pattern(self) -> Pattern:
        """Where a sparse derivative can be other than zero (`diffkit.sparsity.Pattern`)."""
        return self.colouring.pattern

    @property
    def colours(self) -> int:
        """How many directions a sparse derivative takes."""
        return self.colouring.count

    # ------------------------------------------------------------ cost

    @property
    def method(self) -> str:
        """The name of the method that makes the prepared product: with "auto", the one that was chosen."""
        return self._latest().method or self.differentiator.name

    @property
    def considered(self) -> tuple[Considered, ...]:
        """With "auto", who could make the prepared product at which predicted cost, the cheapest first."""
        return self._latest().considered

    @property
    def predicted_seconds(self) -> float | None:
        """What one run should take, by counted work (see `diffkit.costs`); None where f could not be traced."""
        graph, times = self._counted()
        return None if graph is None else times * costs.run_seconds(graph, self.differentiator.engine)

    def roofline(self, seconds: float | None = None) -> Roofline:
        """How close to this machine's own limits does a run of the prepared product come?

        Parameters
        ----------
        seconds
            What one run takes, where that is known; otherwise it is measured, at the point where f was traced.

        Raises
        ------
        UnsupportedError
            Where f could not be traced, so that nothing is counted.
        InputError
            Where ``seconds`` is no positive number.

        Examples
        --------
        >>> import numpy as np, diffkit as dk
        >>> plan = dk.get("reverse").prepare(lambda x: np.sum(np.sin(x)), np.ones(10_000), product="gradient")
        >>> found = plan.roofline(seconds=1e-3)
        >>> 0 < found.bound < found.seconds, found.limit in ("memory", "arithmetic")
        (True, True)
        """
        from diffkit.roofline import roofline

        if seconds is not None:
            check_positive(seconds, "seconds", "")
        graph, times = self._counted()
        if graph is None:
            raise UnsupportedError("f was called as a black box, so nothing is counted; only a traced f has a roofline")
        return roofline(self._measured() if seconds is None else seconds, graph, times)

    def _counted(self) -> tuple[Graph | None, float]:
        """The graph that a run evaluates, and how often: once, per chunk of directions, or per call of f."""
        program = self._latest()
        graph = program.graph or self.function_graph
        if graph is None or program.operations is None or not graph.operations.total:
            return graph, 1.0
        return graph, program.operations.total / graph.operations.total

    def _measured(self) -> float:
        from diffkit.measure import measure

        branch, program = self._branches[0], self._latest()
        specs = zip(self.layout.specs, self.layout.wanted, strict=True)
        inputs = [spec for spec, flag in specs if flag]
        like: Sequence[Any] = branch.traced.leaves if self.product == "vjp" else inputs
        directions = [np.ones(leaf.shape, leaf.dtype) for leaf in like] if self.product in DIRECTED else []
        with np.errstate(all="ignore"):
            (timing,) = measure(partial(program.run, *branch.arrays, *directions))
        return timing.median
