"""The gradient of a sample's cost, by any method: one plan per shape of a batch, on one engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from diffkit.differentiators import Derivative, Differentiator, get
from diffkit.engines import engine_names
from diffkit.errors import InputError
from diffkit.lab.networks import Model
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


class Gradients:
    """Costs and gradients of batches by one method: ``gradients(parameters, X, Y)``.

    The parameters are differentiated by; the samples are inputs of the plan, so that one plan serves all batches of
    one shape. The last batch of an epoch may be smaller and then has a plan of its own.
    """

    def __init__(self, model: Model, method: Differentiator) -> None:
        self.model, self.method = model, method
        self._plans: dict[tuple[int, ...], Derivative] = {}

    def prepare(self, parameters: Array, X: Array, Y: Array) -> Derivative:
        """Make the plan for batches of this shape ready: the one-off cost."""
        plan = self._plans.get(X.shape)
        if plan is None:
            plan = self.method.prepare(self.model.cost, parameters, X, Y, product="value_and_gradient")
            self._plans[X.shape] = plan
        return plan

    def __call__(self, parameters: Array, X: Array, Y: Array) -> tuple[float, Array]:
        """The mean cost of some samples, and its gradient by the parameters."""
        cost, gradient = self.prepare(parameters, X, Y).run(parameters, X, Y)
        return float(cost), gradient


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
