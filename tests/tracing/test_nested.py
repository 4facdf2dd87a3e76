"""Derivatives inside functions that are differentiated: no confusion of one perturbation with another."""
# ruff: noqa: PLW0108 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk

GRAPH = ["symbolic", "forward", "reverse", "mixed"]
outer_method = pytest.mark.parametrize("outer", [*GRAPH, "finite-difference"])
inner_method = pytest.mark.parametrize("inner", GRAPH)


def close(found, expected, outer="forward"):
    tolerance = 1e-6 if outer == "finite-difference" else 1e-12
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@outer_method
@inner_method
def test_the_classic_confusion_of_perturbations(outer, inner):
    def f(x):
        return x * dk.grad(lambda y: x + y, method=inner)(1.0)

    close(dk.grad(f, method=outer)(1.0), 1.0, outer)  # d/dx [x * d/dy (x + y)]; confused, it would be 2


@outer_method
@inner_method
def test_inner_derivative_at_an_outer_value(outer, inner):
    def f(x):
        return dk.grad(lambda y: x * y**3, method=inner)(x)  # 3 x^3

    close(dk.grad(f, method=outer)(2.0), 36.0, outer)


@outer_method
@inner_method
def test_gradient_of_gradient(outer, inner):
    slope = dk.grad(np.sin, method=inner)
    close(dk.grad(slope, method=outer)(0.7), -np.sin(0.7), outer)


@pytest.mark.parametrize("method", ["forward", "reverse", "mixed"])
def test_five_levels(method):
    f = np.exp
    for _ in range(5):
        f = dk.grad(lambda x, g=f: g(2.0 * x), method=method)
    # each level doubles the argument and differentiates: exp(2^5 x) times 2^(1+2+3+4+5)
    close(f(0.01) / (np.exp(0.32) * 2**15), 1.0)


@outer_method
@inner_method
def test_jacobian_inside_a_loop(outer, inner):
    def g(y):
        return np.array([y[0] * y[1], np.sin(y[0])])

    def f(x):
        total = 0.0
        for k in range(3):
            total = total + np.sum(dk.jacobian(g, method=inner)(x * (k + 1)))
        return total

    def expected(x):  # sum over k of (k+1)(x0 + x1) + cos((k+1) x0)
        rates = np.arange(1, 4)
        return [6 - np.sum(rates * np.sin(rates * x[0])), 6.0]

    x = np.array([0.3, 0.5])
    close(dk.grad(f, method=outer)(x), expected(x), outer)


@outer_method
@inner_method
def test_newtons_method_with_its_own_derivative(outer, inner):
    def root(a):
        def residual(y):
            return y**3 - a

        y = a
        for _ in range(30):
            y = y - residual(y) / dk.grad(residual, method=inner)(y)
            if abs(residual(y)) < 1e-14:
                break
        return y

    close(dk.grad(root, method=outer)(8.0), 1 / 12, outer)


@outer_method
def test_gradient_descent_on_outer_parameters(outer):
    def trained(rate):
        w = np.zeros(2)
        loss = dk.grad(lambda w: np.sum((w - np.array([1.0, 2.0])) ** 2 * np.array([1.0, rate])))
        for _ in range(4):
            w = w - 0.1 * loss(w)
        return np.sum(w)

    def expected(rate):  # w1 = 2 (1 - (1 - 0.2 rate)^4)
        return 2 * 4 * 0.2 * (1 - 0.2 * rate) ** 3

    close(dk.grad(trained, method=outer)(1.5), expected(1.5), outer)


@outer_method
@inner_method
def test_hessian_of_an_inner_function_as_a_value(outer, inner):
    def f(x):
        return np.sum(dk.hessian(lambda y: y[0] ** 2 * y[1] * x[0], method=inner)(x))

    # the sum is x0 (2 x1 + 4 x0)
    x = np.array([0.5, 2.0])
    close(dk.grad(f, method=outer)(x), [2 * x[1] + 8 * x[0], 2 * x[0]], outer)


@outer_method
def test_products_with_traced_directions(outer):
    def f(x):
        pushed = dk.jvp(np.sin)(x, x**2)
        pulled = dk.vjp(np.exp)(x, pushed)
        turned = dk.hvp(lambda y: np.sum(y**3))(x, x)
        return np.sum(pulled + turned)

    def expected(x):  # x^2 cos x e^x + 6 x^2
        return np.exp(x) * (2 * x * np.cos(x) - x**2 * np.sin(x) + x**2 * np.cos(x)) + 12 * x

    x = np.array([0.4, 1.1, -0.3])
    close(dk.grad(f, method=outer)(x), expected(x), outer)


@outer_method
def test_inner_branches_are_decided_by_outer_values(outer):
    def f(x):
        return dk.grad(lambda y: y**2 * x if y > 0 else y * x)(x)

    plan = dk.get(outer).prepare(f, 1.0, product="gradient")
    for x, expected in ((1.0, 4.0), (-1.0, 1.0), (2.0, 8.0)):
        close(plan.run(x), expected, outer)


@outer_method
def test_a_prepared_plan_inside(outer):
    plan = dk.get("reverse").prepare(lambda y: np.sum(y**3), np.ones(2), product="gradient")

    def f(x):
        return np.sum(plan.run(x) * x)  # 3 sum x^3

    x = np.array([1.0, 2.0])
    close(dk.grad(f, method=outer)(x), 9 * x**2, outer)
    np.testing.assert_array_equal(plan.run(x), 3 * x**2)


@outer_method
def test_containers_and_value_and_grad_inside(outer):
    def loss(parameters):
        return np.sum(parameters["w"] ** 2) * parameters["b"]

    def f(x):
        value, gradient = dk.value_and_grad(loss)({"w": x, "b": x[0]})
        return value + np.sum(gradient["w"]) + gradient["b"]

    # x0 S + 2 x0 sum(x) + S, with S = sum x^2
    x = np.array([1.5, -0.5])
    S = np.sum(x**2)
    expected = np.array([S + 2 * np.sum(x), 0.0]) + 2 * x[0] * x + 2 * x[0] + 2 * x
    close(dk.grad(f, method=outer)(x), expected, outer)


def test_finite_differences_inside_stay_finite_differences_outside():
    def f(x):
        return dk.grad(lambda y: y**3, method="finite-difference")(x)

    assert dk.grad(f, method="finite-difference")(2.0) == pytest.approx(12.0, rel=1e-3)
    with pytest.raises(dk.TracingError, match="use another method inside, or finite differences outside"):
        dk.grad(f, method="reverse")(2.0)


def test_finite_differences_inside_at_a_fixed_point_are_a_constant():
    def f(x):
        return x * dk.grad(lambda y: y**3, method="finite-difference")(2.0)

    assert dk.grad(f)(5.0) == pytest.approx(12.0, rel=1e-8)


def test_inner_buffers_and_outer_values():
    def f(x):
        def inner(y):
            out = np.zeros(3)
            out[0] = y * x
            out[1:] = x**2
            return np.sum(out * y)

        return dk.grad(inner)(x)  # d/dy (x y^2 + 2 x^2 y) at y = x is 4 x^2

    for method in GRAPH:
        close(dk.grad(f, method=method)(3.0), 24.0)


def test_an_inner_function_must_not_write_into_an_array_of_the_outer_one():
    def f(x):
        out = np.zeros(2)

        def inner(y):
            out[0] = y**2
            return out[0]

        return dk.grad(inner)(x) + out[0]

    with pytest.raises(dk.TracingError, match="return the values instead"):
        dk.grad(f)(1.0)


def test_values_that_outlive_their_function_are_refused():
    kept = []

    def f(x):
        kept.append(x)
        return x * kept[0]

    plan = dk.get("reverse").prepare(f, 1.0, product="gradient")
    plan.retrace()
    with pytest.raises(dk.TracingError, match="outlived the call"):
        plan.run(1.0)

    def leaks(x):
        found = []

        def inner(y):
            found.append(y * x)
            return y**2

        return dk.grad(inner)(x) * found[0]

    with pytest.raises(dk.TracingError, match="outlived the call"):
        dk.grad(leaks)(1.0)


@pytest.mark.parametrize("inner", ["forward", "reverse"])
def test_an_inner_derivative_costs_what_it_costs_alone(inner):
    def g(y):
        return np.sum(np.sin(y) * y)

    alone = dk.get(inner).prepare(g, np.ones(50), product="gradient").operations.total
    inside = dk.get("reverse").prepare(lambda x: dk.grad(g, method=inner)(x), np.ones(50), product="value")
    assert inside.operations.total <= alone
