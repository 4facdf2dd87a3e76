"""The families of functions that the tests of HIPS autograd exercise, in a table of our own.

Each is differentiated forward and in reverse, once and twice, against differences of order 6 of plain NumPy.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.special as sp

import diffkit as dk

R = np.random.default_rng(42).normal
V, M, T = R(size=4), R(size=(3, 4)), R(size=(2, 3, 4))
SQUARE, POSITIVE = R(size=(3, 3)) + 2 * np.eye(3), R(size=(3, 4)) ** 2 + 0.3
WEIGHTS, MASK, SPOTS = R(size=(3, 4)), M > 0, np.array([2, 0, 0, 1])


def differences(f, x):
    """The Jacobian of plain NumPy code, (B, A)."""
    columns, step = [], 2.0**-9
    for spot in np.ndindex(*np.shape(x)):
        unit = np.zeros(np.shape(x))
        unit[spot] = step
        slope = sum(
            w * (np.ravel(f(x + k * unit)) - np.ravel(f(x - k * unit))) for k, w in ((1, 0.75), (2, -0.15), (3, 1 / 60))
        )
        columns.append(slope / step)
    return np.stack(columns, axis=1)


STATISTICS = {
    f"{f.__name__} axis={axis} keepdims={keep}": (
        lambda x, f=f, axis=axis, keep=keep: f(x, axis=axis, keepdims=keep),
        x,
    )
    for f in (np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std)
    for x, axes in ((V, (None, 0)), (T, (None, 0, -1, (0, 2))), (M[:1], (1,)))
    for axis, keep in itertools.product(axes, (False, True))
}
UNARY = {
    f.__name__: (f, 0.2 + 0.6 * np.abs(np.sin(M)))
    for f in (
        np.abs,
        np.arcsin,
        np.arccos,
        np.arctan,
        np.arcsinh,
        np.arctanh,
        np.ceil,
        np.cos,
        np.cosh,
        np.deg2rad,
        np.exp,
        np.exp2,
        np.expm1,
        np.fabs,
        np.floor,
        np.log,
        np.log10,
        np.log1p,
        np.log2,
        np.negative,
        np.rad2deg,
        np.reciprocal,
        np.sign,
        np.sin,
        np.sinh,
        np.sqrt,
        np.square,
        np.tan,
        np.tanh,
        np.sinc,
        np.real,
        np.conj,
        np.nan_to_num,
        np.positive,
    )
}
UNARY["arccosh"] = (np.arccosh, 1.5 + np.abs(M))
SHAPES = [((), ()), ((), (4,)), ((4,), (3, 4)), ((1, 4), (3, 4)), ((3, 1), (1, 4)), ((2, 1, 4), (3, 1))]
BINARY = {
    f"{f.__name__} {one} {other}": (
        lambda x, f=f, other=other: f(
            x, 0.5 + np.abs(np.sin(np.sum(x) + np.arange(1.0, 1 + np.prod(other)).reshape(other)))
        ),
        np.abs(R(size=one)) + 0.4,
    )
    for f in (
        np.add,
        np.subtract,
        np.multiply,
        np.divide,
        np.power,
        np.maximum,
        np.minimum,
        np.fmax,
        np.fmin,
        np.hypot,
        np.arctan2,
        np.logaddexp,
        np.logaddexp2,
    )
    for one, other in SHAPES
}
BINARY["mod"] = (lambda x: np.mod([[4.0], [-3.0]], x) + np.mod(x, -x[::-1]), np.array([0.7, 1.3]))
PRODUCTS = {
    "dot": (lambda x: np.dot(x, x.T) @ x, M),
    "dot with numbers": (lambda x: np.dot(x, 3.0) + np.dot(x[0, 0], x), M),
    "outer": (lambda x: np.outer(x, x[:2]), V),
    "inner": (lambda x: np.inner(x, x[0]), M),
    "matmul of stacks": (lambda x: x @ np.swapaxes(x, 1, 2), T),
    "matmul of one and many": (lambda x: x[:1] @ M.T, T),
    "tensordot": (lambda x: np.tensordot(x, x, ([1, 2], [1, 2])), T),
    "kron": (lambda x: np.kron(x[:2, :2], x), SQUARE),
    "cross": (lambda x: np.cross(x, x[::-1] ** 2), SQUARE),
    "einsum": (lambda x: np.einsum("ij,ik->jk", x, x), M),
    "einsum with dots": (lambda x: np.einsum("...j,...j->...", x, x[0]), T),
    "einsum of one": (lambda x: np.einsum("ii->i", x), SQUARE),
    "einsum of three": (lambda x: np.einsum("ij,kj,kl->il", x, x, x), M),
    "trace": (lambda x: np.trace(x @ x, offset=1), SQUARE),
    "convolve": (lambda x: np.convolve(x, x[:2]), V),
}
MOVES = {
    "reshape": (lambda x: np.reshape(x, (4, 3)) ** 2, M),
    "reshape in columns": (lambda x: np.reshape(x, (4, 3), order="F") ** 2, M),
    "ravel": (lambda x: np.ravel(x) * x.ravel(), M),
    "transpose": (lambda x: np.transpose(x, (2, 0, 1)) ** 2, T),
    "T": (lambda x: x.T @ x, M),
    "swapaxes": (lambda x: np.swapaxes(x, 0, 2) ** 2, T),
    "moveaxis": (lambda x: np.moveaxis(x, 0, 2) ** 2, T),
    "rollaxis": (lambda x: np.rollaxis(x, 2, 1) ** 2, T),
    "expand_dims": (lambda x: np.expand_dims(x, 1) * x, M[:2]),
    "squeeze": (lambda x: np.squeeze(x) ** 2, M[:1]),
    "flip": (lambda x: np.flipud(x) * np.fliplr(x) * np.flip(x), M),
    "rot90": (lambda x: np.rot90(x) * np.rot90(x, 3), M),
    "roll": (lambda x: np.roll(x, 2) * np.roll(x, 1, axis=0), M),
    "repeat": (lambda x: np.repeat(x, 2, axis=1) ** 2, M),
    "repeat by counts": (lambda x: np.repeat(x, [1, 0, 2], axis=0) ** 2, M),
    "tile": (lambda x: np.tile(x, (2, 1, 2)) ** 2, M),
    "pad": (lambda x: np.pad(x, ((1, 2), (0, 3))) ** 2, M),
    "concatenate": (lambda x: np.concatenate([x, x**2], axis=1), M),
    "append": (lambda x: np.append(x, x**2), V),
    "stack": (lambda x: np.stack([x, x * x[0]], axis=1), V),
    "vstack": (lambda x: np.vstack([x, x**2]), V),
    "hstack": (lambda x: np.hstack([x, x**2]), M),
    "column_stack": (lambda x: np.column_stack([x, x**2]), V),
    "dstack": (lambda x: np.dstack([x, x**2]), M),
    "array of numbers": (lambda x: np.array([x[0] * x[1], np.sin(x[2]), 1.0]), V),
    "array of rows": (lambda x: np.array([x, x**2]), V),
    "split": (lambda x: np.split(x, [1, 3])[1] * np.array_split(x, 3)[0][0], V),
    "hsplit": (lambda x: np.hsplit(x, 2)[0] * np.hsplit(x, 2)[1], M),
    "vsplit": (lambda x: np.vsplit(x, [1])[1] ** 2, M),
    "broadcast_to": (lambda x: np.broadcast_to(x, (2, 3, 4)) ** 2, M),
    "atleast": (lambda x: np.atleast_3d(x) ** 2 * np.atleast_2d(x[0]).sum(), V),
    "diag": (lambda x: np.diag(x) ** 2 * np.diag(x, 1).sum(), SQUARE),
    "tril and triu": (lambda x: np.tril(x, -1) * x + np.triu(x) ** 2, SQUARE),
    "diff": (lambda x: np.diff(x, 2, axis=1) ** 2, M),
    "gradient": (lambda x: np.gradient(x, axis=0) ** 2, M),
    "cumsum": (lambda x: np.cumsum(x, axis=1) ** 2, M),
    "meshgrid": (lambda x: np.meshgrid(x, x[:2])[0] * np.meshgrid(x, x[:2])[1], V),
    "linspace": (lambda x: np.linspace(x[0], x[1] ** 2, 5), V),
}
READS = {
    "a number": (lambda x: x[1, 2] * x[0, 0], M),
    "a row": (lambda x: x[1] ** 2, M),
    "slices": (lambda x: x[::2, 1:3] ** 2, M),
    "backwards": (lambda x: x[::-1, -1:0:-2] ** 2, M),
    "dots": (lambda x: x[..., 1] ** 2, T),
    "a new axis": (lambda x: x[:, None] * x, V),
    "positions": (lambda x: x[SPOTS] ** 2, M),
    "positions of two axes": (lambda x: x[SPOTS, SPOTS] ** 2, M),
    "positions and slices": (lambda x: x[:, SPOTS[:2], 1:] ** 2, T),
    "split positions": (lambda x: x[[0, 1], :, [1, 1]] ** 2, T),
    "a mask": (lambda x: x[MASK] ** 2, M),
    "its own mask": (lambda x: x[x > 0] ** 2, M),
    "take": (lambda x: np.take(x, SPOTS, axis=0) ** 2, M),
    "the same entry often": (lambda x: x[[0, 0, 0]] * x[0], V),
    "iteration": (lambda x: sum(row**2 for row in x), M),
    "unpacking": (lambda x: x[0] * x[1] + np.prod([*x]), V),
}
CHOICES = {
    "where": (lambda x: np.where(MASK, x**2, x), M),
    "where of itself": (lambda x: np.where(x > 0, x**2, np.sin(x)), M),
    "select": (lambda x: np.select([x > 1, x > 0], [x**3, x**2], default=2.0) * x, M),
    "clip": (lambda x: np.clip(x, -0.5, 0.7) * x, M),
    "sort": (lambda x: np.sort(x) * np.arange(4.0), V),
    "sort along an axis": (lambda x: np.sort(x, axis=0) ** 2, M),
    "partition": (lambda x: np.sum(np.partition(x, 2)[:2] ** 2), V),
    "argmax": (lambda x: x[np.argmax(x)] ** 2, V),
    "if": (lambda x: x**2 if x[0] > 100 else x**3, V),
    "while": (lambda x: _halved(np.sum(x**2) + 10), V),
    "max of Python's": (lambda x: max(x) ** 2 + min(x) * abs(x[0]), V),
    "sum of Python's": (lambda x: sum(x) * sum(x[:2]), V),
    "extremum of equals": (lambda x: np.max(np.array([x[0], x[0], x[0] - 1])) * np.min(np.stack([x, x])), V),
}
MATRICES = {
    "inv": (np.linalg.inv, SQUARE),
    "det": (np.linalg.det, SQUARE),
    "slogdet": (lambda x: np.linalg.slogdet(x)[1], SQUARE),
    "solve": (lambda x: np.linalg.solve(x, x[0] ** 2), SQUARE),
    "solve many": (lambda x: np.linalg.solve(x, M), SQUARE),
    "inv of a stack": (np.linalg.inv, np.stack([SQUARE, SQUARE.T])),
    "cholesky": (lambda x: np.linalg.cholesky(x @ x.T), SQUARE),
    "norm": (np.linalg.norm, M),
    "norm along an axis": (lambda x: np.linalg.norm(x, axis=1), M),
    "norm of order 3": (lambda x: np.linalg.norm(x, 3, axis=1), M),
    "Frobenius": (lambda x: np.linalg.norm(x, "fro"), M),
    "matrix_power": (lambda x: np.linalg.matrix_power(x, 3), SQUARE),
}
SPECIAL = {
    **{f.__name__: (f, POSITIVE[0]) for f in (sp.gammaln, sp.psi, sp.erf, sp.erfc, sp.expit, sp.logit)},
    "logsumexp": (lambda x: sp.logsumexp(x, axis=1), M),
    "logsumexp with weights": (lambda x: sp.logsumexp(x, axis=0, b=POSITIVE), M),
    "logsumexp with axes kept": (lambda x: sp.logsumexp(x, axis=(0, 1), keepdims=True), M),
    "softmax": (lambda x: sp.softmax(x, axis=1), M),
    "log_softmax": (sp.log_softmax, V),
    "xlogy": (lambda x: sp.xlogy(x, x + 1), POSITIVE[0]),
}
SPECIAL["logit"] = (sp.logit, 0.5 + np.sin(V) / 3)
OPERATORS = {
    "+": (lambda x: 2 + x + 1.5 + x, V),
    "-": (lambda x: 2 - x - 1.5 - -x * x, V),
    "*": (lambda x: 2 * x * 1.5 * x, V),
    "/": (lambda x: 2 / x / 1.5 + x / 3, POSITIVE),
    "**": (lambda x: x**2 + 2**x + x**0.5 + x**-1.0 + x**x, POSITIVE),
    "%": (lambda x: x % 0.7 + 5 % x, np.array([0.6, 1.3])),
    "//": (lambda x: x // 0.7 * x, np.array([0.31, 0.82, 1.55, 2.9])),
    "abs": (lambda x: abs(x) * x, V),
    "@": (lambda x: x @ M.T @ x[:3], V),
    "+=": (lambda x: _in_place(x * 1.0), V),
    "comparisons": (lambda x: (x > 0) * x**2 + (x <= 0) * x, V),
}
FAMILIES = {
    "statistics": STATISTICS,
    "unary": UNARY,
    "binary": BINARY,
    "products": PRODUCTS,
    "moves": MOVES,
    "reads": READS,
    "choices": CHOICES,
    "matrices": MATRICES,
    "special": SPECIAL,
    "operators": OPERATORS,
}
ROWS = [(family, name) for family, table in FAMILIES.items() for name in table]


def _halved(x):
    while x > 4:
        x = x / 2
    return x**2


def _in_place(y):
    y += 1
    y *= y
    return y


@pytest.mark.parametrize(("family", "name"), ROWS)
def test_first_and_second_derivatives(family, name):
    f, x = FAMILIES[family][name]
    x = np.asarray(x)
    expected = differences(f, x)
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    weights = np.random.default_rng(1).normal(size=expected.shape)
    second = None
    for method in ("forward", "reverse"):
        slope = dk.jacobian(f, method=method)
        np.testing.assert_allclose(slope(x), expected, rtol=1e-7, atol=1e-8 * scale)

        def weighted(x, slope=slope):
            return np.sum(slope(x) * weights)

        if second is None:  # the slope was found right: its differences are the reference for the next order
            second = differences(weighted, x)
        found = np.ravel(dk.grad(weighted, method=method)(x))[None]
        np.testing.assert_allclose(found, second, rtol=1e-6, atol=1e-7 * max(1.0, np.abs(second).max(initial=0.0)))


# ---------------------------------------------------------------- arguments, containers, nesting


def test_several_arguments():
    def f(a, b, scale=2.0, *, power=3):
        return np.sum(scale * a**power * b)

    by_b, by_a = dk.grad(f, (1, 0))(V, V + 1, power=2)
    np.testing.assert_allclose(by_a, 4 * V * (V + 1), rtol=1e-14)
    np.testing.assert_allclose(by_b, 2 * V**2, rtol=1e-14)


def test_keywords_named_like_our_own_parameters():
    gradient = dk.grad(lambda x, f=1.0, g=2.0: np.sum(f * g * x**2))
    np.testing.assert_allclose(gradient(V, f=3.0, g=5.0), 30 * V, rtol=1e-14)


CONTAINERS = {
    "dict": ({"a": V, "b": 2.0}, lambda c: np.sum(c["a"] ** 2) * c["b"], lambda g: (g["a"], g["b"])),
    "list": ([V, 2.0], lambda c: np.sum(c[0] ** 2) * c[1], lambda g: (g[0], g[1])),
    "tuple": ((V, 2.0), lambda c: np.sum(c[0] ** 2) * c[-1], lambda g: (g[0], g[1])),
    "nested": (
        {"p": [V, (2.0,)]},
        lambda c: np.sum(c["p"][0] ** 2) * c["p"][1][0],
        lambda g: (g["p"][0], g["p"][1][0]),
    ),
    "passed on": ([V, 2.0], lambda c: _passed_on(*c), lambda g: (g[0], g[1])),
    "walked": (
        [V, 2.0],
        lambda c: np.prod([np.sum(part**k) for k, part in zip((2, 1), c, strict=True)]),
        lambda g: (g[0], g[1]),
    ),
}


def _passed_on(a, b):
    made = {"square": a**2, "rest": [b]}
    return sum(made["square"]) * made["rest"][0]


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_come_back(name):
    value, f, parts = CONTAINERS[name]
    gradient = dk.grad(f)(value)
    assert type(gradient) is type(value)
    by_array, by_number = parts(gradient)
    np.testing.assert_allclose(by_array, 4 * V, rtol=1e-13)
    assert by_number == pytest.approx(np.sum(V**2))


def test_perturbations_are_not_confused():
    assert float(dk.grad(lambda x: x * dk.grad(lambda y: x + y)(2.0))(3.0)) == 1.0
    assert float(dk.grad(lambda x: x * dk.grad(lambda y: x * y * y)(2.0))(3.0)) == 24.0


def test_derivatives_of_high_order():
    f, expected = np.tanh, [np.tanh, lambda x: 1 - np.tanh(x) ** 2, lambda x: -2 * np.tanh(x) * (1 - np.tanh(x) ** 2)]
    for n, closed in enumerate(expected):
        np.testing.assert_allclose(dk.derivative(f, n)(V), closed(V), rtol=1e-13)
    np.testing.assert_allclose(dk.derivative(np.sin, 6)(V), -np.sin(V), rtol=1e-13)


def test_products_with_second_derivatives():
    def f(x):
        return np.sum(np.sin(x) ** 2 * x[0])

    dense = differences(dk.grad(f), V)
    np.testing.assert_allclose(dk.hessian(f)(V), dense, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(dk.hvp(f)(V, M[0]), dense @ M[0], rtol=1e-7, atol=1e-8)
    tensor = dk.jacobian(dk.jacobian(lambda x: np.outer(x, x**2), blocks=True), blocks=True)(V[:2])
    np.testing.assert_allclose(tensor, _outer_tensor(V[:2]), rtol=1e-13)


def _outer_tensor(x):
    tensor = np.zeros((2, 2, 2, 2))
    for i, j in itertools.product(range(2), repeat=2):  # d2 (x_i x_j^2) / dx_k dx_l
        tensor[i, j, i, j] += 2 * x[j]
        tensor[i, j, j, i] += 2 * x[j]
        tensor[i, j, j, j] += 2 * x[i]
    return tensor


def test_the_generalised_gauss_newton_product():
    """J' H J v, with J of the model and H of the loss."""

    def model(x):
        return np.tanh(M @ x)

    def loss(y):
        return np.sum(y**4)

    jacobian = differences(model, V)
    expected = jacobian.T @ np.diag(12 * model(V) ** 2) @ jacobian @ M[1]
    pushed = dk.jvp(model)(V, M[1])
    np.testing.assert_allclose(dk.vjp(model)(V, dk.hvp(loss)(model(V), pushed)), expected, rtol=1e-7)


def test_what_does_not_depend_on_x_has_derivative_zero():
    for f in (
        lambda x: 3.0,
        lambda x: np.sum(np.floor(x)),
        lambda x: np.sum(np.sign(x) + (x > 0)),
        lambda x: float(len(x)),
    ):
        np.testing.assert_array_equal(dk.grad(f)(V), 0.0)


def test_value_and_extra_results():
    value, gradient = dk.value_and_grad(lambda x: np.sum(x**2))(V)
    assert value == pytest.approx(np.sum(V**2))
    np.testing.assert_allclose(gradient, 2 * V)
    gradient, extra = dk.grad(lambda x: (np.sum(x**2), {"doubled": 2 * x}), has_aux=True)(V)
    np.testing.assert_allclose(gradient, extra["doubled"])
