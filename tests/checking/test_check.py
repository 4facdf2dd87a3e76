"""`check`: right derivatives hold, wrong ones are named, functions that are none are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse

import diffkit as dk

X = np.array([0.5, 2.0, -1.0])
METHODS = ("symbolic", "forward", "reverse")


def f(x: Any) -> Any:
    return np.sum(x**3) * x[1]


def gradient(x: Any) -> Any:
    return 3 * x**2 * x[1] + np.sum(x**3) * np.eye(3)[1]


@pytest.mark.parametrize("method", METHODS)
def test_the_methods_hold(method: str) -> None:
    found = dk.check(f, X, method=method)
    assert found
    assert found.verdict == "holds"
    assert found.error < found.resolution < 1e-11


def test_what_approximates_is_told_from_what_is_exact() -> None:
    found = dk.check(f, X, method="finite-difference", raises=False)
    assert found.verdict == "wrong"
    assert 1e-12 < found.error < 1e-9
    assert dk.check(f, X, method="finite-difference", tolerance=1e-6)


@pytest.mark.parametrize("jac", [gradient, gradient(X), lambda x: gradient(x)[None], lambda x: list(gradient(x))])
def test_a_right_derivative_of_ones_own_holds(jac: Any) -> None:
    assert dk.check(f, X, jac)


@pytest.mark.parametrize("size", [1e-4, 1e-2, 1.0, np.nan, np.inf])
@pytest.mark.parametrize("entry", [0, 1, 2])
def test_a_wrong_entry_is_named(size: float, entry: int) -> None:
    def wrong(x: Any) -> Any:
        found = gradient(x)
        found[entry] += size * np.max(np.abs(found))
        return found

    with pytest.raises(dk.CheckError, match=rf"f by x\[{entry}\] is .*, but differences of f give"):
        dk.check(f, X, wrong)
    found = dk.check(f, X, wrong, raises=False)
    assert not found
    assert found.worst == (0, entry)
    assert found.error == pytest.approx(size, rel=1e-3) or not np.isfinite(size)


def test_rows_and_columns_are_told_apart() -> None:
    right = np.array([[2.0, 1.0], [0.0, 3.0]])
    with pytest.raises(dk.CheckError, match=r"f\[(0\] by x\[1\] is 0|1\] by x\[0\] is 1), but differences of f give"):
        dk.check(lambda x: right @ x, np.ones(2), right.T)


def test_containers_are_flattened_in_order() -> None:
    point = {"b": 3.0, "a": X}
    g = lambda p: p["b"] * np.sum(p["a"] ** 2)  # noqa: E731
    assert dk.check(g, point)
    assert dk.check(g, point, lambda p: {"a": 2 * p["b"] * p["a"], "b": np.sum(p["a"] ** 2)})
    with pytest.raises(dk.CheckError):
        dk.check(g, point, lambda p: {"a": p["b"] * p["a"], "b": np.sum(p["a"] ** 2)})


def test_another_shape_is_not_a_wrong_derivative_but_a_mistake() -> None:
    with pytest.raises(dk.InputError, match=r"derivative has shape \(2,\); f has a Jacobian of shape \(1, 3\)"):
        dk.check(f, X, np.ones(2))


@pytest.mark.parametrize("f", [lambda x: 0.0 * x[0], lambda x: 3.0, lambda x: x[:0]])
def test_a_derivative_of_zero_or_of_nothing_holds(f: Any) -> None:
    found = dk.check(f, X)
    assert found
    assert found.error == 0.0


def test_a_derivative_that_the_tolerance_forgives() -> None:
    off = lambda x: gradient(x) * (1 + 1e-4)  # noqa: E731
    assert not dk.check(f, X, off, raises=False)
    assert dk.check(f, X, off, tolerance=1e-3)


def test_a_wrong_rule_is_found() -> None:
    square = dk.primitive(lambda x: x**2, vjp=lambda w, result, ops: (3 * ops[0] * w,))
    with pytest.raises(dk.CheckError):
        dk.check(lambda x: np.sum(square(x)), X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x) * np.random.default_rng().uniform(),
        lambda x, calls=[]: np.sum(x) * (calls.append(1) or len(calls)),
    ],
)
def test_functions_that_are_none_are_found(f: Any) -> None:
    with pytest.raises(dk.TracingError, match="random numbers or keeps state"):
        dk.check(f, X)


def test_options_go_to_the_method() -> None:
    assert dk.check(f, X, method="symbolic", form="expression")
    with pytest.raises(dk.UnknownNameError, match="did you mean 'form'"):
        dk.check(f, X, method="symbolic", frm="expression")


A = np.arange(1.0, 7.0).reshape(2, 3)
PARTS = {  # f of containers, or of several entries; where; and its Jacobian in blocks, by hand
    "affine": (lambda p: A @ p["u"] + p["b"], {"b": np.ones(2), "u": np.ones(3)}, {"b": np.eye(2), "u": A}),
    "product": (lambda p: p[0] * p[1], (np.ones(2), np.full(2, 3.0)), (np.diag([3.0, 3.0]), np.eye(2))),
    "outer": (lambda x: np.outer(x, x), np.array([1.0, 2.0]), np.array([[[2, 0], [2, 1]], [[2, 1], [0, 4]]])),
    "rows": (lambda x: A @ x, np.ones(3), A.tolist()),
    "sparse": (lambda x: A @ x, np.ones(3), scipy.sparse.csr_array(A)),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_jacobian_of_ones_own_may_come_in_parts(name):
    f, x, jac = PARTS[name]
    assert dk.check(f, x, jac)


def test_a_wrong_block_is_named():
    f, x, jac = PARTS["affine"]
    wrong = {**jac, "u": A + np.array([[0, 0, 0], [0, 1e-3, 0]])}
    found = dk.check(f, x, wrong, raises=False)
    assert (found.verdict, found.entry, found.output) == ("wrong", "u[1]", "f[1]")


def test_a_transposed_jacobian_is_a_mistake_of_shape():
    with pytest.raises(dk.InputError, match=r"derivative has shape \(3, 2\); f has a Jacobian of shape \(2, 3\): give"):
        dk.check(lambda x: A @ x, np.ones(3), A.T)


def test_the_sparse_method_is_checked_like_any_other():
    assert dk.check(lambda x: x[1:] * x[:-1], np.linspace(1.0, 2.0, 5), method="sparse")
