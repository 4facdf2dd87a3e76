"""Orders and order statistics: every method, ties, NaN, and the order found anew at every point."""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TracingError

X = np.random.default_rng(5).permutation(np.linspace(0.31, 1.7, 12)).reshape(2, 3, 2)

FUNCTIONS = {
    "sort": lambda x: np.sort(x) * x,
    "sort along": lambda x: np.sort(x, axis=1) ** 2,
    "sort of all": lambda x: np.sort(x, axis=None) ** 2,
    "sort in place": lambda x: _in_place(x * x),
    "argsort": lambda x: x[0, :, 0][np.argsort(x[1, :, 1])] * x[0, :, 1],
    "argsort along": lambda x: np.take_along_axis(x * x, np.argsort(x, axis=1), axis=1),
    "argsort method": lambda x: x.ravel()[x.argsort(axis=None)] * x.ravel(),
    "partition": lambda x: np.partition(x * x, 1, axis=1)[:, 1],
    "median": np.median,
    "median of even": lambda x: np.median(x * x, axis=2),
    "median of odd": lambda x: np.median(x * x, axis=1, keepdims=True),
    "median of axes": lambda x: np.median(x * x, axis=(0, -1)),
    "median all kept": lambda x: np.median(x, keepdims=True),
    "quantile": lambda x: np.quantile(x * x, 0.37),
    "quantile along": lambda x: np.quantile(x * x, 0.6, axis=1, keepdims=True),
    "quantiles": lambda x: np.quantile(x * x, [0.1, 0.5, 0.77], axis=1),
    "quantiles of axes": lambda x: np.quantile(x, [[0.1, 0.9], [0.0, 1.0]], axis=(0, 1), keepdims=True) ** 2,
    "quantiles of all": lambda x: np.quantile(x * x, np.array([0.2, 0.8])),
    "percentile": lambda x: np.percentile(x * x, 30),
    "percentiles": lambda x: np.percentile(x * x, [10, 45], axis=0),
    "searchsorted": lambda x: np.searchsorted([0.5, 1.0, 1.5], x) * x,
    "lists of numbers": lambda x: np.median([x[0, 0, 0], x[1, 1, 1] ** 2, x[0, 1, 0]]) * np.sort([x[0, 2, 1], 1.0]),
    "sorted twice": lambda x: np.sort(np.sort(x, axis=0), axis=1) ** 2,
}
LISTED = ["sort", "argsort", "median", "quantile"]


def _in_place(y):
    y.sort(axis=1)
    return y


def test_every_listed_function_has_a_row():
    assert {*LISTED} <= {*FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_method_is_right(name, agrees, differences):
    agrees(FUNCTIONS[name], X, differences(FUNCTIONS[name], X))


@pytest.mark.parametrize("name", ["sort along", "argsort along", "median", "quantiles", "median of axes"])
@pytest.mark.parametrize("method", ["forward", "reverse", "mixed"])
def test_hessians(name, method, differences):
    def f(x):
        return np.sum(np.cos(np.arange(FUNCTIONS[name](X).size)) * np.ravel(FUNCTIONS[name](x)) ** 2)

    v = np.sin(np.arange(12.0)).reshape(X.shape)
    slope = differences(lambda t: differences(f, X + t * v)[0], 0.0)[:, 0]
    np.testing.assert_allclose(dk.hvp(f, method=method)(X, v).ravel(), slope, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("method", ["forward", "reverse", "mixed", "symbolic"])
def test_a_prepared_plan_finds_the_order_anew(method):
    plan = dk.get(method).prepare(lambda x: np.sort(x) * np.arange(3), np.array([1.0, 2.0, 3.0]))
    x = np.array([2.0, 3.0, 1.0])
    expected = np.zeros((3, 3))
    expected[[0, 1, 2], [2, 0, 1]] = [0, 1, 2]
    np.testing.assert_array_equal(plan.jacobian(x), expected)


def test_equal_entries_keep_their_places():
    x = np.array([2.0, 1.0, 2.0])
    np.testing.assert_array_equal(dk.jacobian(np.sort)(x), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])


def test_a_sort_behind_a_choice_sends_nothing_to_what_was_left_out():
    x = np.array([3.0, 0.0, 2.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = dk.grad(lambda x: np.sum(np.where([True, False, False], 0.0, np.sort(np.log(x)))))(x)
    np.testing.assert_allclose(found, [1 / 3, 0.0, 0.5], rtol=1e-15)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
@pytest.mark.parametrize(
    "row", [[np.nan, 1.0, 2.0], [np.inf, 1.0, 2.0], [-np.inf, 1.0, 2.0], [np.inf, -np.inf, 0.0], [np.inf] * 3], ids=str
)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values_come_out_as_in_numpy(name, row, engine):
    x = X.copy()
    x[1, :, 1] = row
    found = dk.get("reverse", engine=engine).prepare(FUNCTIONS[name], x).value(x)
    np.testing.assert_allclose(found, FUNCTIONS[name](x), rtol=1e-14)


@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_single_precision_stays_single(name, engine):
    x = X.astype(np.float32)
    plan = dk.get("forward", engine=engine).prepare(FUNCTIONS[name], x)
    expected = np.asarray(FUNCTIONS[name](x))
    assert plan.value(x).dtype == plan.jacobian(x).dtype == expected.dtype
    np.testing.assert_allclose(plan.value(x), expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (1,), ()], ids=str)
def test_small_arrays(shape):
    x = np.full(shape, 0.7)
    for f in (
        (lambda x: np.median(x, axis=-1), lambda x: np.quantile(x, 0.3, axis=-1))
        if shape
        else (np.median, lambda x: np.quantile(x, 0.3))
    ):
        plan = dk.get("reverse", engine="interpreted").prepare(f, x)
        np.testing.assert_array_equal(plan.value(x), f(x))
        np.testing.assert_array_equal(plan.jacobian(x), np.ones((np.size(f(x)), x.size)))


def test_refusals_name_the_cure():
    x = np.array([3.0, 1.0, 2.0])
    with pytest.raises(TracingError, match=r"np\.quantile .* cannot be traced: .* np\.sort"):
        dk.grad(lambda x: np.quantile(x, 0.3, method="nearest"))(x)
    with pytest.raises(TracingError, match="a plain array or number is needed"):
        dk.grad(lambda x: np.quantile(x, x[0] / 9))(x)
    with pytest.raises(TracingError, match="no order statistics"):
        dk.jacobian(lambda x: np.median(x, axis=1))(np.zeros((2, 0)))
