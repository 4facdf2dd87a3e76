"""The normal form of matrix expressions, against NumPy on random ones, and against identities of linear algebra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffkit.lab.matrix_calculus import algebra as m
from diffkit.lab.matrix_calculus.writing import text, value

N = 3
RNG = np.random.default_rng(7)
NUMBERS = {
    "A": RNG.normal(size=(N, N)) + 4 * np.eye(N),
    "B": RNG.normal(size=(N, N)) + 4 * np.eye(N),
    "S": np.diag([2.0, 3.0, 4.0]) + 0.5,
    "x": RNG.normal(size=N),
    "y": RNG.normal(size=N),
    "t": np.array(1.5),
}
A, B = m.named("A", N, N), m.named("B", N, N)
S = m.named("S", N, N, symmetric=True)
x, y, t = m.named("x", N, 1), m.named("y", N, 1), m.named("t", 1, 1)
POSITIVE = m.function(">", N, 1, x, m.number(0.0))
SMALL = m.function("<", N, 1, x, y)
LATER = m.function(">", 1, 1, t, m.number(0.0))
ATOMS = {name: (one, NUMBERS[name].reshape(one.shape)) for name, one in zip("ABSxyt", (A, B, S, x, y, t), strict=True)}


def _grown(children):
    """A step more: an expression and its numbers, by NumPy alone."""

    def multiply(pair):
        (left, a), (right, b) = pair
        if left.scalar or right.scalar:
            return m.multiply(left, right), a * b
        if left.columns != right.rows:
            left, a = left.transposed, a.T
        return (m.multiply(left, right), a @ b) if left.columns == right.rows else (right, b)

    def add(pair):
        (left, a), (right, b) = pair
        return (m.add(left, right), a + b) if left.shape == right.shape else (left, a)

    def times(pair):
        (left, a), (right, b) = pair
        return (m.times(left, right), a * b) if left.shape == right.shape else (left, a)

    def to_scalar(one):
        matrix, a = one
        return (m.trace(matrix), np.trace(a).reshape(1, 1)) if a.shape == (N, N) else one

    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(multiply),
        pairs.map(add),
        pairs.map(times),
        children.map(to_scalar),
        children.map(lambda one: (m.total(one[0]), np.sum(one[1]).reshape(1, 1))),
        children.map(lambda one: (one[0].transposed, one[1].T)),
    )


EXPRESSIONS = st.recursive(st.sampled_from(list(ATOMS.values())), _grown, max_leaves=6)


@given(EXPRESSIONS)
def test_any_expression_has_the_numbers_that_numpy_gives(one):
    matrix, expected = one
    found = value(matrix, NUMBERS)
    assert found.shape == expected.shape == matrix.shape
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * (1 + np.max(np.abs(expected))))


@given(EXPRESSIONS)
def test_transposing_twice_changes_nothing(one):
    assert one[0].transposed.transposed == one[0]
    assert text(one[0]) == text(one[0].transposed.transposed)


def _product(*factors):
    made = factors[0]
    for factor in factors[1:]:
        made = m.multiply(made, factor)
    return made


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (_product(x.transposed, A, y), _product(y.transposed, A.transposed, x)),
        (_product(A, B).transposed, _product(B.transposed, A.transposed)),
        (m.trace(_product(A, B, S)), m.trace(_product(S, A, B))),
        (m.trace(_product(A, B)), m.trace(_product(A, B).transposed)),
        (m.trace(_product(x, y.transposed)), _product(y.transposed, x)),
        (m.trace(m.number(1.0, N)), m.number(N)),
        (m.inverse(_product(A, B)), _product(m.inverse(B), m.inverse(A))),
        (m.inverse(A).transposed, m.inverse(A.transposed)),
        (_product(A, m.inverse(A), B), B),
        (_product(m.inverse(A.transposed), A.transposed), m.number(1.0, N)),
        (m.inverse(m.inverse(A)), A),
        (m.inverse(S), m.inverse(S).transposed),
        (S, S.transposed),
        (_product(x, x.transposed, x), _product(_product(x.transposed, x), x)),
        (m.total(m.times(x, y)), _product(x.transposed, y)),
        (m.total(m.times(A, B)), m.trace(_product(A.transposed, B))),
        (m.total(m.ones(N)), m.number(N)),
        (m.times(A, m.ones(N, N)), A),
        (m.add(A, m.multiply(m.number(-1.0), A)), m.Matrix(N, N, ())),
        (m.power(m.power(t, 0.5), 2), t),
        (m.times(m.times(A, B), S), m.times(S, m.times(B, A))),
        (m.times(A, m.function("reciprocal", N, N, A)), m.ones(N, N)),
        (_product(m.unit(N, 1).transposed, m.unit(N, 1)), m.number(1.0)),
        (_product(m.unit(N, 1).transposed, m.unit(N, 2)), m.number(0.0)),
        (m.total(m.unit(N, 1)), m.number(1.0)),
        (m.times(POSITIVE, POSITIVE), POSITIVE),
        (m.multiply(LATER, LATER), LATER),
        (m.negated(m.negated(POSITIVE)), POSITIVE),
        (m.add(m.negated(m.times(POSITIVE, SMALL)), m.times(POSITIVE, SMALL)), m.ones(N)),
    ],
)
def test_equal_expressions_have_one_form(left, right):
    assert left == right


@pytest.mark.parametrize(
    ("left", "right"),
    [(_product(A, B), _product(B, A)), (A, A.transposed), (m.power(m.power(t, 2), 0.5), t), (m.inverse(A), A)],
)
def test_unequal_ones_have_not(left, right):
    assert left != right


@pytest.mark.parametrize(
    ("matrix", "written"),
    [
        (m.Matrix(N, N, ()), "0"),
        (m.number(-1.0, N), "-I"),
        (m.add(A, m.number(2.0, N)), "A + 2I"),
        (_product(m.add(A, A.transposed), x), "(A + A')x"),
        (m.multiply(m.number(-2.0), _product(A, x)), "-2Ax"),
        (m.multiply(m.number(0.5), _product(A, x)), "0.5 Ax"),
        (_product(m.ones(N), x.transposed), "1 x'"),
        (m.multiply(m.number(2.0), m.ones(N)), "2 1"),
        (m.multiply(_product(x.transposed, y), A), "(x'y)A"),
        (m.multiply(m.power(_product(x.transposed, x), -1.0), x), "x / (x'x)"),
        (m.multiply(m.power(_product(x.transposed, x), -0.5), x), "x / sqrt(x'x)"),
        (m.power(m.add(t, m.number(1.0)), 3), "(1 + t)^3"),
        (m.inverse(m.add(A, B)).transposed, "(A + B)^-T"),
        (m.function("power", N, N, A, m.number(1.5)), "A^∘1.5"),
        (m.function("power", N, N, m.add(A, B), m.number(-2.0)).transposed, "((A + B)^∘-2)'"),
        (m.add(m.multiply(m.number(-1.0), A), B), "B - A"),
        (_product(m.named("dX", N, N), A), "dX A"),
        (m.multiply(m.add(t, m.trace(A)), x.transposed), "(t + trace(A))x'"),
        (m.multiply(m.add(t, m.trace(A)), x), "(t + trace(A))x"),
        (_product(A, m.unit(N, 0)), "Ae₀"),
        (_product(m.unit(12, 11).transposed, m.named("z", 12, 1)), "e₁₁'z"),
        (m.times(POSITIVE, y), "[x > 0] ∘ y"),
        (m.multiply(m.number(2.0), m.times(POSITIVE, y)), "2([x > 0] ∘ y)"),
        (_product(A, m.times(x, y)), "A(x ∘ y)"),
        (_product(POSITIVE, x.transposed), "[x > 0]x'"),
        (m.inverse(m.function("diag", N, N, m.times(x, y))), "(diag(x ∘ y))^-1"),
        (m.multiply(m.power(t, -1.0), m.add(x, m.multiply(m.number(-1.0), y))), "(x - y) / t"),
    ],
)
def test_how_expressions_are_written(matrix, written):
    assert text(matrix) == written
