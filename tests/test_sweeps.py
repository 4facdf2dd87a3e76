"""The two sweeps: against the chain rule by hand, complex steps, and what leaks past a select in other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffkit as dk
from diffkit import primitives as p
from diffkit.sweeps import Cotangent, Dual, accumulate, active_steps, forward_sweep, pull, return_sweep
from diffkit.tracing import Trace

K = 5
X = np.array([0.7, -1.3, 2.1])


def graph_of(f, *inputs):
    trace = Trace(frozen=True)
    with trace.recording():
        result = f(*[trace.input(x) for x in inputs])
        return trace.graph(result if isinstance(result, tuple) else (result,))


def forward(graph, points, tangents):
    """What a forward sweep records, run on numbers: values and tangents."""
    trace = Trace(frozen=True)
    with trace.recording():
        given = [trace.input(x) for x in points]
        moved = [None if t is None else trace.input(t) for t in tangents]
        duals = forward_sweep(trace, graph, list(map(Dual, given, moved)))
        kept = [dual.tangent for dual in duals if dual.tangent is not None]
        recorded = trace.graph([*(dual.primal for dual in duals), *kept])
    found = recorded.evaluate(*points, *[t for t in tangents if t is not None])
    return found[: len(duals)], found[len(duals) :], [dual.tangent is None for dual in duals]


def backward(graph, points, seeds, wanted):
    """What a return sweep records, and its result on numbers."""
    trace = Trace(frozen=True)
    with trace.recording():
        given = [trace.input(x) for x in points]
        weights = [None if w is None else Cotangent(trace.input(w)) for w in seeds]
        values, sent = return_sweep(trace, graph, given, weights, wanted)
        recorded = trace.graph([*values, *(one.value for one in sent if one is not None)])
    found = recorded.evaluate(*points, *[w for w in seeds if w is not None])
    return found[: len(values)], found[len(values) :], [one is None for one in sent], recorded


# ---------------------------------------------------------------- by hand


def test_duals_follow_the_chain_rule():
    graph = graph_of(lambda x, y: (p.multiply(p.sin(x), y), p.exp(y)), X, 2 * X)
    u, v = np.cos(X), np.sin(X)
    values, tangents, _ = forward(graph, [X, 2 * X], [u, v])
    np.testing.assert_array_equal(values, [np.sin(X) * 2 * X, np.exp(2 * X)])
    np.testing.assert_allclose(tangents, [np.cos(X) * u * 2 * X + np.sin(X) * v, np.exp(2 * X) * v], rtol=1e-15)


def test_many_directions_travel_at_once():
    graph = graph_of(lambda x, y: p.multiply(p.sin(x), y), X, np.float64(2.0))
    u, v = np.arange(K * 3.0).reshape(K, 3), np.arange(float(K))
    (_, (tangent,), _) = forward(graph, [X, np.float64(2.0)], [u, v])
    np.testing.assert_allclose(tangent, 2 * np.cos(X) * u + np.sin(X) * v[:, None], rtol=1e-15)


def test_a_tangent_of_zero_stays_none():
    graph = graph_of(lambda x, y: (p.sin(x), p.cos(y), p.floor(y), p.greater(y, 0.0)), X, X)
    _, tangents, zero = forward(graph, [X, X], [None, X])
    assert zero == [True, False, True, True]
    np.testing.assert_allclose(tangents, [-np.sin(X) * X], rtol=1e-15)


def test_cotangents_accumulate():
    """Baydin et al. (2018), table 3: y = log(x1) + x1 x2 - sin(x2) at (2, 5)."""
    graph = graph_of(lambda a, b: p.log(a) + p.multiply(a, b) - p.sin(b), np.float64(2.0), np.float64(5.0))
    values, sent, _, _ = backward(graph, [np.float64(2.0), np.float64(5.0)], [np.float64(1.0)], [True, True])
    assert values[0] == pytest.approx(11.652, abs=5e-4)
    np.testing.assert_allclose(sent, [5.5, 2 - np.cos(5.0)], rtol=1e-15)


def test_seeds_of_several_results_add_up():
    graph = graph_of(lambda x: (p.sin(x), p.exp(x), x, x), X)
    seeds = [np.full((K, 3), 2.0), None, np.ones((K, 3)), np.ones((K, 3))]
    _, (sent,), _, _ = backward(graph, [X], seeds, [True])
    np.testing.assert_allclose(sent, np.broadcast_to(2 * np.cos(X) + 2, (K, 3)), rtol=1e-15)


def test_what_is_not_wanted_is_not_computed():
    graph = graph_of(lambda x, y: p.sum_(p.multiply(p.power(x, y), 2.0), axis=(-1,)), np.abs(X), X)
    _, sent, none, recorded = backward(graph, [np.abs(X), X], [np.float64(1.0)], [True, False])
    assert none == [False, True]
    assert "log" not in {step.op.name for step in recorded.steps}  # the exponent's partial would need it
    np.testing.assert_allclose(sent, [2 * X * np.abs(X) ** (X - 1)], rtol=1e-14)


def test_active_steps_depend_differentiably_on_what_is_wanted():
    graph = graph_of(lambda x, y: p.multiply(p.floor(x), p.sin(y)), X, X)
    names = {step.op.name: flag for step, flag in zip(graph.steps, active_steps(graph, [True, False]), strict=True)}
    assert not names["floor"]
    assert not names["sin"]
    assert not names["multiply"]


@pytest.mark.parametrize("n", [10, 400])
def test_all_reads_of_one_operand_become_one_scatter(n):
    x = np.linspace(0.0, 1.0, n)

    def f(x):
        total = 0.0
        for k in range(n):
            total = total + p.sin(p.index(x, place=(k,)))
        return total

    _, (sent,), _, recorded = backward(graph_of(f, x), [x], [np.float64(1.0)], [True])
    assert sum(step.op is p.scatter for step in recorded.steps) == 1
    np.testing.assert_allclose(sent, np.cos(x), rtol=1e-15)


def test_contributions_with_and_without_a_mask():
    everywhere, masked = Cotangent(np.ones(3)), Cotangent(np.ones(3), np.array([True, False, False]) * 1.0)
    assert accumulate([everywhere, masked]).reach is None
    total = accumulate([masked, Cotangent(np.ones(3), np.array([False, True, False]) * 1.0)])
    np.testing.assert_array_equal(total.reach, [True, True, False])
    np.testing.assert_array_equal(total.value, 2.0)


def test_a_mask_goes_with_every_contribution():
    reach, operand, result = (
        np.array([True, False, True]),
        np.array([1.0, 0.0, 2.0]),
        np.array([0.0, -np.inf, np.log(2)]),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        (sent,) = pull(p.log, Cotangent(1.0 * reach, reach), result, (operand,), (True,), {})
    np.testing.assert_array_equal(sent.value, [1.0, 0.0, 0.5])
    np.testing.assert_array_equal(sent.reach, [1.0, 0.0, 1.0])


# ---------------------------------------------------------------- behind a select

A = np.array([[1.0, 2.0, 0.5], [0.0, 0.0, 0.0], [-1.0, 0.0, 3.0]])
Z = np.array([0.0, 2.0, -1.0])


TRAPS = {
    "log": (lambda x: np.where(x > 0, np.log(x), 0.0), [0, 1 / 2, 0]),
    "log in two steps": (lambda x: np.where(x > 0, np.exp(2 * np.log(x)), 0.0), [0, 4, 0]),
    "sqrt": (lambda x: np.where(x > 0, np.sqrt(x), 3 * x), [3, 0.5 / np.sqrt(2), 3]),
    "reciprocal": (lambda x: np.where(x != 0, 1 / x, 0.0), [0, -1 / 4, -1]),
    "power": (lambda x: np.where(x > 0, x**0.3, x), [1, 0.3 * 2**-0.7, 1]),
    "division of both": (lambda x: np.where(x != 0, (x + 1) / x, x), [1, -1 / 4, -1]),
    "two selects": (lambda x: np.where(x > 0, np.log(x), 0.0) + np.where(x < 0, np.log(-x), 0.0) + 3 * x, [3, 3.5, 2]),
    "select in a select": (lambda x: np.where(x > 0, np.where(x > 1, np.log(x), np.sqrt(x)), 0.0), [0, 1 / 2, 0]),
    "after reading": (lambda x: np.where(x[:2] > 0, np.log(x[:2]), 0.0), [0, 1 / 2, 0]),
    "after gathering": (lambda x: np.where(x[[1, 0, 1]] > 0, np.log(x[[1, 0, 1]]), 0.0), [0, 1, 0]),
    "after turning": (lambda x: np.where(x[::-1] > 0, np.log(x[::-1]), 0.0), [0, 1 / 2, 0]),
    "after repeating": (lambda x: np.where(np.tile(x, 2) > 0, np.log(np.tile(x, 2)), 0.0), [0, 1, 0]),
    "after putting together": (lambda x: np.where(x > 0, np.log(np.concatenate([x[:1], x[1:]])), 0.0), [0, 1 / 2, 0]),
    "after a sum": (lambda x: np.where(np.sum(x[:1] ** 2) > 0, np.sqrt(np.sum(x[:1] ** 2)), 0.0), [0, 0, 0]),
    "after a norm": (lambda x: np.where(x[0] > 0, np.linalg.norm(x[:1]), 5 * x[0]), [5, 0, 0]),
    "after an extremum": (lambda x: np.where(x[0] > 0, np.log(np.max(x[::2])), x[1]), [0, 1, 0]),
    "after a product of all": (lambda x: np.where(x[0] > 0, np.log(np.prod(x)), x[1]), [0, 1, 0]),
    "after cumsum": (lambda x: np.where(np.cumsum(x) > 0, np.log(np.cumsum(x)), 0.0), [3 / 2, 3 / 2, 1]),
    "after sort": (lambda x: np.where(np.sort(x) > 0, np.log(np.sort(x)), 0.0), [0, 1 / 2, 0]),
    "after maximum": (lambda x: np.where(x > 0, np.log(np.maximum(x, -1.0)), 0.0), [0, 1 / 2, 0]),
    "after broadcasting": (lambda x: np.where(x > 0, np.log(x * np.ones((2, 1))), 0.0), [0, 1, 0]),
    "after matmul": (lambda x: np.where(A @ x > 0, np.log(A @ x), 0.0), A[0] / (A @ Z)[0]),
    "after einsum": (lambda x: np.where(x > 0, np.log(np.einsum("i,i->i", x, x)), 0.0), [0, 1, 0]),
    "in a branch that no entry takes": (lambda x: np.where(x > 5, np.log(A @ (x * 0)), x), [1, 1, 1]),
}


@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.parametrize("method", ["forward", "reverse", "symbolic"])
def test_the_branch_not_taken_does_not_leak(name, method):
    f, expected = TRAPS[name]
    found = dk.jacobian(f, method=method)(Z)
    np.testing.assert_allclose(found.sum(axis=0), expected, rtol=1e-13, atol=1e-14)


ROWS = {  # the row of 0 is padding: its logarithm must not reach what all rows share
    "rows by a vector": lambda x: np.where(x > 0, (np.log(x)[:, None] * A) @ Z, 0.0),
    "rows by rows": lambda x: np.where(x > 0, np.einsum("ij,ij->i", np.log(x)[:, None] * A, A), 0.0),
    "rows by x": lambda x: np.where(x > 0, (np.log(x)[:, None] * A) @ x, 0.0),
    "a stack": lambda x: np.where((x > 0)[:, None, None], (np.log(x)[:, None, None] * A) @ np.outer(x, x), 0.0),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("method", ["forward", "reverse"])
def test_nothing_leaks_through_a_product(name, method):
    x = np.array([0.0, 2.0, 3.0])
    found = dk.jacobian(ROWS[name], method=method)(x)
    above = np.where(x > 0, x, 1e-300)  # what the plain function takes, but for the row that is not taken
    expected = np.stack([np.ravel(_only_taken(name, above + 1e-100j * e)).imag / 1e-100 for e in np.eye(3)], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def _only_taken(name, z):
    """The same function of a complex point, the first row of its result zero."""
    rows = np.log(z)[:, None] * A
    result = {
        "rows by a vector": lambda: rows @ Z,
        "rows by rows": lambda: np.sum(rows * A, axis=1),
        "rows by x": lambda: rows @ z,
        "a stack": lambda: (np.log(z)[:, None, None] * A) @ np.outer(z, z),
    }[name]()
    result[0] = 0.0
    return result


@pytest.mark.parametrize(
    "name", ["log", "log in two steps", "reciprocal", "after gathering", "after matmul", "after a sum"]
)
@pytest.mark.parametrize("method", ["forward", "reverse"])
def test_second_derivatives_do_not_leak_either(name, method):
    f, _ = TRAPS[name]
    found = dk.hessian(lambda x: np.sum(f(x)), method=method)(Z)
    away = np.where(Z == 0, -0.5, Z) if name != "after matmul" else Z
    expected = (
        dk.hessian(lambda x: np.sum(f(x)), method="symbolic")(away) if name != "after a sum" else np.zeros((3, 3))
    )
    np.testing.assert_allclose(found[1:, 1:], expected[1:, 1:], rtol=1e-12, atol=1e-13)
    assert np.isfinite(found).all()


def test_float32_stays_behind_a_select():
    gradient = dk.grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0)))(Z.astype(np.float32))
    assert gradient.dtype == np.float32


# ---------------------------------------------------------------- random programs: both sweeps and complex steps

M = np.random.default_rng(2).normal(size=(4, 4)) / 2
SMOOTH = [
    np.sin,
    lambda x: x * x,
    lambda x: 1 / (2 + x * x),
    np.exp,
    lambda x: M @ x,
    lambda x: x[::-1],
    lambda x: x[[0, 0, 2, 1]],
    np.cumsum,
    lambda x: np.sum(x) * x,
    lambda x: np.concatenate([x[2:], x[:2] ** 3]),
    lambda x: np.outer(x, x) @ x / 4,
    lambda x: np.reshape(x, (2, 2)).T.ravel(),
    lambda x: x - np.mean(x),
    lambda x: np.linalg.solve(M + 3 * np.eye(4), x),
    lambda x: np.where(M[0] > 0, x, 2 * x),
    lambda x: np.prod(x[:3]) + x,
    lambda x: np.stack([x[0] * x[1], x[1] - x[2], x[2], x[3] ** 2]),
    lambda x: np.pad(x[1:3], 1),
    lambda x: np.roll(x, 1) * np.flip(x),
    lambda x: np.einsum("i,ij,j->i", x, M, x),
    lambda x: np.diff(x, prepend=x[:1]),
    lambda x: np.convolve(x, M[0], "same"),
]
PAIRS = [np.add, np.multiply, np.subtract, lambda x, y: x / (2 + y * y), lambda x, y: np.dot(x, y) * x]
ACTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(SMOOTH), st.integers(0, 5)),
        st.tuples(st.sampled_from(PAIRS), st.integers(0, 5), st.integers(0, 5)),
    ),
    min_size=1,
    max_size=6,
)


@given(ACTS, st.lists(st.floats(-1, 1), min_size=4, max_size=4))
@settings(max_examples=100)
def test_forward_reverse_and_complex_step_agree(acts, entries):
    def f(x):
        made = [x]
        for act, *operands in acts:
            made.append(act(*[made[-1 - k % len(made)] for k in operands]) / 2)
        return made[-1] + np.sin(made[0])

    x = np.array(entries)
    expected = np.stack([f(x + 1e-100j * unit).imag / 1e-100 for unit in np.eye(4)], axis=1)
    scale = max(1.0, np.abs(expected).max())
    for method in ("forward", "reverse"):
        np.testing.assert_allclose(dk.jacobian(f, method=method)(x), expected, rtol=1e-11, atol=1e-12 * scale)
