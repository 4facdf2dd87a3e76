"""References for functions that no complex step can follow: differences in long double, accurate to 1e-13."""

from __future__ import annotations

import numpy as np
import pytest

WEIGHTS = (4 / np.longdouble(5), -1 / np.longdouble(5), 4 / np.longdouble(105), -1 / np.longdouble(280))
STEP = np.longdouble(2) ** -11


def differences(f, x):
    """The Jacobian (B, A) of plain NumPy code by central differences of order 8; kinks must be 0.002 away."""
    x = np.asarray(x, np.longdouble)
    columns = []
    for spot in np.ndindex(*x.shape):
        moved = np.zeros_like(x)
        moved[spot] = STEP
        slope = sum(
            weight * (np.asarray(f(x + k * moved)) - np.asarray(f(x - k * moved)))
            for k, weight in enumerate(WEIGHTS, start=1)
        )
        columns.append(np.ravel(slope) / STEP)
    return np.stack(columns, axis=1) if columns else np.zeros((np.size(f(x)), 0))


@pytest.fixture(name="differences")
def _differences():
    return differences
