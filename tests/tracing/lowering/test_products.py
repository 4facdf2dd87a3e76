"""Products of arrays: values and derivatives by every method, at every combination of axes that NumPy takes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TracingError
from diffkit.tracing.tracer import LOWERINGS

R = np.random.default_rng(7).normal
A, B = R(size=(2, 3)), R(size=(3, 2))


def joined(f, shapes):
    """``f(*arrays)`` as a function of one flat vector, and a point: all operands vary at once."""

    def flat(v):
        parts, start = [], 0
        for shape in shapes:
            parts.append(v[start : start + math.prod(shape)].reshape(shape))
            start += math.prod(shape)
        return f(*parts)

    return flat, np.random.default_rng(11).normal(size=sum(map(math.prod, shapes)))


PRODUCTS = {
    np.dot: [
        ((), (3,)),
        ((2,), ()),
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((2, 3), (2, 3, 2)),
        ((2, 1, 3), (3, 2)),
        ((2, 0), (0, 3)),
        ((0, 2), (2, 3)),
    ],
    np.matmul: [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((4, 2, 3), (3,)),
        ((3,), (4, 3, 2)),
        ((4, 1, 3), (3, 1)),
        ((2, 3), (4, 3, 1)),
        ((2, 1, 2, 3), (4, 3, 2)),
        ((1, 2, 3), (4, 3, 1)),
        ((4, 1, 2), (1, 2, 3)),
        ((1, 2, 3), (1, 3, 2)),
        ((2, 0), (0, 3)),
        ((2, 0, 3), (2, 3, 1)),
        ((1, 1, 1), (1, 1)),
    ],
    np.linalg.matmul: [((2, 3), (3, 4))],
    np.inner: [((), (2, 2)), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((2, 2, 3), (1, 3))],
    np.outer: [((2,), (3,)), ((2, 2), (3,)), ((), (2,)), ((0,), (2,))],
    np.linalg.outer: [((2,), (3,))],
    np.vdot: [((4,), (4,)), ((2, 3), (2, 3))],
    np.vecdot: [((3,), (3,)), ((2, 1, 3), (4, 3)), ((2, 0), (2, 0))],
    np.linalg.vecdot: [((2, 3), (2, 3))],
    np.kron: [((2,), (3,)), ((2, 2), (3, 1)), ((2, 3), (2,)), ((2,), (1, 3)), ((), (2,)), ((2, 1, 2), (3, 2))],
    np.cross: [((3,), (3,)), ((4, 3), (3,)), ((2, 1, 3), (4, 3))],
    np.linalg.cross: [((2, 3), (2, 3))],
    np.convolve: [((5,), (3,)), ((3,), (5,)), ((4,), (4,)), ((1,), (3,)), ((2,), (5,))],
    np.correlate: [((5,), (3,)), ((3,), (5,)), ((4,), (4,)), ((3,), (1,)), ((2,), (5,))],
    np.tensordot: [((2, 3, 2), (3, 2, 4)), ((2, 3), (2, 3))],
    np.linalg.tensordot: [((2, 3, 2), (3, 2, 4))],
    np.trace: [((3, 3),), ((2, 4),), ((3, 2, 2),)],
    np.linalg.trace: [((4, 3, 3),), ((2, 3),)],
    np.polyval: [((4,), (2, 2)), ((1,), ())],
}
if hasattr(np, "matvec"):  # NumPy 2.2
    PRODUCTS[np.matvec] = [((2, 3), (3,)), ((4, 2, 3), (4, 3)), ((2, 3), (4, 1, 3))]
    PRODUCTS[np.vecmat] = [((2,), (2, 3)), ((4, 2), (2, 3)), ((2,), (4, 2, 3))]

CONJUGATING = {np.vdot, np.vecdot, np.linalg.vecdot, np.correlate, getattr(np, "vecmat", None)}

OPTIONS = {
    "tensordot by one axis": (lambda x, y: np.tensordot(x, y, 1), (2, 3), (3, 2)),
    "tensordot by none": (lambda x, y: np.tensordot(x, y, 0), (2,), (3, 2)),
    "tensordot by lists": (lambda x, y: np.tensordot(x, y, ([0, 1], [1, 0])), (2, 3), (3, 2, 2)),
    "tensordot by negative axes": (lambda x, y: np.tensordot(x, y, (-1, -2)), (2, 3), (4, 3, 1)),
    "trace above": (lambda x: np.trace(x, 1, 2, 0), (3, 4, 3)),
    "trace below": (lambda x: np.trace(x, offset=-1) * np.linalg.trace(x, offset=1), (3, 3)),
    "diag": (lambda x: np.diag(x) * np.diag(x[0] ** 2), (3, 3)),
    "diag above": (lambda x: np.diag(x[1], 1)[:, :1] + np.diag(x, -1) * np.diag(x[0], -2)[2], (2, 3)),
    "cross along axes": (lambda x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0), (3, 2), (1, 3)),
    "cross along axis": (lambda x, y: np.cross(x, y, axis=0), (3, 1), (3, 2)),
    "vecdot along axis": (lambda x, y: np.vecdot(x, y, axis=0), (2, 3), (2, 3)),
    **{
        f"{f.__name__} {mode}": (lambda x, y, f=f, mode=mode: f(x, y, mode) - 2 * f(y, x, mode), (n,), (m,))
        for f in (np.convolve, np.correlate)
        for mode, n, m in (("same", 6, 4), ("same", 2, 5), ("valid", 5, 3), ("valid", 3, 4))
    },
    "multi_dot": (lambda x, y, z: np.linalg.multi_dot([x, y, z]), (2, 3), (3, 2), (2,)),
    "multi_dot of vectors": (lambda x, y, z, w: np.linalg.multi_dot((x, y, z, w)), (2,), (2, 3), (3, 2), (2,)),
    **{
        f"matrix_power {n}": (lambda x, n=n: np.linalg.matrix_power(x + 2 * np.eye(2), n) * x, (2, 2, 2))
        for n in (-2, -1, 0, 1, 2, 5)
    },
    "@ and methods": (
        lambda x, y: (x @ y).dot(x).trace() + (x.T @ y.T)[:2, :2] + A @ y + (x @ B).diagonal(),
        (2, 3),
        (3, 2),
    ),
}

EINSUMS = {
    "ij,jk->ik": ((2, 3), (3, 2)),
    "ij,jk": ((2, 3), (3, 2)),
    "ba": ((2, 3),),
    "ij->": ((2, 3),),
    "ii": ((3, 3),),
    "ii->i": ((3, 3),),
    "iii->i": ((2, 2, 2),),
    "iij->j": ((3, 3, 2),),
    "iji,j->i": ((2, 3, 2), (3,)),
    "ij,ij": ((2, 3), (2, 3)),
    "i,j->ji": ((2,), (3,)),
    ",i->i": ((), (3,)),
    ",": ((), ()),
    "ij,k->i": ((2, 3), (2,)),
    "ij,k": ((2, 3), (2,)),
    "bij,bjk->bik": ((2, 2, 3), (2, 3, 2)),
    "b i j , b i j -> b": ((4, 2, 2), (4, 2, 2)),
    "iZ,Zz->iz": ((2, 3), (3, 2)),
    "a,ab,bc,c->": ((2,), (2, 3), (3, 2), (2,)),
    "ij,jk,kl->il": ((2, 3), (3, 2), (2, 2)),
    "ijk,lji,lli->lki": ((2, 2, 3), (2, 2, 2), (2, 2, 2)),
    "i,i,i->i": ((3,), (3,), (3,)),
    "...ij,...jk->...ik": ((2, 2, 3), (3, 2)),
    "...ij,...jk": ((1, 2, 3), (4, 3, 1)),
    "i...->...": ((2, 3),),
    "...": ((2, 3),),
    "...i->i...": ((2, 1, 3),),
    "j...k,lj...->lk...": ((2, 2, 2), (2, 2, 2)),
    "...,...->...": ((2, 3), (3,)),
    "...i,i": ((2, 3), (3,)),
    "ij,ij->ij": ((1, 3), (2, 3)),
    "ij,ij->j": ((1, 3), (2, 1)),
    "ij,jk->ik ": ((2, 1), (3, 2)),
    "ij,jk,ki->": ((2, 1), (3, 4), (1, 2)),
    "ij,jk->ki": ((2, 0), (0, 3)),
    "ij,j->ij": ((0, 2), (2,)),
    "ii->": ((1, 1),),
}


def bilinear(f, v):
    """The Jacobian of a product of two operands of v: exact, where NumPy's conjugate forbids a complex step."""
    columns = []
    for spot in range(v.size):
        up, down = v.copy(), v.copy()
        up[spot], down[spot] = 1.0, 0.0
        columns.append(np.ravel(f(up) - f(down)))
    return np.stack(columns, axis=1) if columns else np.zeros((np.size(f(v)), 0))


@pytest.mark.parametrize(("f", "shapes"), [(f, case) for f, cases in PRODUCTS.items() for case in cases])
def test_product(f, shapes, agrees):
    flat, v = joined(f, shapes)
    agrees(flat, v, bilinear(flat, v) if f in CONJUGATING else None)


@pytest.mark.parametrize("name", OPTIONS)
def test_option(name, agrees):
    f, *shapes = OPTIONS[name]
    flat, v = joined(f, shapes)
    agrees(flat, v, bilinear(flat, v) if name.startswith(("correlate", "vecdot")) else None)


@pytest.mark.parametrize("letters", EINSUMS)
def test_einsum(letters, agrees):
    agrees(*joined(lambda *operands: np.einsum(letters, *operands), EINSUMS[letters]))


SUBLISTS = {
    "two operands": (lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]), (2, 3), (3, 2)),
    "no result": (lambda x, y: np.einsum(x, [1, 0], y, [0, 2]), (2, 3), (3, 2)),
    "ellipsis": (lambda x, y: np.einsum(x, [..., 0], y, [0, 1], [..., 1]), (2, 2, 3), (3, 2)),
    "repeated": (lambda x: np.einsum(x, [0, 0], [0]), (3, 3)),
}


@pytest.mark.parametrize("name", SUBLISTS)
def test_einsum_with_sublists(name, agrees):
    f, *shapes = SUBLISTS[name]
    agrees(*joined(f, shapes))


def test_multi_dot_multiplies_in_the_cheap_order():
    tall = R(size=(40, 2))
    plan = dk.get("reverse").prepare(lambda x: np.linalg.multi_dot([x, tall.T, tall]), tall, product="value")
    assert plan.function_operations.total == 2 * (2 * 40 * 2) + 2 * (40 * 2 * 2)  # the two small products


def test_a_chain_is_contracted_in_the_cheap_order():
    plan = dk.get("reverse").prepare(lambda x: np.einsum("i,ij,jk,kl->l", x, M, M, M), np.ones(40), product="value")
    assert plan.function_operations.total <= 3 * 2 * 40 * 40 + 200  # vector by matrix, three times


M = R(size=(40, 40))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum((x @ x.T) ** 2),
        lambda x: np.einsum("ij,kj,ik->", x, x, np.outer(x[:, 0], x[:, 1])),
        lambda x: np.sum(np.kron(x, x[:1]) ** 3) + np.tensordot(x, x**2),
        lambda x: np.sum(np.convolve(x[0], x[1]) ** 2) + np.linalg.matrix_power(x @ x.T, 3)[0, 1],
    ],
)
def test_second_derivatives(f):
    x, h = R(size=(2, 3)), 1e-30
    rows = []
    for spot in np.ndindex(2, 3):  # reference: complex step on the gradient, which is plain arithmetic of NumPy's
        moved = x.astype(complex)
        moved[spot] += 1j * h
        up = np.array([_slope(f, moved, other) for other in np.ndindex(2, 3)])
        rows.append(up.imag / h)
    for method in ("forward", "reverse", "symbolic"):
        np.testing.assert_allclose(dk.hessian(f, method=method)(x), np.stack(rows), rtol=1e-7, atol=1e-6)


def _slope(f, z, spot):
    """A slope of a polynomial of a complex point, by differences of order 6."""
    step, total = 1e-2, 0.0
    for k, weight in ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60)):
        up, down = z.copy(), z.copy()
        up[spot] += k * step
        down[spot] -= k * step
        total += weight * (f(up) - f(down))
    return total / step


@pytest.mark.parametrize("f", [np.dot, np.matmul, np.kron, lambda x, y: np.einsum("ij,jk", x, y)])
def test_float32_stays(f):
    x, y = A.astype(np.float32), B.astype(np.float32)
    plan = dk.get("reverse").prepare(lambda x: f(x, y), x)
    assert plan.value(x).dtype == plan.jacobian(x).dtype == np.float32


def test_matrix_power_zero_keeps_the_dtype():
    x = np.eye(2, dtype=np.float32)
    assert dk.get("reverse").prepare(lambda x: np.linalg.matrix_power(x, 0), x).value(x).dtype == np.float32


LAYOUTS = {
    "Fortran": np.asfortranarray(A),
    "strided": np.repeat(np.repeat(A, 2, 0), 3, 1)[::2, ::3],
    "negative strides": A[::-1, ::-1].copy()[::-1, ::-1],
    "transposed": A.T.copy().T,
}


@pytest.mark.parametrize("x", LAYOUTS.values(), ids=LAYOUTS)
def test_layout_of_memory_does_not_matter(x):
    for f in (lambda x: x @ B, lambda x: np.einsum("ij,kj->ik", x, x), lambda x: np.tensordot(x, x, (0, 0))):
        np.testing.assert_allclose(dk.jacobian(f)(x), dk.jacobian(f)(A), rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(dk.get("forward").prepare(f, x).value(x), f(A), rtol=1e-14)


def test_special_values_come_out_as_in_numpy():
    x = np.array([[np.inf, 1.0, 0.0], [np.nan, -np.inf, 2.0]])
    for f in (lambda x: np.outer(x[0], x[1]), lambda x: x @ B, lambda x: np.einsum("ij,ij->i", x, x)):
        with np.errstate(invalid="ignore"):
            expected = f(x)
        np.testing.assert_array_equal(dk.get("reverse").prepare(f, x).value(x), expected)


WRONG = {
    "matmul of a number": (lambda x: np.matmul(x, 2.0), r"at least one axis; use \*"),
    "matmul of lengths": (lambda x: x @ A, r"matmul of shapes \(2, 3\) and \(2, 3\)"),
    "matmul of a one": (lambda x: x @ np.ones((1, 2)), r"matmul of shapes \(2, 3\) and \(1, 2\)"),
    "matmul of batches": (lambda x: np.ones((2, 4, 2)) @ np.stack([x] * 3), "paired axes differ"),
    "dot": (lambda x: np.dot(x, A), r"dot of shapes \(2, 3\) and \(2, 3\)"),
    "multi_dot": (lambda x: np.linalg.multi_dot([x, np.ones((1, 2)), B]), r"multi_dot of shapes \(2, 3\) and \(1, 2\)"),
    "einsum of lengths": (lambda x: np.einsum("ij,jk", x, A), "einsum of shapes"),
    "einsum of operands": (lambda x: np.einsum("ij,jk", x), "names 2 operands; 1 were given"),
    "einsum of axes": (lambda x: np.einsum("ijk", x), "does not fit an array of shape"),
    "cross": (lambda x: np.cross(x[:, :2], x[:, :2]), "vectors of length 3"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_shapes_are_named(name):
    f, message = WRONG[name]
    with pytest.raises(TracingError, match=message):
        dk.jacobian(f)(A)


def test_every_product_has_a_row():
    tested = {*PRODUCTS, np.einsum, np.linalg.multi_dot, np.linalg.matrix_power}
    named = {f for f, lowering in LOWERINGS.items() if lowering.__module__.endswith("lowering.products")}
    assert named <= tested
