"""A graph of arrays as a graph of numbers: nodes, edges and partials, against what NumPy's functions do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk
from diffkit.lab.reuse.scalars import Scalars


def scalars(f: Any, x: Any) -> Scalars:
    graph = dk.get("reverse").prepare(f, x, product="value").function_graph
    assert graph is not None
    return Scalars.of(graph, [np.asarray(x)])


def test_a_number_used_twice_by_one_step_has_two_edges() -> None:
    found = scalars(lambda x: x * x, 3.0)
    (output,) = found.outputs
    first, second = found.edges[output]
    assert first.source == second.source == found.inputs[0]
    values = {first: 3.0, second: 3.0}
    assert found.value(output, values) == 9.0
    assert found.partial(output, first, values) == 3.0


def test_a_product_with_a_matrix_has_an_edge_per_entry_of_a_row() -> None:
    W = np.arange(6.0).reshape(2, 3)
    found = scalars(lambda x: W @ x, np.ones(3))
    for row, output in enumerate(found.outputs):
        edges = found.edges[output]
        assert [edge.source for edge in edges] == found.inputs
        values = dict.fromkeys(edges, 1.0)
        assert found.value(output, values) == W[row].sum()
        assert [found.partial(output, edge, values) for edge in edges] == W[row].tolist()


def test_what_only_moves_computes_nothing() -> None:
    found = scalars(lambda x: np.reshape(x, (2, 2)).T[1] * 2, np.arange(4.0))
    assert [sum(found.computes[node] for node in range(len(found.edges)))] == [2]


@pytest.mark.parametrize(
    ("f", "slope"),
    [(np.sin, np.cos), (np.exp, np.exp), (np.abs, np.sign), (lambda x: x**3, lambda x: 3 * x**2), (np.tan, None)],
)
def test_partials_are_those_of_calculus(f: Any, slope: Any) -> None:
    x = np.array([0.3, -0.8])
    found = scalars(f, x)
    expected = slope(x) if slope else 1 / np.cos(x) ** 2
    for j, output in enumerate(found.outputs):
        (edge,) = found.edges[output][:1]
        assert edge.source == found.inputs[j]
        assert found.partial(output, edge, {edge: x[j]}) == pytest.approx(expected[j])
