"""What people give by mistake: each is answered rightly, or by an error that names the cure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import diffkit as dk

METHODS = ("finite-difference", "symbolic", "forward", "reverse")
X = np.array([1.0, 2.0])


def square(x: Any) -> Any:
    return np.sum(x**2)


READ_ONLY = np.array([1.0, 2.0])
READ_ONLY.flags.writeable = False


class Units(np.ndarray):
    """A subclass of an array, as packages of physical units have."""


TAKEN = {
    "whole numbers": (np.array([1, 2]), [2.0, 4.0]),
    "unsigned bytes": (np.array([1, 200], np.uint8), [2.0, 400.0]),
    "truths": (np.array([True, False]), [2.0, 0.0]),
    "read-only": (READ_ONLY, [2.0, 4.0]),
    "strided": (np.array([1.0, 9.0, 2.0])[::2], [2.0, 4.0]),
    "reversed": (np.array([2.0, 1.0])[::-1], [2.0, 4.0]),
    "Fortran order": (np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]), [[2.0, 4.0], [6.0, 8.0]]),
    "other byte order": (np.array([1.0, 2.0], ">f8"), [2.0, 4.0]),
    "subclass": (X.view(Units), [2.0, 4.0]),
    "series": (pd.Series([1.0, 2.0]), [2.0, 4.0]),
    "unmasked": (np.ma.masked_array([1.0, 2.0]), [2.0, 4.0]),
    "empty": (np.zeros(0), np.zeros(0)),
    "empty, two axes": (np.zeros((0, 3)), np.zeros((0, 3))),
    "number": (3.0, 6.0),
    "whole number": (3, 6.0),
    "NumPy number": (np.float32(3.0), 6.0),
    "0-d": (np.array(3.0), 6.0),
    "half precision": (np.array([1, 2], np.float16), [2.0, 4.0]),
    "single precision": (np.array([1, 2], np.float32), [2.0, 4.0]),
    "extended precision": (np.array([1, 2], np.longdouble), [2.0, 4.0]),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", TAKEN)
def test_points_of_every_kind(name: str, method: str) -> None:
    x, expected = TAKEN[name]
    found = np.asarray(dk.grad(square, method=method)(x))
    kept = np.asarray(x).dtype if name.endswith("precision") or name == "NumPy number" else np.dtype(float)
    assert found.dtype == kept
    tolerance = {2: 1e-2, 4: 1e-3}.get(kept.itemsize, 1e-6)
    np.testing.assert_allclose(found.astype(float), expected, rtol=tolerance, atol=1e-9)


@pytest.mark.parametrize("method", ["symbolic", "reverse"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_own_entry(bad: float, method: str) -> None:
    np.testing.assert_array_equal(dk.grad(square, method=method)(np.array([bad, 2.0])), [2 * bad, 4.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_sums_over_what_is_not_finite_are_not_finite(bad: float) -> None:
    # Differences subtract it from itself, and a tangent of zero is multiplied with it.
    for method in ("finite-difference", "forward"):
        assert not np.isfinite(dk.grad(square, method=method)(np.array([bad, 2.0])))[0]


REFUSED_POINTS = {
    "complex": (np.array([1j, 2]), "pass real and imaginary parts as two arrays"),
    "complex number": (1j, "complex"),
    "objects": (np.array([1.0, "a"], object), "dtype object"),
    "text": ("abc", "is a str"),
    "texts": (np.array(["a"]), "dtype <U1"),
    "none": (None, "is None"),
    "date": (np.array(["2020"], "M8[Y]"), "datetime64"),
    "set": ({1.0}, "a set"),
    "function": (square, "a function"),
    "empty list": ([], "empty container; there is nothing to differentiate by"),
    "empty dict": ({}, "empty container"),
    "masked": (np.ma.masked_array([1.0, 2.0], [True, False]), r"compressed\(\)"),
    "list with a text": ([1.0, "a"], "is a str"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", REFUSED_POINTS)
def test_points_that_are_none(name: str, method: str) -> None:
    x, message = REFUSED_POINTS[name]
    with pytest.raises(dk.InputError, match=message):
        dk.grad(square, method=method)(x)


RESULTS = {
    "list of numbers": (lambda x: [x[0], x[0] * x[1]], [[1, 0], [2, 1]]),
    "nested list": (lambda x: [[x[0], 3.0], [x[1], x[0]]], [[1, 0], [0, 0], [0, 1], [1, 0]]),
    "ragged list": (lambda x: [[x[0]], [x[0], x[1]]], [[1, 0], [1, 0], [0, 1]]),
    "tuple": (lambda x: (x[0], x), [[1, 0], [1, 0], [0, 1]]),
    "dict": (lambda x: {"b": x[0], "a": x}, [[1, 0], [0, 1], [1, 0]]),
    "whole number": (lambda x: 3, [[0, 0]]),
    "number": (lambda x: 1.5, [[0, 0]]),
    "truth": (lambda x: True, [[0, 0]]),
    "truths": (lambda x: x > 5, [[0, 0], [0, 0]]),
    "cut off": (lambda x: (x + 0.5).astype(int), [[0, 0], [0, 0]]),
    "constant": (lambda x: np.ones(3), np.zeros((3, 2))),
    "nothing": (lambda x: x[:0], np.zeros((0, 2))),
    "one entry": (lambda x: x[:1] ** 2, [[2, 0]]),
    "the argument": (lambda x: x, np.eye(2)),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", RESULTS)
def test_results_of_every_kind(name: str, method: str) -> None:
    f, expected = RESULTS[name]
    np.testing.assert_allclose(dk.jacobian(f, method=method)(X), expected, rtol=1e-8, atol=1e-9)


REFUSED_RESULTS = {
    "none": (lambda x: None, "missing return"),
    "text": (lambda x: "text", "the result of f is a str"),
    "texts": (lambda x: ["a", x[0]], "the result of f is a str"),
    "with none": (lambda x: [x[0], None], "the result of f is None"),
    "object array with none": (lambda x: np.array([x[0], None], object), "NoneType|object"),
    "empty": (lambda x: [], "empty container"),
    "generator": (lambda x: (t for t in x), "generator"),
    "function": (lambda x: square, "function"),
    "complex": (lambda x: x * 1j, "real and imaginary parts"),
    "complex number": (lambda x: 1j, "real and imaginary parts"),
    "date": (lambda x: np.array(["2020"], "M8[Y]"), "datetime64"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", REFUSED_RESULTS)
def test_results_that_are_none(name: str, method: str) -> None:
    f, message = REFUSED_RESULTS[name]
    with pytest.raises((dk.InputError, dk.TracingError), match=message):
        dk.jacobian(f, method=method)(X)


# ---------------------------------------------------------------- f that fails


class MyError(Exception):
    """An error of the user's own."""


def raising(error: Exception) -> Any:
    def f(_x: Any) -> Any:
        raise error

    return f


OWN = [
    MyError("mine"),
    KeyError("mine"),
    TypeError("mine"),
    ValueError("mine"),
    ZeroDivisionError("mine"),
    AttributeError("mine"),
    RuntimeError("mine"),
    AssertionError("mine"),
    NotImplementedError("mine"),
    OSError("mine"),
    KeyboardInterrupt("mine"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("error", OWN, ids=lambda error: type(error).__name__)
def test_an_error_of_f_comes_through_unchanged(error: Any, method: str) -> None:
    with pytest.raises(type(error), match="mine") as caught:
        dk.grad(raising(error), method=method)(X)
    assert caught.value is error


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("f", "kind"),
    [
        (lambda x: x[5], IndexError),
        (lambda x: x["a"], (IndexError, TypeError)),
        (lambda x, y: x[0], TypeError),
        (lambda x: x.nothing, AttributeError),
        (lambda x: 1 / 0, ZeroDivisionError),
        (lambda x: undefined, NameError),  # noqa: F821 - that is the point
    ],
)
def test_mistakes_in_f_are_the_errors_that_numpy_gives(f: Any, kind: Any, method: str) -> None:
    with pytest.raises(kind):
        dk.grad(f, method=method)(X)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("f", [lambda x: np.sum(x + np.ones(3)), lambda x: np.sum(np.ones((3, 3)) @ x)])
def test_shapes_that_do_not_fit_are_named(f: Any, method: str) -> None:
    with pytest.raises((dk.TracingError, ValueError), match=r"shape|mismatch|differ"):
        dk.grad(f, method=method)(X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: math.frexp(x[0])[0],
        lambda x: float(x[0]),
        lambda x: x.strides[0] * x[0],
        lambda x: np.linalg.eigvals(np.outer(x, x))[0],
    ],
)
def test_what_runs_but_cannot_be_traced_names_the_cure(f: Any) -> None:
    assert np.all(np.isfinite(f(X)))
    with pytest.raises(dk.TracingError, match=r"NumPy's functions|dk\.primitive|finite-difference"):
        dk.grad(f)(X)


# ---------------------------------------------------------------- names and shapes of the call


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dk.grad(square, method="revers"), "did you mean 'reverse'"),
        (lambda: dk.grad(square, engine="nump"), "did you mean 'numpy'"),
        (lambda: dk.grad(square, schem="central"), "no option of reverse 'schem'"),
        (lambda: dk.jacobian(square, layout="numer"), "no layout 'numer'; did you mean 'numerator'"),
        (lambda: dk.get("reverse").prepare(square, X, product="jacobia"), "did you mean 'jacobian'"),
    ],
)
def test_unknown_names(call: Any, message: str) -> None:
    with pytest.raises(dk.UnknownNameError, match=message):
        call()


@pytest.mark.parametrize(
    "call", [lambda: dk.grad(square(X)), lambda: dk.grad(None), lambda: dk.get("reverse").prepare(3.0, X)]
)
def test_a_result_is_no_function(call: Any) -> None:
    with pytest.raises(dk.InputError, match="give the function itself, not its result"):
        call()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("operator", [dk.jacobian, dk.hessian])
def test_a_matrix_too_large_for_memory_is_refused(operator: Any, method: str) -> None:
    f = square if operator is dk.hessian else (lambda x: x)
    with pytest.raises(dk.TooLargeError, match=r"GiB|more than the limit"):
        operator(f, method=method)(np.zeros(3_000_000))


NOT_NAMES = [None, 3, ["numpy"], np.array([1.0, 2.0])]


@pytest.mark.parametrize("name", NOT_NAMES, ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        lambda name: dk.grad(square, engine=name),
        lambda name: dk.jacobian(square, layout=name),
        lambda name: dk.get("finite-difference", scheme=name),
        lambda name: dk.get("symbolic", form=name),
        lambda name: dk.get("sparse", by=name),
        lambda name: dk.get("reverse").prepare(square, X, product=name),
    ],
)
def test_what_is_no_text_is_no_name(call: Any, name: Any) -> None:
    with pytest.raises(dk.UnknownNameError, match=r"Known: "):
        call(name)


@pytest.mark.parametrize("value", [0, -1.0, np.nan, "2", 1j, np.complex128(1), True, X], ids=repr)
@pytest.mark.parametrize(
    ("what", "call"),
    [
        ("memory_limit", lambda value: dk.get("reverse", memory_limit=value)),
        ("memory_limit", lambda value: dk.get("sparse", memory_limit=value)),
        ("limit", lambda value: dk.get("symbolic", limit=value)),
        ("step_size", lambda value: dk.FiniteDifference(step_size=value)),
        ("tolerance", lambda value: dk.check(square, X, tolerance=value)),
        ("seconds", lambda value: dk.compare(square, X, seconds=value)),
        ("seconds", lambda value: dk.get("reverse").prepare(square, X).roofline(value)),
    ],
)
def test_what_is_no_positive_number_is_refused(what: str, call: Any, value: Any) -> None:
    with pytest.raises(dk.InputError, match=rf"{what}=.*; it must be a positive number"):
        call(value)


@pytest.mark.parametrize("name", REFUSED_POINTS)
def test_compare_and_check_refuse_the_same_points(name: str) -> None:
    x, message = REFUSED_POINTS[name]
    for call in (dk.compare, dk.check):
        with pytest.raises(dk.InputError, match=message):
            call(square, x)


@pytest.mark.parametrize("call", [dk.compare, dk.check, lambda f, x: dk.derivative(f, 0)])
def test_a_result_is_no_function_there_either(call: Any) -> None:
    with pytest.raises(dk.InputError, match="give the function itself, not its result"):
        call(square(X), X)


@pytest.mark.parametrize("methods", ["forward", 3, [None], [dk.Reverse()]])
def test_compare_takes_names(methods: Any) -> None:
    with pytest.raises(dk.InputError, match=r"give a list of names, such as"):
        dk.compare(square, X, methods=methods)


@pytest.mark.parametrize("jac", ["abc", lambda x: None, [1, "a"], X * 1j, [], lambda x: [], np.ones(3)])
def test_check_refuses_what_is_no_derivative(jac: Any) -> None:
    with pytest.raises(dk.InputError, match=r"the derivative (is|has shape)"):
        dk.check(square, X, jac)


def test_a_differentiator_that_is_made_already_serves_as_a_method() -> None:
    made = dk.Forward(engine="interpreted")
    assert dk.get(made) is made
    assert dk.check(square, X, method=made)
    with pytest.raises(dk.InputError, match="engine belong to a method's name"):
        dk.get(made, engine="numpy")


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
def test_check_of_other_precisions(dtype: Any) -> None:
    assert dk.check(square, dtype(1.0), tolerance=0.1)


def test_without_a_point() -> None:
    with pytest.raises(dk.InputError, match="f was given 0 positional arguments"):
        dk.grad(square)()
    with pytest.raises(dk.InputError, match="by position"):
        dk.grad(square)(x=X)
