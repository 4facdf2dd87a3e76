"""Functions of matrices: every method against complex steps, closed forms and minors; stacks, singular, large ones."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TooLargeError, TracingError
from diffkit.tracing.tracer import LOWERINGS

R = np.random.default_rng(3).normal
SWEEPS = [
    dk.get(name, engine=engine) for name in ("forward", "reverse", "mixed") for engine in ("numpy", "interpreted")
]


def joined(f, *shapes):
    """``f(*arrays)`` as a function of one flat vector."""
    ends = np.cumsum([math.prod(shape) for shape in shapes])

    def flat(v):
        return f(*[v[end - math.prod(shape) : end].reshape(shape) for end, shape in zip(ends, shapes, strict=True)])

    return flat


def regular(*shape):
    """Matrices that are far from singular."""
    return R(size=shape) + 3 * np.eye(shape[-1])


def definite(n):
    x = R(size=(n, n))
    return x @ x.T + n * np.eye(n)


def lower_factor(x):
    """Cholesky and Banachiewicz, on the lower triangle; analytic, unlike NumPy's."""
    factor = np.zeros_like(x)
    for i, j in itertools.product(range(x.shape[-1]), repeat=2):
        if j > i:
            continue
        rest = x[..., i, j] - np.sum(factor[..., i, :j] * factor[..., j, :j], axis=-1)
        factor[..., i, j] = np.sqrt(rest) if i == j else rest / factor[..., j, j]
    return factor


def analytic(f, x):
    """The Jacobian of analytic plain NumPy code by complex steps."""
    columns = []
    for spot in np.ndindex(*x.shape):
        moved = x.astype(complex)
        moved[spot] += 1e-100j
        columns.append(np.ravel(f(moved)).imag / 1e-100)
    return np.stack(columns, axis=1)


# ---------------------------------------------------------------- every function, every method


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 3), (2, 2, 2), (1, 3, 1, 1)])
def test_inv(shape, agrees):
    agrees(np.linalg.inv, regular(*shape))


SYSTEMS = [
    ((2, 2), (2,)),
    ((3, 3), (3, 1)),
    ((2, 2), (2, 3)),
    ((2, 2), (2, 4)),  # as many directions by the right-hand side as it has entries
    ((3, 2, 2), (2,)),
    ((3, 2, 2), (2, 1)),
    ((2, 2), (3, 2, 1)),
    ((2, 2), (4, 2, 1)),  # a stack as long as there are directions by the matrix
    ((2, 1, 1, 1), (1, 3, 1, 2)),
    ((1, 1), (1,)),
    ((2, 2), (2, 0)),
]


@pytest.mark.parametrize(("matrix", "right"), SYSTEMS)
def test_solve(matrix, right, agrees):
    v = np.concatenate([np.ravel(regular(*matrix)), R(size=math.prod(right))])
    agrees(joined(np.linalg.solve, matrix, right), v)


@pytest.mark.parametrize(("matrix", "right"), SYSTEMS)
def test_solve_by_one_operand(matrix, right, agrees):
    a, b = regular(*matrix), R(size=right)
    agrees(lambda b: np.linalg.solve(a, b), b)
    agrees(lambda a: np.linalg.solve(a, b), a)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_solve_is_not_misled_by_as_many_directions_as_rows(n):
    a, b = regular(n, n), R(size=n)
    for method in SWEEPS:
        plan = method.prepare(lambda b: np.linalg.solve(a, b), b)
        np.testing.assert_allclose(plan.jacobian(b), np.linalg.inv(a), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_det(n, agrees):
    agrees(np.linalg.det, R(size=(n, n)))


@pytest.mark.parametrize("shape", [(5, 5), (6, 6), (2, 4, 4), (3, 2, 5, 5)])
def test_det_of_larger_ones_and_stacks(shape, agrees):
    agrees(np.linalg.det, R(size=shape), methods=SWEEPS)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_slogdet(n, agrees):
    for x in (R(size=(n, n)), regular(n, n), -regular(n, n)):
        expected = np.linalg.inv(x).T.reshape(1, -1)
        agrees(lambda x: np.linalg.slogdet(x)[1], x, expected)
        agrees(lambda x: np.linalg.slogdet(x).sign * x, x, np.linalg.slogdet(x)[0] * np.eye(n * n))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_cholesky_reads_the_lower_triangle_only(n, agrees):
    x = definite(n)
    x[np.triu_indices(n, 1)] = 100.0  # what it must not see
    agrees(np.linalg.cholesky, x, analytic(lower_factor, x))
    upper = analytic(lambda y: np.swapaxes(lower_factor(np.swapaxes(y, -1, -2)), -1, -2), x.T)
    agrees(lambda y: np.linalg.cholesky(y, upper=True), x.T, upper)


def test_cholesky_of_larger_ones_and_stacks(agrees):
    x = np.stack([definite(5) for _ in range(3)])
    agrees(np.linalg.cholesky, x, analytic(lower_factor, x), methods=SWEEPS)


NORMS = {
    "of a vector": (lambda x: np.linalg.norm(x[0]), lambda x: np.sqrt(np.sum(x[0] ** 2))),
    "of all": (np.linalg.norm, lambda x: np.sqrt(np.sum(x**2))),
    "Frobenius": (lambda x: np.linalg.norm(x, "fro"), lambda x: np.sqrt(np.sum(x**2))),
    "order 1": (lambda x: np.linalg.norm(x[0], 1), lambda x: np.sum(x[0] * np.sign(x[0].real))),
    "order 2": (lambda x: np.linalg.norm(x[1], 2), lambda x: np.sqrt(np.sum(x[1] ** 2))),
    "order 3": (lambda x: np.linalg.norm(x[1], 3), lambda x: np.sum((x[1] * np.sign(x[1].real)) ** 3) ** (1 / 3)),
    "order -2": (lambda x: np.linalg.norm(x[1], -2), lambda x: np.sum(x[1] ** -2) ** -0.5),
    "order inf": (lambda x: np.linalg.norm(x[1], np.inf), lambda x: x[1, 1]),
    "order -inf": (lambda x: np.linalg.norm(x[1], -np.inf), lambda x: x[1, 0]),
    "order 0": (lambda x: np.linalg.norm(x[1], 0) * x[0, 0], lambda x: 3 * x[0, 0]),
    "along an axis": (lambda x: np.linalg.norm(x, axis=0), lambda x: np.sqrt(np.sum(x**2, axis=0))),
    "with axes kept": (
        lambda x: np.linalg.norm(x, 1, axis=-1, keepdims=True),
        lambda x: np.sum(x * np.sign(x.real), axis=1, keepdims=True),
    ),
    "matrix 1": (lambda x: np.linalg.norm(x, 1), lambda x: x[1, 1] - x[0, 1]),
    "matrix -1": (lambda x: np.linalg.norm(x, -1), lambda x: x[0, 0] + x[1, 0]),
    "matrix inf": (lambda x: np.linalg.norm(x, np.inf), lambda x: x[1, 0] + x[1, 1] + x[1, 2]),
    "matrix -inf": (lambda x: np.linalg.norm(x, -np.inf), lambda x: x[0, 0] - x[0, 1] - x[0, 2]),
    "vector_norm": (lambda x: np.linalg.vector_norm(x, ord=2), lambda x: np.sqrt(np.sum(x**2))),
    "matrix_norm": (np.linalg.matrix_norm, lambda x: np.sqrt(np.sum(x**2))),
}
ENTRIES = np.array([[0.7, -1.1, -0.4], [0.3, 2.0, 1.6]])


@pytest.mark.parametrize("name", NORMS)
def test_norm(name, agrees):
    f, same = NORMS[name]
    agrees(f, ENTRIES, analytic(same, ENTRIES))


# ---------------------------------------------------------------- singular matrices, second derivatives


def minor(x, rows, columns):
    left = np.delete(np.delete(x, rows, 0), columns, 1)
    return np.linalg.det(left) if left.size else 1.0


def det_gradient(x):
    n = len(x)
    return np.array([[(-1) ** (i + j) * minor(x, [i], [j]) for j in range(n)] for i in range(n)])


def det_hessian(x):
    """Laplace's expansion by two rows: signed minors of order n - 2."""
    n = len(x)
    hessian = np.zeros((n, n, n, n))
    for i, j, k, m in itertools.product(range(n), repeat=4):
        if i != k and j != m:
            sign = (-1) ** (i + j + k + m) * (1 if (i < k) == (j < m) else -1)
            hessian[i, j, k, m] = sign * minor(x, [i, k], [j, m])
    return hessian.reshape(n * n, n * n)


def of_rank(n, rank):
    return R(size=(n, rank)) @ R(size=(rank, n))


@pytest.mark.parametrize(("n", "rank"), [(n, rank) for n in range(1, 7) for rank in {n, n - 1, max(n - 2, 0), 0}])
def test_det_of_singular_matrices(n, rank):
    x = of_rank(n, rank)
    gradient, hessian = det_gradient(x), det_hessian(x)
    for method in SWEEPS:
        plan = method.prepare(np.linalg.det, x, product="gradient")
        np.testing.assert_allclose(plan.gradient(x), gradient, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(plan.hessian(x), hessian, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("n", [2, 3])
def test_det_of_singular_matrices_by_expressions(n):
    x = of_rank(n, n - 1)
    np.testing.assert_allclose(dk.hessian(np.linalg.det, method="symbolic")(x), det_hessian(x), atol=1e-12)


SECOND = {
    "inv": lambda x: np.sum(np.linalg.inv(x) ** 2),
    "solve": lambda x: np.sum(np.linalg.solve(x, x[..., :1] ** 2) ** 3),
    "solve for vectors": lambda x: np.sum(np.linalg.solve(x, x[0, 0]) ** 2),
    "det": lambda x: np.sum(np.linalg.det(x) ** 2),
    "slogdet": lambda x: np.sum(np.linalg.slogdet(x)[1] ** 2),
    "cholesky": lambda x: np.sum(np.linalg.cholesky(x @ np.swapaxes(x, -1, -2)) ** 3),
}
GRADIENTS = {
    "inv": lambda x, y: -2 * y.T @ y @ y.T,  # y = inv(x)
    "det": lambda x, y: 2 * np.linalg.det(x) ** 2 * y.T,
    "slogdet": lambda x, y: 2 * np.linalg.slogdet(x)[1] * y.T,
}


@pytest.mark.parametrize("name", SECOND)
@pytest.mark.parametrize("n", [2, 4])
def test_second_derivatives(name, n):
    f, x = SECOND[name], regular(2, n, n)
    first = np.concatenate([np.ravel(dk.grad(f)(x))])
    for method in ("forward", "reverse"):
        found = dk.hessian(f, method=method)(x)
        np.testing.assert_allclose(found, found.T, rtol=1e-9, atol=1e-9 * np.abs(found).max())
        for spot in range(0, x.size, 3):  # reference: differences of the gradient, order 4
            step, moved = 1e-3, []
            for k in (-2, -1, 1, 2):
                shifted = x.copy()
                shifted.flat[spot] += k * step
                moved.append(np.ravel(dk.grad(f, method=method)(shifted)))
            slope = (moved[0] - 8 * moved[1] + 8 * moved[2] - moved[3]) / (12 * step)
            np.testing.assert_allclose(found[spot], slope, rtol=1e-5, atol=1e-6 * np.abs(found).max())
    if name in GRADIENTS:
        expected = np.stack([GRADIENTS[name](one, np.linalg.inv(one)) for one in x])
        np.testing.assert_allclose(first, np.ravel(expected), rtol=1e-11, atol=1e-12)


def test_third_derivative_of_det():
    x, v = regular(4, 4), R(size=(4, 4))

    def along(t):
        return np.linalg.det(x + t * v)

    roots = np.linalg.eigvals(np.linalg.solve(x, v))  # det(x + t v) = det(x) (1 + t r1) ... (1 + t rn)
    third = 6 * np.linalg.det(x) * sum(np.prod(three) for three in itertools.combinations(roots, 3)).real
    for method in ("forward", "reverse"):
        assert float(dk.derivative(along, 3, method=method)(0.0)) == pytest.approx(third, rel=1e-11)


# ---------------------------------------------------------------- large ones, against closed forms


@pytest.mark.parametrize("n", [20, 50])
def test_large_ones(n):
    a, b, w, grad = definite(n) / n, R(size=n), R(size=n), dk.grad
    x, y = np.linalg.solve(a, b), np.linalg.solve(a.T, w)
    close = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(grad(lambda a: w @ np.linalg.solve(a, b))(a), -np.outer(y, x), **close)
    np.testing.assert_allclose(grad(lambda b: w @ np.linalg.solve(a, b))(b), y, **close)
    np.testing.assert_allclose(grad(lambda a: w @ np.linalg.inv(a) @ b)(a), -np.outer(y, x), **close)
    np.testing.assert_allclose(grad(lambda a: np.linalg.slogdet(a)[1])(a), np.linalg.inv(a).T, **close)
    np.testing.assert_allclose(grad(lambda a: np.sum(np.log(np.diag(np.linalg.cholesky(a)))))(a), _log_det(a), **close)
    turned = np.linalg.det(a) * np.linalg.inv(a).T
    np.testing.assert_allclose(grad(np.linalg.det)(a), turned, rtol=1e-8, atol=1e-9 * np.abs(turned).max())


def _log_det(a):
    """The gradient of half the logarithm of the determinant by the lower triangle of a symmetric matrix."""
    inverse = np.linalg.inv(a)
    return np.tril(inverse, -1) + np.diag(np.diag(inverse)) / 2


def test_one_factorisation_serves_all_directions():
    a, b = regular(30, 30), R(size=30)
    plan = dk.get("reverse").prepare(lambda b: np.linalg.solve(a, b), b)
    assert sum(step.op.name == "solve" for step in plan.graph.steps) <= 1


# ---------------------------------------------------------------- dtypes, empty ones, wrong input

FUNCTIONS = [
    np.linalg.inv,
    np.linalg.det,
    np.linalg.cholesky,
    lambda x: np.linalg.slogdet(x)[1],
    lambda x: np.linalg.solve(x, x[:, 0]),
    np.linalg.norm,
]


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("n", [2, 5])
def test_float32_stays(f, n):
    x = definite(n).astype(np.float32)
    for method in SWEEPS:
        plan = method.prepare(f, x)
        assert plan.value(x).dtype == plan.jacobian(x).dtype == np.float32


@pytest.mark.parametrize("f", FUNCTIONS[:3])
def test_layout_of_memory_does_not_matter(f):
    x = definite(4)
    for same in (np.asfortranarray(x), np.repeat(np.repeat(x, 2, 0), 2, 1)[::2, ::2], x[::-1, ::-1].copy()[::-1, ::-1]):
        np.testing.assert_allclose(dk.jacobian(f)(same), dk.jacobian(f)(x), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("f", [np.linalg.inv, np.linalg.det, lambda x: np.linalg.solve(x, x[..., :1])])
def test_stacks_of_none(f):
    x = np.zeros((0, 4, 4))
    for method in SWEEPS:
        plan = method.prepare(f, x)
        assert plan.value(x).shape == f(x).shape
        assert plan.jacobian(x).shape == (0, 0)


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky"])
def test_matrices_must_be_square(name):
    with pytest.raises(TracingError, match=rf"np.linalg.{name} needs square matrices; given shape \(2, 3\)"):
        dk.jacobian(getattr(np.linalg, name))(ENTRIES)


def test_right_hand_sides_must_fit():
    with pytest.raises(TracingError, match=r"matrix of shape \(3, 3\) and a right-hand side of shape \(2, 3\)"):
        dk.jacobian(lambda x: np.linalg.solve(np.eye(3), x))(ENTRIES)


@pytest.mark.parametrize("f", [np.linalg.inv, np.linalg.det, np.linalg.cholesky, FUNCTIONS[3], FUNCTIONS[4]])
def test_expressions_refuse_large_matrices(f):
    with pytest.raises(TooLargeError, match=r"5 x 5 matrix .* use method='reverse' or 'forward'"):
        dk.jacobian(f, method="symbolic")(definite(5))


@pytest.mark.parametrize("name", ["eig", "svd", "qr", "pinv", "lstsq"])
def test_refusals_say_what_to_do(name):
    with pytest.raises(TracingError, match=f"np.linalg.{name} cannot be traced: .*(use|give|solve)"):
        dk.jacobian(lambda x: getattr(np.linalg, name)(x, *([x[0]] if name == "lstsq" else []))[0])(definite(2))


def test_every_function_has_a_row():
    tested = {np.linalg.inv, np.linalg.solve, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky}
    assert tested == {f for f, lowering in LOWERINGS.items() if lowering.__module__.endswith("lowering.matrices")}


@pytest.mark.parametrize("f", [np.linalg.inv, lambda x: np.linalg.solve(x, x[0]), lambda x: np.linalg.slogdet(x)[1]])
def test_singular_matrices_raise_what_numpy_raises(f):
    plan = dk.get("reverse").prepare(f, np.eye(2))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        plan.jacobian(np.ones((2, 2)))


def test_a_matrix_that_is_not_definite():
    plan = dk.get("reverse").prepare(np.linalg.cholesky, np.eye(2))
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        plan.jacobian(-np.eye(2))
