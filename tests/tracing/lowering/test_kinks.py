"""Kinks, ties and singular points: the stated convention by every method, and nothing infinite where nobody looks."""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk

INF = np.inf


KINKS = [
    ("absolute", np.abs, [0.0], [0.0]),
    ("maximum", lambda x: np.maximum(x[0], x[1]), [1.0, 1.0], [0.5, 0.5]),
    ("minimum", lambda x: np.minimum(x[0], x[1]), [1.0, 1.0], [0.5, 0.5]),
    ("clip at its limit", lambda x: np.clip(x[0], 0.0, 1.0), [1.0], [0.5]),
    ("clip beyond", lambda x: np.clip(x[0], 0.0, 1.0), [2.0], [0.0]),
    ("where log", lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0), [0.0], [0.0]),
    ("x**0 at 0", lambda x: x[0] ** np.array(0.0), [0.0], [0.0]),
    ("x**1 at 0", lambda x: x[0] ** np.array(1.0), [0.0], [1.0]),
    ("x**2 at 0", lambda x: x[0] ** np.array(2.0), [0.0], [0.0]),
    ("0**x", lambda x: 0.0 ** x[0], [2.0], [0.0]),
    ("x**y at (0, 2)", lambda x: x[0] ** x[1], [0.0, 2.0], [0.0, 0.0]),
    ("fmod at 0", lambda x: np.fmod(x[0], 0.7), [0.0], [1.0]),
    ("logaddexp with -inf", lambda x: np.logaddexp(x[0], -INF), [0.3], [1.0]),
    ("-inf with logaddexp", lambda x: np.logaddexp(x[0], x[1]), [-INF, 0.3], [0.0, 1.0]),
    ("logaddexp of large", lambda x: np.logaddexp(x[0], x[1]), [1000.0, 1000.0], [0.5, 0.5]),
    ("interp", lambda x: np.interp(x[0], [0.0, 0.4, 1.0], [1.0, 3.0, 2.4]), [0.7], [-1.0]),
    ("interp beyond", lambda x: np.interp(x[0], [0.0, 0.4, 1.0], [1.0, 3.0, 2.4]), [1.7], [0.0]),
    ("sinc at 0", lambda x: np.sinc(x[0]), [0.0], [0.0]),
]


# SymPy's closed formulas have log(0) and exp(1000) in them.
OVERFLOWING = {"0**x", "x**y at (0, 2)", "-inf with logaddexp", "logaddexp of large"}


@pytest.mark.parametrize(
    ("f", "x", "expected", "method"),
    [
        pytest.param(*row, method, id=f"{name}-{method}")
        for name, *row in KINKS
        for method in ("forward", "reverse", "symbolic")
        if not (method == "symbolic" and name in OVERFLOWING)
    ],
)
def test_kinks_follow_the_convention(f, x, expected, method):
    found = dk.jacobian(f, method=method)(np.array(x))
    np.testing.assert_allclose(found, [expected], rtol=1e-14)


POINT, LOG, ROOT = np.array([0.0, 0.5, -1.0, 2.0]), np.log(2), np.sqrt(2)
TRAPS = {  # f, its gradient and the diagonal of its Hessian at the point
    "log": (lambda x: np.where(x > 0, np.log(x), 0.0), [0, 2, 0, 0.5], [0, -4, 0, -0.25]),
    "sqrt": (lambda x: np.where(x > 0, np.sqrt(x), x), [1, 1 / ROOT, 1, 0.5 / ROOT], [0, -1 / ROOT, 0, -0.125 / ROOT]),
    "power": (lambda x: np.where(x > 0, x**-1.0, x), [1, -4, 1, -0.25], [0, 16, 0, 0.25]),
    "sum": (lambda x: np.where(x[1] > 9, np.sum(np.log(x)), np.sum(x * x)), 2 * POINT, [2, 2, 2, 2]),
    "product": (lambda x: np.where(x > 0, x * np.log(x), 0.0), [0, 1 - LOG, 0, 1 + LOG], [0, 2, 0, 0.5]),
    "sort": (
        lambda x: np.where(np.arange(4) > 1, np.sort(np.where(x > 0, np.log(x), x)), 0.0),
        [1, 0, 0, 0.5],
        [0, 0, 0, -0.25],
    ),
    "broadcast": (
        lambda x: np.where(x[:, None] > 0, np.log(x)[:, None] * np.ones(3), 0.0),
        [0, 6, 0, 1.5],
        [0, -12, 0, -0.75],
    ),
    "index": (lambda x: np.where(x[1:] > 0, np.log(x)[1:], 0.0), [0, 2, 0, 0.5], [0, -4, 0, -0.25]),
    "nested": (
        lambda x: np.where(x > 1, np.where(x > 0, np.log(x), 0.0) ** 2, 0.0),
        [0, 0, 0, LOG],
        [0, 0, 0, 0.5 - LOG / 2],
    ),
}


@pytest.mark.filterwarnings("ignore:divide by zero|invalid value:RuntimeWarning")
@pytest.mark.parametrize("method", ["forward", "reverse", "mixed", "symbolic"])
@pytest.mark.parametrize("name", TRAPS)
def test_what_where_leaves_out_cannot_spoil_the_derivative(name, method):
    f, slope, curvature = TRAPS[name]
    np.testing.assert_allclose(dk.grad(lambda x: np.sum(f(x)), method=method)(POINT), slope, rtol=1e-14)
    hessian = dk.hessian(lambda x: np.sum(f(x)), method=method)(POINT)
    np.testing.assert_allclose(hessian, np.diag(curvature), rtol=1e-14, atol=1e-16)


def test_the_mixed_derivative_of_a_power_at_exponent_zero():
    hessian = dk.hessian(lambda x: x[0] ** x[1])(np.array([2.0, 0.0]))
    log = np.log(2.0)  # x^y: d2/dx dy = x^(y-1) (1 + y log x), d2/dy2 = x^y log(x)^2
    np.testing.assert_allclose(hessian, [[0.0, 0.5], [0.5, log * log]], rtol=1e-15, atol=1e-300)


@pytest.mark.parametrize("method", ["finite-difference", "symbolic", "forward", "reverse", "mixed"])
@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.linalg.norm, np.zeros(3)),
        (lambda x: np.linalg.norm(x, 3), np.zeros(3)),
        (np.std, np.full(4, 2.0)),
        (lambda x: np.linalg.norm(x, "fro"), np.zeros((2, 2))),
    ],
    ids=["norm at zero", "norm of order 3 at zero", "spread of equal numbers", "matrix norm at zero"],
)
def test_the_kink_of_a_root_of_a_sum_has_derivative_zero(f, x, method):
    np.testing.assert_array_equal(dk.grad(f, method=method)(x), np.zeros_like(x))
