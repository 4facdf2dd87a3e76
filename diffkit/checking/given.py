"""The derivative that is checked, however it comes, as one matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit import trees
from diffkit.checking.around import Around
from diffkit.errors import InputError
from diffkit.ops import size


def as_matrix(found: Any, f: Around) -> Any:
    """A gradient, a Jacobian, or blocks of one in the containers of f's result and of x, as ``(B, A)``.

    Raises
    ------
    InputError
        It has no numbers, or not those of a Jacobian of f.

    Examples
    --------
    >>> as_matrix({"a": 2.0, "b": 3.0}, Around(lambda p: 2 * p["a"] + 3 * p["b"], {"a": 1.0, "b": 1.0}))
    array([[2., 3.]])
    """
    found = found.toarray() if hasattr(found, "toarray") else found  # SciPy's sparse arrays are no leaves
    leaves = [trees.as_leaf(leaf, "the derivative") for leaf in trees.flatten(found)[0]]
    shape = (f.here.size, f.x.size)
    total = sum(map(size, leaves))
    given = leaves[0].shape if len(leaves) == 1 else (total,)
    if total != shape[0] * shape[1]:
        raise InputError(f"the derivative has shape {given}; f has a Jacobian of shape {shape}")
    blocks = _blocks(leaves, f)
    if blocks is not None and not (len(leaves) == 1 and given not in (shape, *_tall(f))):
        whole = np.block(blocks)
    elif 1 in shape or given == shape or (len(leaves) > 1 and len(f.arrays) == 1):  # entries, or rows, in order
        whole = np.concatenate([np.ravel(leaf) for leaf in leaves])
    else:
        raise InputError(
            f"the derivative has shape {given}; f has a Jacobian of shape {shape}: give that, or a block for each part "
            "of f's result by each part of x, as dk.jacobian(f, blocks=True) does"
        )
    return np.asarray(whole, dtype=float).reshape(shape)


def _blocks(leaves: Sequence[Any], f: Around) -> list[list[Any]] | None:
    """Rows of blocks, where there is a leaf for each part of the result by each part of x."""
    parts, inputs = list(f.like), list(f.arrays)
    pairs = [(part, array) for part in parts for array in inputs]
    if len(leaves) != len(pairs) or any(
        size(leaf) != size(part) * size(array) for leaf, (part, array) in zip(leaves, pairs, strict=True)
    ):
        return None
    cut = [leaf.reshape(size(part), size(array)) for leaf, (part, array) in zip(leaves, pairs, strict=True)]
    return [cut[row : row + len(inputs)] for row in range(0, len(cut), len(inputs))]


def _tall(f: Around) -> list[tuple[int, ...]]:
    """The shape of f's result before that of x, where each is one array."""
    alone = len(f.like) == len(f.arrays) == 1
    return [(*np.shape(f.like[0]), *np.shape(f.arrays[0]))] if alone else []
