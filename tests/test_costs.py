from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit import costs
from diffkit.costs import Prices, Statements
from diffkit.graph import Operations


def graph(f, x):
    return dk.get("reverse").prepare(f, x, product="value").graph


def test_a_price_for_each_kind():
    prices = Prices(run=1.0, call=10.0, number=100.0, flop=1e3, function=1e4, byte=1e5)
    assert prices.seconds(Statements(2, 3), Operations(4, 5, 6, 7)) == 1 + 20 + 300 + 4e3 + 5e4 + 7e5


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: np.sin(x) * 2, np.ones(3), Statements(2, 0)),
        (lambda x: np.sin(x) * 2, 1.0, Statements(0, 2)),
        (lambda x: np.sin(x[1:]), np.ones(3), Statements(1, 1)),  # a view costs what a number costs
        (np.sum, np.ones(3), Statements(1, 0)),
    ],
)
def test_statements_on_arrays_and_on_numbers(f, x, expected):
    assert costs.statements(graph(f, x)) == expected


def test_a_run_is_priced_as_counted():
    made = graph(lambda x: np.sin(x) * 2, np.ones(1000))
    p = costs.PRICES["interpreted"]
    expected = p.run + 2 * p.call + 1000 * p.flop + 1000 * p.function + (16000 + 16008) * p.byte
    assert costs.run_seconds(made, "interpreted") == pytest.approx(expected, rel=1e-12)


def test_an_engine_that_was_not_fitted_ranks_like_numpy():
    assert costs.prices("another") is costs.PRICES["numpy"]


def test_a_sweep_grows_with_its_directions_and_with_f():
    small, large = (graph(lambda x: np.exp(x) * 3, np.ones(n)) for n in (10_000, 20_000))
    one, two, many = (costs.sweep_seconds(small, k) for k in (1, 2, 1000))
    assert one < two < many
    assert costs.sweep_seconds(large, 1000) / many == pytest.approx(2.0, rel=1e-3)
