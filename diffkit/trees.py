"""Nested containers of arrays <-> lists of arrays.

A plain array or number is its own only leaf, and costs nothing; anything else goes through optree, which is
imported when the first container is met. None is an empty container, as in JAX.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.ops import Recorded


class Structure:
    """How leaves make up a value: compare two of them, or put leaves back."""

    __slots__ = ("spec",)

    def __init__(self, spec: Any = None) -> None:
        self.spec = spec  # optree's; None for a bare leaf

    def unflatten(self, leaves: Sequence[Any]) -> Any:
        """Put leaves back into the containers."""
        return leaves[0] if self.spec is None else self.spec.unflatten(leaves)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and bool(self.spec == other.spec)

    def __hash__(self) -> int:
        return hash(self.spec)


LEAF = Structure()


def flatten(value: Any) -> tuple[list[Any], Structure]:
    """Take the leaves out of nested containers."""
    if isinstance(value, (np.ndarray, float, int, np.generic, Recorded)):
        return [value], LEAF
    import optree

    leaves, spec = optree.tree_flatten(value, none_is_leaf=True)
    return ([value], LEAF) if spec.is_leaf() else (list(leaves), Structure(spec))


def is_tuple(structure: Structure, count: int, least: int = 1) -> bool:
    """Whether so many leaves, at least so many, make up a plain tuple."""
    return count >= least and structure == _tuple(count)


@functools.cache
def _tuple(count: int) -> Structure:
    return flatten((0.0,) * count)[1]


def as_leaf(value: Any, what: str = "x") -> Any:
    """A leaf as a real array: integers become float64; anything else is refused."""
    if isinstance(value, Recorded):
        return value if value.dtype.kind == "f" else value.astype(np.float64)
    if type(value) is np.ndarray and value.dtype.kind == "f" and value.dtype.isnative:
        return value
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise InputError(
            f"{what} is an array with masked entries, and diffkit knows no masks; select the others with compressed(), "
            "or give the masked ones values with filled()"
        )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"{what} is no array: {error}; give numbers of one shape") from error
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if array.dtype.kind == "c":
        raise InputError(
            f"{what} is complex ({array.dtype}); diffkit differentiates functions of real numbers: "
            "pass real and imaginary parts as two arrays"
        )
    if array.dtype.kind != "f":
        raise InputError(
            f"{what} is {_described(value, array)}; give a real number, an array of them, or containers of arrays"
        )
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _described(value: Any, array: np.ndarray[Any, Any]) -> str:
    return "None" if value is None else f"a {type(value).__name__} of dtype {array.dtype}"


def total_size(leaves: Sequence[Any]) -> int:
    """How many entries all leaves have together."""
    return sum(math.prod(leaf.shape) for leaf in leaves)


def split(flat: Any, like: Sequence[Any]) -> list[Any]:
    """Cut the last axis of ``flat`` into pieces, each of the shape of a leaf."""
    pieces, start = [], 0
    for leaf in like:
        stop = start + math.prod(leaf.shape)
        pieces.append(flat[..., start:stop].reshape((*flat.shape[:-1], *leaf.shape)))
        start = stop
    return pieces


def join(leaves: Sequence[Any]) -> Any:
    """All entries of all leaves as one flat vector."""
    if len(leaves) == 1:
        (leaf,) = leaves
        return leaf.reshape(-1) if type(leaf) is np.ndarray else np.ravel(leaf)
    return np.concatenate([np.ravel(leaf) for leaf in leaves])


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """Apply a function to every leaf."""
    leaves, structure = flatten(value)
    return structure.unflatten([function(leaf) for leaf in leaves])
