"""Arrays that f makes and fills in place: every write counts, in order, also through views."""
# ruff: noqa: PLW0108, PLW2901 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TracingError

X = np.array([0.3, -1.2, 2.5, 0.7, 1.1, -0.4])


def one_by_one(x):
    out = np.zeros(3, x.dtype)
    for i in range(3):
        out[i] = x[i] * x[i + 1]
    return out


def by_slices(x):
    out = np.ones(6, x.dtype)
    out[::2] = x[:3]
    out[-1:3:-1] = x[1:3] ** 2
    return out * x


def overlapping(x):
    out = np.zeros(6, x.dtype)
    out[1:4] = x[:3]
    out[2:6] = x[2:] ** 2
    out[3] = 7.0
    return out * x


def view_of_a_row(x):
    out = np.zeros((2, 3), x.dtype)
    row = out[0]
    row[1] = x[0] ** 2
    out[1] = x[:3]
    out[0, 1] += x[1]
    return np.concatenate([out.ravel(), row])


def view_of_a_view(x):
    out = np.zeros(6, x.dtype)
    out[2:][1:][0] = x[0] ** 2
    return out


def view_sees_later_writes(x):
    out = np.zeros(3, x.dtype)
    out[:] = x[0]
    tail = out[1:]
    out[2] = x[1]
    tail[0] = x[2] ** 2
    return np.concatenate([out, tail])


def alias(x):
    one = x * 1.0
    other = one
    one += x
    other *= 2
    return one * other


def copy_is_no_alias(x):
    one = x * 1.0
    other = one.copy()
    one *= x
    return one + other**3


def through_transpose(x):
    out = np.zeros((3, 2), x.dtype)
    out.T[0] = x[:3]
    out.transpose()[1, 2] = x[5] ** 2
    return out


def through_reshape(x):
    out = np.zeros((3, 2), x.dtype)
    out.reshape(-1)[3] = x[4] ** 2
    out.ravel()[0] = x[1]
    return out


def through_flat(x):
    out = np.zeros((2, 3), x.dtype)
    out.T.flat[1] = x[0] ** 2
    return out


def reshape_that_copies(x):
    out = np.zeros((2, 3), x.dtype)
    out.T.reshape(-1)[1] = x[0]  # NumPy copies here: nothing is written
    flat = out.T.ravel()
    out[0, 0] = x[1]
    return np.concatenate([out.ravel(), flat])


def through_split(x):
    out = np.zeros(6, x.dtype)
    left, right = np.split(out, 2)
    left[:] = x[:3]
    right[1] = x[0] ** 2
    return out


def through_swapped_and_new_axes(x):
    out = np.zeros((2, 1, 3), x.dtype)
    np.swapaxes(out, 0, 2)[1, 0] = x[:2]
    np.squeeze(out)[1, 2] = x[2]
    out[:, None, 0, 0] += x[3:5, None]
    np.flip(out, 2)[0, 0, 0] = x[5] ** 2
    return out


def row_by_row(x):
    out = np.zeros((3, 2), x.dtype)
    for k, row in enumerate(out):
        row += x[k] ** 2
    return out


def matrix_in_loops(x):
    out = np.zeros((2, 3), x.dtype)
    for i in range(2):
        for j in range(3):
            out[i, j] += x[i] * x[j]
            out[i, j] *= 2.0
    return out


def chained_brackets(x):
    out = np.zeros((2, 2), x.dtype)
    out[0][1] = x[0] ** 2
    out[1][:] = out[0][1] * x[1]
    return out


def recurrence(x):
    out = np.empty(6, x.dtype)
    out[0] = x[0]
    for i in range(1, 6):
        out[i] = np.sin(out[i - 1]) * x[i]
    return out[-1]


def fibonacci_by_slices(x):
    out = np.zeros(6, x.dtype)
    out[:2] = x[:2]
    for i in range(2, 6):
        out[i] = np.sum(out[i - 2 : i]) * x[i]
    return out


def running_sum(x):
    out = x.copy()
    for i in range(1, 6):
        out[i] += out[i - 1]
    return out**2


def shifted_onto_itself(x):
    out = x.copy()
    out[1:] = out[:-1]
    out[:2] += out[1:3]
    return out * x


def swapped(x):
    out = x.copy()
    out[[0, 1]] = out[[1, 0]]
    out[2], out[3] = out[3], out[2]
    return out * x


def by_integer_arrays(x):
    out = np.zeros(4, x.dtype)
    out[[0, 2, 0]] = x[:3]  # the last one wins
    out[[1, 1]] += x[3:5]  # and so it does here
    return out


def by_masks(x):
    out = x.copy()
    out[np.array([True, False] * 3)] = x[3:] ** 2
    out[x.real > 1] *= 3.0
    out[x.real < -1] = 0.0
    return out


def add_at(x):
    out = np.zeros(3, x.dtype)
    np.add.at(out, [0, 0, 2], x[:3] ** 2)
    np.subtract.at(out, np.array([1, 1]), x[3:5])
    return out


def with_out(x):
    out = np.zeros(6, x.dtype)
    np.exp(x, out=out)
    np.add(out, x, out=out)
    np.multiply(out[:2], 3.0, out=out[:2])
    np.copyto(out[2:4], x[:2])
    return out


def augmented(x):
    out = np.ones((2, 3), x.dtype)
    out *= x[:3]
    out += x[3:]
    out /= 2
    out **= 2
    out -= 1
    return out


def filled_and_sorted(x):
    out = np.zeros(6, x.dtype)
    out.fill(3.0)
    out *= x
    np.fill_diagonal(out[:4].reshape(2, 2), x[:2])
    return out


def own_copy_of_the_argument(x):
    x = x.copy()
    x[0] = 5.0
    x[1:] *= x[0]
    return x**2


def from_lists(x):
    out = [0.0] * 3
    out[0] = x[0]
    out[1] = x[1] ** 2
    return np.array(out)


def without_axes(x):
    total = np.zeros((), x.dtype)
    alias = total
    for entry in x:
        total += entry**2
    total[...] *= 2.0
    return total + alias


def broadcast_into(x):
    out = np.zeros((2, 2, 3), x.dtype)
    out[:, 0] = x[:3]
    out[..., 1] = x[0] ** 2
    out[1, None, 1] = x[3:]
    return out


def branches_on_what_it_wrote(x):
    out = np.zeros(6, x.dtype)
    for i in range(6):
        out[i] = x[i] ** 2
        if out[i].real > 1:
            out[i] = x[i]
    return out


FILLED = [
    one_by_one, by_slices, overlapping, view_of_a_row, view_of_a_view, view_sees_later_writes, alias,
    copy_is_no_alias, through_transpose, through_reshape, through_flat, reshape_that_copies, through_split,
    through_swapped_and_new_axes, row_by_row, matrix_in_loops, chained_brackets, recurrence, fibonacci_by_slices,
    running_sum, shifted_onto_itself, swapped, by_integer_arrays, by_masks, add_at, with_out, augmented,
    filled_and_sorted, own_copy_of_the_argument, from_lists, without_axes, broadcast_into, branches_on_what_it_wrote,
]  # fmt: skip


@pytest.mark.parametrize("f", FILLED, ids=lambda f: f.__name__)
def test_writes_count_as_in_numpy(f, agrees):
    agrees(f, X)


MAKERS = {
    "zeros": lambda: np.zeros(3),
    "zeros with a keyword": lambda: np.zeros(shape=(3,), dtype=float),
    "ones": lambda: np.ones(3),
    "empty": lambda: np.multiply(np.empty(3), 0.0),
    "full": lambda: np.full(3, 2.0),
    "full with a keyword": lambda: np.full(shape=3, fill_value=2.0),
    "zeros_like": lambda: np.zeros_like(OUTSIDE),
    "zeros_like of integers": lambda: np.zeros_like([1, 2, 3], dtype=float),
    "ones_like": lambda: np.ones_like(OUTSIDE),
    "full_like": lambda: np.full_like(OUTSIDE, 4.0),
    "array": lambda: np.array([1.0, 2.0, 3.0]),
    "array of an array": lambda: np.array(OUTSIDE),
    "copy": lambda: OUTSIDE.copy(),
    "np.copy": lambda: np.copy(OUTSIDE),
    "arithmetic": lambda: 2 * OUTSIDE,
    "arange": lambda: np.arange(3.0),
    "astype": lambda: np.arange(3).astype(float) + np.zeros(3),
    "linspace": lambda: np.linspace(0.0, 1.0, 3),
    "eye": lambda: np.eye(3)[0],
    "identity": lambda: np.identity(3)[:, 1],
    "concatenate": lambda: np.concatenate([np.zeros(2), np.ones(1)]),
    "repeat": lambda: np.repeat(0.5, 3),
    "tile": lambda: np.tile([0.5, 1.0, 2.0], 1),
    "diag": lambda: np.diag([1.0, 2.0, 3.0])[1],
    "copied from a library": lambda: np.array(np.random.default_rng(0).normal(size=3)),
}
OUTSIDE = np.array([0.5, 1.5, 2.5])


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_every_way_to_make_an_array_gives_one_that_takes_traced_values(make, agrees):
    def f(x):
        out = make()
        out[1] = x[0] ** 2
        return out

    before = make()
    agrees(f, np.array([1.5]), jacobian=[[0.0], [3.0], [0.0]])
    np.testing.assert_array_equal(make(), before)


@pytest.mark.parametrize("kind", [int, bool])
def test_plain_arrays_that_f_changes_between_uses_count_as_they_were(kind, agrees):
    def f(x):
        mark = np.zeros(3, dtype=kind)
        total = 0.0
        for i in range(3):
            mark[i] = 1
            total += np.sum(np.where(mark, x, 0.0)) + np.sum(x[mark.astype(bool)])
        return total

    agrees(f, X[:3], jacobian=[[6.0, 4.0, 2.0]])


def test_plain_arrays_of_the_user_that_f_changes_between_uses_count_as_they_were(agrees):
    class Settings:
        weights = np.array([1.0, 2.0])

    def f(x):
        weights = Settings.weights.tolist()
        plain = Settings.weights.view()
        first = np.sum(x * plain)
        plain *= 10.0
        second = np.sum(x * plain)
        Settings.weights[:] = weights
        return first + second

    for method in ("forward", "reverse"):
        np.testing.assert_array_equal(dk.jacobian(f, method=method)(np.ones(2)), [[11.0, 22.0]])


def test_a_new_array_each_time_f_is_called():
    def f(x):
        out = np.zeros(2)
        out[0] += x[0]
        return out

    plan = dk.get("reverse").prepare(f, X)
    for _ in range(2):
        np.testing.assert_array_equal(plan.value(X), [X[0], 0.0])


def test_the_argument_of_the_caller_is_never_changed():
    def f(x):
        x[0] = 7.0
        x *= 2
        return np.sum(x**2)

    x = X.copy()
    for method in ("finite-difference", "symbolic", "forward", "reverse"):
        gradient = dk.grad(f, method=method)(x)
        np.testing.assert_allclose(gradient, [0.0, *(8 * X[1:])], rtol=1e-6)
        np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("method", ["forward", "reverse", "mixed"])
def test_single_precision_stays_single_and_whole_numbers_are_cut_off(method):
    def f(x):
        out = np.zeros(3, np.float32)
        out[0] = x[0] ** 2
        out[1] = 3
        return out

    assert dk.jacobian(f, method=method)(np.ones(2, np.float32)).dtype == np.float32
    # The result keeps its dtype although x is wider; NumPy rounds what is written.
    assert dk.get(method).prepare(f, np.full(2, 0.1)).value(np.full(2, 0.1))[0] == np.float32(0.1**2)


def test_not_a_number_stays_where_it_was_written():
    def f(x):
        out = np.full(4, np.nan)
        out[1:3] = x[:2]
        return out

    plan = dk.get("reverse").prepare(f, X)
    np.testing.assert_array_equal(plan.value(X), [np.nan, X[0], X[1], np.nan])
    expected = np.zeros((4, 6))
    expected[1, 0] = expected[2, 1] = 1
    np.testing.assert_array_equal(plan.jacobian(X), expected)


# ---------------------------------------------------------------- what is refused


def test_writing_into_an_array_made_outside_is_refused_with_the_cure():
    made = np.zeros(3)

    def f(x):
        made[0] = x[0]
        return made

    with pytest.raises(TracingError, match=r"made outside of it; .* copy it inside f"):
        dk.jacobian(f)(X)
    np.testing.assert_array_equal(made, np.zeros(3))


def test_writing_into_a_plain_array_is_refused_with_the_cure():
    class Holder:
        made = np.zeros(3)

    def stores(x):
        Holder.made[0] = x[0]
        return np.sum(Holder.made)

    def adds(x):
        Holder.made += x[0]
        return np.sum(Holder.made)

    with pytest.raises(TracingError, match=r"storing it into a plain array; .* np\.zeros"):
        dk.grad(stores)(X)
    with pytest.raises(TracingError, match="out= is a plain array"):
        dk.grad(adds)(X)


def test_a_broadcast_array_is_read_only_as_in_numpy():
    def f(x):
        wide = np.broadcast_to(x, (2, 6))
        wide[0, 0] = 1.0
        return np.sum(wide)

    with pytest.raises(TracingError, match="broadcast array is read-only"):
        dk.grad(f)(X)


@pytest.mark.parametrize(("index", "message"), [(6, "out of bounds"), ((0, 0), "too many indices")])
def test_wrong_places_are_index_errors(index, message):
    def f(x):
        out = np.zeros(6)
        out[index] = x[0]
        return np.sum(out)

    with pytest.raises(IndexError, match=message):
        dk.grad(f)(X)
