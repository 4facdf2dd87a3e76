"""An operator: it traces once per signature, says what it is, and asks for what it needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk
from diffkit.operators.preparing import MAX_SIGNATURES


def test_one_operator_serves_many_signatures() -> None:
    calls = []

    def g(x: Any) -> Any:
        calls.append(np.shape(x))
        return np.sum(x**2)

    differentiate = dk.grad(g)
    for _ in range(3):
        for shape in [(2,), (3,), (), (2, 2)]:
            np.testing.assert_array_equal(differentiate(np.ones(shape)), 2 * np.ones(shape))
    assert sorted(calls) == sorted([(2,), (3,), (), (2, 2)])  # traced once for each


def test_an_operator_says_what_it_is() -> None:
    def energy(x: Any) -> Any:
        return np.sum(x**2)

    differentiate = dk.grad(energy, method="forward")
    assert differentiate.__name__ == "energy"
    assert repr(differentiate) == "<gradient of energy by forward>"


@pytest.mark.parametrize("operator", [dk.jvp, dk.vjp, dk.hvp])
def test_a_directional_product_needs_its_direction(operator: Any) -> None:
    with pytest.raises(dk.InputError, match="needs a point and a direction"):
        operator(np.sin)(np.ones(2))


def test_the_signature_made_first_is_forgotten_first() -> None:
    calls = []

    def g(x: Any) -> Any:
        calls.append(len(x))
        return np.sum(x**2)

    differentiate = dk.grad(g)
    sizes = range(1, MAX_SIGNATURES + 2)  # one more than are kept
    for n in sizes:
        differentiate(np.ones(n))
    calls.clear()
    for n in (MAX_SIGNATURES + 1, 2, 1):
        np.testing.assert_array_equal(differentiate(np.ones(n)), 2 * np.ones(n))
    assert calls == [1]
