"""Patterns: exact where ops are, never too small, and small to hold."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffkit as dk
from diffkit.sparsity import pattern_of


def found(f, x):
    plan = dk.get("forward").prepare(f, x, product="jvp")
    return pattern_of(plan.function_graph, (True,), 1)


MASK = np.array([True, False, True])


def rows(text):
    return text.split()


@pytest.mark.parametrize(
    ("f", "shape", "expected"),
    [
        (lambda x: np.sin(x) * x, (3,), "#.. .#. ..#"),
        (lambda x: x * x[0], (3,), "#.. ##. #.#"),
        (lambda x: x[1:] - x[:-1], (4,), "##.. .##. ..##"),
        (lambda x: np.pad(x, 1)[:-2] + x, (3,), "#.. ##. .##"),
        (lambda x: x[::-1], (3,), "..# .#. #.."),
        (lambda x: x[np.array([2, 0, 2])], (3,), "..# #.. ..#"),
        (lambda x: np.sum(x, axis=0), (2, 3), "#..#.. .#..#. ..#..#"),
        (lambda x: np.max(x, axis=1), (2, 3), "###... ...###"),
        (lambda x: x.T, (2, 3), "#..... ...#.. .#.... ....#. ..#... .....#"),
        (np.cumsum, (3,), "#.. ##. ###"),
        (lambda x: np.cumsum(x, axis=0), (2, 2), "#... .#.. #.#. .#.#"),
        (lambda x: np.sort(x, axis=1), (2, 2), "##.. ##.. ..## ..##"),
        (lambda x: x @ np.ones((2, 3)), (2, 2), "##.. ##.. ##.. ..## ..## ..##"),
        (lambda x: np.ones((1, 2)) @ x, (2, 2), "#.#. .#.#"),
        (lambda x: x[0] @ x[1], (2, 3), "######"),
        (lambda x: np.outer(x[:2], x[2:]), (4,), "#.#. #..# .##. .#.#"),
        (lambda x: np.where(MASK, x, 2 * x[::-1] + 1), (3,), "#.# .#. #.#"),  # a mask may be changed in place
        (lambda x: np.where(x > 0, x, x[::-1]), (3,), "#.# .#. #.#"),
        (lambda x: np.floor(x) + dk.constant(x) + x[0], (3,), "#.. #.. #.."),
        (np.linalg.inv, (2, 2), "#### #### #### ####"),
        (lambda x: np.zeros(2), (2,), ".. .."),
        (lambda x: x - np.mean(x), (3,), "### ### ###"),
        (lambda x: np.sum(x - np.mean(x)), (3,), "###"),
    ],
)
def test_patterns(f, shape, expected):
    x = np.linspace(1.0, 2.0, int(np.prod(shape))).reshape(shape) ** 2 + 1
    assert str(found(f, x)).split() == rows(expected)


def test_assigned_entries_forget_what_was_there():
    def f(x):
        y = x * 1.0
        y[0] = x[1] * x[2]
        y[2] = 3.0
        return y

    assert str(found(f, np.ones(3))).split() == rows(".## .#. ...")


def test_several_inputs_and_outputs_follow_each_other():
    def f(x, unused, y):
        return {"a": x * y[0], "b": np.sum(y) + 0 * unused}

    plan = dk.get("sparse").prepare(f, np.ones(2), 1.0, np.ones(2), argnums=(0, 2))
    assert str(plan.pattern).split() == rows("#.#. .##. ..##")


def test_a_row_that_all_entries_share_is_held_once():
    """Normalised inputs depend on everything: held as 10^12 entries they would not fit anywhere."""
    pattern = found(lambda x: np.sum((x - np.mean(x)) / np.linalg.norm(x)), np.ones(1_000_000))
    assert (pattern.shape, pattern.entries) == ((1, 1_000_000), 1_000_000)


def test_what_is_not_sparse_is_refused():
    with pytest.raises(dk.TooLargeError, match="1000000 x 1000000 matrix may be other than zero"):
        found(lambda x: x - np.mean(x), np.ones(1_000_000))


# ---------------------------------------------------------------- never too small

W = np.sin(np.arange(1.0, 26.0)).reshape(5, 5)
PIECES = [
    np.sin,
    np.cumsum,
    np.sort,
    np.diff,
    lambda v: v[::-1],
    lambda v: v[1::2],
    lambda v: v * v[-1],
    lambda v: np.pad(v, 1)[2:] + v,
    lambda v: np.concatenate([v, v[:1] ** 2]),
    lambda v: v[np.arange(7) * 3 % len(v)],
    lambda v: np.where(v > 0.3, v, v[::-1]),
    lambda v: np.where(np.arange(len(v)) % 3 == 0, v, 0.25),
    lambda v: (np.outer(v, v[:2]) + v[0]).sum(axis=1),
    lambda v: np.stack([v, v**2]).ravel(),
    lambda v: np.stack([v, np.roll(v, 1)]).max(axis=0),
    lambda v: W[:, : len(v[:5])] @ v[:5],
    lambda v: v - np.mean(v),
    lambda v: np.broadcast_to(v, (2, len(v))).T.ravel(),
    lambda v: np.linalg.solve(W + np.diag(np.resize(v, 5)), np.resize(v, 5)),
    lambda v: np.add.outer(v[:2], v).ravel(),
]


@given(
    chosen=st.lists(st.integers(0, len(PIECES) - 1), min_size=1, max_size=5),
    entries=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_f_reacts_to_is_in_the_pattern(chosen, entries, seed):
    """Plain NumPy, other inputs, large steps: an output that changes must have been expected to."""

    def f(x):
        return reduce(lambda v, k: PIECES[k](v) if 0 < v.size < 60 else v, chosen, x)

    rng = np.random.default_rng(seed)
    x = rng.normal(size=entries)
    value = f(x)
    if not value.size:
        return
    expected = found(f, x).matrix.toarray()
    for other in range(3):
        x = rng.normal(size=entries) * 2.0 ** (other - 1)
        for j in range(entries):
            moved = x.copy()
            moved[j] += rng.normal()
            changed = ~np.isclose(f(moved), f(x), rtol=1e-9, atol=1e-9)
            assert not np.any(changed & ~expected[:, j])


# ---------------------------------------------------------------- drawing


def test_drawings():
    from matplotlib.figure import Figure

    plan = dk.get("sparse").prepare(np.diff, np.ones(1001))
    assert len(str(plan.pattern).split()) == 64  # large matrices are drawn in groups
    assert all(line[k] == "#" for k, line in enumerate(str(plan.pattern).split()))
    ax = Figure().subplots()
    image = plan.pattern.plot(ax).get_array()
    assert image.shape == (500, 500)
    assert (np.diag(image) == 1).all()
    small = dk.get("sparse").prepare(np.diff, np.ones(4))
    drawn = small.colouring.plot(ax).get_array().filled(-1.0)
    np.testing.assert_array_equal(drawn < 0, [[0, 0, 1, 1], [1, 0, 0, 1], [1, 1, 0, 0]])
    assert all(set(row[row >= 0]) == {0.0, 1.0} for row in drawn)  # two directions, one for each entry of a row
