"""The operators: products and shapes, layouts, nested derivatives, extra results, and the ways SciPy uses them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize

import diffkit as dk

METHODS = ("finite-difference", "symbolic", "forward", "reverse")
GRAPHS = ("symbolic", "forward", "reverse")
X = np.array([0.7, -1.2])
V = np.array([2.0, 0.5])
CLOSE = {"rtol": 1e-7, "atol": 1e-8}
LOOSE = {"rtol": 1e-5, "atol": 1e-6}


def f(x: Any) -> Any:
    return np.sin(x[0]) * np.exp(x[1])


GRADIENT = np.array([np.cos(0.7), np.sin(0.7)]) * np.exp(-1.2)
HESSIAN = np.array([[-np.sin(0.7), np.cos(0.7)], [np.cos(0.7), np.sin(0.7)]]) * np.exp(-1.2)


@pytest.mark.parametrize("method", METHODS)
def test_every_operator(method: str) -> None:
    np.testing.assert_allclose(dk.grad(f, method=method)(X), GRADIENT, **CLOSE)
    np.testing.assert_allclose(dk.jacobian(f, method=method)(X), GRADIENT[None], **CLOSE)
    np.testing.assert_allclose(dk.jvp(f, method=method)(X, V), GRADIENT @ V, **CLOSE)
    np.testing.assert_allclose(dk.vjp(f, method=method)(X, 3.0), 3 * GRADIENT, **CLOSE)
    np.testing.assert_allclose(dk.hessian(f, method=method)(X), HESSIAN, **LOOSE)
    np.testing.assert_allclose(dk.hvp(f, method=method)(X, V), HESSIAN @ V, **LOOSE)
    value, gradient = dk.value_and_grad(f, method=method)(X)
    assert value == pytest.approx(f(X), rel=1e-15)
    np.testing.assert_allclose(gradient, GRADIENT, **CLOSE)


@pytest.mark.parametrize("method", METHODS)
def test_layouts_and_blocks(method: str) -> None:
    def g(x: Any, y: Any) -> Any:
        return {"outer": np.outer(x, y), "first": x[0]}

    y = np.array([1.0, 2.0, 3.0])
    jacobian = dk.jacobian(g, (0, 1), method=method)(X, y)
    assert jacobian.shape == (7, 5)
    transposed = dk.jacobian(g, (0, 1), method=method, layout="denominator")(X, y)
    np.testing.assert_array_equal(transposed, jacobian.T)
    blocks = dk.jacobian(g, (0, 1), method=method, blocks=True)(X, y)
    np.testing.assert_allclose(blocks["outer"][0], np.einsum("ik,j->ijk", np.eye(2), y), **CLOSE)
    np.testing.assert_allclose(blocks["outer"][1], np.einsum("i,jk->ijk", X, np.eye(3)), **CLOSE)
    np.testing.assert_allclose(blocks["first"][0], [1, 0], **CLOSE)
    np.testing.assert_allclose(blocks["first"][1], [0, 0, 0], **CLOSE)


# ---------------------------------------------------------------- extra results


AUX = {
    "text": lambda x: "text", "none": lambda x: None, "number": lambda x: 3, "object": lambda x: Ellipsis,
    "traced": lambda x: 2 * x, "containers": lambda x: {"a": [x[0], "text"], "b": (None, np.arange(2))},
    "empty": lambda x: (),
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", AUX)
def test_an_extra_result_may_be_anything(name: str, method: str) -> None:
    g = lambda x: (f(x), AUX[name](x))  # noqa: E731
    for operator, arguments, parts in [
        (dk.grad, (X,), 1), (dk.value_and_grad, (X,), 2), (dk.jacobian, (X,), 1), (dk.hessian, (X,), 1),
        (dk.jvp, (X, V), 1), (dk.vjp, (X, 1.0), 1), (dk.hvp, (X, V), 1),
    ]:  # fmt: skip
        *found, extra = operator(g, method=method, has_aux=True)(*arguments)
        assert len(found) == parts
        plain = operator(f, method=method)(*arguments)
        for part, expected in zip(found, plain if parts == 2 else (plain,), strict=True):
            np.testing.assert_allclose(part, expected, rtol=1e-12, atol=1e-12)
        assert repr(extra).replace("np.float64", "").replace("np.int64", "") == repr(AUX[name](X)).replace(
            "np.float64", ""
        )


@pytest.mark.parametrize("g", [np.sum, lambda x: (1.0, 2.0, 3.0), lambda x: [x[0], x[1]]])
def test_an_extra_result_must_be_there(g: Any) -> None:
    with pytest.raises(dk.InputError, match=r"return \(result, extra\)"):
        dk.grad(g, has_aux=True)(X)


# ---------------------------------------------------------------- nesting


@pytest.mark.parametrize("outer", GRAPHS)
@pytest.mark.parametrize("inner", GRAPHS)
def test_the_classic_nested_derivative(outer: str, inner: str) -> None:
    # d/dx [x * d/dy (x + y)] = 1: a tangent of the outer variable must not be taken for one of the inner.
    found = dk.grad(lambda x: x * dk.grad(lambda y: x + y, method=inner)(3.0), method=outer)(1.0)
    assert found == 1.0


@pytest.mark.parametrize("outer", METHODS)
@pytest.mark.parametrize("inner", GRAPHS)
def test_gradients_of_gradients(outer: str, inner: str) -> None:
    def squared(x: Any) -> Any:
        return np.sum(dk.grad(f, method=inner)(x) ** 2)

    np.testing.assert_allclose(dk.grad(squared, method=outer)(X), 2 * HESSIAN @ GRADIENT, **LOOSE)


def test_a_derivative_in_a_loop_in_a_derivative() -> None:
    def newton(c: Any) -> Any:
        x = 1.0
        for _ in range(8):
            x = x - (x**3 - c) / dk.grad(lambda t: t**3 - c)(x)
        return x

    assert dk.grad(newton)(5.0) == pytest.approx(5.0 ** (-2 / 3) / 3, rel=1e-10)


def test_differences_cannot_be_differentiated_by_their_graph() -> None:
    with pytest.raises(dk.TracingError, match="use another method inside"):
        dk.grad(lambda x: x[0] * dk.grad(lambda y: y**2 * x[1], method="finite-difference")(x[0]))(X)


# ---------------------------------------------------------------- derivative(f, n)


@pytest.mark.parametrize("method", GRAPHS)
@pytest.mark.parametrize("n", range(6))
def test_the_nth_derivative(n: int, method: str) -> None:
    x = np.array([0.3, -2.0])
    np.testing.assert_allclose(dk.derivative(np.sin, n, method=method)(x), np.sin(x + n * np.pi / 2), rtol=1e-13)
    assert float(dk.derivative(np.exp, n, method=method)(0.5)) == pytest.approx(np.exp(0.5), rel=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_the_derivative_at_a_whole_number(method: str) -> None:
    assert float(dk.derivative(lambda t: t**3, method=method)(2)) == pytest.approx(12.0, rel=1e-8)


@pytest.mark.parametrize("n", [-1, 1.5, "2", None, True])
def test_orders_count(n: Any) -> None:
    with pytest.raises(dk.InputError, match=r"n=.*; it must be a whole number from 0"):
        dk.derivative(np.sin, n)


def test_the_derivative_is_entry_by_entry() -> None:
    with pytest.raises(dk.InputError, match=r"returned shape \(\) for x of shape \(2,\).*use grad or jacobian"):
        dk.derivative(np.sum)(X)


def test_a_vector_has_no_gradient() -> None:
    for operator in (dk.grad, dk.hessian, dk.value_and_grad):
        with pytest.raises(dk.NotScalarError, match=r"f returned shape \(2,\).*use jacobian"):
            operator(np.sin)(X)


# ---------------------------------------------------------------- SciPy


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("method", METHODS)
def test_minimize_takes_a_gradient_as_it_stands(method: str) -> None:
    start = [-1.2, 1.0, 0.5]
    found = scipy.optimize.minimize(rosenbrock, start, jac=dk.grad(rosenbrock, method=method), method="BFGS")
    np.testing.assert_allclose(found.x, 1.0, atol=1e-4)


def test_minimize_takes_value_and_gradient_together_and_hessians() -> None:
    start = np.array([-1.2, 1.0])
    both = scipy.optimize.minimize(dk.value_and_grad(rosenbrock), start, jac=True)
    np.testing.assert_allclose(both.x, 1.0, atol=1e-4)
    for second in ({"hess": dk.hessian(rosenbrock)}, {"hessp": dk.hvp(rosenbrock)}):
        found = scipy.optimize.minimize(rosenbrock, start, jac=dk.grad(rosenbrock), method="trust-ncg", **second)
        np.testing.assert_allclose(found.x, 1.0, atol=1e-5)


def test_least_squares_and_root_take_jacobians() -> None:
    def residuals(x: Any) -> Any:
        return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    start = np.array([-1.2, 1.0])
    np.testing.assert_allclose(scipy.optimize.least_squares(residuals, start, jac=dk.jacobian(residuals)).x, 1.0)
    np.testing.assert_allclose(scipy.optimize.root(residuals, start, jac=dk.jacobian(residuals)).x, 1.0)


def test_minimize_passes_more_arguments() -> None:
    def distance(x: Any, center: Any, weight: float) -> Any:
        return weight * np.sum((x - center) ** 2)

    center = np.array([3.0, 4.0])
    found = scipy.optimize.minimize(distance, np.zeros(2), args=(center, 2.0), jac=dk.grad(distance))
    np.testing.assert_allclose(found.x, center, atol=1e-6)
