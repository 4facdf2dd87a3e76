"""f is called as it is: on copies, untraced, and what it raises beside x is a hole in its domain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import diffkit as dk


def test_f_may_change_what_it_is_given() -> None:
    def f(x: Any) -> Any:
        x *= 2
        return float(np.sum(x**2))

    x = np.array([1.0, 2.0])
    assert dk.check(f, x, 8 * x)
    assert x.tolist() == [1.0, 2.0]


def test_a_black_box_is_checked() -> None:
    f = lambda x: math.sin(float(x[0])) * float(x[1])  # noqa: E731
    x = np.array([0.3, 2.0])
    assert dk.check(f, x, lambda x: np.array([np.cos(x[0]) * x[1], np.sin(x[0])]))
    assert dk.check(f, x, lambda x: np.array([np.cos(x[0]) * x[1], np.cos(x[0])]), raises=False).entry == "x[1]"


@pytest.mark.parametrize("edge", [0.7, 0.99, 1 - 1e-6])
@pytest.mark.parametrize(
    "error",
    [ValueError, ZeroDivisionError, FloatingPointError, np.linalg.LinAlgError, TypeError, AssertionError, IndexError],
)
def test_what_f_raises_beside_x_is_a_hole_in_its_domain(edge: float, error: type[Exception]) -> None:
    def f(x: Any) -> Any:
        if float(x) < edge:
            raise error("outside")
        return x**3

    assert dk.check(f, 1.0, np.asarray(3.0))
    assert dk.check(f, 1.0, np.asarray(3.01), raises=False).verdict == "wrong"


def test_at_an_edge_the_side_that_is_there_counts() -> None:
    def f(x: Any) -> Any:
        if float(x) < 1.0:
            raise ValueError("outside")
        return x**3

    found = dk.check(f, 1.0, np.asarray(3.0))
    assert "f is there on one side of x only" in found.summary
    assert math.isnan(found.below)
    assert found.above == pytest.approx(3.0)


def test_f_that_is_there_at_x_only_is_undecided() -> None:
    def f(x: Any) -> Any:
        if float(x) != 1.0:
            raise ValueError("outside")
        return x

    assert dk.check(f, 1.0, np.asarray(1.0), raises=False).verdict == "undecided"


def test_what_f_raises_at_x_is_its_own_error() -> None:
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        dk.check(f, 1.0, np.asarray(1.0))


def test_a_result_whose_shape_depends_on_values_is_refused() -> None:
    with pytest.raises(dk.InputError, match=r"f returned shape .* near x, but .* at x"):
        dk.check(lambda x: x[x >= 1.0], np.array([1.0, 2.0]), np.eye(2))


def test_a_complex_value_beside_x_is_a_hole_too() -> None:
    assert dk.check(lambda x: float(x) ** 1.5, 0.1, np.asarray(1.5 * 0.1**0.5))


@pytest.mark.parametrize("x", [np.nan, np.inf, [1.0, -np.inf]])
def test_a_point_that_is_not_finite_is_refused(x: Any) -> None:
    with pytest.raises(dk.InputError, match=r"x has an entry .*; a derivative is checked where x is finite"):
        dk.check(np.sum, np.asarray(x))


@pytest.mark.parametrize("x", [1e-320, 1e-200, 1e150, -1e307])
def test_tiny_and_huge_points_are_checked(x: float) -> None:
    assert dk.check(lambda x: 3 * x, x)
    assert dk.check(lambda x: 3 * x, x, np.asarray(3.1), raises=False).verdict == "wrong"
