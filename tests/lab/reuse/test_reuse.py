"""Counts of the chain rule written out, against closed forms, against doing it, and against enumerated paths."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

import diffkit as dk
from diffkit.lab.reuse import Counts, expand, reuse

WEIGHTS = np.random.default_rng(0).standard_normal((5, 5))


def chain(depth: int) -> Any:
    """f1(f2(... fn(x)))."""

    def f(x: Any) -> Any:
        for _ in range(depth):
            x = np.sin(x)
        return x

    return f


def braid(depth: int) -> Any:
    """Each rung is used twice by the next."""

    def f(x: Any) -> Any:
        for _ in range(depth):
            x = np.sin(x) * np.cos(x)
        return x

    return f


def net(width: int, depth: int) -> Any:
    def f(x: Any) -> Any:
        for _ in range(depth):
            x = np.tanh(WEIGHTS[:width, :width] @ x)
        return np.sum(x)

    return f


SMALL = {
    "chain": (chain(6), 0.3),
    "braid": (braid(3), 0.3),
    "net": (net(3, 2), np.array([0.1, -0.4, 0.7])),
    "squares": (lambda x: np.sum(x * x), np.array([1.0, 2.0])),
    "scalar reads": (lambda x: x[0] * x[1] / np.exp(x[2] * x[0]), np.array([1.0, 2.0, -0.5])),
    "containers": (lambda p: np.sum(p["a"] * np.maximum(p["b"], 0)), {"a": np.ones(2), "b": np.array([1.0, -1.0])}),
    "several outputs": (lambda x: np.array([x[0] * x[1], np.sin(x[0])]), np.array([1.0, 2.0])),
    "one that is not used": (lambda x: np.sin(x[0]), np.array([1.0, 2.0])),
    "the identity": (lambda x: x[0], np.array([1.0, 2.0])),
    "a constant": (lambda x: 3.0, np.array([1.0, 2.0])),
    "a matrix function": (np.linalg.det, np.array([[2.0, 1.0], [0.0, 3.0]])),
    "a sort": (lambda x: np.sort(x) @ np.array([1.0, 10.0, 100.0]), np.array([3.0, 1.0, 2.0])),
}


@pytest.mark.parametrize("depth", [1, 2, 3, 10, 100])
def test_a_chain_without_reuse_evaluates_what_is_inside_again_for_every_factor(depth: int) -> None:
    found = reuse(chain(depth), 0.3)
    assert found.paths == (1,)
    assert found.written_out == Counts(depth * (depth - 1) // 2, depth, depth - 1, 0)
    assert found.values_kept == found.sweep == Counts(depth - 1, depth, depth - 1, 0)


def test_the_notes_example_evaluates_the_innermost_twice() -> None:
    assert reuse(lambda x: np.sin(np.exp(np.tanh(x))), 0.5).written_out.evaluations == 2 + 1


@pytest.mark.parametrize("depth", [1, 2, 5, 100, 1000])
def test_a_braid_has_two_to_the_depth_paths_and_a_sweep_passes_each_edge_once(depth: int) -> None:
    found = reuse(braid(depth), 0.3)
    assert found.paths == (2**depth,)
    assert found.values_kept.partials == 2 * depth * 2**depth
    assert found.values_kept.additions == 2**depth - 1
    assert found.sweep == Counts(3 * depth - 1, 4 * depth, 4 * depth - 2, depth)


@pytest.mark.parametrize(("width", "depth"), [*product([1, 2, 5], [1, 2, 4])])
def test_a_net_has_width_to_the_depth_paths_from_each_input(width: int, depth: int) -> None:
    found = reuse(net(width, depth), np.full(width, 0.1))
    assert found.paths == (width**depth,) * width
    assert found.values_kept.partials == (2 * depth + 1) * width ** (depth + 1)
    assert found.sweep.partials == depth * (width**2 + width) + width
    assert found.sweep.evaluations == 2 * depth * width


def test_layers_grow_the_expansion_by_a_factor_and_the_sweep_by_a_summand() -> None:
    counts = [reuse(net(5, depth), np.full(5, 0.1)) for depth in range(1, 6)]
    sweeps = [after.sweep.total - before.sweep.total for before, after in pairwise(counts)]
    assert len(set(sweeps)) == 1
    assert all(after.values_kept.total > 5 * before.values_kept.total for before, after in pairwise(counts))
    operations = [found.operations for found in counts]
    assert all(isinstance(number, int) for number in operations)
    assert max(operations) < 3 * counts[-1].sweep.total  # type: ignore[type-var,operator]


@pytest.mark.parametrize("keep_values", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_what_is_counted_is_what_is_done(name: str, keep_values: bool) -> None:  # noqa: FBT001
    f, x = SMALL[name]
    found = reuse(f, x)
    _, counts = expand(f, x, keep_values=keep_values)
    assert counts == (found.values_kept if keep_values else found.written_out)


GRADIENTS = {
    "chain": lambda x: _chain_gradient(x, 6),
    "squares": lambda x: 2 * x,
    "scalar reads": lambda x: np.array(
        [
            x[1] / np.exp(x[2] * x[0]) * (1 - x[0] * x[2]),
            x[0] / np.exp(x[2] * x[0]),
            -x[0] * x[0] * x[1] / np.exp(x[2] * x[0]),
        ]
    ),
    "several outputs": lambda x: np.array([x[1] + np.cos(x[0]), x[0]]),
    "one that is not used": lambda x: np.array([np.cos(x[0]), 0.0]),
    "the identity": lambda x: np.array([1.0, 0.0]),
    "a constant": np.zeros_like,
    "a matrix function": lambda x: np.linalg.det(x) * np.linalg.inv(x).T,
    "a sort": lambda x: np.array([100.0, 1.0, 10.0]),
}


def _chain_gradient(x: Any, depth: int) -> Any:
    gradient = 1.0
    for _ in range(depth):
        gradient, x = gradient * np.cos(x), np.sin(x)
    return gradient


@pytest.mark.parametrize("keep_values", [False, True])
@pytest.mark.parametrize("name", GRADIENTS)
def test_the_expansion_is_the_gradient(name: str, keep_values: bool) -> None:  # noqa: FBT001
    f, x = SMALL[name]
    found, _ = expand(f, x, keep_values=keep_values)
    np.testing.assert_allclose(found, GRADIENTS[name](x), rtol=1e-13)


def test_the_gradient_comes_back_in_the_containers_of_x() -> None:
    f, x = SMALL["containers"]
    found, _ = expand(f, x)
    np.testing.assert_array_equal(found["a"], [1.0, 0.0])
    np.testing.assert_array_equal(found["b"], [1.0, 0.0])


def test_a_net_of_two_layers_by_a_sum_over_all_paths_written_by_hand() -> None:
    f, x = SMALL["net"]
    W = WEIGHTS[:3, :3]
    one = np.tanh(W @ x)
    two = np.tanh(W @ one)
    by_hand = np.zeros(3)
    for i, j, k in product(range(3), repeat=3):
        by_hand[i] += W[j, i] * (1 - one[j] ** 2) * W[k, j] * (1 - two[k] ** 2)
    np.testing.assert_allclose(expand(f, x)[0], by_hand, rtol=1e-13)


def test_paths_are_those_that_an_enumeration_finds() -> None:
    def paths(node: str) -> int:  # of z = (x + y) * sin(x + y) - y * x
        after = {"x": ["s", "p"], "y": ["s", "p"], "s": ["m", "sin"], "sin": ["m"], "m": ["z"], "p": ["z"], "z": []}
        return 1 if node == "z" else sum(paths(following) for following in after[node])

    def f(v: Any) -> Any:
        s = v[0] + v[1]
        return s * np.sin(s) - v[1] * v[0]

    assert reuse(f, np.ones(2)).paths == (paths("x"), paths("y")) == (3, 3)


def test_an_expansion_that_explodes_is_refused_before_it_starts() -> None:
    with pytest.raises(dk.TooLargeError, match=r"takes .*e\+61 operations, more than the limit of 200,000"):
        expand(braid(100), 0.3)
    with pytest.raises(dk.TooLargeError, match="more than the limit of 10"):
        expand(braid(3), 0.3, limit=10)


@pytest.mark.parametrize("limit", [0, -1, "many", None])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(dk.InputError, match=r"limit=.*; it must be a positive number of operations"):
        expand(chain(2), 0.3, limit=limit)


def test_an_f_too_large_to_be_counted_one_by_one_is_refused() -> None:
    with pytest.raises(dk.TooLargeError, match=r"f takes .* operations, more than the 1,000,000"):
        reuse(lambda x: np.sum(np.outer(x, x)), np.ones(2000))


def test_what_cannot_be_traced_is_refused() -> None:
    with pytest.raises(dk.TracingError):
        reuse(lambda x: float(x[0]) * 2, np.ones(2))


def test_the_table_says_it() -> None:
    text = str(reuse(braid(100), 0.3))
    assert "1.267e+30" in text
    assert [line.split("  ")[0] for line in text.splitlines()[1:4]] == [
        "written out, no reuse",
        "values of f kept",
        "one return sweep",
    ]
