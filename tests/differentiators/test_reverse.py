"""Reverse mode: what a gradient costs, and what a return sweep leaves out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk

X = np.array([0.5, -1.5, 2.0])


def rounds(x: Any) -> Any:
    for _ in range(50):
        x = np.sin(x) * x + np.exp(-x * x)
    return np.sum(x)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_gradient_costs_at_most_five_times_f(size: int) -> None:
    # Griewank and Walther (2008), (3.14).
    plan = dk.get("reverse").prepare(rounds, np.ones(size), product="gradient")
    assert plan.operations.total <= 5 * plan.function_operations.total


def test_a_jacobian_is_its_rows() -> None:
    plan = dk.get("reverse").prepare(lambda x: np.outer(x, np.sin(x)), X)
    rows = [plan.vjp(X, unit.reshape(3, 3)) for unit in np.eye(9)]
    np.testing.assert_allclose(plan.run(X), rows, rtol=1e-15)


@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
def test_against_the_complex_step(engine: str) -> None:
    h = 1e-30
    expected = [np.imag(rounds(X + 1j * h * unit)) / h for unit in np.eye(3)]
    np.testing.assert_allclose(dk.grad(rounds, engine=engine)(X), expected, rtol=1e-11)


def test_value_and_gradient_share_their_work() -> None:
    both, gradient, value = (
        dk.get("reverse").prepare(rounds, X, product=product).operations.total
        for product in ("value_and_gradient", "gradient", "value")
    )
    assert gradient <= both < gradient + value


def test_arguments_that_are_not_asked_for_cost_nothing() -> None:
    def f(x: Any, y: Any) -> Any:
        return np.sum(np.sin(x)) + np.sum(np.exp(np.cos(y)))

    plan = dk.get("reverse").prepare(f, X, np.ones(1000), product="gradient")
    assert plan.operations.total <= 2 * X.size
