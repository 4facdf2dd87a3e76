"""Sparse Jacobians and Hessians against reference derivatives, in every form that f and its arguments may take."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import diffkit as dk
from diffkit import problems

EPS = np.finfo(float).eps


def tridiagonal(x):
    padded = np.pad(x, 1)
    return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1


def tridiagonal_jacobian(x):
    n = len(x)
    return np.diag(3 - 4 * x) - np.eye(n, k=-1) - 2 * np.eye(n, k=1)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_hessian(x):
    diagonal = np.zeros(len(x))
    diagonal[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    diagonal[1:] += 200
    beside = -400 * x[:-1]
    return np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)


X = np.linspace(-1.0, 2.0, 13)


@pytest.mark.parametrize("name", problems.names())
@pytest.mark.parametrize("by", ["fewest", "columns", "rows"])
def test_problems(name, by):
    problem = problems.get(name)
    sizes = [(12, 12), *((A, 1) for A in (12, 11, 65, 115, 5, 3, 2, 1, 20, 30))]
    inputs, outputs = next((A, B) for A, B in sizes if problem.fits(A, B))
    instance = problem.at(inputs, outputs)
    found = dk.jacobian(instance.function, sparse=True, by=by)(instance.point)
    expected = instance.jacobian(instance.point)
    assert isinstance(found, scipy.sparse.csr_array)
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(
        found.toarray(), expected, rtol=0, atol=max(1e-9, 100 * EPS * instance.conditioning) * scale
    )


@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
@pytest.mark.parametrize("limit", [1, 500, 2**30])
def test_chunks_and_engines(engine, limit):
    plan = dk.get("sparse", engine=engine, memory_limit=limit).prepare(tridiagonal, X)
    assert plan.colours == 3
    for x in (X, X[::-1].copy()):
        np.testing.assert_allclose(plan.run(x).toarray(), tridiagonal_jacobian(x), rtol=1e-14)


@pytest.mark.parametrize("limit", [1, 2**30])
def test_arrows_take_both_kinds_of_sweep(limit):
    def f(x):
        return np.append(x[1:] * x[0], np.sum(x**2))

    plan = dk.get("sparse", memory_limit=limit).prepare(f, X)
    assert (plan.colouring.column_count, plan.colouring.row_count) == (2, 1)
    expected = np.vstack([np.hstack([X[1:, None], X[0] * np.eye(12)]), 2 * X])
    np.testing.assert_allclose(plan.run(X).toarray(), expected, rtol=1e-14)


def test_a_band_costs_as_much_as_it_has_entries():
    small, large = (dk.get("sparse").prepare(tridiagonal, np.ones(n)).operations.total for n in (1000, 10_000))
    assert large < 10.1 * small


def test_a_million_by_a_million():
    plan = dk.get("sparse").prepare(tridiagonal, np.ones(1_000_000))
    assert (plan.colours, plan.pattern.entries) == (3, 2_999_998)
    x = np.linspace(-1.0, 1.0, 1_000_000)
    found = plan.run(x)
    np.testing.assert_allclose(found.diagonal(), 3 - 4 * x, rtol=1e-13, atol=1e-13)
    assert (found.diagonal(-1) == -1).all()
    assert (found.diagonal(1) == -2).all()


# ---------------------------------------------------------------- Hessians


def test_hessian():
    found = dk.hessian(rosenbrock, sparse=True)(X)
    assert isinstance(found, scipy.sparse.csr_array)
    np.testing.assert_allclose(found.toarray(), rosenbrock_hessian(X), rtol=1e-13)
    plan = dk.get("sparse").prepare(rosenbrock, X, product="hessian")
    assert plan.colours == 3


@pytest.mark.parametrize("limit", [1, 2**30])
def test_hessian_with_one_variable_in_all_terms(limit):
    plan = dk.get("sparse", memory_limit=limit).prepare(lambda x: x[0] * np.sum(x[1:] ** 3), X, product="hessian")
    assert plan.colours == 2
    expected = np.diag(6 * X[0] * X)
    expected[0] = expected[:, 0] = 3 * X**2
    expected[0, 0] = 0
    np.testing.assert_allclose(plan.run(X).toarray(), expected, rtol=1e-14)


def test_hessian_of_several_arguments():
    found = dk.hessian(lambda p: np.sum(p["a"] ** 2 * p["b"]), sparse=True)({"a": np.array([2.0, 3.0]), "b": 5.0})
    np.testing.assert_allclose(found.toarray(), [[10, 0, 4], [0, 10, 6], [4, 6, 0]], rtol=1e-15)


# ---------------------------------------------------------------- what f and its arguments may be


def test_each_branch_has_its_own_pattern():
    def f(x):
        return x**2 if x[0] > 0 else x[::-1] * x[0]

    jacobian = dk.jacobian(f, sparse=True)
    for _ in range(2):
        np.testing.assert_array_equal(jacobian(np.array([1.0, 2.0, 3.0])).toarray(), np.diag([2.0, 4.0, 6.0]))
        np.testing.assert_array_equal(
            jacobian(np.array([-1.0, 2.0, 3.0])).toarray(), [[3, 0, -1], [2, -1, 0], [-2, 0, 0]]
        )


def test_a_branch_where_nothing_depends_on_x():
    jacobian = dk.jacobian(lambda x: np.floor(x) if x[0] > 0 else x, sparse=True)
    assert jacobian(np.ones(3)).nnz == 0
    assert jacobian(-np.ones(3)).nnz == 3
    assert jacobian(np.ones(3)).shape == (3, 3)


def test_float32():
    found = dk.jacobian(tridiagonal, sparse=True)(X.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.toarray(), tridiagonal_jacobian(X), rtol=1e-5)


def test_containers_argnums_and_extra_results():
    def f(scale, p, q):
        return {"u": scale * p[0] * q, "v": p[1] ** 2}, "extra"

    p = (np.array([1.0, 2.0]), np.array([3.0]))
    found, extra = dk.jacobian(f, argnums=(1, 2), sparse=True, has_aux=True)(10.0, p, np.array([5.0, 7.0]))
    assert extra == "extra"
    expected = [[50, 0, 0, 10, 0], [0, 70, 0, 0, 20], [0, 0, 6, 0, 0]]
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-15)


def test_layout():
    found = dk.jacobian(lambda x: x[:2] * x[2], sparse=True, layout="denominator")(np.array([2.0, 3.0, 5.0]))
    np.testing.assert_array_equal(found.toarray(), [[5, 0], [0, 5], [2, 3]])


@pytest.mark.parametrize(("f", "shape"), [(lambda x: x, (0,)), (lambda x: x[:0], (3,)), (lambda x: np.zeros(2), (3,))])
def test_empty(f, shape):
    found = dk.jacobian(f, sparse=True)(np.ones(shape))
    assert found.nnz == 0
    assert found.shape == (f(np.ones(shape)).size, *shape)


def test_a_number():
    found = dk.jacobian(np.sin, sparse=True)(0.0)
    np.testing.assert_array_equal(found.toarray(), [[1.0]])


def test_results_are_the_callers_own():
    plan = dk.get("sparse").prepare(lambda x: np.diff(x**2), np.ones(4))
    first = plan.run(np.array([0.0, 1.0, 0.0, 2.0]))
    first.eliminate_zeros()  # moves indices in place
    assert first.nnz == 3
    np.testing.assert_array_equal(plan.run(np.ones(4)).toarray(), 2 * np.diff(np.eye(4), axis=0))


def test_other_products_of_the_method():
    plan = dk.get("sparse").prepare(tridiagonal, X)
    v = np.cos(X)
    np.testing.assert_allclose(plan.jvp(X, v), tridiagonal_jacobian(X) @ v, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(plan.vjp(X, v), v @ tridiagonal_jacobian(X), rtol=1e-13, atol=1e-14)
    gradient = dk.get("sparse").prepare(np.prod, np.ones(3), product="gradient")
    np.testing.assert_array_equal(gradient.run(np.array([2.0, 3.0, 4.0])), [12, 8, 6])


@pytest.mark.parametrize(
    ("given", "found"), [(np.float16, np.float32), (np.float32, np.float32), (np.longdouble, np.longdouble)]
)
def test_the_dtype_is_that_of_the_result_where_scipy_can_compute_with_it(given, found):
    matrix = dk.jacobian(lambda x: x * x, sparse=True)(np.array([0.5, 1.5], given))
    assert matrix.dtype == found
    np.testing.assert_array_equal((matrix + matrix).toarray(), [[2, 0], [0, 6]])


def test_threads(in_threads):
    plan = dk.get("sparse").prepare(tridiagonal, X)
    wrong = []

    def work(shift):
        for k in range(50):
            x = X + shift + k
            if not np.allclose(plan.run(x).toarray(), tridiagonal_jacobian(x), rtol=1e-12):
                wrong.append(shift)

    in_threads(work, [100.0 * n for n in range(8)])
    assert wrong == []


# ---------------------------------------------------------------- what is refused


def test_refusals():
    with pytest.raises(dk.InputError, match="leave out method=, or give by='columns'"):
        dk.jacobian(np.sin, method="symbolic", sparse=True)
    with pytest.raises(dk.InputError, match="leave out blocks=True"):
        dk.jacobian(np.sin, sparse=True, blocks=True)
    with pytest.raises(dk.UnknownNameError, match="no way of colouring 'colums'; did you mean 'columns'"):
        dk.jacobian(np.sin, sparse=True, by="colums")
    with pytest.raises(dk.InputError, match="positive number of bytes"):
        dk.Sparse(memory_limit=0)
    with pytest.raises(dk.NotScalarError):
        dk.hessian(np.sin, sparse=True)(X)
    with pytest.raises(dk.UnsupportedError, match="reverse makes no sparse jacobian; prepare with"):
        _ = dk.get("reverse").prepare(np.sin, X).pattern


def test_a_sparse_matrix_inside_a_traced_function_is_refused():
    with pytest.raises(dk.UnsupportedError, match="use form='dense' there"):
        dk.grad(lambda x: dk.jacobian(np.sin, sparse=True)(x).sum())(X)


# ---------------------------------------------------------------- dense arrays


@pytest.mark.parametrize("by", ["fewest", "columns", "rows"])
def test_the_dense_form_is_the_same_among_zeros_in_one_graph(by):
    x = np.linspace(-1, 1, 30)
    plan = dk.get("sparse", form="dense", by=by).prepare(tridiagonal, x)
    found = plan.run(x)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, tridiagonal_jacobian(x), rtol=1e-14)
    assert plan.graph.steps[plan.graph.outputs[0]].shape == (30, 30)


def test_the_dense_form_of_full_rows_and_columns():
    x = np.linspace(1, 2, 20)
    found = dk.jacobian(lambda x: np.append(x * x[0], np.sum(x**2)), method="sparse", form="dense")(x)
    expected = np.vstack([x[0] * np.eye(20), 2 * x])
    expected[:20, 0] += x
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_the_dense_form_where_nothing_depends_on_the_inputs():
    found = dk.jacobian(np.floor, method="sparse", form="dense")(np.ones(4))
    np.testing.assert_array_equal(found, np.zeros((4, 4)))


def test_the_dense_form_of_a_hessian_and_of_single_precision():
    x = np.linspace(1, 2, 5, dtype=np.float32)
    hessian = dk.hessian(lambda x: np.sum(x**3), method="sparse", form="dense")(x)
    assert (type(hessian), hessian.dtype) == (np.ndarray, np.float32)
    np.testing.assert_allclose(hessian, np.diag(6 * x), rtol=1e-6)


def test_the_dense_form_can_be_differentiated():
    x = np.linspace(0, 1, 6)

    def f(x):
        return np.sum(dk.jacobian(tridiagonal, method="sparse", form="dense")(x) ** 2)

    np.testing.assert_allclose(dk.grad(f)(x), 2 * (3 - 4 * x) * -4, rtol=1e-13)


def test_a_form_that_there_is_not():
    with pytest.raises(dk.UnknownNameError, match="no form 'csc'; did you mean 'csr'"):
        dk.get("sparse", form="csc")
