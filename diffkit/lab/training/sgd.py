"""Stochastic gradient descent, step by step.

::

    initialise theta
    for each epoch:
        for each training sample i:
            theta <- theta - alpha * (gradient of sample i's cost by theta)
        report the mean cross-entropy of the training set and of the test set

A course on backpropagation, Algorithm 1, after Robbins and Monro (1951), "A stochastic approximation method". With a
batch, i stands for several samples and their mean cost. With momentum, a velocity remembers the steps before:
v <- mu v - alpha gradient, theta <- theta + v; with mu = 0 these are the same numbers as without.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from functools import cached_property
from statistics import fmean
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from diffkit.differentiators import Differentiator
from diffkit.errors import InputError
from diffkit.lab.networks import Model, check_model
from diffkit.lab.training.settings import Settings
from diffkit.lab.training.steps import Steps, checked, owned, prepared
from diffkit.problems.base import Array

TOGETHER = 2**16
"""Numbers of X and Y that are gathered at a time: half a megabyte, which stays in a cache until its steps are done."""

Batches: TypeAlias = tuple[npt.NDArray[np.int64], Array, Array]
"""Which samples ``(steps, samples)``, and their columns: X ``(steps, n, samples)`` and Y ``(steps, K, samples)``."""

WINDOW = 5
"""Epochs whose mean cost is compared with that of as many before."""


class Epoch(NamedTuple):
    """What is known after an epoch.

    Attributes
    ----------
    epoch
        Its number, from 1.
    training, test
        Mean loss of all samples of the set, without the penalty that ``l2`` of a dataclass adds; NaN where there is no
        test set. Of a network with the loss of the course it is the mean cross-entropy.
    seconds
        What its steps took, without these means.
    """

    epoch: int
    training: float
    test: float
    seconds: float


@dataclass
class State:
    """Where the descent is: all that decides how it goes on.

    Attributes
    ----------
    parameters, velocity
        The point, and the last step; flat arrays ``(A,)``.
    generator
        Draws the order of the samples.
    history
        A row per finished epoch.
    """

    parameters: Array
    velocity: Array
    generator: np.random.Generator
    history: list[Epoch] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        """How many epochs are finished."""
        return len(self.history)


class Descent:
    """Stochastic gradient descent under way, an epoch at a time.

    Parameters
    ----------
    model
        What is trained.
    training, test
        Data with X ``(n, m)`` and Y ``(K, m)``; the test set may be None.
    method
        A differentiator on one engine.
    settings
        How to descend.
    start
        The initial parameters, where they are not to be drawn.
    """

    def __init__(
        self,
        model: Model,
        training: Any,
        test: Any,
        method: Differentiator,
        settings: Settings,
        start: Array | None = None,
    ) -> None:
        check_model(model)
        self.model, self.method, self.settings = model, method, settings
        self.data = checked(training, "training")
        self.test = None if test is None else checked(test, "test")
        self._plain = without_penalty(model)
        parameters = model.initial(settings.seed, settings.scale) if start is None else start
        if isinstance(parameters, dict):
            raise InputError("start is a dictionary; give one vector, as initial(seed) draws it")
        parameters = owned(parameters, "start")
        if parameters.shape != (model.count,):
            raise InputError(f"start has shape {parameters.shape}; this model has parameters of shape ({model.count},)")
        for data in filter(None, (self.data, self.test)):
            model.check(*data)
        # A stream of its own: were it the initial parameters' one, the order would depend on how many those are.
        generator = np.random.default_rng([settings.seed, 1])
        self.state = State(parameters, np.zeros_like(parameters), generator)
        started = perf_counter()
        self._steps = {size: self._prepared(parameters, size) for size in shapes(settings.batch, self.data[0].shape[1])}
        self.prepare_seconds = perf_counter() - started

    def _prepared(self, parameters: Array, size: int) -> Steps:
        X, Y = (np.ascontiguousarray(part[:, :size]) for part in self.data)
        return prepared(self.model, self.method, self.settings.rate, self.settings.momentum, (parameters, X, Y))

    def epoch(self) -> str:
        """Go through one epoch; what made it impossible, or nothing.

        An epoch that ends in numbers that are not finite leaves the state as the one before left it.
        """
        before = self.state
        state = State(before.parameters, before.velocity, before.generator, list(before.history))
        resting = before.generator.bit_generator.state
        started = perf_counter()
        with np.errstate(all="ignore"):  # what is not finite is said in words
            trouble = self._descend(state)
        seconds = perf_counter() - started
        training, test = (self.mean_cost(state.parameters, data) for data in (self.data, self.test))
        if not trouble and not (math.isfinite(training) and np.isfinite(state.parameters).all()):
            trouble = f"its last step left the finite numbers (training cost {training:g})"
        if trouble:
            before.generator.bit_generator.state = resting
            return self._advice(trouble)
        state.history.append(Epoch(before.epoch + 1, training, test, seconds))
        self.state = state
        return ""

    def mean_cost(self, parameters: Array, data: tuple[Array, Array] | None) -> float:
        """The mean cost of a whole set, without penalty; NaN where there is none."""
        if data is None:
            return math.nan
        with np.errstate(all="ignore"):  # what is not finite is said in words
            return float(self._plain.cost(parameters, *data))

    def _descend(self, state: State) -> str:
        parameters, velocity = state.parameters, state.velocity
        for chosen, X, Y in self._batches(state.generator):
            before = parameters, velocity
            parameters, velocity, costs = self._steps[X.shape[2]](*before, X, Y)
            # A parameter that is once infinite or NaN stays so: it is enough to look now and then.
            if not (all_finite(costs) and all_finite(parameters)):
                return self._first_trouble(*before, chosen, X, Y)
        state.parameters, state.velocity = parameters, velocity
        return ""

    def _first_trouble(
        self, parameters: Array, velocity: Array, chosen: npt.NDArray[np.int64], X: Array, Y: Array
    ) -> str:
        """Take the steps again, one by one: which was the first that was not finite?"""
        for k, samples in enumerate(chosen):
            one = slice(k, k + 1)
            parameters, velocity, (cost,) = self._steps[X.shape[2]](parameters, velocity, X[one], Y[one])
            if not (math.isfinite(cost) and all_finite(parameters)):
                what = "step" if math.isfinite(cost) else f"cost {cost}"
                return f"the {what} of sample{'s' * (len(samples) > 1)} {', '.join(map(str, samples))} is not finite"
        return "a step was not finite, and is when it is taken again: the cost has numbers that change"

    def _batches(self, generator: np.random.Generator) -> Iterable[Batches]:
        if self.settings.order == "in-order":
            return self._in_order
        return batches(self.data, visits(self.settings, self.data[0].shape[1], generator), self.settings.batch)

    @cached_property
    def _in_order(self) -> list[Batches]:
        """The batches of every epoch, where all are alike."""
        return list(batches(self.data, np.arange(self.data[0].shape[1]), self.settings.batch))

    def _advice(self, trouble: str) -> str:
        return (
            f"{trouble}, in epoch {self.state.epoch + 1} at rate={self.settings.rate:g}; the parameters are those "
            f"after epoch {self.state.epoch}: choose a smaller rate, or a smaller scale"
        )


def without_penalty(model: Model) -> Model:
    """The same model, its cost the mean loss alone."""
    penalised = is_dataclass(model) and getattr(model, "l2", 0.0)
    return replace(model, l2=0.0) if penalised else model  # type: ignore[type-var]


def all_finite(numbers: Array) -> bool:
    """Whether no entry is infinite or NaN; one product says so, unless it overflows itself."""
    return math.isfinite(numbers @ numbers) or bool(np.isfinite(numbers).all())


def batches(data: tuple[Array, Array], order: npt.NDArray[np.int64], size: int) -> Iterator[Batches]:
    """Samples in an order, so many to a step and the rest in a last one; many steps at a time.

    Examples
    --------
    >>> data = np.arange(10.0).reshape(2, 5), np.arange(5.0).reshape(1, 5)
    >>> [Y.tolist() for _, X, Y in batches(data, np.array([4, 0, 2]), 2)]
    [[[[4.0, 0.0]]], [[[2.0]]]]
    """
    whole = len(order) // size * size
    together = size * max(1, TOGETHER // (size * sum(len(part) for part in data)))
    spans = [order[start : min(start + together, whole)] for start in range(0, whole, together)]
    for chosen in (*spans, order[whole:]):
        if len(chosen):
            steps = chosen.reshape(-1, min(size, len(chosen)))
            X, Y = (np.ascontiguousarray(np.moveaxis(part.take(steps, axis=1), 0, 1)) for part in data)
            yield steps, X, Y


def shapes(batch: int, count: int) -> set[int]:
    """How many samples the steps of an epoch take: the last one what is left.

    Examples
    --------
    >>> shapes(1, 5), shapes(2, 5), shapes(100, 5)
    ({1}, {1, 2}, {5})
    """
    return {min(batch, count), count % batch or batch} if batch < count else {count}


def visits(settings: Settings, count: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """The order in which an epoch visits the samples.

    Examples
    --------
    >>> visits(Settings(order="in-order"), 5, np.random.default_rng())
    array([0, 1, 2, 3, 4])
    """
    if settings.order == "shuffled":
        return generator.permutation(count)
    if settings.order == "random":
        return generator.integers(count, size=count)
    return np.arange(count)


def converged(history: Sequence[Epoch], tolerance: float | None) -> bool:
    """Whether the mean training cost of the last epochs is no longer lower than before by more than the tolerance.

    Examples
    --------
    >>> falling = [Epoch(k, 2.0**-k, 0.0, 0.0) for k in range(10)]
    >>> converged(falling, 0.01), converged([row._replace(training=1.0) for row in falling], 0.01)
    (False, True)
    """
    if tolerance is None or len(history) < 2 * WINDOW:
        return False
    costs = [row.training for row in history]
    return fmean(costs[-WINDOW:]) >= (1 - tolerance) * fmean(costs[-2 * WINDOW : -WINDOW])
