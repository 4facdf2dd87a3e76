"""Graphs of float32 have kernels of their own: floats in memory and in arithmetic, doubles in sums."""

import math

import numpy as np
import pytest

import diffkit as dk
from diffkit import primitives
from diffkit.engines import engine
from diffkit.tracing import Trace

pytest.importorskip("llvmlite")
from diffkit.engines.llvm import functions, ir

EPS = float(np.finfo(np.float32).eps)
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-45, -1e-40, 3e38, -1e30, 0.5, -2.5, 3.0, 88.0, -104.0]
OPS = [
    op
    for op in primitives.TABLE.values()
    if functions.supported(op) and isinstance(op.numpy, np.ufunc) and not op.name.startswith("logical")
]
W = np.random.default_rng(3).normal(size=(40, 30)).astype(np.float32)
LARGE = np.random.default_rng(4).normal(size=(300, 40)).astype(np.float32)
SHAPES = {
    "map": lambda x: np.exp(x) * np.sin(x) / (1 + x**2),
    "masks": lambda x: np.where(x > 0, x, np.abs(x) ** 1.5),
    "sums": lambda x: x.sum(axis=0) - x.sum(axis=1).max(),
    "extrema": lambda x: x.max(axis=1) - x.min(),
    "running sum": lambda x: np.cumsum(x, axis=0),
    "small product": lambda x: x[:4, :5] @ x[:5, :4],
    "product": lambda x: x @ W,
    "matrix and vector": lambda x: LARGE @ x[0],
    "with a transpose": lambda x: x.T @ x,
    "gather": lambda x: x[[2, 0, 2]] * 2,
    "scatter": lambda x: np.pad(x, 1),
    "numbers": lambda x: np.sin(x[0, 0]) * x[1, 1] + np.cos(x[0, 0]),
    "doubles too": lambda x: x.astype(float) * 2 + x.sum(),
    "counted": lambda x: x * np.count_nonzero(x > 0),
}


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_an_op_keeps_every_special_value(op):
    values = np.concatenate([SPECIAL, np.linspace(-3, 3, 45)]).astype(np.float32)
    given = [values] if op.numpy.nin == 1 else [side.ravel() for side in np.meshgrid(values[::2], values[1::2])]
    trace = Trace()
    with trace.recording():
        graph = trace.graph([op(*[trace.abstract_input(one) for one in given])])
    ir(graph)  # has a kernel
    with np.errstate(all="ignore"):
        expected = op.numpy(*given)
    (found,) = engine("llvm").compile(graph).run(*given)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    tiny = 8 * float(np.finfo(np.float32).smallest_subnormal)
    np.testing.assert_allclose(found, expected, rtol=8 * EPS, atol=tiny if op.name != "logaddexp" else EPS)


@pytest.mark.parametrize("name", SHAPES)
def test_values_and_derivatives(name):
    f = SHAPES[name]
    x = np.random.default_rng(0).normal(size=(12, 40)).astype(np.float32)
    double = dk.jacobian(f, engine="interpreted")(x.astype(float))
    for given in (x, np.asfortranarray(x), np.stack([x, x], axis=2)[:, :, 1]):
        plan = dk.get("reverse", engine="llvm").prepare(f, given, product="value")
        assert "define i1 @kernel" in plan.source, "no kernel"
        value, expected = plan.run(given), f(given)
        assert value.dtype == expected.dtype
        np.testing.assert_allclose(value, expected, rtol=100 * EPS, atol=100 * EPS * np.max(np.abs(expected)))
        for method in ("forward", "reverse"):
            found = dk.jacobian(f, method=method, engine="llvm")(given)
            np.testing.assert_allclose(found, double, rtol=100 * EPS, atol=100 * EPS * np.max(np.abs(double)))


def test_sums_are_taken_in_doubles():
    x = (np.random.default_rng(1).normal(size=100_000) * np.logspace(-3, 3, 100_000)).astype(np.float32)
    found = dk.get("reverse", engine="llvm").prepare(lambda x: np.sum(x * 1), x, product="value").run(x)
    assert found.dtype == np.float32
    assert abs(found - math.fsum(x)) <= EPS * abs(math.fsum(x))
