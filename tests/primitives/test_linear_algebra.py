"""The rules of matrix functions, one by one: K directions at once, K unlike every other size."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import sympy

from diffkit import primitives as p
from diffkit.errors import TooLargeError
from diffkit.primitives import linear_algebra as la

K = 7
R = np.random.default_rng(5).normal


def symmetric(n):
    x = R(size=(2, n, n))
    return x @ np.swapaxes(x, -1, -2) + n * np.eye(n)


ROWS = {
    #                 operands
    "inv": lambda n: [R(size=(2, n, n)) + 4 * np.eye(n)],
    "solve": lambda n: [R(size=(2, n, n)) + 4 * np.eye(n), R(size=(2, n, 2))],
    "solve, shared matrix": lambda n: [R(size=(n, n)) + 4 * np.eye(n), R(size=(2, n, 2))],
    "solve, shared right-hand side": lambda n: [R(size=(2, n, n)) + 4 * np.eye(n), R(size=(n, 2))],
    "det": lambda n: [R(size=(2, n, n))],
    "cofactor": lambda n: [R(size=(2, n, n)) + 4 * np.eye(n)],
    "cofactor_slope": lambda n: [R(size=(2, n, n)) + 4 * np.eye(n), R(size=(2, n, n))],
    "logabsdet": lambda n: [R(size=(2, n, n)) + 4 * np.eye(n)],
    "cholesky": lambda n: [symmetric(n)],
}


def central(op, operands, directions, step=1e-3):
    """The change of an op's value along directions, by differences of order 6."""
    total = 0.0
    for k, weight in ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60)):
        for sign in (1, -1):
            moved = [x + sign * k * step * v for x, v in zip(operands, directions, strict=True)]
            total = total + sign * weight * op.evaluate(*moved)
    return total / step


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("row", ROWS)
def test_tangents_and_cotangents(row, n):
    op, operands = p.TABLE[row.partition(",")[0]], tuple(ROWS[row](n))
    result = op.evaluate(*operands)
    tangents = tuple(R(size=(K, *x.shape)) for x in operands)
    weights = R(size=(K, *result.shape))
    pushed = op.jvp(result, operands, tangents, {})
    assert pushed.shape == (K, *result.shape)
    pulled = op.vjp(weights, result, operands, (True,) * len(operands), {})
    assert [part.shape for part in pulled] == [(K, *x.shape) for x in operands]
    for k, j in itertools.product(range(0, K, 3), range(0, K, 2)):
        slope = central(op, operands, [tangent[k] for tangent in tangents])
        np.testing.assert_allclose(pushed[k], slope, rtol=1e-7, atol=1e-8)
        sent = sum(np.sum(part[j] * tangent[k]) for part, tangent in zip(pulled, tangents, strict=True))
        assert sent == pytest.approx(np.sum(weights[j] * pushed[k]), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("row", ROWS)
def test_the_meaning_in_sympy(row, n):
    op, operands = p.TABLE[row.partition(",")[0]], ROWS[row](n)
    symbolic = op.symbolic(sympy, *[np.frompyfunc(sympy.Float, 1, 1)(x) for x in operands])
    np.testing.assert_allclose(symbolic.astype(float), op.evaluate(*operands), rtol=1e-9, atol=1e-10)


def test_every_row_of_a_matrix_is_here():
    named = {row.partition(",")[0] for row in ROWS}
    rules = {op.name for op in p.TABLE.values() if op.jvp is not None and op.jvp.__module__ == la.__name__}
    assert named == rules


@pytest.mark.parametrize(
    "values", [[], [3.0], [2.0, 3.0, 5.0], [2.0, 0.0, 5.0], [0.0, 0.0, 5.0], [-1.0, 2.0, 0.0, 4.0]]
)
def test_products_of_all_others(values):
    expected = [math.prod(values[:k] + values[k + 1 :]) for k in range(len(values))]
    np.testing.assert_array_equal(la.other_products(np.array(values)), expected)


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_cofactors_are_signed_minors(rank):
    x = R(size=(4, rank)) @ R(size=(rank, 4))
    expected = [
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, 0), j, 1)) for j in range(4)] for i in range(4)
    ]
    np.testing.assert_allclose(p.cofactor(x), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_the_slope_of_cofactors_at_singular_matrices(rank):
    x, v = R(size=(4, rank)) @ R(size=(rank, 4)), R(size=(4, 4))
    slope = central(p.cofactor, [x], [v])  # cofactors are polynomials of degree 3: the differences are exact
    np.testing.assert_allclose(p.cofactor_slope(x, v), slope, rtol=1e-9, atol=1e-9)
    stack = R(size=(K, 4, 4))
    np.testing.assert_allclose(
        p.cofactor_slope(x, stack), np.stack([p.cofactor_slope(x, one) for one in stack]), rtol=1e-12, atol=1e-12
    )


def test_elimination_on_symbols_has_a_limit():
    with pytest.raises(TooLargeError, match="limit is 4 x 4"):
        p.inv.symbolic(sympy, np.full((5, 5), sympy.Integer(1), dtype=object))
