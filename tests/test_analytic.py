"""The complex step on graphs: each row's analytic continuation, also where NumPy's own function has none."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special as sp

import diffkit as dk
from diffkit.analytic import CONTINUATIONS, NONE, evaluate
from diffkit.errors import UnsupportedError
from diffkit.primitives import TABLE

COMPLEX_STEP = dk.get("finite-difference", scheme="complex-step")
X = np.array([0.31, 0.82, 0.57, 0.73, 0.24, 0.47])
SIGNED = np.array([-0.39, 0.52, 0.27, 0.43, -0.46, -0.23])

ROWS = {
    "absolute": (np.abs, SIGNED),
    "arctan2": (lambda x: np.arctan2(x, x[::-1] + 0.2), SIGNED),
    "arctan2 around": (lambda x: np.arctan2(np.sin(x), np.cos(x)), np.linspace(-3.1, 3.1, 7)),
    "hypot": (lambda x: np.hypot(x, x[:1]), SIGNED),
    "cbrt": (np.cbrt, SIGNED),
    "logaddexp": (lambda x: np.logaddexp(x, 3 * x[::-1]), SIGNED),
    "logaddexp of large": (lambda x: np.logaddexp(1000 + x, 1000 - x), SIGNED),
    "maximum": (lambda x: np.maximum(x, x[::-1] ** 2), SIGNED),
    "minimum": (lambda x: np.minimum(x, 0.1), SIGNED),
    "max": (lambda x: np.max(x.reshape(2, 3), axis=1), SIGNED),
    "min": (np.min, SIGNED),
    "sort": (lambda x: np.sort(x) * x, SIGNED),
    "median": (np.median, SIGNED),
    "quantile": (lambda x: np.quantile(x, 0.37), X),
    "clip": (lambda x: np.clip(x, -0.1, 0.2), SIGNED),
    "where": (lambda x: np.where(x > 0, x * x, np.sin(x)), SIGNED),
    "floor": (lambda x: np.floor(3 * x) * x, X),
    "sign": (lambda x: np.sign(x) * x, SIGNED),
    "mod": (lambda x: (3 * x) % 1.3, X),
    "fmod": (lambda x: np.fmod(3 * x, 0.5), SIGNED),
    "var": (np.var, X),
    "std": (np.std, X),
    "norm": (np.linalg.norm, SIGNED),
    "norm of order 1": (lambda x: np.linalg.norm(x, 1), SIGNED),
    "prod": (np.prod, X),
    "cumprod": (np.cumprod, X),
    "negative base": (lambda x: x ** np.array([1.0, 2, 3, 4, -1, 101]), SIGNED),
    "power": (lambda x: x ** x[::-1], X),
    "reciprocal": (np.reciprocal, SIGNED),
    "truths": (lambda x: ((x > 0) + (x > 0.2) * 1.0) * x, SIGNED),
    "sum of truths": (lambda x: np.sum(x > 0) * x, SIGNED),
    "maximum.accumulate": (np.maximum.accumulate, SIGNED),
    "gather": (lambda x: x[[0, 0, 3]] * x[2], SIGNED),
    "matmul": (lambda x: x.reshape(2, 3) @ x.reshape(3, 2), SIGNED),
    "nan_to_num": (lambda x: np.nan_to_num(x) * x, SIGNED),
}

SHIFT = 2 * np.eye(3) + np.arange(9.0).reshape(3, 3) / 9
MATRICES = {
    "det": np.linalg.det,
    "slogdet": lambda m: np.linalg.slogdet(m)[1],
    "inv": np.linalg.inv,
    "solve": lambda m: np.linalg.solve(m, m[0]),
    "cholesky": lambda m: np.linalg.cholesky(m @ m.T),
    "slogdet of negative": lambda m: np.linalg.slogdet(-m)[1] * np.linalg.slogdet(-m)[0],
}


def _slopes(f, x):
    """The Jacobian by central differences of order 8, on plain NumPy."""
    weights, step = (4 / 5, -1 / 5, 4 / 105, -1 / 280), 2.0**-8
    columns = [
        sum(w * np.ravel(f(x + k * step * e) - f(x - k * step * e)) for k, w in enumerate(weights, start=1)) / step
        for e in np.eye(x.size)
    ]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", ROWS)
def test_the_complex_step_is_right_where_numpys_own_is_not(name):
    f, x = ROWS[name]
    found, expected = COMPLEX_STEP.prepare(f, x).jacobian(x), _slopes(f, x)
    np.testing.assert_allclose(found, expected, atol=1e-10 * np.max(np.abs(expected)))
    np.testing.assert_allclose(found, dk.jacobian(f)(x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name):
    def f(x):
        return MATRICES[name](x.reshape(3, 3) + SHIFT)

    x = np.sin(np.arange(9.0)) / 4
    found, expected = COMPLEX_STEP.prepare(f, x).jacobian(x), _slopes(f, x)
    np.testing.assert_allclose(found, expected, atol=1e-10 * np.max(np.abs(expected)))


ERF = 2 / np.sqrt(np.pi)
SPECIAL = {
    "expit": (sp.expit, [-100.0, -30.0, -1.0, 0.5, 30.0], lambda x: sp.expit(x) * sp.expit(-x)),
    "erf": (sp.erf, [-1.0, 0.3, 2.0], lambda x: ERF * np.exp(-x * x)),
    "erfc": (sp.erfc, [-1.0, 0.3, 2.0], lambda x: -ERF * np.exp(-x * x)),
    "gammaln": (sp.gammaln, [-2.3, -1.7, 0.4, 7.0], sp.psi),
    "psi": (sp.psi, [0.4, 2.0, 7.0], lambda x: sp.polygamma(1, x)),
    "logsumexp": (lambda x: np.logaddexp(x, -np.inf), [-1.0, 0.3], np.ones_like),
    "log_expit": (sp.log_expit, [-40.0, 0.3, 40.0], lambda x: sp.expit(-x)),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_functions_of_scipy(name):
    f, x, slope = SPECIAL[name]
    x = np.array(x)
    found = COMPLEX_STEP.prepare(f, x).jacobian(x)
    np.testing.assert_allclose(np.diagonal(found), slope(x), rtol=1e-12)
    np.testing.assert_array_equal(found - np.diag(np.diagonal(found)), 0.0)


def test_kinks_follow_the_convention_of_the_other_methods():
    zero, pair = np.array([0.0]), np.array([1.0, 1.0])
    assert COMPLEX_STEP.prepare(np.abs, zero).jacobian(zero).item() == 0.0
    for f in (lambda x: np.maximum(x[0], x[1]), lambda x: np.minimum(x[0], x[1]), np.max, np.min):
        np.testing.assert_array_equal(COMPLEX_STEP.prepare(f, pair).jacobian(pair), [[0.5, 0.5]])


def test_rows_without_a_continuation_refuse():
    x = np.array([0.4, 1.3])
    with pytest.raises(UnsupportedError, match=r"zeta has no analytic continuation here; use scheme='central'"):
        COMPLEX_STEP.prepare(dk.jacobian(sp.psi), x).jacobian(x)
    assert {op.name for op in NONE} <= set(TABLE)


@pytest.mark.parametrize("op", CONTINUATIONS, ids=lambda op: op.name)
def test_a_continuation_has_the_value_of_its_row_on_real_numbers(op):
    positive = np.linspace(0.2, 0.9, 8)
    if op.family == "reduction":
        found, expected = CONTINUATIONS[op](positive + 0j, axis=(-1,)), op.evaluate(positive, axis=(-1,))
    elif op.name in {"cholesky", "logabsdet"}:
        matrix = SHIFT @ SHIFT.T
        found, expected = CONTINUATIONS[op](matrix + 0j), op.evaluate(matrix)
    elif op.name == "convert":
        found, expected = CONTINUATIONS[op](positive, dtype=np.float32), positive.astype(np.float32)
    else:
        operands = (positive, positive[::-1])[: 2 if op.numpy is None or getattr(op.numpy, "nin", 1) == 2 else 1]
        found, expected = CONTINUATIONS[op](*[x + 0j for x in operands]), op.evaluate(*operands)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_another_branch_is_noticed():
    graph = dk.get("reverse").prepare(lambda x: x * x if x > 0 else -x, 2.0).function_graph
    assert evaluate(graph, [np.array(-2.0 + 1e-20j)]) is None
    np.testing.assert_array_equal(evaluate(graph, [np.array(3.0 + 0j)]), [9.0])
