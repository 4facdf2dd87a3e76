"""``np.array`` and its kin on traced values: from numbers, arrays, and mixes of both."""
# ruff: noqa: RUF005 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TracingError

X = np.array([0.3, -1.2, 2.5])
M = np.linspace(0.2, 1.4, 6).reshape(2, 3)

ROWS = {
    "numbers": (lambda x: np.array([x[0] * x[1], x[1] ** 2]), X),
    "numbers and constants": (lambda x: np.array([[x[0], 1], [2.5, x[1] ** 2]]), X),
    "tuple": (lambda x: np.array((x[0] ** 2, x[2])), X),
    "NumPy's numbers": (lambda x: np.array([x[0] ** 2, np.float64(2.0), 3, True]), X),
    "rows": (lambda x: np.array([x, x**2]), X),
    "rows and plain rows": (lambda x: np.array([x**2, np.ones(3), [1.0, 2.0, 3.0]]), X),
    "rows and lists": (lambda x: np.array([x[:2] ** 2, [x[0], 3]]), X),
    "rows of one": (lambda x: np.array([x[:1], x[1:2] ** 2]), X),
    "lists of rows": (lambda x: np.array([[x, x**2], [x[::-1], np.zeros(3)]]), X),
    "comprehension": (lambda x: np.array([[a * b for a in x] for b in x]), X),
    "an array": (lambda x: np.array(x) ** 2, X),
    "a number": (lambda x: np.array(x[0] ** 2), X),
    "nested one": (lambda x: np.array([[[x[0] ** 2]]]), X),
    "empty lists": (lambda x: np.array([[], []]).sum() + x**2, X),
    "asarray": (lambda x: np.asarray([x[0], x[1] ** 2]), X),
    "asarray of an array": (lambda x: np.asarray(x, dtype=x.dtype) ** 2, M),
    "asanyarray": (lambda x: np.asanyarray(x) ** 2, X),
    "ascontiguousarray": (lambda x: np.ascontiguousarray(x.T) ** 2, M),
    "ndmin": (lambda x: np.array(x, ndmin=3) ** 2, X),
    "object": (lambda x: (np.array([x[0], x[1]], dtype=object) * 2.0 * x[2]).astype(x.dtype), X),
    "full": (lambda x: np.full((2, 2), x[0] ** 2), X),
    "full of a row": (lambda x: np.full((2, 3), x**2), X),
    "fromiter": (lambda x: np.fromiter((entry**2 for entry in x), dtype=x.dtype), X),
    "fromiter counted": (lambda x: np.fromiter((entry**2 for entry in x), x.dtype, count=2), X),
    "arange scaled": (lambda x: np.arange(3.0) * x, X),
    "a list to a ufunc": (lambda x: np.square([x[0], x[1]]), X),
    "a list to a sum": (lambda x: np.sum([x[0] ** 2, x[1]]), X),
    "a list to a mean": (lambda x: np.mean([[x[0] ** 2, x[1]], [1, x[2]]], axis=0), X),
    "a list to dot": (lambda x: np.dot([x[0] ** 2, x[1]], [1.0, 2.0]), X),
    "a list to inv": (lambda x: np.linalg.inv(np.array([[x[0], 1], [1, x[1]]])), X),
    "a list plus an array": (lambda x: x + [x[0], 1.0, x[2] ** 2], X),
    "a list is the result": (lambda x: [x[0] ** 2, x[1]], X),
    "np.c_": (lambda x: np.c_[x, x**2], X),
    "np.r_": (lambda x: np.r_[x, x[0] ** 2, 0.0], X),
}


@pytest.mark.parametrize(("f", "x"), ROWS.values(), ids=ROWS)
def test_every_method_is_right(f, x, agrees):
    agrees(f, x)


@pytest.mark.parametrize(
    ("make", "dtype"),
    [
        (lambda x: np.array([x[0], 1.0]), np.float64),
        (lambda x: np.array([x[0], x[1]], dtype=np.float32), np.float32),
        (lambda x: np.asarray(x, np.float32), np.float32),
        (lambda x: np.array([x[0] > 0, True]), np.bool_),
        (lambda x: np.array(x, dtype=int), np.int64),
        (lambda x: np.full(2, x[0], dtype=np.float32), np.float32),
        (lambda x: np.zeros(3, np.float32), np.float32),
        (lambda x: np.ones(3), np.float64),
        (lambda x: np.arange(3), np.int64),
        (lambda x: np.zeros(3, dtype=bool), np.bool_),
        (lambda x: np.array([1, 2]), np.int64),
        (lambda x: np.array([x[0].astype(np.float32), np.float32(1)]), np.float32),
    ],
)
def test_dtypes_are_those_of_numpy(make, dtype):
    seen = []

    def f(x):
        made = make(x)
        seen.append((made.dtype, made.shape))
        return np.sum(x)

    dk.get("reverse").prepare(f, X)
    f(X)
    assert seen[0] == seen[-1]
    assert seen[0][0] == dtype


def test_an_array_of_an_array_is_a_copy_and_asarray_is_not():
    def f(x):
        copied, same = np.array(x), np.asarray(x)
        copied[0] = 0.0
        same[1] = 0.0
        return x

    np.testing.assert_array_equal(dk.jacobian(f)(X), np.diag([1.0, 0.0, 1.0]))


def test_arrays_without_traced_values_are_plain_for_integers_and_traced_for_floats():
    kinds = []

    def f(x):
        kinds.extend(isinstance(made, np.ndarray) for made in (np.arange(3), np.zeros(3)))
        kinds.append(isinstance(x, np.ndarray))
        kinds.append(isinstance(x[0], float))
        kinds.append(isinstance(x[0], (int, np.ndarray)))
        return np.sum(x)

    dk.get("reverse").prepare(f, X)
    assert kinds == [True, True, True, True, False]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x if np.isscalar(x[0]) and not np.isscalar(x) else 2 * x,
        lambda x: x if isinstance(x[0], np.floating) else 2 * x,
        lambda x: x if isinstance(x, (list, np.ndarray)) else 2 * x,
        lambda x: x if np.ndim(x[0]) == 0 and np.shape(x) == (3,) else 2 * x,
        lambda x: x if not hasattr(x[0], "__len__") and hasattr(x, "__len__") else 2 * x,
    ],
)
def test_questions_about_kinds_are_answered_as_in_numpy(f):
    np.testing.assert_array_equal(dk.jacobian(f)(X), dk.jacobian(f, method="finite-difference")(X).round(6))
    np.testing.assert_array_equal(dk.jacobian(f)(X), np.eye(3))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: np.array([x[0], x]), r"parts with different shapes: \(\), \(3,\)"),
        (lambda x: np.array([x[:2], x]), r"parts with different shapes: \(2,\), \(3,\)"),
        (lambda x: np.array([x[0], "a"]), "differentiates real numbers"),
        (lambda x: np.array([x[0], 1j]), "complex"),
        (lambda x: np.array([x[0], None]), "differentiates real numbers"),
    ],
    ids=["ragged", "ragged rows", "a string", "complex", "None"],
)
def test_what_is_no_array_of_numbers_is_said_in_a_sentence(f, message):
    with pytest.raises(TracingError, match=message):
        dk.jacobian(f)(X)
