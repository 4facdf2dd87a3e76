"""Forward and reverse mode: directions in chunks, several leaves, extra results, sweeps that meet only part of f."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk

A, B = 7, 5  # no chunk of 2, 3 or 4 divides both
W = np.sin(np.arange(A * B, dtype=float)).reshape(B, A)
X = np.linspace(-1.0, 1.0, A)


def f(x: Any) -> Any:
    return np.tanh(W @ x)


JACOBIAN = (1 - np.tanh(W @ X) ** 2)[:, None] * W


def test_all_directions_fit_by_default() -> None:
    for method in ("forward", "reverse"):
        plan = dk.get(method).prepare(f, X)
        assert plan.operations == plan.graph.operations  # one run of one graph
        np.testing.assert_allclose(plan.run(X), JACOBIAN, rtol=1e-14)


@pytest.mark.parametrize("method", ["forward", "reverse"])
@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
@pytest.mark.parametrize("limit", [1, 200, 400, 500, 700, 10_000])
def test_chunks_give_the_same_jacobian(method: str, engine: str, limit: int) -> None:
    plan = dk.get(method, engine=engine, memory_limit=limit).prepare(f, X)
    np.testing.assert_allclose(plan.run(X), JACOBIAN, rtol=1e-14)
    np.testing.assert_allclose(plan.run(X[::-1].copy()), (1 - np.tanh(W @ X[::-1]) ** 2)[:, None] * W, rtol=1e-13)


@pytest.mark.parametrize(("method", "directions"), [("forward", A), ("reverse", B)])
def test_one_direction_at_a_time_runs_as_often_as_there_are_directions(method: str, directions: int) -> None:
    plan = dk.get(method, memory_limit=1).prepare(f, X)
    assert plan.operations.total == directions * plan.graph.operations.total


@pytest.mark.parametrize("method", ["forward", "reverse"])
@pytest.mark.parametrize("limit", [1, 300, 2**30])
def test_chunks_cross_the_leaves_of_arguments_and_results(method: str, limit: int) -> None:
    def g(p: dict[str, Any]) -> Any:
        return {"u": p["a"] * p["b"], "v": (np.sum(p["b"]), p["a"] ** 2)}

    point = {"a": np.float64(2.0), "b": np.array([1.0, 3.0, 5.0])}
    expected = np.array([[1.0, 2, 0, 0], [3, 0, 2, 0], [5, 0, 0, 2], [0, 1, 1, 1], [4, 0, 0, 0]])
    np.testing.assert_array_equal(dk.jacobian(g, method=method, memory_limit=limit)(point), expected)


@pytest.mark.parametrize("method", ["forward", "reverse"])
def test_chunks_keep_the_extra_result_the_dtype_and_the_branches(method: str) -> None:
    def g(x: Any) -> Any:
        y = x**2 if x[0] > 0 else -x
        return y, {"double": 2 * x, "name": "g"}

    differentiate = dk.jacobian(g, method=method, memory_limit=1, has_aux=True)
    for sign in (1, -1):
        x = np.array([1, 2, 3], dtype=np.float32) * np.float32(sign)
        found, extra = differentiate(x)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, np.diag(2 * x if sign > 0 else -np.ones(3)))
        np.testing.assert_array_equal(extra["double"], 2 * x)
        assert extra["name"] == "g"


@pytest.mark.parametrize("method", ["forward", "reverse"])
@pytest.mark.parametrize("limit", [1, 2**30])
@pytest.mark.parametrize(
    ("g", "expected"),
    [
        (lambda x: np.ones(2), np.zeros((2, 3))),
        (lambda x: np.array([x[1], 4.0]), [[0, 1, 0], [0, 0, 0]]),
        (lambda x: x[:0], np.zeros((0, 3))),
        (lambda x: 3, np.zeros((1, 3))),
        (lambda x: x > 0, np.zeros((3, 3))),
        (lambda x: x, np.eye(3)),
    ],
)
def test_what_does_not_depend_on_x_has_derivative_zero(method: str, limit: int, g: Any, expected: Any) -> None:
    found = dk.jacobian(g, method=method, memory_limit=limit)(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("method", ["forward", "reverse", "symbolic"])
def test_no_inputs(method: str) -> None:
    found = dk.jacobian(lambda x: np.array([np.sum(x), 2.0]), method=method)(np.zeros(0))
    assert found.shape == (2, 0)


@pytest.mark.parametrize(("method", "product"), [("forward", "jvp"), ("reverse", "vjp"), ("reverse", "hvp")])
def test_directional_products_of_a_large_f_form_no_matrix(method: str, product: str) -> None:
    size = 200_000
    g = (lambda x: np.sum(x**3)) if product == "hvp" else (lambda x: x**3)
    found = getattr(dk, product)(g, method=method)(np.ones(size), np.full(size, 2.0))
    np.testing.assert_array_equal(found, np.full(size, 12.0 if product == "hvp" else 6.0))


@pytest.mark.parametrize(
    ("method", "product"),
    [("forward", "vjp"), ("reverse", "jvp"), ("forward", "jacobian"), ("reverse", "hessian"), ("forward", "hvp")],
)
def test_a_matrix_beyond_memory_is_refused_before_it_is_made(method: str, product: str) -> None:
    size = 2_000_000
    g = (lambda x: np.sum(x**3)) if product in ("hessian", "hvp") else (lambda x: x**3)
    arguments = (np.ones(size),) * (2 if product in ("vjp", "jvp", "hvp") else 1)
    with pytest.raises(dk.TooLargeError, match=r"a dense 2000000 x 2000000 matrix takes .* GiB"):
        getattr(dk, product)(g, method=method)(*arguments)


@pytest.mark.parametrize("method", ["forward", "reverse"])
@pytest.mark.parametrize("limit", [1, 100, 2**30])
def test_a_gradient_in_chunks(method: str, limit: int) -> None:
    def g(p: Any) -> Any:
        return p["a"] * np.sum(p["b"] ** 2), "extra"

    found, extra = dk.grad(g, method=method, memory_limit=limit, has_aux=True)({"a": 2.0, "b": X})
    assert extra == "extra"
    np.testing.assert_allclose(found["a"], np.sum(X**2), rtol=1e-15)
    np.testing.assert_allclose(found["b"], 4 * X, rtol=1e-15)


@pytest.mark.parametrize("method", ["forward", "reverse"])
def test_a_derivative_inside_a_derivative_is_not_cut_up(method: str) -> None:
    def g(x: Any) -> Any:
        return np.sum(dk.jacobian(f, method=method, memory_limit=1)(x) ** 2)

    y = np.tanh(W @ X)
    slope = 1 - y**2
    expected = (-4 * slope**2 * y * np.sum(W**2, axis=1)) @ W
    np.testing.assert_allclose(dk.grad(g)(X), expected, rtol=1e-12)
