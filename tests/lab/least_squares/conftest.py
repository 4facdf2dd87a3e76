from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def by_hand():
    """The Jacobian of the neuron as a function of beta: its rows are y (1 - y) (x0, x1, 1)."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(40, 2)), np.ones(40)])

    def jacobian(beta):
        y = 1 / (1 + np.exp(-(X @ beta)))
        return (y * (1 - y))[:, np.newaxis] * X

    return jacobian
