"""Residuals to try fits on: a sigmoid unit, and the network 2-5-3-1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from diffkit.lab.least_squares.residuals import Array


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

    Examples
    --------
    >>> example = neuron(noise=0.0)
    >>> float(np.max(np.abs(example.residual(example.true))))
    0.0
    """
    rng = np.random.default_rng(seed)
    X, true = np.column_stack([rng.normal(size=(examples, 2)), np.ones(examples)]), np.array([2.0, -3.0, 0.5])

    def predict(beta: Any) -> Any:
        return 1 / (1 + np.exp(-(X @ beta)))

    y = predict(true) + noise * rng.normal(size=examples)
    return Example(lambda beta: predict(beta) - y, np.zeros(3), true)
