"""The list of steps itself: leaves, levels, values, guards, and how long one step may take to record."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.graph import CONSTANT, INPUT, REFERENCE
from diffkit.tracing import Trace, current_trace, replay


def ops(graph):
    return [step.op.name for step in graph.steps]


def test_steps_are_recorded_in_order_with_static_shapes():
    trace = Trace()
    with trace.recording():
        x = trace.input(np.ones((3, 1)))
        y = np.sin(x) * np.ones(4)
    graph = trace.graph([y])
    assert ops(graph) == ["input", "sin", "reference", "multiply"]
    assert [step.shape for step in graph.steps] == [(3, 1), (3, 1), (4,), (3, 4)]
    np.testing.assert_array_equal(graph.evaluate(np.zeros((3, 1)))[0], np.zeros((3, 4)))


def test_numbers_become_constants_of_their_partners_dtype_and_equal_ones_are_shared():
    trace = Trace()
    with trace.recording():
        x = trace.input(np.ones(2, np.float32))
        y = x * 2.0 + 2.0
    assert y.dtype == np.float32
    constants = [step for step in trace.steps if step.op is CONSTANT]
    assert [(step.params["value"].item(), step.dtype) for step in constants] == [(2.0, np.float32)]


@pytest.mark.parametrize(("one", "other"), [(0.0, -0.0), (1.0, 1), (1.0, True)])
def test_constants_that_differ_in_sign_or_kind_are_kept_apart(one, other):
    trace = Trace()
    assert trace.constant(one).index != trace.constant(other).index
    assert trace.constant(one).index == trace.constant(one).index


def test_not_a_number_is_a_constant_like_others():
    trace = Trace()
    with trace.recording():
        y = trace.input(np.ones(2)) * np.nan
    assert np.isnan(trace.graph([y]).evaluate(np.ones(2))[0]).all()


def test_arrays_are_references_where_a_user_is_and_constants_where_a_rule_is():
    array = np.ones(2)
    for frozen, kind in ((False, REFERENCE), (True, CONSTANT)):
        trace = Trace(frozen=frozen)
        with trace.recording():
            trace.input(np.ones(2)) * array
        assert trace.steps[1].op is kind


def test_an_array_met_twice_is_one_reference():
    array = np.ones(2)
    trace = Trace()
    with trace.recording():
        x = trace.input(np.ones(2))
        x * array + array
    assert sum(step.op is REFERENCE for step in trace.steps) == 1


def test_values_are_computed_at_the_point_and_only_when_asked_for():
    trace = Trace()
    with trace.recording():
        x = trace.input(np.array([1.0, 2.0]))
        y = np.sum(x * 3.0)
        unused = np.sqrt(x)
    assert unused.index not in trace.values
    assert trace.value(y.index) == 9.0
    assert unused.index not in trace.values


def test_a_long_chain_of_values_needs_no_recursion():
    trace = Trace()
    with trace.recording():
        y = trace.input(np.float64(0.0))
        for _ in range(20_000):
            y = y + 1.0
    assert trace.value(y.index) == 20_000


def test_only_decisions_that_can_change_are_guards():
    trace = Trace()
    outside = np.array([1.0])
    with trace.recording():
        x = trace.input(np.float64(2.0))
        assert x > 1
        assert trace.constant(3.0) > 1
        assert trace.reference(outside)[0] > 0
        assert x > 1
    graph = trace.graph([x])
    kinds = [graph.steps[guard.position].op.name for guard in graph.guards]
    assert kinds == ["greater", "greater", "greater"]  # x twice (two steps) and the array, not the constant
    assert all(guard.expected.item() is True for guard in graph.guards)


def test_an_input_without_a_value_cannot_be_decided_upon():
    trace = Trace()
    with trace.recording():
        x = trace.abstract_input(np.empty(()))
        with pytest.raises(TracingError, match=r"a derivative rule asks for the value .* np\.where"):
            bool(x > 0)


def test_levels_and_references_between_traces():
    outer = Trace()
    with outer.recording():
        a = outer.input(np.float64(2.0))
        inner = Trace()
        with inner.recording():
            assert current_trace() is inner
            y = inner.input(np.float64(3.0)) * a * a
            assert y.level == 1
            assert inner.value(y.index) == 12.0
        assert current_trace() is outer
    assert current_trace() is None
    assert [step.op for step in inner.steps][:2] == [INPUT, REFERENCE]
    assert sum(step.op is REFERENCE for step in inner.steps) == 1
    assert ops(outer.graph([a])) == ["input"]


def test_the_innermost_trace_is_left_when_f_raises():
    trace = Trace()
    with pytest.raises(ZeroDivisionError), trace.recording():
        1 / 0  # noqa: B018 - what is tested
    assert current_trace() is None


def test_threads_do_not_see_each_others_traces():
    seen = []
    with Trace().recording():
        thread = threading.Thread(target=lambda: seen.append(current_trace()))
        thread.start()
        thread.join()
    assert seen == [None]


def test_replay_records_the_same_steps_on_other_arguments():
    trace = Trace()
    with trace.recording():
        x = trace.input(np.float64(2.0))
        y = np.exp(x) * x if x > 0 else x
    graph = trace.graph([y])
    again = Trace()
    with again.recording():
        argument = again.input(np.float64(5.0))
        steps = replay(again, graph, [argument])
    assert ops(again.graph([steps[graph.outputs[0]]])) == ops(graph)
    assert again.guards.keys() == trace.guards.keys()


def test_shapes_that_do_not_fit_name_the_op_and_the_shapes():
    trace = Trace()
    with trace.recording():
        x = trace.input(np.ones((2, 3)))
        with pytest.raises(TracingError, match=r"^multiply of shapes \(2, 3\), \(2,\)"):
            p.multiply(x, np.ones(2))


def test_recording_takes_few_steps_per_line_of_f():
    def steps(f, x):
        trace = Trace()
        with trace.recording():
            f(trace.input(x))
        return len(trace.steps)

    x = np.ones(100)
    assert steps(lambda x: [x[k] * x[k + 1] for k in range(99)], x) <= 1 + 3 * 99
    assert steps(lambda x: x.sum() / x.size + np.mean(x), x) <= 8
    assert steps(lambda x: np.concatenate([x, x, x]), x) <= 2
