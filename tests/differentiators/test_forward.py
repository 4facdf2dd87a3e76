"""Forward mode: what one sweep costs, against the count of f."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk

X = np.array([0.5, -1.5, 2.0])


def rounds(x: Any) -> Any:
    for _ in range(50):
        x = np.sin(x) * x + np.exp(-x * x)
    return x


def test_one_tangent_costs_a_small_multiple_of_f() -> None:
    # Griewank and Walther (2008), section 3.1: at most 2.5 times, where an operation counts as one.
    plan = dk.get("forward").prepare(rounds, X, product="jvp")
    assert plan.operations.total <= 4 * plan.function_operations.total


def test_a_jacobian_is_its_columns() -> None:
    plan = dk.get("forward").prepare(rounds, X)
    columns = [plan.jvp(X, unit) for unit in np.eye(3)]
    np.testing.assert_allclose(plan.run(X), np.transpose(columns), rtol=1e-14)


@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
def test_against_the_complex_step(engine: str) -> None:
    h = 1e-30
    expected = np.transpose([np.imag(rounds(X + 1j * h * unit)) / h for unit in np.eye(3)])
    np.testing.assert_allclose(dk.jacobian(rounds, method="forward", engine=engine)(X), expected, rtol=1e-11)


def test_a_tangent_keeps_the_shape_of_its_result() -> None:
    found = dk.jvp(lambda x: np.outer(x, x)[:, None, :])(X, np.ones(3))
    np.testing.assert_allclose(found, (np.add.outer(X, X))[:, None, :], rtol=1e-15)
