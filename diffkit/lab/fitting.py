"""Fit a network to all examples at once, where training example by example would take long.

>>> from diffkit.lab import data, fitting
>>> from diffkit.lab.networks import Network
>>> band = data.get("band", samples=200)
>>> fitting.fit(Network((2, 1)), band.X, band.Y).misses > 60  # a straight line cannot part a band
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diffkit.differentiators import get
from diffkit.errors import InputError, check_whole, needing
from diffkit.lab.data import Array, classes
from diffkit.lab.networks import Model, check_model
from diffkit.lab.training.steps import owned
from diffkit.operators import value_and_grad

__all__ = ["Fit", "best", "fit"]


@dataclass(frozen=True, eq=False)
class Fit:
    """A model fitted to examples.

    Attributes
    ----------
    model
        What was fitted.
    X, Y
        The examples, in columns.
    parameters
        ``(A,)``: where the cost was least.
    cost
        The cost there.
    seed
        Of the parameters that it began with.
    """

    model: Model
    X: Array
    Y: Array
    parameters: Array
    cost: float
    seed: int

    @property
    def misses(self) -> int:
        """How many of the examples are given a wrong class."""
        return int(np.sum(classes(self.predict(self.X)) != classes(self.Y)))

    @property
    def error(self) -> float:
        """The root mean square of the differences between outputs and targets."""
        return float(np.sqrt(np.mean((self.predict(self.X) - self.Y) ** 2)))

    def predict(self, X: Array) -> Array:
        """Compute the fitted outputs, a column for each example."""
        outputs: Array = self.model.predict(self.parameters, X)
        return outputs


def fit(
    model: Model, X: Array, Y: Array, *, seed: int = 0, scale: float = 1.0, steps: int = 500, method: str = "reverse"
) -> Fit:
    """Find the parameters of the least cost near a random start, by a quasi-Newton method (L-BFGS-B of SciPy).

    The engine is always "numpy", so that equal seeds give equal fits.

    Parameters
    ----------
    model
        A network.
    X, Y
        ``(n, m)`` and ``(K, m)``: m examples in columns.
    seed, scale
        Of the random start: weights are normal with this standard deviation.
    steps
        At most so many.
    method
        Which differentiator gives the gradient.

    Raises
    ------
    InputError
        The model is none, the examples do not fit it or are not finite, or ``steps`` is no whole number from 1 or the
        seed none from 0.
    UnsupportedError
        SciPy (extra `scipy`) is not installed.

    Notes
    -----
    Byrd, Lu, Nocedal and Zhu (1995), "A limited memory algorithm for bound constrained optimization".

    Examples
    --------
    >>> from diffkit.lab import data
    >>> from diffkit.lab.networks import Network
    >>> band = data.get("band", samples=200)
    >>> fit(Network((2, 3, 1)), band.X, band.Y).misses
    0
    """
    check_model(model)
    check_whole(steps, "steps")
    with needing("a fit", extra="scipy"):
        from scipy.optimize import minimize
    X, Y = owned(X, "X"), owned(Y, "Y")
    start = model.initial(seed=seed, scale=scale)
    model.check(X, Y)
    both = value_and_grad(model.cost, method=get(method, engine="numpy"))

    def cost(parameters: npt.NDArray[np.float64]) -> tuple[Any, Any]:
        return both(parameters, X, Y)

    found = minimize(
        cost,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps, "maxfun": 10 * steps, "ftol": 1e-13, "gtol": 1e-8},
    )
    return Fit(model, X, Y, found.x, float(found.fun), seed)


def best(fits: Iterable[Fit], loss: Callable[[Fit], float]) -> Fit:
    """Find the fit of the least loss, and look no further once it is 0.

    Examples
    --------
    >>> from diffkit.lab import data
    >>> from diffkit.lab.networks import Network
    >>> band, network = data.get("band", samples=200), Network((2, 2, 1))
    >>> best((fit(network, band.X, band.Y, seed=seed) for seed in range(8)), lambda one: one.misses).misses
    0
    """
    found: Fit | None = None
    for one in fits:
        if found is None or loss(one) < loss(found):
            found = one
        if loss(found) == 0:
            break
    if found is None:
        raise InputError("there is no fit to choose from; give one or more")
    return found
