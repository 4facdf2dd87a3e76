"""Finite differences: accuracy of every scheme and product, black boxes, bounds, domains, counted calls."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize

import diffkit as dk

FD = "finite-difference"
SCHEMES = {"central": 1e-9, "forward": 1e-6, "complex-step": 1e-14, "richardson": 1e-11}
SECOND = {"central": 1e-6, "forward": 1e-2, "complex-step": 1e-8, "richardson": 1e-6}
X = np.array([0.3, 1.2, -2.0])
V = np.array([0.5, -1.0, 2.0])


def f(x: Any) -> Any:
    return np.sum(np.exp(x)) * x[0]


def gradient(x: Any) -> Any:
    return np.exp(x) * x[0] + np.sum(np.exp(x)) * np.eye(3)[0]


def hessian(x: Any) -> Any:
    first = np.zeros((3, 3))
    first[0] = np.exp(x)
    return np.diag(np.exp(x) * x[0]) + first + first.T


def box(x: Any) -> Any:
    """The same function, which cannot be traced."""
    if type(x) is not np.ndarray:
        raise TypeError("plain arrays only")
    return f(x)


@pytest.mark.parametrize("function", [f, box])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_product_of_every_scheme_is_as_accurate_as_its_order_allows(
    scheme: str, function: Callable[[Any], Any]
) -> None:
    plan = dk.get(FD, scheme=scheme).prepare(function, X)
    first = {"rtol": SCHEMES[scheme], "atol": 10 * SCHEMES[scheme]}
    second = {"rtol": SECOND[scheme], "atol": SECOND[scheme]}
    np.testing.assert_allclose(plan.jacobian(X), gradient(X)[None], **first)
    np.testing.assert_allclose(plan.gradient(X), gradient(X), **first)
    np.testing.assert_allclose(plan.jvp(X, V), gradient(X) @ V, **first)
    np.testing.assert_allclose(plan.vjp(X, -2.0), -2 * gradient(X), **first)
    np.testing.assert_allclose(plan.hessian(X), hessian(X), **second)
    np.testing.assert_allclose(plan.hvp(X, V), hessian(X) @ V, **second)
    value, slope = plan.value_and_gradient(X)
    assert value == f(X)
    np.testing.assert_allclose(slope, gradient(X), **first)


@pytest.mark.parametrize(
    "product", ["value", "gradient", "value_and_gradient", "jacobian", "jvp", "vjp", "hessian", "hvp"]
)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_calls_of_f_are_counted(scheme: str, product: str) -> None:
    calls = []

    def counted(x: Any) -> Any:
        if type(x) is not np.ndarray:
            raise TypeError("plain arrays only")
        calls.append(1)
        return f(x)

    plan = dk.get(FD, scheme=scheme).prepare(counted, X, product=product)
    calls.clear()
    plan.run(*((X, V) if product in ("jvp", "hvp") else (X, 1.0) if product == "vjp" else (X,)))
    assert len(calls) == plan.calls


@pytest.mark.parametrize(("scheme", "calls"), [("central", 6), ("forward", 4), ("complex-step", 3)])
def test_a_traced_f_costs_calls_times_its_operations(scheme: str, calls: int) -> None:
    plan = dk.get(FD, scheme=scheme).prepare(f, X)
    assert plan.calls == calls == plan.differentiator.sweeps(3, 1)
    assert plan.operations.total == calls * plan.function_operations.total


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("shape", [(0,), (1,), (), (2, 3)])
def test_shapes_of_any_kind(shape: tuple[int, ...], scheme: str) -> None:
    x = np.linspace(0.1, 1.0, math.prod(shape)).reshape(shape)
    found = dk.jacobian(np.sin, method=FD, scheme=scheme)(x)
    np.testing.assert_allclose(found, np.diag(np.cos(x).ravel()), atol=1e-6)


def test_the_scale_of_an_input_decides_its_step() -> None:
    x = np.array([1e-12, 1.0, 1e9])
    found = dk.jacobian(lambda x: x**2, method=FD)(x)
    np.testing.assert_allclose(found, np.diag(2 * x), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("scheme", "tolerance"), [("central", 1e-3), ("forward", 1e-2), ("complex-step", 1e-6), ("richardson", 1e-4)]
)
def test_single_precision_takes_longer_steps_and_stays_single(scheme: str, tolerance: float) -> None:
    x = X.astype(np.float32)
    found = dk.grad(f, method=FD, scheme=scheme)(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, gradient(X), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("size", [1e-2, 1e-4])
def test_a_step_size_of_ones_own(size: float) -> None:
    found = dk.grad(lambda x: x[0] ** 3, method=FD, scheme="forward", step_size=size)(np.array([1.0]))
    assert found[0] == pytest.approx(3 + 3 * size + size**2, rel=1e-10)


# ---------------------------------------------------------------- bounds and domains


@pytest.mark.parametrize("scheme", ["central", "forward", "richardson"])
@pytest.mark.parametrize("product", ["jacobian", "jvp", "hessian", "hvp"])
def test_no_product_leaves_the_bounds(scheme: str, product: str) -> None:
    low, high = 0.0, np.array([1.0, 2.0, 3.0])
    x = np.array([0.0, 2.0, 1.0])

    def bounded(point: Any) -> Any:
        if type(point) is not np.ndarray:
            raise TypeError("plain arrays only")
        assert np.all((point >= low) & (point <= high))
        return f(point)

    expected = {
        "jacobian": gradient(x)[None], "jvp": gradient(x) @ -V, "hessian": hessian(x), "hvp": hessian(x) @ -V,
    }[product]  # fmt: skip
    plan = dk.get(FD, scheme=scheme, bounds=(low, high)).prepare(bounded, x)
    with pytest.warns(dk.DomainWarning, match="one-sided differences are used there"):
        found = getattr(plan, product)(*((x, -V) if product in ("jvp", "hvp") else (x,)))
    tolerance = 0.05 if scheme == "forward" and product in ("hessian", "hvp") else 2e-3
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_a_direction_out_of_a_corner_is_taken_axis_by_axis() -> None:
    x = np.array([0.0, 1.0])
    plan = dk.get(FD, bounds=(0.0, 1.0)).prepare(lambda x: np.sum(x**3), x)
    with pytest.warns(dk.DomainWarning):
        assert plan.jvp(x, np.ones(2)) == pytest.approx(3.0, abs=1e-8)


def test_bounds_must_fit_the_inputs() -> None:
    with pytest.raises(dk.InputError, match="bounds of 2 entries, but f has 3 inputs"):
        dk.grad(f, method=FD, bounds=(np.zeros(2), 1.0))(X)
    with pytest.raises(dk.InputError, match="outside of its bounds"):
        dk.grad(f, method=FD, bounds=(0.0, 1.0))(X)


def test_an_edge_of_the_domain_is_warned_of_once() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = dk.grad(lambda x: np.sum(x * np.sqrt(x)), method=FD)(np.array([0.0, 4.0, 0.0]))
    np.testing.assert_allclose(found, [0.0, 3.0, 0.0], atol=5e-3)
    assert [str(each.message)[:60] for each in caught] == [
        "f is not finite, or out of bounds, on one side of input 0, 2; "[:60]
    ]


def test_helmholtz_energy_next_to_its_edge() -> None:
    # Griewank's example: b.x must stay below 1; a side across it is not finite.
    def energy(x: Any) -> Any:
        return np.sum(x * np.log(x / (1 - np.sum(x))))

    x = np.array([0.5, 0.5 - 1e-7])
    room = 1 - np.sum(x)
    expected = np.log(x / room) + 1 + np.sum(x) / room
    np.testing.assert_allclose(dk.grad(energy, method=FD)(x), expected, rtol=1e-6)


# ---------------------------------------------------------------- black boxes


class Quadratic:
    """A callable object that insists on plain numbers."""

    def __call__(self, x: Any) -> float:
        return float(x[0]) ** 2 * math.gamma(float(x[1]))


def root(x: Any) -> Any:
    return scipy.optimize.brentq(lambda t: t * t - x[0] * x[1], 0.0, 10.0, xtol=1e-14)


def decay(x: Any) -> Any:
    return scipy.integrate.solve_ivp(lambda _t, y: -x[0] * y, (0.0, 1.0), [x[1]], rtol=1e-11, atol=1e-13).y[0, -1]


BOXES = {
    "callable object": (Quadratic(), [2.0, 3.0], [8.0, 4.0 * 2 * (1.5 - np.euler_gamma)]),
    "root finder": (root, [1.0, 4.0], [1.0, 0.25]),
    "differential equation": (decay, [1.0, 2.0], [-2 / np.e, 1 / np.e]),
    "float and math": (
        lambda x: float(x[0]) * math.frexp(4.0)[0] * math.erf(x[1]),
        [2.0, 0.0],
        [0.0, 2 / np.sqrt(np.pi)],
    ),
    "in-place change of its argument": (lambda x: np.multiply(x, x, out=x).sum(), [1.0, 2.0], [2.0, 4.0]),
}


@pytest.mark.parametrize("scheme", ["central", "forward", "richardson"])
@pytest.mark.parametrize("name", BOXES)
def test_black_boxes(name: str, scheme: str) -> None:
    function, point, expected = BOXES[name]
    x = np.array(point)
    np.testing.assert_allclose(dk.grad(function, method=FD, scheme=scheme)(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(x, point)


@pytest.mark.parametrize("name", ["callable object", "root finder", "differential equation"])
def test_what_only_differences_can_do_is_said_by_the_others(name: str) -> None:
    function, point, _ = BOXES[name]
    with pytest.raises(dk.TracingError, match=r"plain number|finite-difference"):
        dk.grad(function)(np.array(point))


def test_a_function_with_a_branch_per_point_becomes_a_black_box() -> None:
    def newton(x: Any) -> Any:  # as many rounds as it takes
        y = x[0]
        while abs(y * y - x[0]) > 1e-12 * x[0]:
            y = 0.5 * (y + x[0] / y)
        return y

    differentiate = dk.grad(newton, method=FD)
    for point in np.linspace(0.5, 500.0, 40):
        assert differentiate(np.array([point]))[0] == pytest.approx(0.5 / np.sqrt(point), rel=1e-6)


def not_analytic(x: Any) -> Any:
    if type(x) is not np.ndarray:
        raise TypeError("plain arrays only")
    return np.abs(x[0]) * x[1]


@pytest.mark.parametrize("product", [dk.grad, dk.hessian])
def test_a_complex_step_on_a_black_box_is_checked(product: Any) -> None:
    with pytest.raises(dk.UnsupportedError, match=r"not analytic .* use scheme='central'"):
        product(not_analytic, method=FD, scheme="complex-step")(np.array([-1.0, 2.0]))


def test_a_black_box_that_refuses_complex_numbers_is_told_apart() -> None:
    with pytest.raises(dk.UnsupportedError, match="does not take complex numbers"):
        dk.grad(lambda x: math.gamma(x[0]), method=FD, scheme="complex-step")(np.array([2.0]))


@pytest.mark.parametrize("x", [-1.5, 1.5])
def test_a_complex_step_takes_the_branch_of_the_real_part(x: float) -> None:
    found = dk.grad(lambda x: x[0] ** 2 if x[0] > 0 else np.abs(x[0]), method=FD, scheme="complex-step")
    assert found(np.array([x]))[0] == (3.0 if x > 0 else -1.0)
    assert found(np.array([-x]))[0] == (3.0 if x < 0 else -1.0)


def test_only_the_extrapolation_estimates_its_error() -> None:
    estimate = dk.get(FD, scheme="richardson").prepare(f, X).error_estimate(X)
    assert estimate.shape == (1, 3)
    assert estimate.max() < 1e-9
    for method in (dk.get(FD), dk.get("reverse"), dk.get("symbolic")):
        with pytest.raises(dk.UnsupportedError, match=r"estimate"):
            method.prepare(f, X).error_estimate(X)


def test_f_must_keep_its_shape() -> None:
    with pytest.raises(dk.InputError, match=r"shape \(2,\) near x, but \(1,\) at x"):
        dk.jacobian(lambda x: np.ones(1 + (float(x[0]) > 1.0)), method=FD)(np.array([1.0]))


OPTIONS = {
    "step_size": [0, -1.0, np.nan, np.inf, "small", [1e-3, 1e-4]],
    "bounds": [3, (1,), (1, 0), (0, 0), ("a", "b"), (np.zeros(2), np.zeros(3)), (None, 1)],
}


@pytest.mark.parametrize(("option", "value"), [(option, value) for option in OPTIONS for value in OPTIONS[option]])
def test_options_are_checked(option: str, value: Any) -> None:
    with pytest.raises(dk.InputError, match=option):
        dk.get(FD, **{option: value})
