"""What tests of tracing share: one function, differentiated by every method and engine, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk

EXACT = [
    dk.get(name, engine=engine)
    for name in ("forward", "reverse", "mixed", "symbolic")
    for engine in ("numpy", "interpreted")
]
CENTRAL = dk.get("finite-difference")


def complex_step(f, x):
    """The Jacobian of plain NumPy code that is analytic, without any rounding error of differences."""
    columns = []
    for spot in np.ndindex(*x.shape):
        shifted = x.astype(complex)
        shifted[spot] += 1e-100j
        columns.append(np.imag(np.ravel(f(shifted))) / 1e-100)
    return np.stack(columns, axis=1) if columns else np.zeros((np.size(f(x)), 0))


def _close(found, expected, tolerance):
    assert found.shape == expected.shape
    scale = np.max(np.abs(expected), initial=0.0) or 1.0
    assert np.max(np.abs(found - expected), initial=0.0) <= tolerance * scale


@pytest.fixture
def agrees():
    """``agrees(f, x)``: value and Jacobian of f are right in every method and engine.

    The reference is the complex step on f as plain NumPy, or the Jacobian that is given.
    """

    def check(f, x, jacobian=None, methods=(*EXACT, CENTRAL)):
        x = np.asarray(x)
        expected = complex_step(f, x) if jacobian is None else np.asarray(jacobian, dtype=float)
        value = np.asarray(f(x.copy()))
        for method in methods:
            plan = method.prepare(f, x)
            np.testing.assert_allclose(plan.value(x), value, rtol=1e-13, atol=1e-13, err_msg=method.name)
            _close(plan.jacobian(x), expected, 1e-12 if method.exact else 1e-6)

    return check
