"""Models and data that come from no other part of the lab, with derivatives by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest


class Samples(NamedTuple):
    X: Any
    Y: Any


@dataclass(frozen=True)
class Neuron:
    """Logistic regression of n features: w of n entries, then b."""

    features: int

    @property
    def count(self):
        return self.features + 1

    def initial(self, seed=0, scale=None):
        return (1.0 if scale is None else scale) * np.random.default_rng(seed).normal(size=self.count)

    def check(self, X, Y):
        pass

    def predict(self, parameters, X):
        return 1 / (1 + np.exp(-(parameters[:-1].reshape(1, -1) @ X + parameters[-1])))

    def cost(self, parameters, X, Y):
        z = parameters[:-1].reshape(1, -1) @ X + parameters[-1]
        return np.mean(np.logaddexp(0.0, z) - Y * z)

    def backward(self, parameters, X, Y):
        error = (self.predict(parameters, X) - Y)[0] / X.shape[1]
        return np.append(X @ error, error.sum())


@pytest.fixture
def neuron():
    return Neuron(2)


@pytest.fixture
def samples():
    """30 points of two overlapping clouds."""
    rng = np.random.default_rng(5)
    Y = rng.integers(2, size=(1, 30)).astype(float)
    return Samples(rng.normal(size=(2, 30)) + Y, Y)


@pytest.fixture
def others():
    rng = np.random.default_rng(6)
    Y = rng.integers(2, size=(1, 12)).astype(float)
    return Samples(rng.normal(size=(2, 12)) + Y, Y)
