"""Names of arguments: f's own, given ones, and paths in containers."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import diffkit as dk


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x, z: x * z, ["x", "z"]),
        (lambda *values: values[0] * values[1], ["x1", "x2"]),
        (lambda first, *rest: first * rest[0], ["first", "x2"]),
        (functools.partial(lambda a, b, c: a * b * c, 1.0), ["b", "c"]),
        (np.multiply, ["x1", "x2"]),
    ],
)
def test_what_f_calls_its_arguments(f, expected):
    assert list(dk.explain(f, 2.0, 3.0).gradient) == expected


def test_names_for_arguments_and_for_entries():
    assert list(dk.explain(lambda x, z: x * z, 2.0, 3.0, names=("a", "b")).gradient) == ["a", "b"]
    assert list(dk.explain(lambda x: x[0] * x[1], np.ones(2), names="a, b").gradient) == ["a", "b"]
    assert list(dk.explain(lambda x: x @ x, np.ones(2), names=["v"]).gradient) == ["v"]


def test_an_array_read_as_a_whole_keeps_its_name_beside_those_of_its_entries():
    found = dk.explain(lambda x: np.sum(x) * x[0], np.array([2.0, 3.0]), names="a b")
    assert found.gradient == {"a": 7.0, "b": 2.0}
    assert "t = sum(x)" in str(found)


def test_arguments_that_are_no_arrays_have_no_name():
    found = dk.explain(lambda x, power, kind: x**power if kind == "up" else x, 2.0, 3, "up", argnums=0)
    assert list(found.gradient) == ["x"]
    assert float(found.gradient["x"]) == 12.0


def test_an_array_that_f_reads_loses_its_name_to_an_argument():
    x = np.array([1.0, 2.0])

    def f(y):
        return y @ x

    assert "J = yᵀ x" in str(dk.explain(f, np.ones(2)))
    assert "J = xᵀ A" in str(dk.explain(f, np.ones(2), names=["x"]))
