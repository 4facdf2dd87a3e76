"""Whole numbers, truths and single-precision numbers that f reads beside its argument: as NumPy computes with them."""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TracingError

X = np.array([0.9, 1.1, 1.3, 1.7])
WHOLE = np.array([-1, 2, 3, 100])
SMALL = np.array([100, -127, 3, 7], np.int8)
LEAST = np.array([-128, 127, -128, 5], np.int8)
BYTES = np.array([0, 255, 3, 7], np.uint8)
TRUTHS = np.array([True, False, True, False])
SINGLE = np.array([0.1, 0.7, 1.3, 2.9], np.float32)


def added_at(values):
    def f(x):
        total = np.zeros(4)
        np.add.at(total, [0, 0, 1, 3], values)
        np.subtract.at(total, [2, 2, 2, 3], values)
        return total * x

    return f


def assigned(values):
    whole = np.zeros(4, int)
    whole[:] = values
    whole[1:2] = 3.9
    return whole


FUNCTIONS = {
    # ------------ bits
    "&": lambda x: x * (WHOLE & 1),
    "& from the left": lambda x: x * (6 & WHOLE),
    "|": lambda x: x * (WHOLE | 4),
    "^": lambda x: x * (WHOLE ^ 1),
    "~": lambda x: x * ~WHOLE,
    "<<": lambda x: x * (WHOLE[1:2] << 3),
    ">>": lambda x: x * (WHOLE >> 1),
    "bitwise_and": lambda x: x * np.bitwise_and(WHOLE, 3),
    "bits of truths": lambda x: x * (TRUTHS & (x > 1)) + x * (TRUTHS ^ (x > 1.2)) + x * ~TRUTHS,
    # ------------ what NumPy adds and multiplies up in 64 bits
    "sum": lambda x: x * SMALL.sum(),
    "cumsum": lambda x: x * np.cumsum(BYTES),
    "prod": lambda x: x * SMALL.prod(),
    "cumprod": lambda x: x * np.cumprod(SMALL),
    "vander": lambda x: x @ np.vander(SMALL),
    "add.at": added_at(SMALL),
    "add.at of bytes": added_at(BYTES),
    "add.at of truths": added_at(TRUTHS),
    # ------------ what NumPy cuts off, for the array that it goes into holds whole numbers
    "insert": lambda x: x * np.insert(WHOLE, 1, 2.7)[:4],
    "insert among truths": lambda x: x * np.insert(TRUTHS, 1, 2.7)[:4],
    "assignment": lambda x: x * assigned(2.7 * x),
    # ------------ what NumPy divides
    "norm": lambda x: x * np.linalg.norm(SMALL),
    "norm of order 3": lambda x: x * np.linalg.norm(BYTES, 3),
    "vector_norm": lambda x: x * np.linalg.vector_norm(SMALL),
    "matrix norm": lambda x: x * np.linalg.norm(BYTES.reshape(2, 2), 1),
    "gradient": lambda x: x * np.gradient(BYTES),
    "quantile": lambda x: x * np.quantile(WHOLE, 0.3),
    "median": lambda x: x * np.median(WHOLE),
    "nan_to_num": lambda x: x * np.nan_to_num(WHOLE),
    # ------------ beside an argument
    "arctan2": lambda x: np.arctan2(SMALL, x),
    "arctan2 from the right": lambda x: np.arctan2(x, BYTES),
    "arctan2 of truths": lambda x: np.arctan2(TRUTHS, x),
    "copysign": lambda x: np.copysign(SMALL, x - 1.2) * x + np.copysign(x, SMALL),
    "copysign of truths": lambda x: np.copysign(TRUTHS, x - 1.2) * x,
    "fmod": lambda x: np.fmod(x, LEAST) + np.fmod(LEAST, 30 * x),
    "fmod of truths": lambda x: np.fmod(TRUTHS, x),
    "hypot": lambda x: np.hypot(SMALL, x),
    "smallest exponent": lambda x: x ** np.array([-128], np.int8),
    "exponent": lambda x: x ** BYTES[2:3],
    "logaddexp": lambda x: np.logaddexp(BYTES, x),
    "products": lambda x: np.outer(SMALL, x).sum(axis=0) + np.dot(x, BYTES) + np.einsum("i,i,i", x, WHOLE, WHOLE),
    "where of truths": lambda x: x * np.where(x > 1, x > 1.2, TRUTHS) + x * ~np.where(x > 1, x > 1.2, x > 0),
    "comparison of truths": lambda x: x * np.where(TRUTHS > SINGLE, TRUTHS, SINGLE.astype(float)),
    "largest truth": lambda x: x * np.max(x > 1) + x * np.min([x > 1, TRUTHS], axis=0),
    "product with truths": lambda x: TRUTHS @ x + x @ (x > 1),
}


@pytest.mark.parametrize(
    ("method", "engine"), [("forward", "interpreted"), ("reverse", "numpy"), ("symbolic", "numpy")]
)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_derivatives_are_those_of_numpy(name, method, engine, differences):
    f = FUNCTIONS[name]
    plan = dk.get(method, engine=engine).prepare(f, X)
    np.testing.assert_allclose(plan.value(X), f(X), rtol=1e-13)
    expected = differences(f, X)
    np.testing.assert_allclose(plan.run(X), np.asarray(expected, float), rtol=1e-10, atol=1e-12 * np.max(abs(expected)))


@pytest.mark.parametrize("method", ["forward", "reverse"])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: x / SINGLE, lambda x, s: 1 / s),
        (lambda x: SINGLE / x, lambda x, s: -s / x**2),
        (lambda x: np.hypot(x, SINGLE), lambda x, s: x / np.hypot(x, s)),
        (lambda x: x**SINGLE, lambda x, s: s * x ** (s - 1)),
        (lambda x: np.arctan2(SINGLE, x), lambda x, s: -s / (x * x + s * s)),
    ],
)
def test_a_single_precision_operand_costs_no_digits(f, slope, method):
    expected = np.diag(slope(X, SINGLE.astype(float)))
    np.testing.assert_allclose(dk.jacobian(f, method=method)(X), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("f", "dtype"),
    [
        (lambda x: np.copysign(x, WHOLE), np.float64),
        (lambda x: np.fmod(x, SMALL), np.float32),
        (lambda x: np.heaviside(TRUTHS, x), np.float32),
    ],
)
def test_the_dtype_is_numpys(f, dtype):
    x = X.astype(np.float32)
    assert dk.jacobian(f)(x).dtype == f(x).dtype == dtype


@pytest.mark.parametrize("function", [np.bitwise_and, np.left_shift])
def test_bits_of_what_depends_on_an_input_are_refused(function):
    with pytest.raises(TracingError, match="traced"):
        dk.grad(lambda x: np.sum(x * function((10 * x).astype(int), 1)))(X)


def test_bits_are_read_again_where_they_changed():
    flags = np.array([1, 2, 3, 4])
    gradient = dk.grad(lambda x: np.sum(x * (flags & 1)))
    np.testing.assert_array_equal(gradient(X), [1, 0, 1, 0])
    flags[:] = [2, 3, 4, 5]
    np.testing.assert_array_equal(gradient(X), [0, 1, 0, 1])


@pytest.mark.parametrize("method", ["forward", "reverse", "symbolic"])
def test_the_second_operand_of_heaviside_counts_at_zero(method):
    f = dk.jacobian(lambda x: np.heaviside(np.array([-1.0, 0.0, 2.0, 0.0]), x**2), method=method)
    np.testing.assert_allclose(f(X), np.diag([0, 2.2, 0, 3.4]))


@pytest.mark.parametrize(
    "write",
    [
        lambda o: np.put(o, [0], 5.0),
        lambda o: np.place(o, o > 1, 5.0),
        lambda o: np.putmask(o, o > 1, 5.0),
        lambda o: np.put_along_axis(o, np.array([0]), 5.0, 0),
    ],
)
def test_a_write_that_a_trace_cannot_follow_is_refused_and_not_lost(write):
    def f(x):
        made = np.array([1.0, 2.0, 3.0, 4.0])
        write(made)
        return np.sum(x * made)

    with pytest.raises(TracingError, match=r"read-only|writes into an array"):
        dk.grad(f)(X)
