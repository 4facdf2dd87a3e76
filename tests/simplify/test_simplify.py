"""A smaller graph is the same function: every rule, on ordinary and on special values, and random programs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import diffkit as dk
from diffkit import primitives as p
from diffkit.graph import CONSTANT, REFERENCE
from diffkit.ops import Span, Static
from diffkit.primitives.contracting import Spec
from diffkit.simplify import RULES, builder, seeds, simplify
from diffkit.tracing import Trace

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.0, 3e200, 5e-324])
X = np.array([[0.5, -1.25, 3.0], [2.0, 0.75, -0.125]])
ROW = Span(0, 3, 1, 3)
TWO_ROWS = ((0, ROW), (1, ROW))
ROWS_BY_ROWS = Spec("ab", "cb", "ac")


def graph_of(f, *inputs):
    """The steps that f records, as they come."""
    trace = Trace(frozen=True)
    with trace.recording():
        return trace.graph([f(*[trace.input(x) for x in inputs])])


def values(graph, *inputs):
    with np.errstate(all="ignore"):
        return graph.evaluate(*inputs)


@pytest.fixture
def fired(monkeypatch):
    """The names of the rules that gave an answer."""
    names = set()

    def watched(rule):
        def watch(*args):
            answer = rule(*args)
            if answer is not None:
                names.add(rule.__name__)
            return answer

        return watch

    monkeypatch.setattr(builder, "RULES", {op: [watched(rule) for rule in rules] for op, rules in RULES.items()})
    return names


def scattered(*pieces, shape=(3,), places=((0,), (1,))):
    return p.scatter(*pieces, shape=shape, places=places)


ROWS = [
    # rule                    what f does to x, entry by entry                          what is left of it
    ("multiply_numbers", lambda x: p.multiply(1.0, x), []),
    ("multiply_numbers", lambda x: p.multiply(x, -1.0), ["negative"]),
    ("multiply_numbers", lambda x: p.multiply(x, x), ["square"]),
    ("multiply_numbers", lambda x: p.multiply(2.0, p.multiply(x, -3.0)), ["multiply"]),
    (
        "multiply_multiples",
        lambda x: p.multiply(2.0, p.multiply(p.multiply(2.0, x), p.exp(x))),
        ["exp", "multiply", "multiply"],
    ),
    ("multiply_reciprocal", lambda x: p.multiply(p.exp(x), p.reciprocal(x)), ["divide", "exp"]),
    ("add_numbers", lambda x: p.add(x, 0.0), []),
    ("add_numbers", lambda x: p.add(x, x), ["multiply"]),
    ("add_numbers", lambda x: p.add(p.negative(x), p.exp(x)), ["exp", "subtract"]),
    ("add_multiples", lambda x: p.add(p.multiply(2.0, x), p.multiply(3.0, x)), ["multiply"]),
    ("add_multiples", lambda x: p.add(x, p.multiply(x, 4.0)), ["multiply"]),
    ("add_multiples", lambda x: p.add(p.exp(x), p.multiply(-2.0, x)), ["exp", "multiply", "subtract"]),
    ("add_multiples", lambda x: p.add(p.multiply(-2.0, x), p.exp(x)), ["exp", "multiply", "subtract"]),
    ("subtract_numbers", lambda x: p.subtract(x, 0.0), []),
    ("subtract_numbers", lambda x: p.subtract(0.0, x), ["negative"]),
    ("subtract_numbers", lambda x: p.subtract(p.exp(x), p.negative(x)), ["add", "exp"]),
    ("negative_of", lambda x: p.negative(p.subtract(x, p.exp(x))), ["exp", "subtract"]),
    ("negative_of", lambda x: p.negative(p.negative(x)), []),
    ("divide_numbers", lambda x: p.divide(x, 1.0), []),
    ("divide_numbers", lambda x: p.divide(1.0, x), ["reciprocal"]),
    ("divide_numbers", lambda x: p.divide(p.multiply(6.0, x), 2.0), ["multiply"]),
    (
        "divide_numbers",
        lambda x: p.multiply(2.0, p.divide(p.multiply(2.0, x), p.exp(x))),
        ["divide", "exp", "multiply"],
    ),
    ("power_small", lambda x: p.power(x, 1.0), []),
    ("power_small", lambda x: p.power(p.absolute(x), 0.5), ["absolute", "sqrt"]),
    ("power_small", lambda x: p.power(x, 2.0), ["square"]),
    ("power_small", lambda x: p.power(x, 3.0), ["multiply", "square"]),
    ("power_small", lambda x: p.power(x, -1.0), ["reciprocal"]),
    ("where_known", lambda x: p.where(np.True_, x, p.exp(x)), []),
    ("where_known", lambda x: p.where(np.zeros(1, bool), p.exp(x), x), []),
    ("where_known", lambda x: p.where(p.greater(x, 0.5), x, x), []),
    (
        "where_known",
        lambda x: p.where(p.greater(x, 0.5), p.where(p.greater(x, 0.5), x, p.exp(x)), 0.0),
        ["greater", "where"],
    ),
    ("greater_mask", lambda x: p.where(p.greater(p.where(p.less(x, 0.5), 1.0, 0.0), 0.0), x, 2.0), ["less", "where"]),
    ("convert_same", lambda x: p.convert(x, dtype=np.dtype(float)), []),
]
SHAPED = [
    ("sum_known", lambda x: p.sum_(p.reshape(x, shape=(2, 3, 1)), axis=(-1,)), []),
    ("sum_known", lambda x: p.sum_(p.multiply(2.0, x), axis=(-1,)), ["multiply", "sum"]),
    ("sum_known", lambda x: p.sum_(p.broadcast(p.sum_(x, axis=(-2, -1)), shape=(4,)), axis=(-1,)), ["multiply", "sum"]),
    ("contract_multiples", lambda x: p.contract(p.multiply(2.0, x), x, spec=ROWS_BY_ROWS), ["contract", "multiply"]),
    ("reshape_view", lambda x: p.reshape(p.reshape(x, shape=(6,)), shape=(3, 2)), ["reshape"]),
    ("reshape_view", lambda x: p.reshape(p.reshape(x, shape=(6,)), shape=(2, 3)), []),
    ("transpose_view", lambda x: p.transpose(x, axes=(-2, -1)), []),
    ("transpose_view", lambda x: p.transpose(p.transpose(x, axes=(-1, -2)), axes=(-1, -2)), []),
    ("broadcast_view", lambda x: p.broadcast(x, shape=(2, 3)), []),
    ("broadcast_view", lambda x: p.broadcast(p.broadcast(x, shape=(4, 2, 3)), shape=(5, 4, 2, 3)), ["broadcast"]),
    ("read_known", lambda x: p.index(x, place=(Span(0, 2, 1, 2), ROW)), []),
    (
        "read_known",
        lambda x: p.index(
            scattered(*[p.index(x, place=(k, ROW)) for k in (0, 1)], shape=(2, 3), places=TWO_ROWS), place=(1, ROW)
        ),
        ["index"],
    ),
    (
        "read_known",
        lambda x: p.gather(
            p.broadcast(p.sum_(x, axis=(-2, -1)), shape=(4,)), place=Static(np.array([0, 2])), shape=(4,)
        ),
        ["broadcast", "sum"],
    ),
    (
        "scatter_known",
        lambda x: scattered(x, np.zeros(3), shape=(3, 3), places=((Span(0, 2, 1, 2), ROW), (2, ROW))),
        ["scatter"],
    ),
    (
        "scatter_known",
        lambda x: scattered(x, p.exp(x), shape=(4, 3), places=((Span(0, 2, 1, 2), ROW),) * 2),
        ["add", "exp", "scatter"],
    ),
    ("scatter_known", lambda x: scattered(x, shape=(2, 3), places=((Span(0, 2, 1, 2), ROW),)), []),
]


def left_of(graph):
    return sorted(step.op.name for step in graph.steps if step.op.family != "leaf")


def check(fired, rule, f, left, x):
    graph = graph_of(f, x)
    small = simplify(graph)
    small.check()
    assert rule in fired
    assert left_of(small) == left
    (expected,), (found,) = values(graph, x), values(small, x)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)


@pytest.mark.parametrize(("rule", "f", "left"), ROWS)
def test_rule(rule, f, left, fired):
    check(fired, rule, f, left, SPECIAL)


@pytest.mark.parametrize(("rule", "f", "left"), SHAPED)
def test_rule_of_shapes(rule, f, left, fired):
    check(fired, rule, f, left, X)


@pytest.mark.parametrize(("rule", "f", "left"), ROWS)
def test_rules_keep_float32(rule, f, left):
    x = np.array([0.5, 2.0, -1.25], np.float32)
    graph = graph_of(lambda x: f(x) if rule != "convert_same" else x, x)
    assert simplify(graph).steps[-1].dtype == np.float32


def test_every_rule_has_a_row():
    rules = {rule.__name__ for listed in RULES.values() for rule in listed if rule.__module__ != seeds.__name__}
    assert rules == {rule for rule, _, _ in ROWS + SHAPED}


# ---------------------------------------------------------------- what rules must not do

KEPT = {
    "times zero": lambda x: p.multiply(0.0, x),
    "minus itself": lambda x: p.subtract(x, x),
    "over itself": lambda x: p.divide(x, x),
    "opposite multiples": lambda x: p.add(p.multiply(2.0, x), p.multiply(-2.0, x)),
    "unlike multiples": lambda x: p.subtract(p.multiply(2.0, x), p.multiply(3.0, x)),
    "to the power of zero": lambda x: p.power(x, 0.0),
    "huge numbers": lambda x: p.multiply(1e200, p.multiply(1e200, x)),
    "tiny numbers": lambda x: p.multiply(1e-200, p.multiply(1e-200, x)),
    "over a tiny number": lambda x: p.divide(p.multiply(2.0, x), 1e-308),
    "both zeros": lambda x: p.divide(1.0, p.multiply(np.array([0.0, -0.0, 0.0]), p.absolute(x[:3]))),
    "zeros of one sign": lambda x: p.divide(1.0, p.multiply(np.array([-0.0, -0.0, -0.0]), p.absolute(x[:3]))),
    "empty sum": lambda x: p.sum_(p.broadcast(p.multiply(np.inf, 1.0 + p.exp(x[0])), shape=(0,)), axis=(-1,)),
}


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("x", [SPECIAL, SPECIAL[::-1].copy(), np.full(9, 1e-200), np.full(9, -1e200)])
def test_special_values_stay(name, x):
    graph = graph_of(KEPT[name], x)
    np.testing.assert_array_equal(values(simplify(graph), x), values(graph, x))


def test_a_mask_times_one_is_a_number():
    """``(x == z) * 1.0`` is no multiple of a mask: its sum counts."""
    x = np.ones(4)
    graph = graph_of(lambda x: p.sum_(p.multiply(1.0, p.equal(x, 1.0)), axis=(-1,)), x)
    assert values(simplify(graph), x) == [4.0]


@pytest.mark.parametrize("f", [p.any_, p.all_])
def test_tests_over_axes_are_not_entrywise(f):
    graph = graph_of(
        lambda x: p.where(f(p.broadcast(p.greater(x, 0.0), shape=(2, 3)), axis=(-2, -1)), x, -1.0), 2.0 * X[0]
    )
    np.testing.assert_array_equal(values(simplify(graph), X[0]), values(graph, X[0]))


def test_the_sign_of_a_repeated_matrix():
    graph = graph_of(lambda x: p.detsign(p.broadcast(p.sum_(x, axis=(-2, -1)), shape=(1, 1))), X)
    np.testing.assert_array_equal(values(simplify(graph), X), values(graph, X))


def test_reading_a_piece_keeps_the_dtype_of_the_whole():
    narrow, wide = np.float32(1.5), np.float64(2.5)
    graph = graph_of(lambda x, y: p.index(scattered(x, y, shape=(2,)), place=(0,)), narrow, wide)
    assert simplify(graph).steps[-1].dtype == np.float64


def test_references_are_not_read():
    """What the user may change in place is neither folded nor known to be zero."""
    zeros, trace = np.zeros(3), Trace()
    with trace.recording():
        graph = trace.graph([p.multiply(p.add(trace.reference(zeros), 1.0), trace.input(X[0]))])
    small = simplify(graph)
    zeros += 2.0
    np.testing.assert_array_equal(values(small, X[0])[0], 3.0 * X[0])
    assert sum(step.op is REFERENCE for step in small.steps) == 1


# ---------------------------------------------------------------- sharing, folding, dropping


def test_equal_steps_are_one():
    graph = graph_of(lambda x: p.exp(p.sin(x)) * p.cos(p.sin(x)) + p.exp(p.sin(x)), X)
    assert left_of(simplify(graph)) == ["add", "cos", "exp", "multiply", "sin"]


def test_operands_may_change_places_where_they_may():
    graph = graph_of(lambda x: p.exp(x) * p.sin(x) + p.sin(x) * p.exp(x) - (p.sin(x) - p.exp(x)), X)
    assert left_of(simplify(graph)).count("multiply") == 2  # the product, and twice it


def test_constants_are_folded():
    graph = graph_of(lambda x: x + p.sum_(p.exp(np.ones(5)), axis=(-1,)), X)
    small = simplify(graph)
    assert left_of(small) == ["add"]
    assert [step.params["value"].item() for step in small.steps if step.op is CONSTANT] == [pytest.approx(5 * np.e)]


def test_folding_makes_no_large_constants():
    trace = Trace(frozen=True)
    with trace.recording():
        spread = p.broadcast(trace.constant(np.arange(300.0)), shape=(300, 300))
        graph = trace.graph([p.sin(trace.input(X[0, 0])) + p.exp(spread)])
    assert max(step.params["value"].size for step in simplify(graph).steps if step.op is CONSTANT) == 300


def test_what_nobody_reads_is_dropped_and_inputs_are_kept():
    small = simplify(graph_of(lambda x, y: (p.exp(y), p.sin(x))[1], X, X))
    assert left_of(small) == ["sin"]
    assert len(small.inputs) == 2


def test_guards_are_kept_unless_they_are_sure():
    trace = Trace(frozen=True)
    with trace.recording():
        x = trace.input(np.float64(2.0))
        _ = bool(x > 1.0), bool(trace.constant(2.0) > 1.0)
        graph = trace.graph([x * 3.0])
    small = simplify(graph)
    assert [small.steps[guard.position].op.name for guard in small.guards] == ["greater"]


def test_broadcast_operands_are_not_spread():
    graph = graph_of(lambda x: p.multiply(p.broadcast(x, shape=(50, 2, 3)), p.broadcast(2.0, shape=(50, 2, 3))), X)
    assert simplify(graph).operations.arithmetic == 6


# ---------------------------------------------------------------- random programs, in exact arithmetic

UNARY = [
    p.negative,
    p.square,
    p.absolute,
    lambda x: p.multiply(2.0, x),
    lambda x: p.multiply(x, -0.5),
    lambda x: p.divide(x, 2.0),
    lambda x: p.add(x, 0.0),
    lambda x: p.subtract(0.0, x),
    lambda x: p.subtract(1.0, x),
    lambda x: p.multiply(1.0, x),
    lambda x: p.reshape(p.reshape(x, shape=(6,)), shape=(2, 3)),
    lambda x: p.transpose(p.reshape(x, shape=(3, 2)), axes=(-1, -2)),
    lambda x: p.broadcast(p.reshape(p.sum_(x, axis=(-1,)), shape=(2, 1)), shape=(2, 3)),
    lambda x: p.broadcast(p.sum_(x, axis=(-2, -1)), shape=(2, 3)),
    lambda x: p.broadcast(p.index(x, place=(1, ROW)), shape=(2, 3)),
    lambda x: scattered(p.index(x, place=(1, ROW)), np.zeros(3), shape=(2, 3), places=TWO_ROWS),
    lambda x: p.gather(x, place=Static(np.array([[5, 0, 2], [2, 1, 1]])), shape=(2, 3)),
    p.stop,
]
BINARY = [
    p.add,
    p.subtract,
    p.multiply,
    p.maximum,
    p.minimum,
    lambda x, y: p.where(p.greater(x, y), x, y),
    lambda x, y: p.where(p.greater(p.where(p.less(x, y), 1.0, 0.0), 0.0), p.add(x, y), 0.0),
    lambda x, y: scattered(p.index(x, place=(0, ROW)), p.index(y, place=(1, ROW)), shape=(2, 3), places=TWO_ROWS),
    lambda x, y: scattered(
        p.index(x, place=(0, ROW)), p.index(y, place=(1, ROW)), shape=(2, 3), places=((1, ROW),) * 2
    ),
    lambda x, y: p.multiply(x, p.broadcast(p.sum_(y, axis=(-2,)), shape=(2, 3))),
    lambda x, y: p.contract(p.contract(x, y, spec=ROWS_BY_ROWS), y, spec=Spec("ab", "bc", "ac")),
]
ACTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(UNARY), st.integers(0, 9)),
        st.tuples(st.sampled_from(BINARY), st.integers(0, 9), st.integers(0, 9)),
    ),
    min_size=1,
    max_size=9,
)
ENTRIES = st.lists(st.sampled_from([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]), min_size=12, max_size=12)


@given(ACTS, ENTRIES, st.sampled_from([np.float64, np.float32]))
@settings(max_examples=400)
def test_random_programs_stay_equal(acts, entries, dtype):
    x, y = np.array(entries, dtype).reshape(2, 2, 3)

    def f(x, y):
        made = [x, y]
        for act, *operands in acts:
            made.append(act(*[made[-1 - k % len(made)] for k in operands]))
        return made[-1]

    graph = graph_of(f, x, y)
    assume(all(np.all(np.abs(value) < 2.0**20) for value in _all_values(graph, x, y)))  # no rounding in float64
    small = simplify(graph)
    small.check()
    (found,), (expected,) = values(small, x, y), values(graph, x, y)
    assert found.dtype == expected.dtype
    tolerance = 0 if dtype is np.float64 else 1e-3 * max(1.0, np.max(np.abs(expected)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def _all_values(graph, *inputs):
    everything = type(graph)(graph.steps, graph.inputs, tuple(range(len(graph.steps))))
    return values(everything, *inputs)


@pytest.mark.parametrize("f", [lambda x: np.sum(x) * x, lambda x: np.exp(x) / np.sum(np.exp(x))])
def test_entries_that_are_put_where_they_are_are_not_moved(f):
    graph = dk.get("reverse").prepare(f, np.ones(4)).graph
    scatters = [step for step in graph.steps if step.op.name == "scatter"]
    assert [step.shape for step in scatters] == [(16,)]  # the diagonal, and nothing else
