"""Reading by every kind of index, and the functions that read by positions."""
# ruff: noqa: PLW0108, PLC3002, RUF007, E501 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TracingError
from diffkit.tracing.lowering import indexing
from diffkit.tracing.tracer import LOWERINGS

V = np.array([0.3, -1.2, 2.5, 0.7, 1.1, -0.4])
M = V.reshape(2, 3)
C = np.linspace(0.1, 1.3, 12).reshape(2, 3, 2)
D = np.linspace(0.1, 1.0, 24).reshape(2, 2, 2, 3)
SPOTS = np.array([2, 0, 0])

# fmt: off
INDICES = {
    "an integer":             (lambda x: x[1], M),
    "negative integers":      (lambda x: x[-1, -2], M),
    "NumPy's integers":       (lambda x: x[np.int64(1), np.uint8(0)], M),
    "a slice":                (lambda x: x[1:4], V),
    "a step":                 (lambda x: x[1::2], V),
    "backwards":              (lambda x: x[::-1], V),
    "backwards by two":       (lambda x: x[4:0:-2], V),
    "backwards to the start": (lambda x: x[2::-1], V),
    "beyond the end":         (lambda x: x[3:99], V),
    "empty slice":            (lambda x: x[4:2], V),
    "slices of both axes":    (lambda x: x[::-1, ::2], M),
    "ellipsis":               (lambda x: x[..., 1], C),
    "ellipsis in the middle": (lambda x: x[0, ..., 1], C),
    "ellipsis of nothing":    (lambda x: x[0, 1, ..., 1], C),
    "new axis":               (lambda x: x[:, None, 1], M),
    "new axes":               (lambda x: x[None, ..., np.newaxis], M),
    "nothing":                (lambda x: x[()], M),
    "everything":             (lambda x: x[...], M),
    "a slice of a slice":     (lambda x: x[1:][::2][1], V),
    "integer array":          (lambda x: x[np.array([0, 2, 2, -1])], V),
    "list":                   (lambda x: x[[0, 2, 2, -1]], V),
    "empty list":             (lambda x: x[[]], V),
    "range":                  (lambda x: x[list(range(3))], V),
    "array of two axes":      (lambda x: x[np.array([[0, 1], [5, 0]])], V),
    "array outside":          (lambda x: x[SPOTS], V),
    "two arrays":             (lambda x: x[[0, 1, 0], [2, 2, 0]], M),
    "arrays that broadcast":  (lambda x: x[np.array([[0], [1]]), [2, 0]], M),
    "np.ix_":                 (lambda x: x[np.ix_([1, 0], [2, 0])], M),
    "array and slice":        (lambda x: x[[1, 0], 1:], M),
    "slice and array":        (lambda x: x[:, [0, 0, 2]], M),
    "arrays apart":           (lambda x: x[:, [0, 1], :, [1, 2]], D),
    "integer and array apart": (lambda x: x[1, :, [1, 0]], C),
    "arrays around a slice":  (lambda x: x[[0, 1], :, [1]], C),
    "array, ellipsis, new axis": (lambda x: x[..., [1, 0], None], C),
    "mask":                   (lambda x: x[np.array([True, False] * 3)], V),
    "mask as a list":         (lambda x: x[[True, False] * 3], V),
    "mask of nothing":        (lambda x: x[np.zeros(6, bool)], V),
    "mask of both axes":      (lambda x: x[np.array([[True, False, True], [False, False, True]])], M),
    "mask of one axis":       (lambda x: x[:, np.array([True, False, True])], M),
    "mask and integer":       (lambda x: x[np.array([True, False]), 1], M),
    "True":                   (lambda x: x[True], M),
    "traced mask":            (lambda x: x[x.real > 0.5], V),
    "traced masks joined":    (lambda x: x[(x.real > 0.5) & ~(x.real > 2)], M),
    "traced mask of rows":    (lambda x: x[x[:, 0].real > 0.5], M),
    "np.argsort":             (lambda x: x[np.argsort(x.real)], V),
    "np.argmax":              (lambda x: x[np.argmax(x.real)], V),
    "np.nonzero":             (lambda x: x[np.nonzero(x.real > 0)], M),
    "np.where":               (lambda x: x[np.where(x.real > 0)], M),
    "np.triu_indices":        (lambda x: x[np.triu_indices(2, 0, 3)], M),
    "np.s_":                  (lambda x: x[np.s_[0, ::2]], M),
    "iteration":              (lambda x: sum(row[0] for row in x), M),
    "unpacking":              (lambda x: (lambda a, b, *rest: a * b + rest[0])(*x), V),
    "zip and enumerate":      (lambda x: sum(k * a * b for k, (a, b) in enumerate(zip(x[:-1], x[1:], strict=True))), V),
    "reversed":               (lambda x: np.array(list(reversed(x))), V),
    "tolist":                 (lambda x: sum(entry * entry for entry in x.tolist()), V),
    "flat":                   (lambda x: sum(entry * entry for entry in x.flat), M),
    "flat entry":             (lambda x: x.T.flat[1], M),
    "item":                   (lambda x: x[0, 1].item() * x.item(4) * x.item((0, 0)), M),
    "np.ndenumerate":         (lambda x: sum((spot[0] + 2) * entry for spot, entry in np.ndenumerate(x)), M),
}

ROWS = {
    "take":                   (lambda x: np.take(x, [4, 0, 0, -1]), M),
    "take axis":              (lambda x: np.take(x, [[2, 0], [1, 1]], axis=1), M),
    "take one":               (lambda x: x.take(1, axis=-1), M),
    "take wrap":              (lambda x: np.take(x, [7, -8], mode="wrap"), V),
    "take clip":              (lambda x: np.take(x, [7, -8], mode="clip"), V),
    "take_along_axis":        (lambda x: np.take_along_axis(x, np.array([[1, 0, 1, 1], [2, 2, 0, 1]]), axis=1), M),
    "take_along_axis first":  (lambda x: np.take_along_axis(x, np.array([[1, 0, 1]]), axis=0), M),
    "take_along_axis flat":   (lambda x: np.take_along_axis(x, np.array([1, 0, 5]), axis=None), M),
    "take_along_axis sorted": (lambda x: np.take_along_axis(x, np.argsort(x.real, axis=1), axis=1), M),
    "compress":               (lambda x: np.compress([True, False, True], x, axis=1), M),
    "compress flat":          (lambda x: x.compress([0, 1, 1, 0, 1]), M),
    "extract":                (lambda x: np.extract(np.array([True, False] * 3), x), V),
    "choose":                 (lambda x: np.choose([0, 1, 0, 1, 1, 0], [x, x**2]), V),
    "select":                 (lambda x: np.select([x.real > 1, x.real > 0], [x**2, x**3], default=0.5), V),
    "piecewise":              (lambda x: np.piecewise(x, [x.real < 0, x.real > 1], [lambda t: t**2, 2.0, lambda t: t]), V),
    "piecewise without else": (lambda x: np.piecewise(x, x.real > 0, [lambda t: t**3]), V),
    "nonzero":                (lambda x: x[np.nonzero(x.real > 0)], V),
    "flatnonzero":            (lambda x: x.ravel()[np.flatnonzero(x.real > 0)], M),
    "argwhere":               (lambda x: x[tuple(np.argwhere(x.real > 0).T)], M),
    "copyto":                 (lambda x: _copied(x), V),
    "diagonal":               (lambda x: np.diagonal(x, 1), M),
    "diagonal below":         (lambda x: x.diagonal(-1), M),
    "diagonal of axes":       (lambda x: np.diagonal(x, 0, 0, 2), C),
    "linalg.diagonal":        (lambda x: np.linalg.diagonal(x), C),
    "fill_diagonal":          (lambda x: _filled(x), M),
}
# fmt: on


def _copied(x):
    out = np.zeros(6, x.dtype)
    np.copyto(out, x**2)
    np.copyto(out, 3 * x, where=x.real > 1)
    return out


def _filled(x):
    out = x * 1.0
    np.fill_diagonal(out, x[:, 2] ** 2)
    return out


@pytest.mark.parametrize(("read", "x"), INDICES.values(), ids=INDICES)
def test_every_index_reads_as_in_numpy(read, x, agrees):
    agrees(lambda y: read(y**2 + y), x)


@pytest.mark.parametrize(("f", "x"), ROWS.values(), ids=ROWS)
def test_every_method_is_right(f, x, agrees):
    agrees(lambda y: f(y**2 + y), x)


def test_every_function_has_a_row():
    ours = {f.__name__ for f, lowering in LOWERINGS.items() if lowering.__module__ == indexing.__name__}
    assert ours - {name.split()[0] for name in ROWS} == set()


WRITTEN = [
    "an integer", "negative integers", "a step", "backwards by two", "slices of both axes", "ellipsis", "new axes",
    "nothing", "list", "two arrays", "arrays apart", "slice and array", "mask of one axis", "traced mask",
]  # fmt: skip


class Recorder:
    """Remembers the index that a read used, so that the same place can be written."""

    def __init__(self, array):
        self.array = array

    def __getitem__(self, index):
        self.index = index
        return self.array[index]

    real = property(lambda self: self.array.real)


@pytest.mark.parametrize("name", WRITTEN)
def test_every_index_writes_as_in_numpy(name, agrees):
    read, x = INDICES[name]

    def f(y):
        seen = Recorder(y)
        read(seen)
        out = y * 2.0
        out[seen.index] = np.square(out[seen.index]) + np.sum(y)
        out[seen.index] += 1.0
        return out

    if name == "list":
        read = lambda x: x[[0, 2, -1]]  # noqa: E731 - without repetition, so that one write has one value
    agrees(f, x)


@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
@pytest.mark.parametrize("name", ["backwards by two", "array of two axes", "arrays apart", "mask", "take axis"])
def test_second_derivatives(name, engine):
    read, x = (INDICES | ROWS)[name]
    found = dk.hessian(lambda y: np.sum(read(y) ** 3), method="reverse", engine=engine)(x)
    times = np.bincount(read(np.arange(x.size).reshape(x.shape)).ravel(), minlength=x.size)
    np.testing.assert_allclose(found, np.diag(6 * x.ravel() * times), rtol=1e-13)


@pytest.mark.parametrize("name", ["a step", "integer array", "mask"])
def test_single_precision_stays_single(name):
    read, x = INDICES[name]
    for method in ("forward", "reverse"):
        found = dk.jacobian(read, method=method)(x.astype(np.float32))
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, dk.jacobian(read, method=method)(x))


def test_all_scalar_reads_of_one_array_become_one_scatter():
    plan = dk.get("reverse").prepare(
        lambda x: sum(x[k] * x[k + 1] for k in range(999)), np.ones(1000), product="gradient"
    )
    assert sum(step.op.name == "scatter" for step in plan.graph.steps) == 1
    assert plan.operations.total <= 5 * plan.function_operations.total


@pytest.mark.parametrize(
    ("read", "error", "message"),
    [
        (lambda x: x[6], IndexError, "index 6 is out of bounds"),
        (lambda x: x[-7], IndexError, "index -7 is out of bounds"),
        (lambda x: x[0, 0], IndexError, "too many indices"),
        (lambda x: x[[0, 9]], IndexError, "out of bounds"),
        (lambda x: x[x], TracingError, "traced float array cannot be an index; compare it .* or convert it"),
        (lambda x: x[x[0]], TracingError, "cannot be an index"),
        (lambda x: [1.0, 2.0][x[0]], TracingError, r"cannot be an index; use int\(...\)"),
    ],
    ids=["beyond", "before", "too many", "list beyond", "float array", "float", "index of a list"],
)
def test_wrong_indices_are_said_in_a_sentence(read, error, message):
    with pytest.raises(error, match=message):
        dk.jacobian(read, method="reverse")(V)


def test_an_index_computed_from_values_is_guarded():
    plan = dk.get("reverse").prepare(lambda x: x[int(x[0])] ** 2, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(plan.run(np.array([1.0, 2.0, 3.0])), [[0.0, 4.0, 0.0]])
    np.testing.assert_array_equal(plan.run(np.array([2.0, 2.0, 3.0])), [[0.0, 0.0, 6.0]])
    np.testing.assert_array_equal(plan.run(np.array([0.5, 2.0, 3.0])), [[1.0, 0.0, 0.0]])


def test_an_array_of_positions_changed_in_place_counts_at_the_next_call():
    spots = np.array([0, 1])
    gradient = dk.grad(lambda x: np.sum(x[spots] ** 2))
    np.testing.assert_array_equal(gradient(np.arange(3.0)), [0, 2, 0])
    spots[0] = 2
    np.testing.assert_array_equal(gradient(np.arange(3.0)), [0, 2, 4])
