"""Both engines compute what plain NumPy computes, hand out memory of their own, and check guards in order."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffkit as dk
from diffkit.engines import base, engine, engine_names
from diffkit.simplify import simplify
from diffkit.tracing import trace_function

ENGINES = engine_names()
W = np.random.default_rng(3).normal(size=(7, 5))


def traced(f, *arrays):
    return trace_function(f, arrays, lambda leaves: (tuple(leaves), {})).graph


def results(f, *arrays):
    """Results of f's graph by both engines, simplified and not."""
    graph = traced(f, *arrays)
    return [
        np.asarray(engine(name).compile(version).run(*arrays)[0])
        for version in (graph, simplify(graph))
        for name in ENGINES
    ]


def pieces(x):
    out = np.zeros((4, 3))
    out[1] = x[:3]
    out[:, 0] = x[1:5] * 2
    out[2:, 1:] += np.reshape(x[:4], (2, 2))
    return out


def number_written_flat(x):
    out = np.zeros(())
    out[...] = x[0]
    flat = np.ravel(out)
    flat *= x[1]
    return out


FUNCTIONS = {
    "views": lambda x: (x.reshape(5, 2).T @ x.reshape(5, 2)).T[::-1],
    "gather": lambda x: x[[3, 1, 1, 0]] * x[np.array([[0, 1], [9, 2]])].sum(),
    "scatter": pieces,
    "scatter into a number": number_written_flat,
    "overlapping scatter": lambda x: np.pad(x[2:], (1, 1)) + np.concatenate([x[5:], x[:5]]),
    "products": lambda x: np.einsum("i,ij,kj->k", x[:7], W, W) + x[:7],
    "batched product": lambda x: np.matmul(x.reshape(5, 1, 2), np.stack([np.outer(x[:2], x[2:4])] * 5)),
    "reductions": lambda x: np.stack([x.reshape(2, 5).max(axis=0), x.reshape(2, 5).sum(axis=0), np.cumsum(x)[::2]]),
    "selection": lambda x: np.where(x > 0.1, np.exp(x), -x) + np.clip(x, -0.2, 0.3),
    "broadcast": lambda x: np.broadcast_to(x[:3], (4, 3)) * x[3],
    "broadcast result": lambda x: np.broadcast_to(np.sum(x), (2, 2)),
    "constant result": lambda x: np.ones(3),
    "scalar": lambda x: x[0] * x[1] - np.sin(x[2]),
    "sorted": lambda x: np.sort(x)[2:5],
    "matrix": lambda x: np.linalg.solve(W.T @ W + np.diag(x[:5] ** 2), x[5:]),
    "not a number": lambda x: x * np.array([np.nan, np.inf, -np.inf, -0.0, 1, 1, 1, 1, 1, 1]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_graph_computes_what_numpy_computes(name):
    f = FUNCTIONS[name]
    x = np.random.default_rng(1).normal(size=10)
    expected = np.asarray(f(x))
    for found in results(f, x):
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ["numpy", "interpreted"])
@pytest.mark.parametrize(
    "f",
    [lambda x: x, lambda x: x[1:], lambda x: x.reshape(2, -1).T, lambda x: W, lambda x: (x, x)],
    ids=["itself", "slice", "transpose", "reference", "twice"],
)
def test_results_are_memory_of_their_own(name, f):
    x = np.arange(6.0)
    plan = dk.get("reverse", engine=name).prepare(f, x, product="value")
    found = plan.run(x)
    leaves = list(found) if isinstance(found, tuple) else [found]
    for leaf in leaves:
        assert not np.shares_memory(leaf, x)
        assert not np.shares_memory(leaf, W)
    if len(leaves) == 2:
        assert not np.shares_memory(*leaves)


def test_a_gradient_that_is_an_array_of_the_users_is_a_copy():
    w = np.arange(1.0, 4.0)
    gradient = dk.grad(lambda x: w @ x)(np.ones(3))
    gradient[:] = 0
    np.testing.assert_array_equal(w, [1, 2, 3])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=25))
def test_dead_memory_is_reused_without_harm(program):
    """Random straight-line programs on arrays that are large enough to be overwritten."""

    def f(x):
        values = [x, np.sin(x), x[::-1], 2.0 - x, x[:1] * np.ones(1500), np.cos(x[::-1])]
        for kind, i, j in program:
            a, b = values[-1 - i], values[-1 - j]
            values.append(
                [
                    a + b,
                    a * b,
                    a - b,
                    np.tanh(a),
                    a[::-1] + b,
                    np.maximum(a, b),
                    -a,
                    np.concatenate([a[700:], b[:700]]),
                ][kind]
            )
        return values[-1] + values[-2]

    x = np.linspace(-1, 1, 1500)
    with np.errstate(all="ignore"):
        expected = f(x)
        for found in results(f, x):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_large_temporaries_are_overwritten_and_small_ones_are_not():
    def f(x):
        return np.exp(np.sin(x) * 2.0) + x

    assert "out=" in dk.get("reverse").prepare(f, np.ones(5000), product="value").source
    assert "out=" not in dk.get("reverse").prepare(f, np.ones(5), product="value").source


@pytest.mark.parametrize("name", ENGINES)
def test_a_guard_stops_before_what_it_guards(name):
    def f(x):
        if x[0] > 0:
            return np.linalg.inv(np.array([[x[0], 0.0], [0.0, x[0]]]))[0, 0]
        return x[1]

    graph = traced(f, np.array([2.0, 1.0]))
    run = engine(name).compile(graph).run
    assert run(np.array([4.0, 1.0]))[0] == 0.25
    assert run(np.array([0.0, 1.0])) is None  # the inverse of a singular matrix is never asked for


def test_threads_share_a_plan(in_threads):
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(8, 3000))
    plan = dk.get("reverse", engine="numpy").prepare(
        lambda x: np.sum(np.sin(x[1:]) * x[:-1] ** 2), xs[0], product="gradient"
    )
    expected = [plan.run(x) for x in xs]
    wrong = []

    def work(which):
        wrong.extend(1 for _ in range(50) if not np.array_equal(plan.run(xs[which]), expected[which]))

    in_threads(work, range(8))
    assert wrong == []


def test_the_source_reads_like_numpy():
    plan = dk.get("reverse").prepare(lambda x: np.sum(np.sin(x) ** 2), np.ones(3), product="gradient")
    assert plan.source == (
        "def plan(x0):\n"
        "    v1 = sin(x0)\n"
        "    v3 = cos(x0)\n"  # the names are those of the graph, where v2 is the constant
        "    v4 = v1 * v3\n"
        "    v5 = 2.0 * v4\n"
        "    return (v5,)\n"
    )


@pytest.mark.parametrize("name", ["nunpy", "", None, 3, np.array(["llvm", "numpy"])])
def test_what_is_no_engine_is_refused(name):
    with pytest.raises(dk.UnknownNameError, match="no engine"):
        dk.get("reverse", engine=name)


def test_machine_code_needs_an_interpreter_with_a_global_lock(monkeypatch):
    monkeypatch.setattr(base, "engine_names", base.engine_names.__wrapped__)  # it keeps its answer
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    with pytest.raises(dk.UnsupportedError, match=r"engine 'llvm' needs CPython .*; take engine 'numpy'"):
        dk.get("reverse", engine="llvm")


def test_an_unknown_engine_is_named():
    with pytest.raises(dk.UnknownNameError, match="did you mean 'numpy'"):
        dk.get("reverse", engine="nunpy")


def test_what_is_never_written_out_is_never_overwritten():
    n = 3000  # large enough for memory to be reused

    def f(x):
        return np.concatenate([x[1:] * 2.0, x[:1]]) * x - 2.0 * np.concatenate([x[-1:], x[:-1]])

    x = np.linspace(0.1, 1, n)
    expected = np.zeros((n, n))
    i = np.arange(n)
    expected[i, i] += np.append(2 * x[1:], x[0])
    expected[i, (i + 1) % n] += np.append(2 * x[:-1], x[-1])
    expected[i, (i - 1) % n] -= 2.0
    for method in ("forward", "reverse"):
        np.testing.assert_allclose(dk.jacobian(f, method=method, engine="numpy")(x), expected, rtol=1e-13)
