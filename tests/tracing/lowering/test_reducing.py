"""Sums, products, extrema, statistics: every axis, every method, zeros, ties, empty arrays, NaN and infinity."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special as sp

import diffkit as dk
from diffkit.errors import TracingError

X = np.random.default_rng(3).permutation(np.linspace(0.31, 1.7, 12)).reshape(2, 3, 2)
W = np.linspace(0.2, 1.5, 12).reshape(2, 3, 2)
PLACES = (1, None, None, True)  # axis, dtype, out, keepdims
MASK = np.arange(12).reshape(2, 3, 2) % 5 > 0


def logsumexp(x, axis=None, b=1.0, *, keepdims=False):
    return np.log(np.sum(b * np.exp(x), axis=axis, keepdims=keepdims))


def softmax(x, axis=None):
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


REDUCTIONS = {
    "sum": np.sum,
    "mean": np.mean,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "var": np.var,
    "std": np.std,
    "ptp": np.ptp,
    "logsumexp": (sp.logsumexp, logsumexp),
}
AXES = [
    {},
    {"axis": 0},
    {"axis": -1},
    {"axis": 1, "keepdims": True},
    {"axis": (0, 2)},
    {"axis": (-1, 0, 1), "keepdims": True},
]

OTHERS = {
    "cumsum": np.cumsum,
    "cumsum along": lambda x: np.cumsum(x, axis=1),
    "cumprod": np.cumprod,
    "cumprod along": lambda x: np.cumprod(x, axis=-2),
    "var ddof": lambda x: np.var(x, axis=1, ddof=1),
    "std correction": lambda x: np.std(x, axis=(0, 2), correction=2),
    "var of a given mean": lambda x: np.var(x, axis=0, mean=x[:1]),
    "sum where": lambda x: np.sum(x * x, axis=1, where=MASK),
    "mean where": lambda x: np.mean(x * x, axis=2, where=MASK, keepdims=True),
    "max where": lambda x: np.max(x, axis=0, where=MASK, initial=0.0),
    "prod where": lambda x: np.prod(x, axis=1, where=MASK),
    "var where": lambda x: np.var(x, axis=1, where=MASK),
    "std where": lambda x: np.std(x, where=MASK, axis=(0, 1)),
    "sum initial": lambda x: np.sum(x, axis=1, initial=2.5) * np.prod(x, axis=1, initial=2.0),
    "max initial": lambda x: np.max(x, axis=2, initial=1.0) * np.min(x, axis=1, initial=0.9)[:, :1],
    "average": lambda x: np.average(x * x, axis=1),
    "average weights": lambda x: np.average(x * x, axis=1, weights=[1.0, 2.0, 3.0]),
    "average by x": lambda x: np.average(W, weights=x, axis=2),
    "average returned": lambda x: np.prod(np.average(x, weights=x * W, axis=(0,), returned=True), axis=0),
    "average keepdims": lambda x: np.average(x * x, axis=2, weights=x, keepdims=True),
    "all places": lambda x: np.sum(x, *PLACES) * np.max(x, 1, *PLACES[2:]) * np.mean(x, *PLACES) * np.prod(x, *PLACES),
    "methods": lambda x: (
        x.sum(axis=0) * x.mean(0) * x.prod(axis=0) * x.max(0) * x.min(axis=0) * x.var(0) * x.std(axis=0)
    ),
    "cumulative methods": lambda x: x.cumsum(axis=1) * x.cumprod(2),
    "ptp with the rest": lambda x: np.ptp(x, axis=2) * np.count_nonzero(x > 1, axis=2),
    "argmax": lambda x: x[0, 0, np.argmax(x[0, 0])] * x[1, 1, x[1, 1].argmin()],
    "argmax along": lambda x: np.take_along_axis(x, np.argmax(x, axis=1, keepdims=True), axis=1),
    "any and all": lambda x: (
        np.where(np.any(x > 1.6, axis=2, keepdims=True), x, x * x)
        + np.where(np.all(x > 0.5, axis=1, keepdims=True), x, 0.0)
    ),
    "lists of numbers": lambda x: (
        np.mean([x[0, 0, 0], x[1, 1, 1] ** 2])
        * np.std([x[0, 0, 0], x[0, 1, 1], 1.0])
        * np.sum([[x[0, 2, 1], 2.0], [3.0, x[0, 2, 0]]], axis=1)
    ),
    "Python's sum": lambda x: sum(x) * sum(x[0, 0], 2.0),
    "Python's max": lambda x: max(x[0, 0]) * max(x[0, 1, 1], 0.5, x[1, 1, 1]),
    "Python's min": lambda x: min(x[0, 0]) * min(x[0, 1, 1], 0.5, x[1, 1, 1]),
    "add.reduce": lambda x: np.add.reduce(x * x),
    "multiply.reduce": lambda x: np.multiply.reduce(x, axis=(0, 2)),
    "maximum.reduce": lambda x: np.maximum.reduce(x, axis=None),
    "minimum.reduce": lambda x: np.minimum.reduce(x, axis=1, keepdims=True),
    "logaddexp.reduce": lambda x: np.logaddexp.reduce(x, axis=2),
    "add.accumulate": lambda x: np.add.accumulate(x * x),
    "multiply.accumulate": lambda x: np.multiply.accumulate(x, axis=1),
    "maximum.accumulate": lambda x: np.maximum.accumulate(x, axis=2),
    "minimum.accumulate": lambda x: np.minimum.accumulate(x[0], axis=1),
    "logaddexp.accumulate": lambda x: np.logaddexp.accumulate(x, axis=2),
    "sum of truths": lambda x: np.sum(x > 1, axis=1) * np.mean(x > 1) * x[:, 0],
    "norm": lambda x: np.linalg.norm(x - 0.7, axis=1) * np.linalg.norm(x),
    "softmax": (lambda x: sp.softmax(x, axis=1), lambda x: softmax(x, 1)),
    "log_softmax": (lambda x: sp.log_softmax(x, axis=(0, 2)), lambda x: np.log(softmax(x, (0, 2)))),
    "softmax of all": (sp.softmax, softmax),
    "logsumexp with weights": (lambda x: sp.logsumexp(x, axis=2, b=W), lambda x: logsumexp(x, 2, W)),
    "logsumexp with a negative weight": (
        lambda x: sp.logsumexp(x, b=np.array([2.0, -0.1]), axis=2, keepdims=True),
        lambda x: logsumexp(x, 2, np.array([2.0, -0.1]), keepdims=True),
    ),
}
LISTED = ["cumsum", "cumprod", "average", "argmax", "softmax", "log_softmax"]


def _pair(row):
    return row if isinstance(row, tuple) else (row, row)


def test_every_listed_function_has_a_row():
    assert {*REDUCTIONS} >= {"sum", "mean", "prod", "max", "min", "var", "std", "logsumexp", "ptp"}
    assert {*OTHERS} >= {*LISTED}


@pytest.mark.parametrize("options", AXES, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_every_axis(name, options, agrees, differences):
    f, plain = _pair(REDUCTIONS[name])
    agrees(lambda x: f(x, **options), X, differences(lambda x: plain(x, **options), X))


@pytest.mark.parametrize("name", OTHERS)
def test_every_method_is_right(name, agrees, differences):
    f, plain = _pair(OTHERS[name])
    agrees(f, X, differences(plain, X))


SECOND = [
    "prod",
    "var",
    "std",
    "logsumexp",
    "cumprod",
    "average by x",
    "logsumexp with weights",
    "softmax",
    "multiply.accumulate",
    "norm",
]


@pytest.mark.parametrize("name", SECOND)
def test_hessians_along_a_direction(name, differences):
    f, plain = _pair({**REDUCTIONS, **OTHERS}[name])
    v = np.sin(np.arange(X.size)).reshape(X.shape)
    c = np.cos(np.arange(np.size(plain(X)))).reshape(np.shape(plain(X)))
    expected = differences(lambda t: differences(lambda x: np.sum(c * plain(x)), X + t * v)[0], 0.0)[:, 0]
    for method in ("forward", "reverse"):
        found = dk.hvp(lambda x: np.sum(c * f(x)), method=method)(X, v)
        np.testing.assert_allclose(found.ravel(), expected, rtol=1e-9, atol=1e-10)


# ---------------------------------------------------------------- zeros, ties, emptiness, special values


@pytest.mark.parametrize("zeros", [[], [1], [0, 3], [0, 2, 3]], ids=str)
@pytest.mark.parametrize("method", ["forward", "reverse", "mixed", "symbolic"])
def test_products_with_zeros(method, zeros):
    x = np.array([1.5, -2.0, 3.0, 0.5])
    x[zeros] = 0.0
    others = np.array([np.prod(np.delete(x, k)) for k in range(4)])
    pairs = np.array([[np.prod(np.delete(x, [i, j])) if i != j else 0.0 for j in range(4)] for i in range(4)])
    np.testing.assert_allclose(dk.jacobian(np.prod, method=method)(x), [others], rtol=1e-15)
    np.testing.assert_allclose(dk.hessian(np.prod, method=method)(x), pairs, rtol=1e-15)
    cumulative = [[np.prod(np.delete(x[: i + 1], j)) if j <= i else 0.0 for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(dk.jacobian(np.cumprod, method=method)(x), cumulative, rtol=1e-15)


@pytest.mark.parametrize("method", ["forward", "reverse", "mixed"])
@pytest.mark.parametrize(
    "f",
    [np.max, np.amax, lambda x: np.linalg.norm(x, np.inf), lambda x: -np.min(-x)],
    ids=["max", "amax", "norm", "min"],
)
def test_ties_share_equally(f, method):
    x = np.array([2.0, 1.0, 2.0, 2.0, 0.0])
    np.testing.assert_allclose(dk.grad(f, method=method)(x), np.array([1, 0, 1, 1, 0]) / 3, rtol=1e-15)


SMALL = [  # shape, axis, and the functions that NumPy itself refuses there
    ((0, 3), 1, set()),
    ((2, 0), 1, {"max", "min", "ptp", "mean", "var", "std"}),
    ((1, 1, 1), 0, set()),
    ((1,), -1, set()),
    ((), 0, {"mean", "var", "std"}),
    ((), None, set()),
]


@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
@pytest.mark.parametrize("method", ["forward", "reverse", "mixed"])
@pytest.mark.parametrize(
    ("name", "shape", "axis"),
    [
        (name, shape, axis)
        for shape, axis, refused in SMALL
        for name in [*REDUCTIONS, "cumsum", "cumprod"]
        if name not in refused
    ],
)
def test_arrays_of_size_zero_and_one(name, shape, axis, method, engine):
    f, _ = _pair({**REDUCTIONS, **OTHERS}[name])
    x = np.full(shape, 0.7)
    value = np.asarray(f(x, axis=axis))
    slope = {"var": 0.0, "std": 0.0, "ptp": 0.0}.get(name, 1.0)  # one entry at most, so one partial
    plan = dk.get(method, engine=engine).prepare(lambda x: f(x, axis=axis), x)
    with np.errstate(all="ignore"):
        assert plan.value(x).shape == value.shape
        np.testing.assert_allclose(plan.value(x), value, rtol=1e-15)
        np.testing.assert_allclose(plan.jacobian(x), np.full((value.size, x.size), slope), rtol=1e-15)


def test_the_maximum_of_nothing():
    with pytest.raises(TracingError, match="give initial="):
        dk.jacobian(lambda x: np.max(x, axis=1))(np.zeros((2, 0)))
    assert dk.jacobian(lambda x: np.max(x, axis=1, initial=3.0))(np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
@pytest.mark.parametrize(
    "row",
    [
        [np.nan, 1.0, 2.0],
        [np.inf, 1.0, 2.0],
        [-np.inf, 1.0, 2.0],
        [-np.inf, -np.inf, -np.inf],
        [np.inf, -np.inf, 0.0],
        [-0.0, 0.0, 1e308],
    ],
    ids=str,
)
@pytest.mark.parametrize("name", [*REDUCTIONS, "softmax of all", "cumsum", "maximum.accumulate", "logaddexp.reduce"])
def test_special_values_come_out_as_in_numpy(name, row, engine):
    x = np.array([[row, [0.5, 2.0, 1.0]]])
    f, _ = _pair({**REDUCTIONS, **OTHERS}[name])
    found = dk.get("forward", engine=engine).prepare(f, x).value(x)
    np.testing.assert_allclose(found, f(x), rtol=1e-14)


def test_logsumexp_at_the_ends_of_the_range():
    x = np.array([1000.0, 1000.0, -np.inf])
    np.testing.assert_allclose(dk.grad(sp.logsumexp)(x), [0.5, 0.5, 0.0], rtol=1e-15)
    np.testing.assert_allclose(dk.hessian(sp.logsumexp)(x[:2]), [[0.25, -0.25], [-0.25, 0.25]], rtol=1e-15)


@pytest.mark.parametrize("name", [*REDUCTIONS, *OTHERS])
def test_single_precision_stays_single(name):
    x = X.astype(np.float32)
    f, _ = _pair({**REDUCTIONS, **OTHERS}[name])
    for engine in ("numpy", "interpreted"):
        plan = dk.get("reverse", engine=engine).prepare(f, x)
        assert plan.value(x).dtype == plan.jacobian(x).dtype == np.asarray(f(x)).dtype
        np.testing.assert_allclose(plan.value(x), f(x), rtol=3e-5)


def test_a_dtype_is_reduced_in():
    x = np.array([1e8, 1.0, -1e8], np.float32)
    for f in (np.sum, np.mean, np.cumsum, np.var):
        plan = dk.get("reverse").prepare(lambda x, f=f: f(x, dtype=np.float64), x)
        np.testing.assert_array_equal(plan.value(x), f(x, dtype=np.float64))
