"""The narrowest place of f: against all sets of steps tried one by one, and on shapes that people write."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffkit as dk
from diffkit import primitives as p
from diffkit.bottleneck import narrowest
from diffkit.graph import INPUT, Graph, Step

FLOAT = np.dtype(float)


def entries(graph, cut):
    return sum(int(np.prod(graph.steps[position].shape)) for position in cut)


def cuts(graph, cut, position=None):
    """Whether no path from an input reaches an output around a cut."""
    starts = graph.outputs if position is None else graph.steps[position].operands
    return all(operand in cut or (operand not in graph.inputs and cuts(graph, cut, operand)) for operand in starts)


@st.composite
def graphs(draw):
    """Up to seven steps that add up earlier ones, of one to five entries each."""
    count = draw(st.integers(3, 7))
    inputs = draw(st.integers(1, 2))
    steps = []
    for position in range(count):
        shape = (draw(st.integers(1, 5)),)
        earlier = st.lists(st.integers(0, position - 1), min_size=1, max_size=3)
        operands = tuple(draw(earlier)) if position >= inputs else ()
        steps.append(Step(p.add if operands else INPUT, operands, {}, shape, FLOAT))
    outputs = tuple(draw(st.sets(st.integers(inputs, count - 1), min_size=1, max_size=2)))
    return Graph(tuple(steps), tuple(range(inputs)), outputs)


@given(graphs())
def test_no_set_of_steps_cuts_at_fewer_entries(graph):
    found = narrowest(graph, [True] * len(graph.inputs))
    assert cuts(graph, found)
    every = (set(c) for k in range(len(graph.steps) + 1) for c in itertools.combinations(range(len(graph.steps)), k))
    assert entries(graph, found) == min(entries(graph, cut) for cut in every if cuts(graph, cut))


def places(f, *xs, wanted=None):
    graph = dk.get("reverse").prepare(f, *xs).function_graph
    return [(str(graph.steps[k].op), graph.steps[k].shape) for k in narrowest(graph, wanted or [True] * len(xs))]


INTO, OUT = np.ones((3, 40)), np.ones((50, 3))
X = np.linspace(0, 1, 40)


def test_one_step_between_inputs_and_outputs():
    assert places(lambda x: OUT @ np.sin(INTO @ x), X) == [("contract", (3,))]  # the first of two equal places


def test_two_branches_are_cut_in_both_though_each_opens_before_the_other_narrows():
    def f(x):
        first = np.tanh(OUT @ np.sum(x.reshape(4, 10), axis=1)[:3])
        return first * (OUT @ np.sin(INTO @ x))

    assert [shape for _, shape in places(f, X)] == [(3,), (3,)]


def test_what_goes_around_is_cut_too():
    assert sorted(places(lambda x: OUT @ (INTO @ x) * x[0], X)) == [("contract", (3,)), ("index", ())]


def test_the_ends_are_places_like_others():
    assert places(np.sin, X) == [("input", (40,))]
    assert places(lambda x: INTO @ x**2, X) == [("contract", (3,))]


@pytest.mark.parametrize(("wanted", "expected"), [([True, False], [("sum", ())]), ([False, True], [("input", (3,))])])
def test_only_paths_from_wanted_inputs_count(wanted, expected):
    assert places(lambda x, y: OUT @ (y * np.sum(x)), X, np.ones(3), wanted=wanted) == expected


def test_where_nothing_depends_on_the_inputs_there_is_nothing_to_cut():
    assert places(lambda x: OUT @ np.floor(x[:3]), X) == []


def test_a_thousand_reads_are_cut_at_the_input():
    """Each read is a path of its own: a flow of a thousand."""
    assert places(lambda x: np.array([np.sin(x[i]) * x[i - 1] for i in range(1000)]), np.ones(1000)) == [
        ("input", (1000,))
    ]
