"""What every layout must be, on random graphs: the rules are checked on coordinates, not against another layout."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffkit.explaining.drawing.layout import TRUNK, Size, place

GAP, BORDER = 0.3, 0.25


@st.composite
def graphs(draw):
    """Sizes and edges of a graph whose edges lead from lower to higher numbers; some nodes read one twice."""
    count = draw(st.integers(1, 14))
    sizes = [Size(*draw(st.tuples(*[st.floats(0.1, 2.0)] * 3))) for _ in range(count)]
    edges = [(start, end) for end in range(1, count) for start in draw(st.lists(st.integers(0, end - 1), max_size=3))]
    return sizes, edges


def spots(layout, sizes, edges):
    """Middle and reach of all that stands in or passes each column: nodes, and one trunk for each start."""
    found = defaultdict(dict)
    for node, size in enumerate(sizes):
        found[layout.layers[node]]["node", node] = (layout.heights[node], size)
    for (start, _), passed in zip(edges, layout.passed, strict=True):
        for column, height in enumerate(passed, layout.layers[start] + 1):
            found[column]["trunk", start] = (height, TRUNK)
    return [sorted(column.values(), key=lambda spot: spot[0]) for column in found.values()]


@given(graphs())
def test_a_layout_keeps_its_rules(graph):
    sizes, edges = graph
    layout = place(sizes, edges, gap=GAP, border=BORDER)
    assert all(layout.layers[start] < layout.layers[end] for start, end in edges)
    for node, size in enumerate(sizes):
        left, right = layout.columns[layout.layers[node]]
        assert right - left >= size.width - 1e-12
    assert all(after[0] - before[1] == pytest.approx(GAP) for before, after in pairwise(layout.columns))
    for column in spots(layout, sizes, edges):
        for (y, upper), (next_y, lower) in pairwise(column):
            assert next_y - y >= upper.below + lower.above - 1e-7
    for (start, end), passed, port in zip(edges, layout.passed, layout.ports, strict=True):
        assert len(passed) == layout.layers[end] - layout.layers[start] - 1
        assert abs(port) <= BORDER / 2


def test_one_trunk_serves_all_readers_of_a_node():
    edges = [(0, 1), (1, 2), (2, 3), (0, 2), (0, 3)]
    layout = place([Size(1.0, 0.3, 0.3)] * 4, edges, gap=GAP, border=BORDER)
    assert layout.passed[3] == layout.passed[4][:1]


def test_edges_that_arrive_at_one_node_arrive_apart():
    layout = place([Size(1.0, 0.3, 0.3)] * 4, [(0, 3), (1, 3), (2, 3)], gap=GAP, border=BORDER)
    ordered = sorted(zip([layout.heights[node] for node in range(3)], layout.ports, strict=True))
    ports = [port for _, port in ordered]
    assert ports == sorted(ports)
    assert len(set(ports)) == 3
    assert sum(ports) == pytest.approx(0.0)


def test_a_chain_is_level():
    layout = place([Size(1.0, 0.3, 0.3)] * 6, [(k, k + 1) for k in range(5)], gap=GAP, border=BORDER)
    assert layout.heights == pytest.approx([layout.heights[0]] * 6)


def test_what_has_no_operand_stands_right_before_its_reader():
    layout = place([Size(1.0, 0.3, 0.3)] * 5, [(0, 1), (1, 2), (2, 4), (3, 4)], gap=GAP, border=BORDER)
    assert layout.layers == [0, 1, 2, 2, 3]
