from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.graph import Operations

MATRIX = np.ones((3, 10))


def counted(f, x):
    return dk.get("reverse").prepare(f, x, product="value").operations


@pytest.mark.parametrize(
    ("f", "shape", "expected"),
    [
        (np.sin, (10,), 2 * 80),  # reads 10 doubles, writes 10
        (lambda x: x[1:] * x[:-1], (11,), 3 * 80),  # the slices are views
        (lambda x: x * x, (10,), 2 * 80),  # one operand, read once
        (np.sum, (10,), 80 + 8),
        (lambda x: np.exp(x.reshape(2, 5).T), (10,), 2 * 80),  # so are reshapes and transposes
        (lambda x: MATRIX @ x, (10,), 240 + 80 + 24),
        (lambda x: x[[7, 7, 2]], (1000,), 2 * 24),  # reads what it takes, not the whole array
        (lambda x: x[2:5], (10,), 0),
    ],
)
def test_traffic_is_what_the_steps_read_and_write(f, shape, expected):
    assert counted(f, np.ones(shape)).bytes == expected


def test_bytes_follow_the_dtype():
    assert counted(np.sin, np.ones(10, np.float32)).bytes == 2 * 40


def test_operations_by_kind():
    found = counted(lambda x: np.sin(x) * x + x[[0, 0, 0]], np.ones(3))
    assert (found.flops, found.arithmetic, found.transcendental) == (6, 6, 3)
    assert found.total == found.arithmetic + found.transcendental + found.moved


def test_operations_add_up_and_multiply():
    one = Operations(arithmetic=1, transcendental=2, moved=3, bytes=40)
    assert one + one == one * 2 == Operations(2, 4, 6, 80)


def test_operations_read_as_a_sentence():
    words = "3,006 operations (3,000 arithmetic, 2 transcendental, 4 moved), 8,000 bytes"
    assert str(Operations(3000, 2, 4, 8000)) == words
