"""The residual r(beta), ready for a fit: flat, differentiated by a method, and counted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from diffkit import trees
from diffkit.differentiators import Derivative, Differentiator, get
from diffkit.errors import InputError
from diffkit.expressions import as_callable

Array: TypeAlias = npt.NDArray[np.float64]

TWO_POINT = "2-point"
"""SciPy's own difference quotients, to compare with."""


def flattened(
    residual: Callable[[Any], Any], start: Any
) -> tuple[Callable[[Array], Array], Array, Callable[[Any], Any]]:
    """Take the containers from a residual: r as a function of one vector, that vector, and the way back.

    Examples
    --------
    >>> r, beta, built = flattened(lambda p: p["a"] * np.ones(3), {"a": 2.0})
    >>> beta, r(beta), float(built(beta)["a"])
    (array([2.]), array([2., 2., 2.]), 2.0)
    """
    r = as_callable(residual)
    leaves, structure = trees.flatten(start)
    if not sum(np.size(leaf) for leaf in leaves):
        raise InputError("beta0 holds no numbers; give one per parameter")
    shaped = [trees.as_leaf(leaf, "beta0") for leaf in leaves]

    def built(flat: Any) -> Any:
        return structure.unflatten(trees.split(flat, shaped))

    def flat_residual(beta: Any) -> Any:
        return trees.join(trees.flatten(r(built(beta)))[0])

    return flat_residual, np.asarray(trees.join(shaped), dtype=np.float64), built


class Residual:
    """r and what is made of its Jacobian; counts what is asked, and keeps the costs on the way."""

    def __init__(self, flat: Callable[[Any], Any], beta: Array, method: str | Differentiator, **options: Any) -> None:
        differentiator = get("finite-difference" if method == TWO_POINT else method, **options)
        self.method = TWO_POINT if method == TWO_POINT else differentiator.name
        self._value: Derivative = differentiator.prepare(flat, beta, product="value")
        self._plans: dict[str, Derivative] = {}
        self._prepare = partial(differentiator.prepare, flat, beta)
        self.residuals = self.jacobians = 0
        self.costs: list[float] = []
        self.slopes: list[float] = []
        self._last: tuple[Array, Array] | None = None
        self._there: Array | None = None

    def __call__(self, beta: Array) -> Array:
        """r, ``(B,)``."""
        self.residuals += 1
        value = np.asarray(self._value.run(beta))
        self._last = beta.copy(), value
        return value

    def first(self, beta: Array) -> Array:
        """Where the fit starts: r at beta0.

        Raises
        ------
        InputError
            It is not finite, nor is its square, or there are no residuals.
        """
        value = self(beta)
        if not value.size:
            raise InputError("r(beta0) has no entries, so that every beta fits; give a residual per measurement")
        if not np.all(np.isfinite(value)):
            spot = int(np.flatnonzero(~np.isfinite(value))[0])
            raise InputError(f"r(beta0) is {value[spot]} in entry {spot}; a fit must start where r is finite")
        with np.errstate(over="ignore"):
            cost = half_square(value)
        if not np.isfinite(cost):
            size = np.max(np.abs(value))
            raise InputError(f"r(beta0) is up to {size:.1g}, too large to be squared; start nearer, or in other units")
        return value

    def jacobian(self, beta: Array) -> Array:
        """J, ``(B, A)``, at a point that the fit has come to."""
        r, again = self.at(beta), self._there is not None and np.array_equal(self._there, beta)
        self.jacobians += 1
        J = self._product("jacobian", beta)
        if not again:  # an algorithm may ask once more where it ends, and that is no step
            self.visited(r, J.T @ r)
        self._there = beta.copy()
        return J

    def gradient(self, beta: Array) -> Array:
        """J'r, ``(A,)``, by one product and without J, at a point that the fit has come to."""
        r = self.at(beta)
        found = self._product("vjp", beta, r)
        self.visited(r, found)
        return found

    def at(self, beta: Array) -> Array:
        """R once more, where it was computed last."""
        if self._last is not None and np.array_equal(self._last[0], beta):
            return self._last[1]
        return self(beta)

    def visited(self, r: Array, slope: Array) -> None:
        """Keep the cost and the slope of a point."""
        self.costs.append(half_square(r))
        self.slopes.append(float(np.linalg.norm(slope)))

    def _product(self, product: str, *args: Array) -> Array:
        plan = self._plans.get(product)
        if plan is None:
            plan = self._plans[product] = self._prepare(product=product)
        if not self._value.differentiator.exact:
            self.residuals += plan.calls
        found = dense(plan.run(*args))
        if not np.all(np.isfinite(found)):
            raise InputError(f"the derivative of r is not finite at beta = {args[0]}; a fit needs J wherever it comes")
        return found


def dense(array: Any) -> Array:
    """An array of NumPy, also of a sparse one."""
    return np.asarray(array.toarray() if hasattr(array, "toarray") else array)


def half_square(r: Array) -> float:
    """The cost 1/2 |r|^2."""
    return 0.5 * float(r @ r)
