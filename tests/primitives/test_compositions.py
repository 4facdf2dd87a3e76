"""Random programs: whatever rows are put together, all ways give the complex step of the program in plain NumPy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import diffkit as dk

A = 5
UNARY = [
    np.sin,
    np.cos,
    np.tanh,
    np.arctan,
    np.cumsum,
    lambda v: np.exp(-v * v),
    lambda v: np.log1p(v * v),
    lambda v: np.sqrt(2 + v),
    lambda v: (3 + v) ** -1.5,
    lambda v: 1 / (2 + np.sin(v)),
    lambda v: v - np.mean(v),
    lambda v: v[::-1] * v[2],
    lambda v: np.concatenate([v[3:], v[:3]]),
    lambda v: v[[0, 0, 4, 1, 4]],
    lambda v: np.where(np.arange(A) % 2 == 0, v, v * v),
    lambda v: np.linalg.inv(2 * np.eye(A) + np.outer(v, np.sin(v)) / 9) @ v.reshape(1, A).T[:, 0],
    lambda v: np.array([v[k] * v[k - 1] for k in range(A)]),
]
BINARY = [
    np.add,
    np.subtract,
    np.multiply,
    lambda v, w: v / (2 + w * w),
    lambda v, w: np.outer(v, w) @ np.cos(w),
    lambda v, w: v * np.dot(v, w),
    lambda v, w: np.max(np.real(v)) * 0 + np.prod(np.stack([v, w]), axis=0),
]
VALUE = st.integers(0, 30)
LINES = st.lists(st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), VALUE, VALUE), min_size=1, max_size=7)
POINTS = st.lists(st.floats(-1.5, 1.5), min_size=A, max_size=A, unique=True)


def program(lines):
    """A straight-line program; each line reads two earlier values and keeps its own between -1 and 1."""

    def f(x):
        values = [x]
        for which, left, right in lines:
            v, w = values[left % len(values)], values[right % len(values)]
            made = UNARY[which](v) if which < len(UNARY) else BINARY[which - len(UNARY)](v, w)
            values.append(made / (1 + np.mean(made * made)))
        return values[-1] + values[len(values) // 2]

    return f


def complex_step(f, x):
    return np.stack([np.imag(f(x + 1e-100j * unit)) / 1e-100 for unit in np.eye(A)], axis=1)


@settings(max_examples=150)
@given(LINES, POINTS)
def test_every_way_gives_the_complex_step(lines, point):
    f, x = program(lines), np.array(point)
    expected = complex_step(f, x)
    for method in ("forward", "reverse"):
        for engine in ("numpy", "interpreted"):
            found = dk.jacobian(f, method=method, engine=engine)(x)
            np.testing.assert_allclose(found, expected, atol=1e-11 * (1 + np.max(np.abs(expected))))


@settings(max_examples=80)
@given(LINES, POINTS)
def test_second_derivatives_are_the_complex_step_of_the_first(lines, point):
    f, x = program(lines), np.array(point)
    v, w = np.cos(np.arange(A)), np.sin(np.arange(A))
    slope = (complex_step(f, x + 1e-4 * v) - complex_step(f, x - 1e-4 * v)).T @ w / 2e-4
    for method in ("forward", "reverse"):
        found = dk.hvp(lambda x: np.sum(w * f(x)), method=method)(x, v)
        np.testing.assert_allclose(found, slope, atol=1e-5 * (1 + np.max(np.abs(slope))))
