"""Difference quotients: their order, their error estimates, and what they do at the edge of a domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from diffkit.differentiators.differences import Differences
from diffkit.errors import InputError


def at(
    f: Callable[[Any], Any], x: float, size: float, scheme: str, low: float = -np.inf, high: float = np.inf
) -> Differences:
    return Differences(f, np.array([x]), np.array([size]), scheme, np.array([low]), np.array([high]))


def slope(differences: Differences) -> float:
    return float(differences.columns()[0][0, 0])


@pytest.mark.parametrize(("scheme", "order"), [("forward", 1), ("central", 2)])
def test_the_error_falls_with_the_order_of_the_scheme(scheme: str, order: int) -> None:
    sizes = np.array([1e-1, 1e-2, 1e-3])
    errors = [abs(slope(at(np.exp, 0.3, size, scheme)) - np.exp(0.3)) for size in sizes]
    assert np.polyfit(np.log(sizes), np.log(errors), 1)[0] == pytest.approx(order, abs=0.05)


def test_one_sided_differences_are_of_second_order() -> None:
    sizes = np.array([1e-1, 1e-2, 1e-3])
    errors = [abs(slope(at(np.exp, 0.3, size, "central", low=0.3)) - np.exp(0.3)) for size in sizes]
    assert np.polyfit(np.log(sizes), np.log(errors), 1)[0] == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("scheme", ["forward", "central", "richardson"])
@pytest.mark.parametrize("x", [0.0, 1.0])
def test_f_is_not_called_out_of_bounds(scheme: str, x: float) -> None:
    seen = []

    def f(point: Any) -> Any:
        seen.append(float(point[0]))
        return np.exp(point)

    differences = at(f, x, 1e-3, scheme, low=0.0, high=1.0)
    assert slope(differences) == pytest.approx(np.exp(x), rel=1e-3)
    assert differences.one_sided <= {0}
    assert min(seen) >= 0.0
    assert max(seen) <= 1.0


@pytest.mark.parametrize("x", [1e-14, 1e-8, 3e-6])
@pytest.mark.parametrize("scheme", ["central", "richardson"])
def test_a_step_over_a_singularity_becomes_shorter(x: float, scheme: str) -> None:
    differences = at(np.log, x, 1e-5, scheme)
    with np.errstate(all="ignore"):
        assert slope(differences) == pytest.approx(1 / x, rel=1e-6)
    assert not differences.one_sided


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: x * np.sqrt(x), 0.0),  # NaN on the left
        (lambda x: np.array([x[0] ** 2 + 3 * x[0] if x[0] >= 0 else 1 / 0]), 3.0),  # an error on the left
        (lambda x: np.where(x <= 0, -2 * x, np.inf), -2.0),  # infinite on the right
    ],
)
@pytest.mark.parametrize("scheme", ["forward", "central", "richardson"])
def test_one_side_serves_at_an_edge(f: Callable[[Any], Any], expected: float, scheme: str) -> None:
    differences = at(f, 0.0, 1e-6, scheme)
    with np.errstate(all="ignore"):
        assert slope(differences) == pytest.approx(expected, abs=2e-3)
    if not (scheme == "forward" and expected >= 0):
        assert differences.one_sided == {0}


@pytest.mark.parametrize("scheme", ["forward", "central", "richardson"])
def test_an_isolated_point_has_no_derivative(scheme: str) -> None:
    assert np.isnan(slope(at(lambda x: np.where(x == 0, 1.0, np.nan), 0.0, 1e-6, scheme)))


@pytest.mark.parametrize(("f", "x"), [(np.exp, 0.5), (np.sin, 20.0), (np.tanh, 2.0), (lambda x: 1 / x, 0.3)])
def test_the_error_estimate_of_the_extrapolation_bounds_its_error(f: Callable[[Any], Any], x: float) -> None:
    value, estimate = at(f, x, 0.1, "richardson").columns()
    h = 1e-30
    exact = np.imag(f(np.array([complex(x, h)]))) / h
    assert abs(value[0, 0] - exact[0]) <= 10 * estimate[0, 0] + 1e-15
    assert estimate[0, 0] <= 1e-8 * abs(exact[0])


def test_a_point_out_of_bounds_is_refused() -> None:
    with pytest.raises(InputError, match=r"input 0 is 2\.0, outside of its bounds 0\.0 to 1\.0"):
        at(np.exp, 2.0, 1e-6, "central", low=0.0, high=1.0).columns()


def test_no_inputs_make_no_columns() -> None:
    empty = np.zeros(0)
    values, errors = Differences(lambda x: np.ones(3), empty, empty, "central", empty, empty).columns()
    assert values.shape == errors.shape == (3, 0)
