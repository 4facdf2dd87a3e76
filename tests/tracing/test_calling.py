"""One call of f: containers in, containers out, and what f may return."""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError
from diffkit.tracing import call_function, trace_function

X = np.array([1.0, 2.0])


def traced(f, *arrays, **options):
    return trace_function(f, arrays, lambda leaves: (tuple(leaves), {}), **options)


RESULTS = {
    "a number": (lambda x: x[0] * 2, [()]),
    "an array": (lambda x: np.outer(x, x), [(2, 2)]),
    "a list of numbers": (lambda x: [x[0], 1.0, x[1]], [(3,)]),
    "a list of arrays": (lambda x: [x, x[0]], [(2,), ()]),
    "a tuple": (lambda x: (x[0], x), [(), (2,)]),
    "a dictionary": (lambda x: {"b": x, "a": x[0]}, [(), (2,)]),
    "nested": (lambda x: {"a": [x, (x[0], x[1])]}, [(2,), (), ()]),
    "a plain number": (lambda x: 3.0, [()]),
    "a plain array": (lambda x: np.arange(3), [(3,)]),
    "a truth value": (lambda x: x > 1, [(2,)]),
    "an empty array": (lambda x: x[:0], [(0,)]),
}


@pytest.mark.parametrize(("f", "shapes"), RESULTS.values(), ids=RESULTS)
def test_what_f_may_return(f, shapes):
    found = traced(f, X)
    assert [leaf.shape for leaf in found.leaves] == shapes
    assert all(leaf.dtype == np.float64 for leaf in found.leaves)
    values = found.graph.evaluate(X)
    plain, leaves = call_function(f, [X], lambda leaves: (tuple(leaves), {}))
    assert plain.structure == found.structure
    for value, leaf in zip(values, leaves, strict=True):
        np.testing.assert_array_equal(np.asarray(value, float), np.asarray(leaf, float))


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, r"f returned None; .* \(a missing return\?\)"),
        ([], "empty container"),
        ({}, "empty container"),
        ("text", "the result of f is a str"),
        (1j, "the result of f is complex"),
        (np.array(["a"]), "the result of f is a ndarray of dtype <U1"),
        (np.sin, "the result of f is a ufunc"),
        ((x for x in ()), "the result of f is a generator"),
        ([None, 1.0], "None"),
    ],
)
def test_what_f_must_not_return(result, message):
    with pytest.raises(InputError, match=message):
        traced(lambda x: result, X)


def test_extra_results_are_kept_apart():
    found = traced(lambda x: (x**2, {"kept": x + 1, "more": x[0]}), X, has_aux=True)
    assert len(found.leaves) == 1
    assert len(found.graph.outputs) == 3
    value, extra = dk.jacobian(lambda x: (x**2, {"kept": x + 1}), has_aux=True)(X)
    np.testing.assert_array_equal(value, np.diag(2 * X))
    np.testing.assert_array_equal(extra["kept"], X + 1)


@pytest.mark.parametrize("f", [lambda x: x, lambda x: (x, x, x), lambda x: [x, x]])
def test_has_aux_needs_a_pair(f):
    with pytest.raises(InputError, match=r"has_aux=True, but f returned .* return \(result, extra\)"):
        traced(f, X, has_aux=True)


def test_a_black_box_gets_copies():
    kept = []

    def f(x):
        kept.append(x)
        x[0] = 9.0
        return x.sum()

    x = X.copy()
    _, (value,) = call_function(f, [x], lambda leaves: (tuple(leaves), {}))
    assert value == 11.0
    np.testing.assert_array_equal(x, X)
    assert kept[0] is not x


def test_f_sees_its_containers_and_keywords():
    def f(parameters, *, scale):
        assert set(parameters) == {"w", "b"}
        return np.sum(parameters["w"] ** 2) * scale + parameters["b"][0]

    gradient = dk.grad(f)({"w": X, "b": (3.0,)}, scale=2.0)
    np.testing.assert_array_equal(gradient["w"], 4 * X)
    assert gradient["b"] == (1.0,)


def test_errors_of_f_pass_through():
    def f(x):
        raise RuntimeError("f says so")

    with pytest.raises(RuntimeError, match="f says so"):
        dk.grad(f)(X)
