"""NumPy's own loops within compiled code: called on blocks, wherever the entries lie."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import diffkit as dk
from diffkit import primitives as p
from diffkit.engines import engine
from diffkit.tracing import trace_function

pytest.importorskip("llvmlite")
from diffkit.engines.llvm import functions, ufuncs

CALLED = [op for op in functions.LIBM if isinstance(op.numpy, np.ufunc)]
RNG = np.random.default_rng(7)
COLUMN = RNG.normal(size=(1, 700))


@pytest.fixture
def every_loop_of_numpys(monkeypatch):
    """As on a host without vector mathematics: NumPy's loop is the faster one for every function."""
    monkeypatch.setattr(ufuncs, "faster", lambda op, kind: ufuncs.loop(op, kind) is not None)


@pytest.mark.parametrize("op", CALLED, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_loop_gives_what_its_ufunc_gives(op, dtype, every_loop_of_numpys):
    given = [RNG.uniform(0.1, 0.9, 1500).astype(dtype) + (op is p.arccosh) for _ in range(op.numpy.nin)]
    others = [given[-1] for _ in given[1:]]
    plan = dk.get("reverse", engine="llvm").prepare(lambda x: op.numpy(x, *others), given[0], product="value")
    address, _ = ufuncs.loop(op, functions.S if dtype == np.float32 else functions.F)
    assert f"inttoptr (i64 {address} to ptr)(" in plan.source
    np.testing.assert_array_equal(plan.run(given[0]), op.numpy(given[0], *others))


FORMS = {
    "after it": lambda x: np.log(x) * 2 + x,
    "before it": lambda x: np.log(x * x + 1),
    "in a chain": lambda x: np.tanh(np.log(np.exp(x) + 1)) * x,
    "beside each other": lambda x: np.log(x) * np.tanh(x) - np.exp(-x) * np.log(x + 1),
    "summed": lambda x: np.sum(np.log(x) * x),
    "summed along rows": lambda x: np.sum(np.tanh(x), axis=1),
    "summed along columns": lambda x: np.sum(np.tanh(x) * x, axis=0),
    "largest": lambda x: np.max(np.log(x), axis=-1),
    "given and used": lambda x: (np.log(x), np.log(x) + 1, x * 2),
    "of masks": lambda x: np.where(np.log(x) > 0, np.tanh(x), x),
    "strided": lambda x: np.log(x[:, ::2]) + np.tanh(x.T[::2].T),
    "spread": lambda x: np.log(x[:1] + COLUMN**2) * np.tanh(COLUMN),
    "to a piece": lambda x: np.pad(np.log(x), 3),
    "gathered": lambda x: np.log(x)[:, np.arange(699, -1, -1)] * np.log(x[[1, 0, 1]][:, :700]),
    "a number": lambda x: np.log(x) * np.log(x[0, 0]),
    "powers": lambda x: x**2.5 + np.power(x, x),
}


@pytest.mark.parametrize("name", FORMS)
def test_blocks_of_every_form(name, every_loop_of_numpys):
    f = FORMS[name]
    x = RNG.uniform(0.2, 2, size=(3, 700))
    for product in ("value", "gradient"):
        g = f if product == "value" else lambda x: sum(np.sum(np.sin(y)) for y in _tuple(f(x)))
        plan = dk.get("reverse", engine="llvm").prepare(g, x, product=product)
        assert "define i1 @kernel" in plan.source
        assert "alloca [" in plan.source, "no loop is called"
        expected = dk.get("reverse", engine="interpreted").prepare(g, x, product=product)
        for point in (x, np.asfortranarray(x), x[:, ::-1]):
            for one, other in zip(_tuple(plan.run(point)), _tuple(expected.run(point)), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


def _tuple(value):
    return value if isinstance(value, tuple) else (value,)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8))
def test_programs_with_many_calls(program, every_loop_of_numpys):
    """Unsimplified: steps that nobody reads, results that are stored or not, chains and copies."""

    def f(x):
        values = [x, np.sin(x), x[::-1], 2.0 - x, x[:1] * np.ones(600), np.cos(x[::-1])]
        for kind, i, j in program:
            a, b = values[-1 - i], values[-1 - j]
            made = (a + b, a * b, np.tanh(a), np.sin(b), np.cos(a) - b, np.maximum(a, b), a[::-1] + b, np.exp(-a * a))
            values.append((*made, np.concatenate([a[300:], b[:300]]), a[[*range(599, -1, -1)]])[kind])
        return values[-1] + values[-2], values[-3]

    x = np.linspace(-1, 1, 600)
    graph = trace_function(f, [x], lambda leaves: (tuple(leaves), {})).graph
    for one, other in zip(engine("llvm").compile(graph).run(x), f(x), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [255, 256, 511, 512, 513, 1024, 1537, 5000])
def test_blocks_of_every_length(n, every_loop_of_numpys):
    x = RNG.uniform(0.2, 2, n)
    plan = dk.get("reverse", engine="llvm").prepare(lambda x: np.sum(np.log(x) * np.tanh(x)), x, product="gradient")
    t = np.tanh(x)
    np.testing.assert_allclose(plan.run(x), t / x + np.log(x) * (1 - t * t), rtol=1e-13)


def test_a_loop_is_called_only_where_it_is_faster(monkeypatch):
    x = RNG.uniform(0.2, 2, 1000)
    for faster in (False, True):
        monkeypatch.setattr(ufuncs, "faster", lambda *_, faster=faster: faster)
        plan = dk.get("reverse", engine="llvm").prepare(np.log, x, product="value")
        assert ("@log(" in plan.source) is not faster
        np.testing.assert_allclose(plan.run(x), np.log(x), rtol=1e-15)
    short = dk.get("reverse", engine="llvm").prepare(np.log, x[:100], product="value")
    assert "@log(" in short.source


def test_what_is_faster_is_measured_once(monkeypatch):
    measured = []
    original = ufuncs.code_of
    monkeypatch.setattr(ufuncs, "code_of", lambda op, *how: measured.append(op) or original(op, *how))
    ufuncs.faster.cache_clear()
    for _ in range(3):
        dk.get("reverse", engine="llvm").prepare(lambda x: np.log(x) + np.sin(x), np.ones(1000), product="value")
    assert sorted(op.name for op in measured) == ["log", "log", "sin", "sin"]  # by NumPy's loop and without
