"""Arguments of f <-> the arrays that are a graph's inputs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from diffkit import trees
from diffkit.errors import InputError, is_whole
from diffkit.ops import Recorded


class Fixed(NamedTuple):
    """An argument that is no array (a string, a function, None): part of the signature."""

    value: Any


class Spec(NamedTuple):
    """Shape and dtype of an argument that is an array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class Layout:
    """How arrays make up the arguments: the signature that a derivative is prepared for.

    Attributes
    ----------
    structures
        Containers of each positional argument, then of the keyword arguments if there are any.
    leaves
        What each leaf is, in order.
    counts
        How many leaves each argument has.
    argnums, single
        The arguments to differentiate by; whether one was asked for, or a tuple.
    keywords
        Whether the last structure is that of keyword arguments.
    """

    structures: tuple[trees.Structure, ...]
    leaves: tuple[Spec | Fixed, ...]
    counts: tuple[int, ...]
    argnums: tuple[int, ...]
    single: bool
    keywords: bool

    def __str__(self) -> str:
        leaves = [f"{leaf.dtype} {leaf.shape}" if isinstance(leaf, Spec) else repr(leaf.value) for leaf in self.leaves]
        plain = all(structure is trees.LEAF for structure in self.structures)
        return ", ".join(leaves) + ("" if plain else " in containers")

    @property
    def wanted(self) -> tuple[bool, ...]:
        """For each array, whether f is differentiated by it."""
        flags: list[bool] = []
        start = 0
        for number, count in enumerate(self.counts):
            part = self.leaves[start : start + count]
            flags += [number in self.argnums for leaf in part if isinstance(leaf, Spec)]
            start += count
        return tuple(flags)

    @functools.cached_property
    def plain(self) -> list[Spec] | None:
        """Shapes and dtypes where each argument is an array by itself; None where one is anything else."""
        alone = all(structure is trees.LEAF for structure in self.structures)
        return self.specs if alone and len(self.specs) == len(self.structures) else None

    @property
    def specs(self) -> list[Spec]:
        """Shapes and dtypes of all arrays."""
        return [leaf for leaf in self.leaves if isinstance(leaf, Spec)]

    def rebuild(self, arrays: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Put arrays (or tracers) back into the arguments of f."""
        supply = iter(arrays)
        leaves = [leaf.value if isinstance(leaf, Fixed) else next(supply) for leaf in self.leaves]
        values, start = [], 0
        for structure, count in zip(self.structures, self.counts, strict=True):
            values.append(structure.unflatten(leaves[start : start + count]))
            start += count
        return (tuple(values[:-1]), values[-1]) if self.keywords else (tuple(values), {})

    def like_wanted(self, arrays: Sequence[Any]) -> Any:
        """Put one array per wanted leaf into the containers of the arguments differentiated by."""
        parts: dict[int, Any] = {}
        start = 0
        for number in sorted(self.argnums):
            stop = start + self.counts[number]
            parts[number] = self.structures[number].unflatten(list(arrays[start:stop]))
            start = stop
        return parts[self.argnums[0]] if self.single else tuple(parts[number] for number in self.argnums)

    def from_wanted(self, value: Any, what: str) -> list[Any]:
        """Take the leaves out of a value that is built like the arguments differentiated by."""
        parts = (value,) if self.single else value
        if not isinstance(parts, (tuple, list)) or len(parts) != len(self.argnums):
            raise InputError(f"{what} must be a tuple with one part for each of argnums={self.argnums}")
        given = dict(zip(self.argnums, parts, strict=True))
        leaves: list[Any] = []
        for number in sorted(self.argnums):
            part, structure = trees.flatten(given[number])
            if structure != self.structures[number]:
                raise InputError(
                    f"{what} is not built like argument {number} of f; give the same containers, with arrays of the "
                    "same shapes"
                )
            leaves += part
        specs = [spec for spec, flag in zip(self.specs, self.wanted, strict=True) if flag]
        return [fitted(leaf, spec, what) for leaf, spec in zip(leaves, specs, strict=True)]


def fit(args: Sequence[Any], specs: Sequence[Spec]) -> bool:
    """Whether arguments are plain arrays of these shapes and dtypes."""
    if len(args) != len(specs):
        return False
    for x, (shape, dtype) in zip(args, specs, strict=True):  # a loop: this stands before every call
        if type(x) is not np.ndarray or x.shape != shape or x.dtype != dtype:
            return False
    return True


def fitted(leaf: Any, spec: Any, what: str) -> Any:
    """A direction's leaf as an array of the given shape and dtype."""
    array = trees.as_leaf(leaf, what)
    if tuple(array.shape) != tuple(spec.shape):
        raise InputError(f"{what} has shape {tuple(array.shape)}; it must have shape {tuple(spec.shape)}")
    return array if array.dtype == spec.dtype else array.astype(spec.dtype)


def numbered(argnums: Any) -> tuple[tuple[int, ...], bool]:
    """Argument numbers as a tuple, and whether one was asked for instead of several."""
    single = is_whole(argnums)
    numbers = (argnums,) if single else argnums
    if not isinstance(numbers, (tuple, list)) or not numbers or not all(map(is_whole, numbers)):
        raise InputError(
            f"argnums={argnums!r}; give the position of an argument, or a tuple of positions (0 is the first)"
        )
    return tuple(int(number) for number in numbers), single


def take(
    args: tuple[Any, ...], kwargs: dict[str, Any], argnums: tuple[int, ...], *, single: bool
) -> tuple[list[Any], Layout]:
    """Take the arrays out of the arguments, and remember how they were put together."""
    numbers = tuple(_checked(number, len(args)) for number in argnums)
    if len(set(numbers)) < len(numbers):
        raise InputError(f"argnums={argnums} names an argument twice; name each once")
    values = [*args, kwargs] if kwargs else list(args)
    arrays: list[Any] = []
    leaves: list[Spec | Fixed] = []
    structures, counts = [], []
    for number, value in enumerate(values):
        parts, structure = trees.flatten(value)
        structures.append(structure)
        counts.append(len(parts))
        if number in numbers and not parts:
            raise InputError(f"argument {number} of f is an empty container; there is nothing to differentiate by")
        for part in parts:
            array = trees.as_leaf(part, f"argument {number} of f") if number in numbers else _other(part)
            if isinstance(array, Fixed):
                leaves.append(array)
            else:
                arrays.append(array)
                leaves.append(Spec(tuple(array.shape), array.dtype))
    return arrays, Layout(tuple(structures), tuple(leaves), tuple(counts), numbers, single, bool(kwargs))


def _checked(number: int, count: int) -> int:
    if not -count <= number < count:
        raise InputError(
            f"argnums={number}, but f was given {count} positional argument{'s' * (count != 1)}; "
            "arguments to differentiate by are given by position"
        )
    return number % count


def _other(part: Any) -> Any:
    """An argument that f is not differentiated by: an array as it is, anything else fixed."""
    if isinstance(part, (np.ndarray, Recorded)):
        return part
    if isinstance(part, (float, int, np.generic)):
        return np.asarray(part)
    try:
        hash(part)
    except TypeError as error:
        raise InputError(
            f"an argument of type {type(part).__name__} is neither an array nor hashable; close over it instead, "
            "as in grad(lambda x: f(x, argument))"
        ) from error
    return Fixed(part)
