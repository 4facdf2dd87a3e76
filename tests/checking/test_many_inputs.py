"""A check of many inputs: few calls of f, counted, and still the right entry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk

A = 10_000
X = np.random.default_rng(3).standard_normal(A)


class Counted:
    """f, and how often it was called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return np.array([np.sum(np.sin(x) * x[::-1]) + np.sum(x**2), np.mean(np.exp(x))])


def jacobian(x: Any) -> Any:
    return np.stack([np.cos(x) * x[::-1] + np.sin(x[::-1]) + 2 * x, np.exp(x) / A])


def test_a_right_derivative_takes_a_few_hundred_calls_instead_of_hundreds_of_thousands() -> None:
    f = Counted()
    found = dk.check(f, X, jacobian)
    assert found
    assert found.calls == f.calls < 300
    assert found.sampled == 3
    assert "3 random directions" in found.effort
    assert int(found.effort.split()[-2].replace(",", "")) > 300_000


@pytest.mark.parametrize(("output", "entry"), [(0, 0), (0, 7123), (1, 4999), (1, A - 1)])
def test_one_wrong_entry_is_found_by_bisection(output: int, entry: int) -> None:
    f = Counted()
    wrong = jacobian(X)
    wrong[output, entry] *= 1 + 1e-4
    found = dk.check(f, X, wrong, raises=False)
    assert (found.verdict, found.worst, found.entry) == ("wrong", (output, entry), f"x[{entry}]")
    assert found.expected == pytest.approx(jacobian(X)[output, entry], rel=1e-6)
    assert found.calls == f.calls < 3000


def test_two_entries_that_changed_places_do_not_cancel() -> None:
    wrong = jacobian(X)
    wrong[0, [712, 713]] = wrong[0, [713, 712]]
    found = dk.check(Counted(), X, wrong, raises=False)
    assert found.verdict == "wrong"
    assert found.worst in ((0, 712), (0, 713))


def test_a_kink_among_many_inputs_is_found_too() -> None:
    x = X.copy()
    x[77] = 0.0
    found = dk.check(lambda x: np.sum(np.abs(x)) + np.sum(x**2), x, raises=False)
    assert (found.verdict, found.entry) == ("kink", "x[77]")
    assert [found.below, found.above] == pytest.approx([-1.0, 1.0])
    assert found.cause.endswith("entry [77]")


def test_few_inputs_are_checked_one_by_one() -> None:
    found = dk.check(lambda x: np.sum(x**2), X[:20])
    assert found.sampled == 0
    assert found.calls > 20 * 2 * 18


def test_a_method_that_takes_far_more_sweeps_than_another_is_named() -> None:
    x = X[:200]
    assert dk.check(lambda x: np.sum(x**2), x).advice == ""
    found = dk.check(lambda x: np.sum(x**2), x, method="forward")
    assert found.advice == "forward takes 200 sweeps for this derivative (A = 200, B = 1), reverse 1"
    assert found.advice in str(found)
    found = dk.check(lambda x: x[0] * np.arange(300.0), X[:1], method="reverse")
    assert "reverse takes 300 sweeps" in found.advice
    assert "forward 1" in found.advice
    found = dk.check(lambda x: np.sum(x**2), x, method="finite-difference", tolerance=1e-6)
    assert "finite-difference takes 400 calls of f" in found.advice
