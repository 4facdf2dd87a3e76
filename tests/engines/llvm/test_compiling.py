"""Plans of one form share their code; what they read and write stays their own."""

import gc
from dataclasses import replace

import numpy as np
import pytest

import diffkit as dk
from diffkit.engines import engine
from diffkit.graph import Guard
from diffkit.tracing import Trace

pytest.importorskip("llvmlite")
from diffkit.engines.llvm import compiling

X = np.linspace(-1, 1, 50)


def plan_with(weights):
    return dk.get("reverse", engine="llvm").prepare(lambda x: np.sum(np.tanh(weights @ x)), X, product="gradient")


def test_graphs_of_one_form_are_compiled_once(monkeypatch):
    compiled = []
    original = compiling.compiled
    monkeypatch.setattr(compiling, "compiled", lambda text, level: compiled.append(text) or original(text, level))
    rng = np.random.default_rng(5)
    weights = [rng.normal(size=(47, 50)) for _ in range(3)]
    plans = [plan_with(w) for w in weights]
    kinds = [next(kind for kind in ("@kernel", "@entry", "@watching") if kind in text) for text in compiled]
    assert kinds == ["@kernel", "@entry", "@watching"]  # the last looks after the name `weights`
    for _ in range(2):  # one plan's workspace is not another's
        for w, plan in zip(weights, plans, strict=True):
            np.testing.assert_allclose(plan.run(X), (1 - np.tanh(w @ X) ** 2) @ w, rtol=1e-12)
    del plans, plan
    gc.collect()
    plan_with(weights[0])
    assert len(compiled) == 6, "code that nobody uses is kept"


TURNED = np.arange(6).reshape(2, 3)[:, ::-1]
GUARDED = {
    "a guarded number": lambda x: np.sum(x) * (2.0 if x[0] == 1.0 else float(len(x))),
    "one entry at a known place": lambda x: (
        x[0] * np.quantile(TURNED[1], 0.3) + np.sum(x[:3] * TURNED[0]) * TURNED[1, 2]
    ),
    "a strided gather": lambda x: np.sum(x[::2][[1, 0, 1]] ** 2) + np.sum(x.reshape(2, 3).T[[2, 1]] ** 3),
}


@pytest.mark.parametrize("name", GUARDED)
def test_guards_and_gathers_of_every_layout(name):
    f = GUARDED[name]
    gradient = dk.grad(f, engine="llvm")
    for x in (np.arange(1.0, 7.0), np.arange(6.0), np.arange(1.0, 7.0)):
        plan = dk.get("reverse", engine="llvm").prepare(f, x, product="gradient")
        assert "define i1 @kernel" in plan.source
        expected = dk.grad(f, engine="interpreted")(x)
        np.testing.assert_allclose(gradient(x), expected, rtol=1e-14)
        np.testing.assert_allclose(plan.run(x), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.bool_])
def test_a_guard_holds_where_every_entry_is_what_it_was(dtype):
    trace = Trace()
    seen = np.array([1, 0, 3], dtype)
    with trace.recording():
        x = trace.abstract_input(seen)
        graph = trace.graph([x[::-1]])
    compiled = engine("llvm").compile(replace(graph, guards=(Guard(graph.inputs[0], seen),)))
    (found,) = compiled.run(seen.copy())
    np.testing.assert_array_equal(found, seen[::-1])
    assert compiled.run(np.array([1, 1, 3], dtype)) is None


def test_what_numpy_may_round_otherwise_is_guarded_by_numpy():
    trace = Trace()
    x = np.linspace(0.1, 3, 50)
    with trace.recording():
        step = trace.abstract_input(x)
        made = np.tanh(step) ** 1.7
        graph = trace.graph([made * 2, made])
    guarded = replace(graph, guards=(Guard(graph.outputs[1], np.tanh(x) ** 1.7),))
    assert engine("llvm").compile(guarded).run(x) is not None


@pytest.mark.parametrize("shape", [(), (2,)])
def test_a_guard_that_saw_nan_holds_for_nan(shape):
    trace = Trace()
    seen = np.full(shape, np.nan)
    with trace.recording():
        graph = trace.graph([trace.abstract_input(seen) * 2])
    compiled = engine("llvm").compile(replace(graph, guards=(Guard(graph.inputs[0], seen),)))
    assert compiled.run(seen.copy()) is not None
    assert compiled.run(np.zeros(shape)) is None
