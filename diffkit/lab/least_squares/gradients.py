"""The gradient of ``f(beta) = 1/2 |r(beta)|^2`` in three ways: of f directly, as J times r, and as one product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.differentiators import Derivative, Differentiator, get
from diffkit.graph import Operations
from diffkit.lab.least_squares.residuals import Array, dense, flattened
from diffkit.operators import DEFAULT


@dataclass(frozen=True)
class Gradients:
    """The gradient of half the sum of squares, three times.

    Attributes
    ----------
    method
        Who differentiated.
    direct, by_jacobian, by_product
        grad f, J'r with J formed, and ``vjp(r)``; each ``(A,)``.
    operations
        What each took, counted; r itself is among them. None where r could not be traced.
    """

    method: str
    direct: Array
    by_jacobian: Array
    by_product: Array
    operations: tuple[Operations, Operations, Operations] | None

    @property
    def difference(self) -> float:
        """How far the three are apart, relative to the largest entry."""
        spread = np.ptp([self.direct, self.by_jacobian, self.by_product], axis=0)
        return float(np.max(spread) / max(np.max(np.abs(self.direct)), np.finfo(float).tiny))

    def __str__(self) -> str:
        counts = (
            [f"{taken.total:,} operations" for taken in self.operations] if self.operations else ["not counted"] * 3
        )
        names = ("grad f", "J, then J'r", "vjp(r)")
        lines = [f"{name:<12} {count:>20}" for name, count in zip(names, counts, strict=True)]
        return "\n".join([f"{self.method}: equal to {self.difference:.0e}", *lines])


def gradients(
    residual: Callable[[Any], Any], beta: Any, *, method: str | Differentiator = DEFAULT, **options: Any
) -> Gradients:
    """Is grad f = J'r, and what does each way cost?

    Parameters
    ----------
    residual, beta
        r, and where; beta may be containers of arrays.
    method, **options
        As of `diffkit.jacobian`.

    Examples
    --------
    >>> found = gradients(lambda beta: np.tanh(beta) - 0.5, np.ones(100))
    >>> found.difference < 1e-14, [taken.total for taken in found.operations]
    (True, [500, 30500, 600])
    """
    r, start, _ = flattened(residual, beta)
    differentiator = get(method, **options)

    def half_square(beta: Any) -> Any:
        value = r(beta)
        return 0.5 * (value @ value)

    direct = differentiator.prepare(half_square, start, product="gradient")
    jacobian = differentiator.prepare(r, start, product="jacobian")
    product = differentiator.prepare(r, start, product="vjp")
    value = np.asarray(jacobian.value(start))
    return Gradients(
        differentiator.name,
        direct.run(start),
        dense(jacobian.run(start)).T @ value,
        product.run(start, value),
        _operations(direct, jacobian, product),
    )


def _operations(
    direct: Derivative, jacobian: Derivative, product: Derivative
) -> tuple[Operations, Operations, Operations] | None:
    r, whole, once, back = jacobian.function_operations, direct.operations, jacobian.operations, product.operations
    if r is None or whole is None or once is None or back is None:
        return None
    times_r = Operations(arithmetic=2 * jacobian.inputs * jacobian.outputs)
    return whole, r + once + times_r, r + back
