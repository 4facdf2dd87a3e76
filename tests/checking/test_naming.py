"""Entries are called as one would write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk


@pytest.mark.parametrize(
    ("x", "names"),
    [
        (1.0, ["x"]),
        (np.ones(2), ["x[0]", "x[1]"]),
        (np.ones((1, 2)), ["x[0, 0]", "x[0, 1]"]),
        ([np.ones(1), 2.0], ["x[0][0]", "x[1]"]),
        ({"W1": np.ones((2, 1)), "b1": 0.0}, ["W1[0, 0]", "W1[1, 0]", "b1"]),
        ({"two words": 1.0, "2": np.ones(1)}, ["x[2][0]", "x[two words]"]),
        ({"layers": [{"W": np.ones(1)}, {"W": np.ones(1)}]}, ["layers[0].W[0]", "layers[1].W[0]"]),
    ],
)
def test_a_wrong_entry_is_called_by_its_path_and_index(x: Any, names: list[str]) -> None:
    import optree

    def f(x: Any) -> Any:
        return sum(np.sum(np.asarray(leaf) * 2) for leaf in optree.tree_leaves(x))

    for j, name in enumerate(names):
        wrong = np.full(len(names), 2.0)
        wrong[j] = 3.0
        assert dk.check(f, x, wrong, raises=False).entry == name


def test_the_name_is_that_of_fs_first_argument() -> None:
    def f(theta: Any) -> Any:
        return np.sum(theta)

    assert dk.check(f, np.ones(2), np.array([1.0, 2.0]), raises=False).entry == "theta[1]"
    assert dk.check(np.exp, 1.0).entry in ("x", "args")  # NumPy's functions have no signature everywhere


def test_outputs_are_called_by_their_path_too() -> None:
    f: Any = lambda x: {"loss": np.sum(x), "parts": x * 2}  # noqa: E731
    wrong = np.array([[1.0, 1.0], [2.0, 0.0], [0.5, 2.0]])
    found = dk.check(f, np.ones(2), wrong, raises=False)
    assert (found.output, found.entry) == ("parts[1]", "x[0]")
