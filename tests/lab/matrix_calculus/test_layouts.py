"""Shapes and numbers of the nine derivatives, against closed forms with Kronecker products."""

import numpy as np
import pytest

from diffkit.errors import InputError, UnknownNameError, UnsupportedError
from diffkit.lab import matrix_calculus as mc

M, N, P, Q = 2, 3, 4, 5
RNG = np.random.default_rng(0)
A, D = RNG.normal(size=(M, P)), RNG.normal(size=(Q, N))
a, b, c, W = RNG.normal(size=P), RNG.normal(size=Q), RNG.normal(size=M), RNG.normal(size=(M, N))
X = RNG.normal(size=(P, Q))

# By hand, for results (M,) and (M, N), and x (P,) and (P, Q): numerator, denominator, (B, A), blocks.
SHAPES = {
    ("scalar", "scalar"): ((), (), (1, 1), ()),
    ("scalar", "vector"): ((1, P), (P, 1), (1, P), (P,)),
    ("scalar", "matrix"): ((Q, P), (P, Q), (1, P * Q), (P, Q)),
    ("vector", "scalar"): ((M, 1), (1, M), (M, 1), (M,)),
    ("vector", "vector"): ((M, P), (P, M), (M, P), (M, P)),
    ("vector", "matrix"): (None, None, (M, P * Q), (M, P, Q)),
    ("matrix", "scalar"): ((M, N), None, (M * N, 1), (M, N)),
    ("matrix", "vector"): (None, None, (M * N, P), (M, N, P)),
    ("matrix", "matrix"): (None, None, (M * N, P * Q), (M, N, P, Q)),
}


def test_the_table_has_the_shapes_that_textbooks_state():
    found = {
        (row.of, row.by): (row.numerator, row.denominator, row.jacobian, row.blocks) for row in mc.table(M, N, P, Q)
    }
    assert found == SHAPES


def test_the_table_follows_its_sizes():
    row = mc.table(m=7, n=1, p=6, q=2)[8]
    assert (row.result, row.point, row.jacobian, row.blocks) == ((7, 1), (6, 2), (7, 12), (7, 1, 6, 2))


def test_the_table_prints_as_markdown():
    lines = str(mc.table()).splitlines()
    assert len(lines) == 11
    assert len({line.count("|") for line in lines}) == 1
    assert "| vector by vector | Ax: 2 by 4 | 2 × 4 | 4 × 2 | 2 × 4 | 2 × 4 |" in lines


@pytest.mark.parametrize("method", ["finite-difference", "symbolic", "forward", "reverse"])
@pytest.mark.parametrize(
    ("f", "x", "numerator"),
    [
        (lambda x: a @ x, a + 1, a[None, :]),
        (lambda x: x @ x, a + 1, 2 * (a + 1)[None, :]),
        (lambda x: a @ x @ b, X, np.outer(b, a)),
        (lambda t: t * c, np.array(0.3), c[:, None]),
        (lambda x: A @ x, a, A),
    ],
)
def test_layouts_are_transposes_of_each_other_and_hold_the_closed_form(f, x, numerator, method):
    found = mc.derivative(f, x, layout="numerator", method=method)
    other = mc.derivative(f, x, method=method)
    assert found.shape == numerator.shape
    np.testing.assert_allclose(found, numerator, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(other, numerator.T, rtol=1e-6, atol=1e-8)


def test_a_matrix_by_a_scalar_is_its_tangent():
    np.testing.assert_allclose(mc.derivative(lambda t: t * t * W, 0.3, layout="numerator"), 0.6 * W)


def test_four_axes_flatten_in_c_order():
    """The (B, A) matrix of A X D is A (x) D' where both are flattened row by row."""
    import diffkit as dk

    flat = dk.jacobian(lambda X: A @ X @ D)(X)
    blocks = dk.jacobian(lambda X: A @ X @ D, blocks=True)(X)
    np.testing.assert_allclose(flat, np.kron(A, D.T), atol=1e-14)
    np.testing.assert_allclose(blocks, np.einsum("mp,qn->mnpq", A, D), atol=1e-14)


@pytest.mark.parametrize(
    ("f", "x", "layout", "told"),
    [
        (lambda X: A @ X @ b, X, "denominator", "vector by a matrix is no matrix: it has 3 axes, (2, 4, 5)"),
        (lambda X: A @ X @ D, X, "numerator", "it has 4 axes, (2, 3, 4, 5)"),
        (lambda t: t * W, 1.0, "denominator", "no matrix in denominator layout; take layout='numerator'"),
    ],
)
def test_what_is_no_matrix_is_refused(f, x, layout, told):
    with pytest.raises(UnsupportedError) as error:
        mc.derivative(f, x, layout=layout)
    assert told in str(error.value)


def test_wrong_input_is_told():
    with pytest.raises(InputError, match="takes 3 axes"):
        mc.derivative(np.sum, np.zeros((2, 2, 2)))
    with pytest.raises(InputError, match="container"):
        mc.derivative(lambda x: {"y": x}, a)
    with pytest.raises(UnknownNameError, match="denominator"):
        mc.derivative(np.sum, a, layout="denominators")
    with pytest.raises(InputError, match="p=0; it must be a whole number from 1"):
        mc.table(p=0)
    with pytest.raises(InputError, match=r"m=2\.5"):
        mc.table(m=2.5)


def test_a_list_is_one_array_and_a_container_is_refused():
    np.testing.assert_allclose(mc.derivative(lambda x: x @ x, [1.0, 2.0]), [[2], [4]])
    for f, x in ((lambda x: (x[0], x[1]), np.ones(2)), (lambda p: p["a"], {"a": np.ones(2)})):
        with pytest.raises(InputError, match="is a container"):
            mc.derivative(f, x)


def test_true_is_no_size():
    with pytest.raises(InputError, match="m=True"):
        mc.table(True)  # noqa: FBT003 - that is the point
