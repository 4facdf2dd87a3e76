from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit import costs
from diffkit.costs import Work


def graph(f, x):
    return dk.get("reverse").prepare(f, x, product="value").graph


def test_a_price_for_each_kind(monkeypatch):
    monkeypatch.setitem(costs.PRICES, "numpy", Work(*(10.0**k for k in range(8))))
    assert Work(1, 2, 3, 4, 5, 6, 7, 8).seconds("numpy") == 87654321


@pytest.mark.parametrize(
    ("f", "x", "calls", "numbers"),
    [
        (lambda x: np.sin(x) * 2, np.ones(3), 2, 0),
        (lambda x: np.sin(x) * 2, 1.0, 0, 2),
        (lambda x: np.sin(x[1:]), np.ones(3), 1, 1),  # a view costs what a number costs
        (np.sum, np.ones(3), 1, 0),
    ],
)
def test_statements_on_arrays_and_on_numbers(f, x, calls, numbers):
    counted = costs.work(graph(f, x))
    assert (counted.runs, counted.calls, counted.numbers) == (1, calls, numbers)


@pytest.mark.parametrize(
    ("f", "kind", "amount"),
    [
        (lambda x: x * 2, "flops", 100),
        (lambda x: np.ones((5, 100)) @ x, "products", 1000),
        (np.exp, "functions", 100),
        (np.sin, "slow", 100),
        (lambda x: np.hypot(x, 1.0), "slow", 100),
    ],
)
def test_kinds_of_work(f, kind, amount):
    counted = costs.work(graph(f, np.ones(100)))
    kinds = ("products", "flops", "functions", "slow")
    assert {name: getattr(counted, name) for name in kinds} == {**dict.fromkeys(kinds, 0), kind: amount}


def test_what_is_moved_only_is_bytes():
    counted = costs.work(graph(lambda x: np.where(np.arange(100) > 3, x, 0.0)[[2, 3, 5]], np.ones(100)))
    assert counted.bytes > 0 == counted.products + counted.functions + counted.slow


def test_a_run_is_priced_as_counted():
    made = graph(lambda x: np.sin(x) * 2, np.ones(1000))
    p = costs.PRICES["interpreted"]
    expected = p.runs + 2 * p.calls + 1000 * p.flops + 1000 * p.slow + (16000 + 16008) * p.bytes
    assert costs.run_seconds(made, "interpreted") == pytest.approx(expected, rel=1e-12)


def test_an_engine_that_was_not_fitted_ranks_like_numpy():
    assert costs.prices("another") is costs.PRICES["numpy"]


def test_a_sweep_grows_with_its_directions_and_with_f():
    small, large = (graph(lambda x: np.exp(x) * 3, np.ones(n)) for n in (10_000, 20_000))
    one, two, many = (costs.sweep(costs.work(small), k).seconds("numpy") for k in (1, 2, 1000))
    assert one < two < many
    assert costs.sweep(costs.work(large), 1000).seconds("numpy") / many == pytest.approx(2.0, rel=1e-3)
