"""Steps of descent, by any method: one program per shape of a batch, on one engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit.differentiators import Differentiator, get
from diffkit.engines import engine_names
from diffkit.errors import InputError
from diffkit.lab.networks import Model
from diffkit.operators import value_and_grad
from diffkit.problems.base import Array
from diffkit.trees import as_leaf


def pinned(method: str | Differentiator, engine: str = "auto") -> Differentiator:
    """Find a method, on an engine that is one and the same for the whole training.

    Engines round differently, and "auto" changes over when it pays, at a moment that the clock decides: a trajectory
    that is to be had again needs one of them. It becomes "llvm" where that runs, else "numpy".

    Raises
    ------
    UnknownNameError
        There is no such method or engine, or it does not run here.

    Examples
    --------
    >>> pinned("forward", "numpy")
    Forward(engine='numpy', ...)
    """
    found = get(method)
    wanted = found.engine if engine == "auto" else engine
    if wanted == "auto":
        wanted = "llvm" if "llvm" in engine_names() else "numpy"
    return replace(found, engine=wanted)


Steps = Callable[[Array, Array, Array, Array], tuple[Array, Array, Array]]
"""From parameters and velocity ``(A,)``, X ``(steps, n, samples)`` and Y ``(steps, K, samples)`` to new parameters, new
velocity, and the cost before each step, ``(steps,)``."""


def prepared(model: Model, method: Differentiator, rate: float, momentum: float, example: Sequence[Array]) -> Steps:
    """Steps of descent: ``velocity <- momentum velocity - rate gradient``, added to the parameters.

    Where the method reads graphs, a step is one: the gradient in it and the new parameters are one program, which an
    engine applies to its own results. Finite differences call the cost, and NumPy does the rest.

    Parameters
    ----------
    example
        Parameters, X and Y of one step, for the shapes.
    """
    make = _whole if method.traces else _apart
    return make(model, method, rate, momentum, example)


def _whole(model: Model, method: Differentiator, rate: float, momentum: float, example: Sequence[Array]) -> Steps:
    # What is inside becomes part of the graph around it, whatever its engine; this one prepares at no cost.
    inner = value_and_grad(model.cost, method=replace(method, engine="interpreted"))

    def step(parameters: Array, velocity: Array, X: Array, Y: Array) -> tuple[Any, Any, Any]:
        cost, gradient = inner(parameters, X, Y)
        velocity = momentum * velocity - rate * gradient
        return parameters + velocity, velocity, cost

    plan = method.prepare(step, example[0], *example, product="value")

    def steps(parameters: Array, velocity: Array, X: Array, Y: Array) -> tuple[Array, Array, Array]:
        (parameters, velocity), (costs,) = plan.fold((parameters, velocity), (X, Y))
        return parameters, velocity, costs

    return steps


def _apart(model: Model, method: Differentiator, rate: float, momentum: float, example: Sequence[Array]) -> Steps:
    both = method.prepare(model.cost, *example, product="value_and_gradient").run

    def steps(parameters: Array, velocity: Array, X: Array, Y: Array) -> tuple[Array, Array, Array]:
        costs = np.empty(len(X))
        for k in range(len(X)):
            costs[k], gradient = both(parameters, X[k], Y[k])
            velocity = momentum * velocity - rate * gradient
            parameters = parameters + velocity
        return parameters, velocity, costs

    return steps


def checked(samples: Any, what: str) -> tuple[Array, Array]:
    """Take the arrays out of data: X of shape ``(n, m)`` and Y of shape ``(K, m)``, a column a sample.

    Raises
    ------
    InputError
        They are no such arrays, or hold what is no finite number.
    """
    if not (hasattr(samples, "X") and hasattr(samples, "Y")):
        raise InputError(
            f"the {what} data, of type {type(samples).__name__}, have no X and Y; diffkit.lab.data makes such"
        )
    X, Y = (owned(getattr(samples, name), f"{name} of the {what} data") for name in ("X", "Y"))
    if X.ndim != 2 or Y.ndim != 2 or X.shape[1] != Y.shape[1] or not X.shape[1]:
        raise InputError(
            f"the {what} data have X of shape {X.shape} and Y of shape {Y.shape}; they must be (n, m) and (K, m), "
            "a column for each of m samples, m at least 1"
        )
    return X, Y


def owned(value: Any, what: str) -> Array:
    """Copy an array of finite numbers, so that nobody changes it meanwhile."""
    array = np.array(as_leaf(value, what), dtype=float, order="C")
    if not np.isfinite(array).all():
        raise InputError(f"{what} holds numbers that are not finite; leave them out")
    return array
