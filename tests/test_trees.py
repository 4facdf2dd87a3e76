"""Containers <-> leaves, and what is a leaf."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffkit import trees
from diffkit.errors import InputError

Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - the kind that users have
NESTED = st.recursive(
    st.integers() | st.floats(allow_nan=False) | st.none() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=8,
)


@given(NESTED)
def test_leaves_go_back_where_they_came_from(value: Any) -> None:
    leaves, structure = trees.flatten(value)
    assert structure.unflatten(leaves) == value
    again = trees.flatten(value)[1]
    assert structure == again
    assert hash(structure) == hash(again)
    assert not any(isinstance(leaf, (list, tuple, dict)) for leaf in leaves)


@pytest.mark.parametrize(
    ("one", "other"),
    [([1.0], (1.0,)), ({"a": 1.0}, {"b": 1.0}), ([1.0, 2.0], [1.0]), ([1.0], 1.0), (Pair(1, 2), (1, 2))],
)
def test_other_containers_are_another_structure(one: Any, other: Any) -> None:
    assert trees.flatten(one)[1] != trees.flatten(other)[1]


@pytest.mark.parametrize("value", [1.0, 2, np.float32(1), np.ones(2), None, "text", len])
def test_a_leaf_is_its_own_structure(value: Any) -> None:
    leaves, structure = trees.flatten(value)
    assert leaves[0] is value
    assert structure is trees.LEAF


def test_keys_of_a_dict_are_sorted_and_those_of_an_ordered_one_are_not() -> None:
    assert trees.flatten({"b": 1, "a": 2})[0] == [2, 1]
    assert trees.flatten(OrderedDict(b=1, a=2))[0] == [1, 2]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (2, float), (True, float), (2.5, float), (np.arange(3), float), (np.array([True]), float),
        (np.ones(2, np.float32), np.float32),
        (np.ones(2, np.float16), np.float16), (np.ones(2, np.longdouble), np.longdouble), (np.ones(2, ">f8"), float),
        (np.ones(2, ">i4"), float), ([1, 2], float), (np.uint8(3), float),
    ],
)  # fmt: skip
def test_numbers_become_real_arrays(value: Any, dtype: Any) -> None:
    leaf = trees.as_leaf(value)
    assert type(leaf) is np.ndarray
    assert leaf.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(leaf, value)


def test_a_real_array_is_taken_as_it_is() -> None:
    for array in (np.ones(2), np.ones((3, 3))[::2, ::-1], np.ones((2, 2), order="F")):
        assert trees.as_leaf(array) is array


class Named(np.ndarray):
    """A subclass of an array."""


def test_a_subclass_becomes_a_plain_array() -> None:
    leaf = trees.as_leaf(np.ones(2).view(Named))
    assert type(leaf) is np.ndarray


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "x is None; give a real number"),
        ("text", "x is a str of dtype <U4"),
        (1j, "complex .* pass real and imaginary parts as two arrays"),
        (np.ones(2, complex), "complex"),
        (np.array([1, None]), "ndarray of dtype object"),
        (np.array(["2020"], "M8[Y]"), "datetime64"),
        ({1.0}, "a set of dtype object"),
        (len, "builtin_function_or_method"),
        ([[1.0], [1.0, 2.0]], "is no array"),
        (np.ma.masked_array([1.0, 2.0], [False, True]), r"masked entries.*compressed\(\)"),
    ],
)
def test_what_is_no_real_array_says_what_to_give(value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        trees.as_leaf(value)


def test_a_mask_that_masks_nothing_is_no_matter() -> None:
    np.testing.assert_array_equal(trees.as_leaf(np.ma.masked_array([1.0, 2.0])), [1, 2])


@given(st.lists(st.lists(st.integers(0, 3), max_size=3), max_size=4))
def test_split_undoes_join(shapes: list[list[int]]) -> None:
    leaves = [np.random.default_rng(0).normal(size=shape) for shape in shapes]
    if leaves:
        flat = trees.join(leaves)
        assert flat.shape == (trees.total_size(leaves),)
        for leaf, part in zip(leaves, trees.split(flat, leaves), strict=True):
            np.testing.assert_array_equal(part, leaf)
        rows = np.stack([flat, 2 * flat])
        for leaf, part in zip(leaves, trees.split(rows, leaves), strict=True):
            np.testing.assert_array_equal(part, np.stack([leaf, 2 * leaf]))


def test_map_leaves() -> None:
    assert trees.map_leaves(lambda leaf: leaf + 1, {"a": [1, 2], "b": (3,)}) == {"a": [2, 3], "b": (4,)}
