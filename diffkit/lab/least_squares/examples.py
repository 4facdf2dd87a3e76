"""Residuals to try fits on: a sigmoid unit, and the network 2-5-3-1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from diffkit.errors import check_whole
from diffkit.lab.least_squares.residuals import Array
from diffkit.lab.networks import Network
from diffkit.problems.base import generator


class Example(NamedTuple):
    """A residual, where to start, and the parameters behind the data.

    ``fit(*example[:2])`` fits it.
    """

    residual: Callable[[Any], Any]
    start: Array
    true: Array


def neuron(examples: int = 40, noise: float = 0.02, seed: int = 0) -> Example:
    """One sigmoid unit: ``r_i = 1/(1 + exp(-(w0 x0_i + w1 x1_i + w2))) - y_i``, with beta = (w0, w1, w2).

    Parameters
    ----------
    examples
        B.
    noise
        Standard deviation of what is added to y.
    seed
        Of the data.

    Raises
    ------
    InputError
        ``examples`` is no whole number from 1, or the seed none from 0.

    Examples
    --------
    >>> example = neuron(noise=0.0)
    >>> float(np.max(np.abs(example.residual(example.true))))
    0.0
    """
    check_whole(examples, "examples")
    rng = generator(seed)
    X, true = np.column_stack([rng.normal(size=(examples, 2)), np.ones(examples)]), np.array([2.0, -3.0, 0.5])

    def predict(beta: Any) -> Any:
        return 1 / (1 + np.exp(-(X @ beta)))  # as the docstring states it

    y = predict(true) + noise * rng.normal(size=examples)
    return Example(lambda beta: predict(beta) - y, np.zeros(3), true)


def network(examples: int = 200, noise: float = 0.01, distance: float = 0.05, seed: int = 0) -> Example:
    """The network 2-5-3-1 with tanh units and a linear output: r = its prediction - y, with 37 parameters.

    Parameters
    ----------
    examples
        B.
    noise
        Standard deviation of what is added to y.
    distance
        Standard deviation of what the start is off from the parameters behind the data.
    seed
        Of the data and the start.

    Raises
    ------
    InputError
        ``examples`` is no whole number from 1, or the seed none from 0.

    Examples
    --------
    >>> example = network()
    >>> example.start.shape, example.residual(example.start).shape
    ((37,), (200,))
    """
    check_whole(examples, "examples")
    rng = generator(seed)
    model = Network((2, 5, 3, 1), hidden="tanh", output="identity", loss="quadratic")
    X = rng.uniform(-2, 2, size=(2, examples))
    true = model.initial(seed=3, scale=3.0) + 0.3 * rng.normal(size=model.count)
    y = model.predict(true, X)[0] + noise * rng.normal(size=examples)
    start = true + distance * rng.normal(size=model.count)
    return Example(lambda beta: model.predict(beta, X)[0] - y, start, true)
