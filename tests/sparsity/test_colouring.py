"""Colourings: what is compressed can be told apart again, and few directions do."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from diffkit.sparsity import Pattern, Recovery, colour


def pattern(matrix):
    made = scipy.sparse.csr_array(matrix, dtype=bool)
    made.sort_indices()
    return Pattern(made)


def compressed(matrix, recovery):
    """What forward and return directions would find of a dense matrix."""
    forward, back = recovery.seeds()
    return [part for part in (forward @ matrix.T, back @ matrix) if part.size]


shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))


@given(
    shape=shapes,
    density=st.floats(0.0, 1.0),
    seed=st.integers(0, 999),
    by=st.sampled_from(["fewest", "columns", "rows"]),
)
def test_every_entry_is_told_apart(shape, density, seed, by):
    rng = np.random.default_rng(seed)
    where = rng.random(shape) < density * rng.random((shape[0], 1))
    matrix = np.where(where, rng.normal(size=shape), 0.0)
    recovery = Recovery(colour(pattern(where), by=by))
    found = recovery.matrix(compressed(matrix, recovery))
    np.testing.assert_allclose(found.toarray(), matrix, rtol=1e-15)
    assert found.nnz == where.sum()
    assert recovery.colouring.count <= shape[1] if by == "columns" else shape[0] + shape[1]


@given(order=st.integers(1, 14), density=st.floats(0.0, 1.0), seed=st.integers(0, 999), lopsided=st.booleans())
def test_every_entry_of_a_symmetric_matrix_is_told_apart(order, density, seed, lopsided):
    rng = np.random.default_rng(seed)
    half = np.triu(rng.random((order, order)) < density * rng.random((order, 1)))
    where = half | half.T
    matrix = np.where(where, rng.normal(size=(order, order)), 0.0)
    matrix = np.triu(matrix) + np.triu(matrix, 1).T
    said = where | np.tril(rng.random((order, order)) < 0.2) if lopsided else where  # one half may say too much
    recovery = Recovery(colour(pattern(said), symmetric=True))
    forward, back = recovery.seeds()
    assert len(back) == 0  # a Hessian needs no return sweep
    np.testing.assert_allclose(recovery.matrix([forward @ matrix]).toarray(), matrix, rtol=1e-15)
    assert recovery.colouring.count <= order


def test_a_pattern_that_says_more_in_one_half():
    """Two full rows share a direction; an entry that is said of one half only must not be read from the other row."""
    matrix = np.diag(np.arange(1.0, 21.0))
    for row, columns in ((0, slice(2, 11)), (1, slice(11, 20))):
        matrix[row, columns] = matrix[columns, row] = np.arange(30.0, 39.0)
    said = matrix != 0
    said[5, 1] = True  # and not [1, 5]
    recovery = Recovery(colour(pattern(said), symmetric=True))
    found = recovery.matrix([recovery.seeds()[0] @ matrix])
    np.testing.assert_array_equal(found.toarray(), matrix)


def diagonals(order, offsets):
    return scipy.sparse.diags_array([np.ones(order - abs(k)) for k in offsets], offsets=offsets)


def arrow(order):
    made = np.eye(order, dtype=bool)
    made[0] = made[:, 0] = True
    return made


@pytest.mark.parametrize(
    ("matrix", "by", "count"),
    [
        (np.eye(50), "fewest", 1),
        (diagonals(50, [-1, 0, 1]), "columns", 3),
        (diagonals(50, [-1, 0, 1]), "rows", 3),
        (diagonals(50, [0, 7]), "fewest", 2),
        (diagonals(50, [-2, -1, 0, 1, 2]), "fewest", 5),
        (np.ones((3, 50)), "fewest", 3),
        (np.ones((50, 3)), "fewest", 3),
        (np.ones((70, 70)), "fewest", 70),
        (arrow(50), "columns", 50),
        (arrow(50), "rows", 50),
        (arrow(50), "fewest", 3),  # the full row, the full column, the diagonal
        (scipy.sparse.block_diag([np.ones((4, 4))] * 20), "fewest", 4),
    ],
)
def test_counts(matrix, by, count):
    assert colour(pattern(matrix), by=by).count == count


@pytest.mark.parametrize(("matrix", "count"), [(diagonals(50, [-1, 0, 1]), 3), (arrow(50), 2), (np.ones((9, 9)), 9)])
def test_counts_of_symmetric_matrices(matrix, count):
    assert colour(pattern(matrix), symmetric=True).count == count


@pytest.mark.parametrize("side", [7, 10, 20, 31])
@pytest.mark.parametrize(("name", "points"), [("5 points", 5), ("9 points", 9), ("7 points in space", 7)])
def test_stencils_take_hardly_more_directions_than_points(side, name, points):
    line, unit = diagonals(side, [-1, 0, 1]).astype(bool), scipy.sparse.eye_array(side, dtype=bool)
    plane = scipy.sparse.kron(line, unit) + scipy.sparse.kron(unit, line)
    stencils = {
        "5 points": plane,
        "9 points": scipy.sparse.kron(line, line),
        "7 points in space": scipy.sparse.kron(plane, scipy.sparse.eye_array(9))
        + scipy.sparse.kron(scipy.sparse.eye_array(side * side), diagonals(9, [-1, 0, 1])),
    }
    count = colour(pattern(stencils[name])).count
    assert points <= count <= points + 1


def test_hundreds_of_colours():
    """More colours than a machine word has bits, by first fit: in columns that no counting round suits."""
    rng = np.random.default_rng(0)
    where = rng.random((300, 1000)) < 0.3
    recovery = Recovery(colour(pattern(where), by="columns"))
    assert where.sum(axis=1).max() <= recovery.colouring.count <= 1000
    assert recovery.colouring.count > 128
    matrix = np.where(where, rng.normal(size=where.shape), 0.0)
    np.testing.assert_allclose(recovery.matrix(compressed(matrix, recovery)).toarray(), matrix, rtol=1e-15)


def test_random_columns_take_few_colours():
    rng = np.random.default_rng(0)
    positions = rng.integers(0, 2000, (2000, 3))
    where = scipy.sparse.csr_array(
        (np.ones(6000, dtype=bool), (np.repeat(np.arange(2000), 3), positions.ravel())), shape=(2000, 2000)
    )
    assert colour(pattern(where), by="columns").count <= 9
