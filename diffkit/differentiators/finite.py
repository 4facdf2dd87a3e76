"""Finite differences: f at neighbouring points, and nothing else.

"Great for testing, slow for high dimensions": one or two evaluations of f per input, and errors of truncation and
rounding that no step size removes. Squire and Trapp (1998), "Using complex variables to estimate derivatives of
real functions", for the complex step; the quotients themselves are in `diffkit.differentiators.differences`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from diffkit import trees
from diffkit.differentiators.base import Differentiator
from diffkit.differentiators.derivative import Derivative
from diffkit.differentiators.differences import LEVELS
from diffkit.differentiators.neighbours import Point
from diffkit.differentiators.programs import Branch, Program
from diffkit.engines import engine as find_engine
from diffkit.errors import InputError, check_name, check_positive
from diffkit.simplify import simplify
from diffkit.tracing import call_function

SCHEMES = ("central", "forward", "complex-step", "richardson")


@dataclass(frozen=True, kw_only=True)
class FiniteDifference(Differentiator):
    """Finite differences: approximate; one Jacobian costs A to 2 A evaluations of f.

    Calls black boxes too: f need not be traceable.

    Parameters
    ----------
    engine
        How f itself is evaluated, where it can be traced.
    scheme
        "central" (error O(h^2), 2 A calls), "forward" (O(h), A + 1 calls), "complex-step" (no rounding error; f
        must be analytic; A calls), "richardson" (extrapolated central differences with an error estimate,
        20 A calls).
    step_size
        Relative to ``max(1, |x|)``, a number for all inputs; by default the best power of the dtype's epsilon.
    bounds
        ``(low, high)``, numbers or arrays of A entries: f is never evaluated outside; one-sided differences are
        used at an edge, with a `DomainWarning`.

    Examples
    --------
    >>> import numpy as np
    >>> from diffkit import FiniteDifference
    >>> FiniteDifference(scheme="complex-step").prepare(np.sin, 0.0).run(0.0)
    array([[1.]])
    """

    name: ClassVar[str] = "finite-difference"
    exact: ClassVar[bool] = False
    scheme: str = "central"
    step_size: float | None = None
    bounds: tuple[Any, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.scheme, SCHEMES, kind="scheme")
        if self.step_size is not None:
            check_positive(self.step_size, "step_size", ", relative to max(1, |x|)")
        if self.bounds is not None:
            self._check_bounds()

    def _check_bounds(self) -> None:
        try:
            low, high = (np.asarray(side, dtype=float) for side in self.bounds)  # type: ignore[union-attr]  # checked by the caller
            ordered = np.all(low < high)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"bounds={self.bounds!r}; give (low, high), each a number or an array of A numbers"
            ) from error
        if not ordered:
            raise InputError(f"bounds={self.bounds!r}; each low must be below its high")

    @property
    def traces(self) -> bool:
        """A black box will do."""
        return False

    def sweeps(self, inputs: int, outputs: int) -> int:
        """Evaluations of f."""
        return {
            "central": 2 * inputs,
            "forward": inputs + 1,
            "complex-step": inputs,
            "richardson": 2 * LEVELS * inputs,
        }[self.scheme]

    # ------------------------------------------------------------ programs

    def program(self, derivative: Derivative, branch: Branch, product: str) -> Program:
        """Make a product ready: f as it is, and a loop around it."""
        if product == "value":
            return self._value(derivative, branch)
        make, count = _PRODUCTS[product], len(derivative.layout.specs)

        def run(*given: Any) -> tuple[Any, ...]:
            arrays, directions = given[:count], given[count:]
            point = Point(self, derivative, branch, arrays)
            found = make(point, trees.join(directions)) if directions else make(point)
            point.report()
            return (*found, *point.results()[1]) if derivative.has_aux else tuple(found)

        calls = self._calls(product, derivative, black_box=branch.traced.graph is None)
        graph = branch.traced.graph
        return Program(run, operations=graph.operations * calls if graph else None, calls=calls)

    def _value(self, derivative: Derivative, branch: Branch) -> Program:
        graph = branch.traced.graph
        if graph is not None:
            small = simplify(graph)
            made = find_engine(self.engine).compile(small)
            return Program.of(made, small)

        def run(*arrays: Any) -> tuple[Any, ...]:
            return call_function(derivative.function, arrays, derivative.layout.rebuild, has_aux=derivative.has_aux)[1]

        return Program(run, calls=1)

    def _calls(self, product: str, derivative: Derivative, *, black_box: bool) -> int:
        check = 2 if self.scheme == "complex-step" and black_box else 0
        jacobian = self.sweeps(derivative.inputs, derivative.outputs) + check
        calls = {
            "jvp": self.sweeps(1, 1) + check,
            "hessian": 2 * derivative.inputs * jacobian,
            "hvp": 2 * jacobian,
            "value_and_gradient": jacobian + 1,
        }.get(product, jacobian)
        return calls + derivative.has_aux


_PRODUCTS: dict[str, Callable[..., list[Any]]] = {
    "gradient": lambda point: point.as_inputs(point.jacobian()[0]),
    "value_and_gradient": lambda point: [*point.results()[0], *point.as_inputs(point.jacobian()[0])],
    "jacobian": lambda point: [point.jacobian()],
    "error": lambda point: [point.error()],
    "jvp": lambda point, v: point.as_results(point.along(v)),
    "vjp": lambda point, w: point.as_inputs(w @ point.jacobian()),
    "hessian": lambda point: [point.hessian()],
    "hvp": lambda point, v: point.as_inputs(point.hessian_along(v)),
}
