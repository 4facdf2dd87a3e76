"""Far from zero and near it: values, gradients and Hessians of all exact methods, against mpmath with 50 digits."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp

import diffkit as dk

METHODS = ("symbolic", "forward", "reverse")
TINY = float(np.finfo(float).tiny)
POINTS = [sign * size for size in (1e-300, 1.0, 36.0, 700.0, 750.0, 1e4, 1e300) for sign in (1, -1)]


def _sigmoid(z):
    return 1 / (1 + mp.exp(-z))


def _slope(z):
    return _sigmoid(z) * _sigmoid(-z)


def _softplus(z):
    return max(z, 0) + mp.log1p(mp.exp(-abs(z)))


def _swish(z):
    bend = -_slope(z) * mp.tanh(z / 2)
    return z * _sigmoid(z), _sigmoid(z) + z * _slope(z), 2 * _slope(z) + z * bend


def _twice_log1p(size, sign):
    return 2 * mp.log1p(size), 2 * sign / (1 + size), -2 / (1 + size) ** 2


ONE_INPUT = {  # f, and its value, slope and second derivative
    "softplus": (lambda z: np.logaddexp(0, z), lambda z: (_softplus(z), _sigmoid(z), _slope(z))),
    "log_expit": (sp.log_expit, lambda z: (-_softplus(-z), _sigmoid(-z), -_slope(z))),
    "cross-entropy": (
        lambda z: np.logaddexp(0, z) - 0.25 * z,
        lambda z: (_softplus(z) - z / 4, _sigmoid(z) - mp.mpf(1) / 4, _slope(z)),
    ),
    "swish": (lambda z: z * sp.expit(z), _swish),
    "largest taken out": (
        lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))),
        lambda z: (_softplus(z), _sigmoid(z), _slope(z)),
    ),
    "sinh": (np.sinh, lambda z: (mp.sinh(z), mp.cosh(z), mp.sinh(z))),
    "cosh": (np.cosh, lambda z: (mp.cosh(z), mp.sinh(z), mp.cosh(z))),
    "expm1": (np.expm1, lambda z: (mp.expm1(z), mp.exp(z), mp.exp(z))),
    "square of expm1": (
        lambda z: np.expm1(z) ** 2,
        lambda z: (mp.expm1(z) ** 2, 2 * mp.expm1(z) * mp.exp(z), 2 * mp.exp(z) * (2 * mp.expm1(z) + 1)),
    ),
    "square of log1p": (
        lambda z: np.log1p(np.abs(z)) ** 2,
        lambda z: (
            mp.log1p(abs(z)) ** 2,
            2 * mp.log1p(abs(z)) * mp.sign(z) / (1 + abs(z)),
            2 * (1 - mp.log1p(abs(z))) / (1 + abs(z)) ** 2,
        ),
    ),
    "xlog1py": (lambda z: sp.xlog1py(2.0, np.abs(z)), lambda z: _twice_log1p(abs(z), mp.sign(z))),
    "arcsinh": (np.arcsinh, lambda z: (mp.asinh(z), 1 / mp.hypot(z, 1), -z / mp.hypot(z, 1) ** 3)),
    "cbrt": (
        np.cbrt,
        lambda z: (
            mp.sign(z) * mp.cbrt(abs(z)),
            1 / (3 * mp.cbrt(abs(z)) ** 2),
            -2 * mp.sign(z) / (9 * mp.cbrt(abs(z)) ** 5),
        ),
    ),
}
SIGMOIDS = {"expit": sp.expit, "by logaddexp": lambda z: np.exp(-np.logaddexp(0.0, -z))}


def _close(found, expected):
    """Right in all digits but three; what lies below all normal numbers may be lost, what lies above is infinite."""
    for left, right in zip(np.ravel(found), np.ravel(np.array(expected, dtype=object)), strict=True):
        np.testing.assert_allclose(left, float(right), rtol=1e-13, atol=TINY)


def _products(f, method, x):
    with np.errstate(all="ignore"):
        plans = [dk.get(method).prepare(f, x, product=product) for product in ("value", "gradient", "hessian")]
        return lambda point: [np.squeeze(plan.run(point)) for plan in plans]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ONE_INPUT)
def test_functions_of_one_number(name, method):
    f, exact = ONE_INPUT[name]
    run = _products(f, method, np.array(0.5))
    for point in POINTS:
        with mp.workdps(50), np.errstate(all="ignore"):
            _close(run(np.array(point)), exact(mp.mpf(point)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SIGMOIDS)
def test_sigmoids(name, method):
    """The second derivative is zero at 0, and no better there than its terms, which are 1/8."""
    run = _products(SIGMOIDS[name], method, np.array(0.5))
    for point in POINTS:
        with mp.workdps(50), np.errstate(all="ignore"):
            z = mp.mpf(point)
            value, slope, second = run(np.array(point))
            _close([value, slope], [_sigmoid(z), _slope(z)])
            expected = float(-_slope(z) * mp.tanh(z / 2))
            np.testing.assert_allclose(second, expected, rtol=1e-13, atol=1e-16 if abs(point) < 1 else TINY)


@pytest.mark.parametrize("method", METHODS)
def test_arccosh(method):
    run = _products(np.arccosh, method, np.array(2.0))
    for point in (1.5, 36.0, 1e4, 1e150, 1e155, 1e300):
        with mp.workdps(50), np.errstate(all="ignore"):
            z = mp.mpf(point)
            root = mp.sqrt((z - 1) * (z + 1))
            _close(run(np.array(point)), (mp.acosh(z), 1 / root, -z / root**3))


PAIRS = [
    pair
    for size in (1e-300, 1.0, 36.0, 700.0, 750.0, 1e4, 1e150, 1e300)
    for pair in ((size, 0.7 * size), (-size, 0.3 * size), (0.5, size), (-size, 1.0))
]


@pytest.mark.parametrize("method", METHODS)
def test_logaddexp(method):
    run = _products(lambda x: np.logaddexp(x[0], x[1]), method, np.ones(2))
    for pair in PAIRS:
        with mp.workdps(50), np.errstate(all="ignore"):
            x, y = map(mp.mpf, pair)
            bend = _slope(x - y)
            value = max(x, y) + mp.log1p(mp.exp(-abs(x - y)))
            exact = [value, [_sigmoid(x - y), _sigmoid(y - x)], [[bend, -bend], [-bend, bend]]]
            for found, expected in zip(run(np.array(pair)), exact, strict=True):
                _close(found, expected)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("pair", "gradient"),
    [((-np.inf, 0.0), [0, 1]), ((0.0, -np.inf), [1, 0]), ((np.inf, 1.0), [1, 0])],
)
def test_logaddexp_at_infinity(pair, gradient, method):
    _, found, second = _products(lambda x: np.logaddexp(x[0], x[1]), method, np.ones(2))(np.array(pair))
    np.testing.assert_array_equal(found, gradient)
    np.testing.assert_array_equal(second, np.zeros((2, 2)))


@pytest.mark.parametrize("method", METHODS)
def test_hypot(method):
    """Along an axis the second derivative is a difference of nearly equal terms, 1/h - x**2/h**3."""
    run = _products(lambda x: np.hypot(x[0], x[1]), method, np.ones(2))
    for pair in PAIRS:
        with mp.workdps(400), np.errstate(all="ignore"):
            x, y = map(mp.mpf, pair)
            h = mp.hypot(x, y)
            value, gradient, second = run(np.array(pair))
            _close([value, *gradient], [h, x / h, y / h])
            exact = [[y * y / h**3, -x * y / h**3], [-x * y / h**3, x * x / h**3]]
            _close([second[0, 1], second[1, 0]], [exact[0][1], exact[1][0]])
            np.testing.assert_allclose(np.diag(second), np.diag(exact).astype(float), rtol=1e-13, atol=float(1e-15 / h))


@pytest.mark.parametrize("pair", [(1e150, 0.7e150), (1e300, 0.3e155), (1e300, -0.7e300), (1e-300, 0.7e-300)])
def test_a_quotient_is_not_written_with_powers_that_overflow(pair):
    """SymPy's derivatives are -x/y**2 and 2 x/y**3."""
    _, gradient, second = _products(lambda x: x[0] / x[1], "symbolic", np.ones(2))(np.array(pair))
    with mp.workdps(50):
        x, y = map(mp.mpf, pair)
        _close(gradient, [1 / y, -x / y**2])
        _close(second, [[0, -1 / y**2], [-1 / y**2, 2 * x / y**3]])


@pytest.mark.parametrize("size", [1e-150, 1e-110, 1e110, 1e150])
def test_the_root_of_a_sum_of_squares_written_out(size):
    """SymPy's second derivative is 1/h - x**2/(x**2 + y**2)**(3/2)."""
    plan = dk.get("symbolic", form="expression").prepare(np.linalg.norm, np.ones(2), product="hessian")
    with mp.workdps(50):
        x, y = mp.mpf(size), mp.mpf(0.7 * size)
        h = mp.hypot(x, y)
        exact = [[y * y / h**3, -x * y / h**3], [-x * y / h**3, x * x / h**3]]
    _close(plan.run(np.array([size, 0.7 * size])), exact)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.where(x > 0, np.log1p(x), np.expm1(1 / (x - x))), 0.5),
        (lambda x: np.where(x > 0, np.log1p(x), np.expm1(np.sqrt(x * 0 - 1)) * x), 0.5),
        (lambda x: np.where(x > 0, x * x, np.hypot(x, 1 / (x - x))), 2.0),
        (lambda x: np.where(x > 0, x * x, np.logaddexp(x, np.log(x - x))), 2.0),
    ],
)
def test_numbers_that_there_are_not_do_no_harm_in_a_branch_not_taken(f, expected):
    with np.errstate(all="ignore"):
        assert dk.grad(f, method="symbolic")(1.0) == expected
