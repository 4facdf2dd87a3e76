"""A step of descent, by any method: one program per shape of a batch, on one engine."""

from __future__ import annotations

from collections.abc import Callable
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


Step = Callable[[Array, Array, Array, Array], tuple[float, Array, Array]]
"""From parameters, velocity, X and Y to the cost that there was, and to new parameters and a new velocity."""


class Steps:
    """Steps of descent by one method: ``velocity <- momentum velocity - rate gradient``, added to the parameters.

    Where the method reads graphs, the whole step is one: the gradient in it and the new parameters are one program,
    and what surrounds the gradient costs next to nothing. Finite differences call the cost, and NumPy does the rest.
    """

    def __init__(self, model: Model, method: Differentiator, rate: float, momentum: float) -> None:
        self.model, self.method = model, method
        self.rate, self.momentum = rate, momentum
        self._made: dict[tuple[int, ...], Step] = {}

    def of(self, parameters: Array, X: Array, Y: Array) -> Step:
        """The step for batches of this shape; the one-off cost, where there was none yet."""
        made = self._made.get(X.shape)
        if made is None:
            made = self._made[X.shape] = (self._whole if self.method.traces else self._apart)(parameters, X, Y)
        return made

    def _whole(self, parameters: Array, X: Array, Y: Array) -> Step:
        # What is inside becomes part of the graph around it, whatever its engine; this one prepares at no cost.
        inner = value_and_grad(self.model.cost, method=replace(self.method, engine="interpreted"))

        def step(parameters: Array, velocity: Array, X: Array, Y: Array) -> tuple[Any, Any, Any]:
            cost, gradient = inner(parameters, X, Y)
            velocity = self.momentum * velocity - self.rate * gradient
            return cost, parameters + velocity, velocity

        run: Step = self.method.prepare(step, parameters, parameters, X, Y, product="value").run
        return run

    def _apart(self, parameters: Array, X: Array, Y: Array) -> Step:
        both = self.method.prepare(self.model.cost, parameters, X, Y, product="value_and_gradient").run

        def step(parameters: Array, velocity: Array, X: Array, Y: Array) -> tuple[float, Array, Array]:
            cost, gradient = both(parameters, X, Y)
            velocity = self.momentum * velocity - self.rate * gradient
            return cost, parameters + velocity, velocity

        return step


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
