"""Functions that change shapes: a row per function, or per way to call it."""
# ruff: noqa: PLW0108 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TracingError
from diffkit.tracing.lowering import joining, shaping
from diffkit.tracing.tracer import LOWERINGS

V = np.array([0.3, -1.2, 2.5, 0.7, 1.1, -0.4])
M = V.reshape(2, 3)
C = np.linspace(0.1, 1.3, 12).reshape(2, 3, 2)

# fmt: off
ROWS = {
    "reshape":              (lambda x: np.reshape(x**2, (3, 2)), M),
    "reshape -1":           (lambda x: (x**2).reshape(-1, 3, 1), M),
    "reshape to a number":  (lambda x: (x**2).reshape(()), V[:1]),
    "reshape F":            (lambda x: np.reshape(x**2, (3, 2), order="F"), M),
    "ravel":                (lambda x: np.ravel(x**2), M),
    "ravel F":              (lambda x: (x**2).ravel(order="F"), M),
    "flatten":              (lambda x: (x**2).flatten("F"), M),
    "transpose":            (lambda x: np.transpose(x**2), M),
    "transpose axes":       (lambda x: np.transpose(x**2, (2, 0, 1)), C),
    "transpose method":     (lambda x: (x**2).transpose(-1, 0, 1), C),
    "T":                    (lambda x: (x**2).T, C),
    "permute_dims":         (lambda x: np.permute_dims(x**2, (1, 0, 2)), C),
    "matrix_transpose":     (lambda x: np.matrix_transpose(x**2), C),
    "linalg.matrix_transpose": (lambda x: np.linalg.matrix_transpose(x**2), C),
    "swapaxes":             (lambda x: np.swapaxes(x**2, 0, -1), C),
    "swapaxes method":      (lambda x: (x**2).swapaxes(1, 2), C),
    "moveaxis":             (lambda x: np.moveaxis(x**2, 0, -1), C),
    "moveaxis many":        (lambda x: np.moveaxis(x**2, [0, 1], [-1, 0]), C),
    "rollaxis":             (lambda x: np.rollaxis(x**2, 2), C),
    "rollaxis start":       (lambda x: np.rollaxis(x**2, 0, 3), C),
    "expand_dims":          (lambda x: np.expand_dims(x**2, 1), M),
    "expand_dims many":     (lambda x: np.expand_dims(x**2, (0, -1)), M),
    "squeeze":              (lambda x: np.squeeze((x**2)[None, :, None]), M),
    "squeeze axis":         (lambda x: (x**2)[None, :, None].squeeze(axis=(0,)), M),
    "atleast_1d":           (lambda x: np.atleast_1d(x[0] ** 2), V),
    "atleast_2d":           (lambda x: np.atleast_2d(x**2, x)[0], V),
    "atleast_3d":           (lambda x: np.atleast_3d(x**2), M),
    "atleast_3d of a vector": (lambda x: np.atleast_3d(x**2), V),
    "broadcast_to":         (lambda x: np.broadcast_to(x**2, (4, 2, 3)), M),
    "broadcast_to an axis": (lambda x: np.broadcast_to(x[:, :1] ** 2, (2, 5)), M),
    "broadcast_arrays":     (lambda x: np.broadcast_arrays(x, x[:, :1])[1] ** 2, M),
    "meshgrid":             (lambda x: np.multiply(*np.meshgrid(x[:2], x[2:5])), V),
    "meshgrid ij":          (lambda x: np.meshgrid(x[:2], x[2:5], x[1:3], indexing="ij")[2] ** 2, V),
    "meshgrid sparse":      (lambda x: np.multiply(*np.meshgrid(x[:2], x[2:5], sparse=True)), V),
    "split":                (lambda x: np.split(x, 3)[1] ** 2 + np.split(x, 3)[0], V),
    "split at":             (lambda x: np.concatenate([part**2 for part in np.split(x, [2, 3])][::-1]), V),
    "split axis":           (lambda x: np.split(x**2, 3, axis=1)[2], M),
    "array_split":          (lambda x: np.concatenate([part**2 for part in np.array_split(x, 4)][::-1]), V),
    "array_split negative": (lambda x: np.concatenate([part**2 for part in np.array_split(x, [1, -2])][::-1]), V),
    "array_split crossed":  (lambda x: np.concatenate([part**2 for part in np.array_split(x, [4, 2, 9])]), V),
    "hsplit":               (lambda x: np.hsplit(x, 3)[1] ** 2, M),
    "hsplit of a vector":   (lambda x: np.hsplit(x, 3)[1] ** 2, V),
    "vsplit":               (lambda x: np.vsplit(x, 2)[1] ** 2, M),
    "dsplit":               (lambda x: np.dsplit(x, 2)[1] ** 2, C),
    "flip":                 (lambda x: np.flip(x) ** 2, M),
    "flip axis":            (lambda x: np.flip(x, (0, 2)) ** 2, C),
    "flipud":               (lambda x: np.flipud(x) ** 2, M),
    "fliplr":               (lambda x: np.fliplr(x) ** 2, M),
    "rot90":                (lambda x: np.rot90(x) ** 2, M),
    "rot90 thrice":         (lambda x: np.rot90(x, 3) ** 2, M),
    "rot90 axes":           (lambda x: np.rot90(x, -2, axes=(1, 2)) ** 2, C),
    "rot90 by none":        (lambda x: np.rot90(x, 4) ** 2, M),
    "shape, ndim, size":    (lambda x: x**2 * np.shape(x)[1] * np.ndim(x) * np.size(x) * np.size(x, 0) * len(x), M),
    "result_type":          (lambda x: x**2 * np.ones(3, np.result_type(x, np.float32)), M),
    "zeros_like":           (lambda x: np.zeros_like(x) + x**2, M),
    "empty_like":           (lambda x: np.empty_like(x, shape=(4,)).size * x, M),
    "ones_like":            (lambda x: np.ones_like(x, shape=(3, 1, 1)) * x**2, M),
    "full_like":            (lambda x: np.full_like(x, 2.5) * x + np.full_like(x, x[0, 0]), M),
    "linspace":             (lambda x: np.linspace(x[0], x[1] ** 2, 5), V),
    "linspace of arrays":   (lambda x: np.linspace(x, 2.0, 4, endpoint=False, axis=1), M),
    "linspace with step":   (lambda x: np.linspace(0.0, x[0], 3, retstep=True)[1], V),
    "copy":                 (lambda x: np.copy(x) ** 2, M),
    "concatenate":          (lambda x: np.concatenate([x, np.ones((1, 3)), x**2]), M),
    "concatenate axis":     (lambda x: np.concatenate([x, x**2], axis=-1), M),
    "concatenate flat":     (lambda x: np.concatenate([x, x[0] ** 2], axis=None), M),
    "concatenate one":      (lambda x: np.concatenate([x**2]), M),
    "concatenate empty":    (lambda x: np.concatenate([x, np.zeros(0), x**2]), V),
    "concatenate rows":     (lambda x: np.concatenate(x**2), M),
    "stack":                (lambda x: np.stack([x, x**2], axis=-1), M),
    "stack first":          (lambda x: np.stack((x, np.ones((2, 3)))), M),
    "stack rows":           (lambda x: np.stack(x**2, axis=1), M),
    "vstack":               (lambda x: np.vstack([x, x[0] ** 2]), M),
    "vstack vectors":       (lambda x: np.vstack([x, x**2, np.ones(6)]), V),
    "hstack":               (lambda x: np.hstack([x, x**2]), M),
    "hstack mixed":         (lambda x: np.hstack([x[0], x**2, 3.0]), V),
    "dstack":               (lambda x: np.dstack([x, x**2]), M),
    "dstack vectors":       (lambda x: np.dstack([x, x**2]), V),
    "column_stack":         (lambda x: np.column_stack([x, np.ones(2)]) ** 2, M),
    "block":                (lambda x: np.block([[x, np.ones((2, 1))], [np.zeros((1, 3)), x[:1, :1] ** 2]]), M),
    "block of a list":      (lambda x: np.block([x, x**2, 2.0]), V),
    "append":               (lambda x: np.append(x, x**2), M),
    "append axis":          (lambda x: np.append(x, x**2, axis=1), M),
    "insert":               (lambda x: np.insert(x, 2, x[0] ** 2), V),
    "insert at the end":    (lambda x: np.insert(x, 6, 7.0), V),
    "insert before last":   (lambda x: np.insert(x, -1, x[:2] ** 2), V),
    "insert many":          (lambda x: np.insert(x, [1, 3], x[:2] ** 2), V),
    "insert axis":          (lambda x: np.insert(x, 1, x[:, 0] ** 2, axis=1), M),
    "insert slice":         (lambda x: np.insert(x, slice(0, 4, 2), 7.0), V),
    "delete":               (lambda x: np.delete(x**2, 2), V),
    "delete many":          (lambda x: np.delete(x**2, [0, 2], axis=1), M),
    "resize":               (lambda x: np.resize(x**2, (4, 4)), V),
    "tile":                 (lambda x: np.tile(x, 3) ** 2, M),
    "tile more axes":       (lambda x: np.tile(x, (2, 1, 3)) ** 2, M),
    "tile a vector":        (lambda x: np.tile(x, (2, 3)) ** 2, V),
    "repeat":               (lambda x: np.repeat(x, 3) ** 2, M),
    "repeat axis":          (lambda x: x.repeat(2, axis=1) ** 2, M),
    "repeat each":          (lambda x: np.repeat(x, [1, 0, 2], axis=-1) ** 2, M),
    "roll":                 (lambda x: np.roll(x, 2) ** 2, M),
    "roll axis":            (lambda x: np.roll(x, -1, axis=1) ** 2, M),
    "roll axes":            (lambda x: np.roll(x, (1, -1), axis=(0, 1)) ** 2, M),
    "roll far":             (lambda x: np.roll(x, 17) ** 2, V),
    "pad":                  (lambda x: np.pad(x**2, 2), M),
    "pad constant":         (lambda x: np.pad(x**2, ((1, 0), (2, 3)), constant_values=5.0), M),
    "pad constants":        (lambda x: np.pad(x**2, (1, 2), mode="constant", constant_values=(4, 6)), V),
    "pad edge":             (lambda x: np.pad(x**2, 2, mode="edge"), M),
    "pad reflect":          (lambda x: np.pad(x**2, 1, mode="reflect"), M),
    "pad reflect odd":      (lambda x: np.pad(x**2, (2, 1), mode="symmetric"), V),
    "pad wrap":             (lambda x: np.pad(x**2, (1, 3), mode="wrap"), V),
    "diff":                 (lambda x: np.diff(x**2), V),
    "diff twice":           (lambda x: np.diff(x**2, n=2), V),
    "diff by none":         (lambda x: np.diff(x**2, n=0), V),
    "diff axis":            (lambda x: np.diff(x**2, axis=0), M),
    "diff with ends":       (lambda x: np.diff(x**2, prepend=0.0, append=x[:1]), V),
    "ediff1d":              (lambda x: np.ediff1d(x**2, to_end=9.0, to_begin=x[:1]), M),
    "gradient":             (lambda x: np.gradient(x**2), V),
    "gradient spacing":     (lambda x: np.gradient(x**2, 0.5, axis=1), M),
    "gradient of both":     (lambda x: np.gradient(x[:, :2] ** 2, 0.5, 2.0)[1], M),
    "trapezoid":            (lambda x: np.trapezoid(x**2, dx=0.3), V),
    "trapezoid over x":     (lambda x: np.trapezoid(x**2, x=[0.0, 0.1, 0.4]), M),
    "trapezoid by x":       (lambda x: np.trapezoid(np.ones(6), x=x**2), V),
    "apply_along_axis":     (lambda x: np.apply_along_axis(lambda row: row**2, 0, x), M),
    "apply_along_axis sum": (lambda x: np.apply_along_axis(lambda row: np.sum(row**2), 1, x), C),
    "diag":                 (lambda x: np.diag(x**2), M),
    "diag above":           (lambda x: np.diag(x**2, 1), M),
    "diag below":           (lambda x: np.diag(x**2, -1), M),
    "diag beyond":          (lambda x: np.diag(x**2, 7), M),
    "diag of a vector":     (lambda x: np.diag(x**2), V[:3]),
    "diag of a vector, k":  (lambda x: np.diag(x**2, 2) + np.diag(x, -2), V[:3]),
    "diagflat":             (lambda x: np.diagflat(x**2, 1), M[:, :2]),
    "tril":                 (lambda x: np.tril(x**2), M),
    "tril below":           (lambda x: np.tril(x**2, -1), C),
    "tril of a vector":     (lambda x: np.tril(x**2), V[:3]),
    "triu":                 (lambda x: np.triu(x**2), M),
    "triu above":           (lambda x: np.triu(x**2, 1), C),
    "vander":               (lambda x: np.vander(x, 3), V),
    "vander increasing":    (lambda x: np.vander(x, increasing=True), V[:3]),
}
# fmt: on
if hasattr(np, "unstack"):
    ROWS["unstack"] = (lambda x: np.unstack(x**2, axis=1)[2], M)

NO_DERIVATIVE = {np.iscomplexobj, np.isrealobj, np.iscomplex}


@pytest.mark.parametrize(("f", "x"), ROWS.values(), ids=ROWS)
def test_every_method_is_right(f, x, agrees):
    agrees(f, x)


def test_every_function_has_a_row():
    ours = {
        function for function, lowering in LOWERINGS.items()
        if lowering.__module__ in (shaping.__name__, joining.__name__)
    }  # fmt: skip
    named = {name.split(",")[0].split()[0] for name in ROWS} | {"ndim", "size"}
    without = {function.__name__ for function in ours - NO_DERIVATIVE} - named
    assert without == set()


LINEAR = ["reshape F", "transpose axes", "swapaxes", "moveaxis many", "concatenate axis", "stack", "tile more axes",
          "repeat axis", "roll axes", "flip axis", "pad reflect", "pad wrap", "diff with ends", "tril below", "triu",
          "diag of a vector, k", "diagflat", "split axis", "broadcast_to", "insert axis"]  # fmt: skip


@pytest.mark.parametrize("name", LINEAR)
def test_second_derivatives(name):
    f, x = ROWS[name]
    weights = np.cos(np.arange(np.size(f(x)))).reshape(np.shape(f(x)))
    found = dk.hessian(lambda y: np.sum(weights * f(y) ** 2))(x)

    def slope(y):
        columns = []
        for spot in np.ndindex(*y.shape):
            shifted = y.astype(complex)
            shifted[spot] += 1e-100j
            columns.append(np.imag(np.sum(weights * f(shifted) ** 2)) / 1e-100)
        return np.array(columns)

    h = 1e-4
    shifts = np.eye(x.size).reshape(x.size, *x.shape) * h
    expected = [(slope(x + s) - slope(x - s)) / (2 * h) for s in shifts]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", ["forward", "reverse", "mixed", "symbolic"])
@pytest.mark.parametrize("name", LINEAR)
def test_single_precision_stays_single(name, method):
    f, x = ROWS[name]
    plan = dk.get(method).prepare(lambda x: f(x) * np.float32(2), x.astype(np.float32))
    exact = dk.get(method).prepare(lambda x: f(x) * 2, x)
    assert plan.value(x.astype(np.float32)).dtype == f(x.astype(np.float32)).dtype
    np.testing.assert_allclose(plan.run(x.astype(np.float32)), exact.run(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "x",
    [np.asfortranarray(M), np.linspace(0, 1, 24).reshape(4, 6)[::2, ::2], M[:, ::-1], M.T.copy().T],
    ids=["Fortran", "strided", "negative stride", "transposed"],
)
@pytest.mark.parametrize("name", LINEAR)
def test_inputs_in_any_memory_order(name, x, agrees):
    f, like = ROWS[name]
    x = x if like.ndim == 2 else x.ravel()[: like.size] if like.ndim == 1 else np.stack([x] * 2, -1)
    agrees(f, x)


EMPTY = {
    "reshape": lambda x: x.reshape(2, 0, 3),
    "ravel": lambda x: x.ravel(),
    "transpose": lambda x: x.T,
    "concatenate": lambda x: np.concatenate([x, x], axis=1),
    "concatenate with some": lambda x: np.concatenate([x, np.ones((2, 3))]),
    "stack": lambda x: np.stack([x, x]),
    "tile": lambda x: np.tile(x, (2, 2)),
    "repeat": lambda x: np.repeat(x, 2, axis=1),
    "roll": lambda x: np.roll(x, 1, axis=1),
    "flip": lambda x: np.flip(x),
    "pad": lambda x: np.pad(x, 1),
    "diff": lambda x: np.diff(x, axis=1),
    "tril": lambda x: np.tril(x),
    "broadcast_to": lambda x: np.broadcast_to(x, (4, 0, 3)),
    "squeeze": lambda x: x[None].squeeze(0),
}


@pytest.mark.parametrize("f", EMPTY.values(), ids=EMPTY)
def test_arrays_without_entries(f, agrees):
    agrees(lambda x: np.sum(f(x[:0] ** 2)) + np.sum(x) + f(x[:0]), np.ones((2, 3)))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: x.reshape(4, 2), r"shape \(2, 3\) cannot be reshaped into \(4, 2\)"),
        (lambda x: np.broadcast_to(x, (2, 4)), None),
        (lambda x: np.squeeze(x, 0), r"axis 0 of shape \(2, 3\) is longer than 1"),
        (lambda x: np.concatenate([x, x[0]]), "same number of axes"),
        (lambda x: np.concatenate([x, x[:, :2]]), "other axes differ"),
        (lambda x: np.stack([x, x[0]]), "one shape"),
        (lambda x: np.split(x, 2, axis=1), "does not split into 2 equal parts; use np.array_split"),
        (lambda x: np.gradient(x, edge_order=2), "scalar spacing and edge_order=1"),
    ],
    ids=["reshape", "broadcast_to", "squeeze", "concatenate axes", "concatenate lengths", "stack", "split", "gradient"],
)
def test_shapes_that_do_not_fit_are_said_in_a_sentence(f, message):
    with pytest.raises((TracingError, ValueError), match=message):
        dk.jacobian(f)(M)
