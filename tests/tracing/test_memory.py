"""Views and writes: what they cost, and any program of them."""
# ruff: noqa: PLW0108 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import diffkit as dk


def complex_step(f, x):
    shifts = np.eye(x.size) * 1e-100j
    return np.stack([np.imag(f(x + shift)) / 1e-100 for shift in shifts], axis=1)


X = np.array([0.3, -1.2, 2.5, 0.7, 1.1, -0.4])


# ---------------------------------------------------------------- counted cost


def scalar_loop(x):
    out = np.zeros(x.size)
    for i in range(x.size):
        out[i] = np.sin(x[i]) * x[i - 1]
    return np.sum(out)


def scalar_recurrence(x):
    state = np.zeros(x.size + 1)
    for i in range(x.size):
        state[i + 1] = state[i] * x[i] + 1.0
    return state[-1]


def accumulator(x):
    total = np.zeros(1)
    for i in range(x.size):
        total[0] += x[i] * x[i]
    return total[0]


def table(x):
    rows = np.zeros((x.size // 10, 10))
    for i in range(rows.shape[0]):
        for j in range(10):
            rows[i, j] = (rows[i, j - 1] if j else 1.0) * x[10 * i + j]
    return np.sum(rows[:, -1])


def window(x):
    state = np.zeros(x.size)
    state[:2] = x[:2]
    for i in range(2, x.size):
        state[i] = np.sum(state[i - 2 : i]) * x[i]
    return state[-1]


def trajectory(x):
    states = np.zeros((x.size // 4, 4))
    states[0] = x[:4]
    for k in range(1, len(states)):
        states[k] = states[k - 1] * x[4 * k : 4 * k + 4]
    return np.sum(states[-1])


def chained(x):
    rows = np.zeros((x.size // 10, 10))
    for i in range(len(rows)):
        for j in range(10):
            rows[i][j] = x[10 * i + j] * (rows[i][j - 1] if j else 1.0)
    return np.sum(rows)


LOOPS = [scalar_loop, scalar_recurrence, accumulator, table, window, trajectory, chained]


@pytest.mark.parametrize("f", LOOPS, ids=lambda f: f.__name__)
def test_reads_and_writes_of_single_entries_cost_as_much_as_there_are(f):
    counts = {}
    for size in (400, 4000):
        plan = dk.get("reverse").prepare(f, np.full(size, 0.9), product="gradient")
        counts[size] = plan.function_operations.total
        assert plan.operations.total <= 5 * counts[size]
    assert counts[4000] <= 10.5 * counts[400]
    assert counts[4000] <= 6 * 4000


# ---------------------------------------------------------------- any program of views and writes

VIEWS = [
    lambda a: a.T, lambda a: a[::-1], lambda a: a[..., 1:], lambda a: a[:1], lambda a: a[..., None], lambda a: a[0],
    lambda a: a.reshape(-1), lambda a: a.ravel(), lambda a: np.moveaxis(a, 0, -1), lambda a: a[..., ::2],
    lambda a: a.copy(), lambda a: np.atleast_2d(a), lambda a: a.reshape(a.shape[::-1]),
]  # fmt: skip
COMPUTED = [
    lambda a, s: a * s, lambda a, s: s + a.T, lambda a, s: np.exp(a[..., ::-1] * s), lambda a, s: np.copy(a.T),
    lambda a, s: np.sum(a[..., None] * np.ones(2), axis=-1), lambda a, s: np.broadcast_to(a, (2, *a.shape)).T * s,
]  # fmt: skip
small = st.integers(0, 5)
INSTRUCTIONS = st.one_of(
    st.tuples(st.just("view"), small, st.integers(0, len(VIEWS) - 1), small),
    st.tuples(st.sampled_from(["fill", "add", "entry", "scale", "cross", "compute", "join"]), small, small, small),
)


def spot(array, number):
    return tuple(int(k) for k in np.unravel_index(number % array.size, array.shape))


def made_of(what, target, number, other, source, x):
    """A new array, or None where the instruction writes."""
    if what == "view":
        made = VIEWS[number](target) if target.ndim else target
        return made if made.ndim and made.size else target
    if what == "compute":
        return COMPUTED[number](target, x[other])
    if what == "join":
        return target * 2.0 + source if target.shape == source.shape else np.where(target > 1.0, target, 0.5)
    return None


def write(what, target, number, other, source, x):
    if what == "fill":
        target[...] = x[number] ** 2
    elif what == "add":
        target += x[number]
    elif what == "scale":
        target[0] = target[-1] * x[number]
    elif what == "entry":
        target[spot(target, other)] = x[number]
    elif what == "cross":
        target[spot(target, number)] = source[spot(source, number + 1)] * x[other] + 1.0


def run_program(program, x):
    arrays = [np.zeros((2, 3), x.dtype)]
    for what, one, number, other in program:
        given = what, arrays[one % len(arrays)], number, other, arrays[other % len(arrays)], x
        made = made_of(*given)
        if made is None:
            write(*given)
        else:
            arrays.append(made)
    return np.concatenate([array.ravel() for array in arrays])


TURN, FIRST, RAVEL, COPY, AT_LEAST = 0, 3, 7, 10, 11


@example([("view", 0, TURN, 0), ("view", 1, AT_LEAST, 0), ("fill", 0, 0, 0)])  # a view though it is not contiguous
@example([("view", 0, TURN, 0), ("view", 1, FIRST, 0), ("view", 2, RAVEL, 0), ("fill", 0, 0, 0)])  # ravel copies
@example([("view", 0, TURN, 0), ("compute", 1, 0, 0), ("view", 2, RAVEL, 0), ("fill", 3, 0, 0)])  # in F order: a copy
@example([("view", 0, TURN, 0), ("view", 1, COPY, 0), ("view", 2, RAVEL, 0), ("fill", 3, 0, 0)])  # in C order again
@settings(max_examples=200)
@given(st.lists(INSTRUCTIONS, min_size=1, max_size=9))
def test_any_program_of_views_and_writes_is_numpy(program):
    plan = dk.get("reverse").prepare(lambda x: run_program(program, x), X)
    np.testing.assert_allclose(plan.value(X), run_program(program, X), rtol=1e-13, atol=1e-13)
    expected = complex_step(lambda x: run_program(program, x), X)
    np.testing.assert_allclose(plan.jacobian(X), expected, rtol=1e-12, atol=1e-12)
