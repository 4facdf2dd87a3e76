"""Two versions of backpropagation: one derivative, and the same graph once simplified."""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.explaining.backward import by_need, derivative_graph, swept
from diffkit.explaining.lines import Board, tidy
from diffkit.tracing import Trace


def board_of(f, *args):
    argnums = tuple(range(len(args)))
    graph = dk.get("reverse", engine="interpreted").prepare(f, *args, argnums=argnums).function_graph
    return Board(tidy(graph), [])


def recorded(board, version):
    """What a version records, before it is simplified."""
    trace = Trace(frozen=True)
    with trace.recording():
        _, found = swept(trace, board, [True] * len(board.graph.inputs), version)
        return trace.graph([found[position].value for position in board.graph.inputs])


def test_both_versions_give_the_same_graph(instance):
    board = board_of(instance.function, instance.point)
    first, second = (derivative_graph(board, [True], version) for version in "AB")
    assert str(first) == str(second)
    first.check()


@pytest.mark.parametrize("version", ["A", "B"])
def test_the_gradient_is_the_reference(instance, version):
    (found,) = derivative_graph(board_of(instance.function, instance.point), [True], version).evaluate(instance.point)
    expected = instance.jacobian(instance.point)[0]
    tolerance = max(1e-12, 100 * np.finfo(float).eps * instance.conditioning) * np.max(np.abs(expected))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_version_b_begins_with_zeros_and_version_a_does_not():
    board = board_of(lambda x: np.sin(x) + x * x, 0.5)
    sums = {version: [step.op.name for step in recorded(board, version).steps].count("add") for version in "AB"}
    # B: 0 + c for sin's line, x*x's line and twice for x, and the two slots of x*x; A: only the two sums
    assert sums["B"] > sums["A"]


def test_version_a_asks_each_rule_once_for_each_line_that_it_sends_to():
    board = board_of(lambda x, y: x * y, 2.0, 3.0)
    trace = Trace(frozen=True)
    with trace.recording():
        sweep, found = swept(trace, board, [True, True], "A")
    assert sorted(sweep.edges) == [(2, 0), (2, 1)]
    assert sorted(found) == [0, 1, 2]


def test_a_value_that_is_used_twice_collects_both_contributions():
    board = board_of(lambda x: np.sin(x) * np.exp(x), 0.7)
    for version in "AB":
        (found,) = derivative_graph(board, [True], version).evaluate(np.float64(0.7))
        assert found == pytest.approx(np.exp(0.7) * (np.sin(0.7) + np.cos(0.7)), rel=1e-14)


def test_what_nothing_depends_on_has_gradient_zero():
    board = board_of(lambda x, y: x * 2 + np.floor(y), 2.0, 3.0)
    for version in "AB":
        found = derivative_graph(board, [True, True], version).evaluate(np.float64(2.0), np.float64(3.0))
        assert [float(value) for value in found] == [2.0, 0.0]


def test_only_what_is_wanted_is_differentiated():
    board = board_of(lambda x, y: np.sin(x) * np.exp(y), 2.0, 3.0)
    graph = derivative_graph(board, [True, False], "B")
    assert len(graph.outputs) == 1
    assert graph.evaluate(np.float64(2.0), np.float64(3.0))[0] == pytest.approx(np.cos(2) * np.exp(3), rel=1e-14)


@pytest.mark.parametrize("version", ["A", "B"])
def test_no_nan_leaks_past_a_selection(version):
    x = np.array([-1.0, 0.0, 2.0])
    board = board_of(lambda x: np.sum(np.where(x > 0, np.log(x), 0.0)), x)
    with np.errstate(all="ignore"):
        (found,) = derivative_graph(board, [True], version).evaluate(x)
    np.testing.assert_array_equal(found, [0.0, 0.0, 0.5])


def test_by_need_keeps_results_and_order():
    trace = Trace(frozen=True)
    with trace.recording():
        x, y = trace.input(np.float64(2.0)), trace.input(np.float64(3.0))
        late, early = np.exp(y), np.sin(x)
        graph = trace.graph([early * late, late])
    ordered = by_need(graph)
    ordered.check()
    assert [step.op.name for step in ordered.steps] == ["input", "input", "sin", "exp", "multiply"]
    assert ordered.evaluate(2.0, 3.0) == graph.evaluate(2.0, 3.0)
