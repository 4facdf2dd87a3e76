"""Structure instead of zeros: a Jacobian costs its entries, not a product with the identity matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffkit as dk
from diffkit.simplify import RULES, seeds

rng = np.random.default_rng(5)
W = rng.normal(size=(4, 6))
N = 6


def banded(x):
    """Three neighbours."""
    return np.concatenate([x[1:] * 2, [0 * x[0]]]) * x + np.sin(x)


FUNCTIONS = {  # which rules each one needs, forward and reverse together
    "elementwise": (lambda x: np.sin(x) * np.exp(-(x**2)) / (1 + x**2), {"identity", "multiplied"}),
    "over a number": (lambda x: x / np.sum(np.ones(3)), {"identity"}),
    "quotient": (lambda x: np.tanh(x) / (3.0 - x), {"multiplied"}),
    "sum of patterns": (lambda x: x[1:] * x[:-1], {"read", "added", "scattered"}),
    "reversed": (lambda x: x[::-1] ** 2 * x, {"read", "added"}),
    "gathered": (lambda x: x[[3, 1, 1]] * x[0], {"read"}),
    "reshaped": (lambda x: x.reshape(2, 3).T ** 2, {"reshaped", "transposed"}),
    "repeated": (lambda x: np.broadcast_to(x.reshape(2, 1, 3), (2, 2, 3)) ** 2, {"broadcast"}),
    "selected": (lambda x: np.where(x > 0, x**2, np.sin(x)), {"selected"}),
    "joined": (lambda x: np.concatenate([x[3:], x[:3] ** 2]), {"scattered"}),
    "summed": (lambda x: (x.reshape(2, 3) ** 2).sum(axis=0), {"summed"}),
    "matrix": (lambda x: np.tanh(W @ x), {"contracted"}),
    "part of a matrix": (lambda x: np.tanh(W[:, :4] @ x[2:]), {"contracted"}),
    "matrix behind": (lambda x: np.sin(x) @ W.T, {"contracted"}),
    "network": (lambda x: np.tanh(W @ np.sin(W.T @ np.tanh(W @ x))), {"contracted"}),
    "banded": (banded, {"added"}),
    "mixed": (lambda x: np.stack([x * 2, x[::-1] ** 2]).sum(axis=0) * x[0], {"scattered"}),
    "float32": (lambda x: (x.astype(np.float32) * 2).astype(float), {"changed"}),
    "outer": (lambda x: np.outer(x[:2], x[2:]), {"multiplied"}),
}


def rules_of_seeds():
    return {rule for listed in RULES.values() for rule in listed if rule.__module__ == seeds.__name__}


@pytest.mark.parametrize("method", ["forward", "reverse"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_jacobian_is_right(name, method):
    f, _ = FUNCTIONS[name]
    x = np.linspace(-0.8, 1.7, N)
    slope = lambda x, j: (f(x + 1e-5 * np.eye(N)[j]) - f(x - 1e-5 * np.eye(N)[j])) / 2e-5  # noqa: E731 - a column
    expected = np.stack([np.ravel(slope(x, j)) for j in range(N)], axis=1)
    tolerance = 1e-2 if name == "float32" else 1e-8
    for engine in ("numpy", "interpreted"):
        np.testing.assert_allclose(dk.jacobian(f, method=method, engine=engine)(x), expected, rtol=1e-7, atol=tolerance)


def test_every_rule_is_needed(monkeypatch):
    fired = set()
    for op, listed in list(RULES.items()):
        watched = []
        for rule in listed:

            def watch(b, operands, params, rule=rule):
                answer = rule(b, operands, params)
                if answer is not None:
                    fired.add(rule)
                return answer

            watched.append(watch)
        monkeypatch.setitem(RULES, op, watched)
    for name, (f, needed) in FUNCTIONS.items():
        fired.clear()
        for method in ("forward", "reverse"):
            dk.get(method).prepare(f, np.linspace(-0.8, 1.7, N))
        missing = needed - {rule.__name__ for rule in fired}
        assert not missing, name
    assert {rule.__name__ for rule in rules_of_seeds()} <= set().union(*(needed for _, needed in FUNCTIONS.values()))


@pytest.mark.parametrize("method", ["forward", "reverse"])
def test_a_matrix_is_scaled_not_multiplied(method):
    plan = dk.get(method).prepare(lambda x: np.tanh(W @ x), np.ones(N))
    assert plan.source.count("dot") == 1  # in f itself
    assert "eye" not in plan.source
    assert plan.operations.arithmetic <= plan.function_operations.arithmetic + W.size + 2 * len(W)


@pytest.mark.parametrize("method", ["forward", "reverse"])
def test_an_elementwise_map_costs_its_entries(method):
    counts = []
    for n in (10, 1000):
        plan = dk.get(method).prepare(lambda x: np.sin(x) * np.exp(-(x**2)), np.ones(n))
        counts.append(plan.operations.arithmetic + plan.operations.transcendental)
        assert plan.operations.moved == n * n  # zeroing the result
    assert counts[1] == 100 * counts[0]


def test_what_is_infinite_in_one_entry_stays_there():
    found = dk.jacobian(np.sqrt, method="forward")(np.array([0.0, 4.0]))
    np.testing.assert_array_equal(found, [[np.inf, 0.0], [0.0, 0.25]])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=8))
def test_random_programs_have_the_jacobian_of_the_complex_step(program):
    acts = [
        lambda a, b: a * b,
        lambda a, b: a + b,
        lambda a, b: a - 2.0 * b,
        lambda a, b: np.concatenate([a[2:], b[:2]]),
        lambda a, b: np.reshape(np.reshape(a, (2, 3)).T, (6,)) * b,
        lambda a, b: a / (2.0 + b * b),
        lambda a, _b: -a,
        lambda a, b: np.where(np.linspace(-1, 1, 6) > 0, a, b),
        lambda a, _b: W.T @ (W @ a),
        lambda a, b: a[[0, 0, 3, 1, 5, 2]] + b.sum(),
    ]

    def f(x):
        values = [x, np.sin(x), x[::-1], np.tanh(W.T @ (W @ x))]
        for kind, i, j in program:
            values.append(acts[kind](values[-1 - i % len(values)], values[-1 - j % len(values)]))
        return values[-1]

    x = np.linspace(0.1, 0.9, N)
    expected = np.stack([np.imag(f(x + 1e-30j * row)) / 1e-30 for row in np.eye(N)], axis=1)
    scale = max(1.0, np.max(np.abs(expected)))
    for method in ("forward", "reverse"):
        np.testing.assert_allclose(dk.jacobian(f, method=method)(x) / scale, expected / scale, atol=1e-11)
