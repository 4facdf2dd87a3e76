"""What an entry of x or of f's result is called: ``W1[2, 0]``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit import trees


def name_of_input(f: Callable[..., Any]) -> str:
    """What f calls its first argument."""
    try:
        return next(iter(inspect.signature(f).parameters), "x")
    except (TypeError, ValueError):  # written in C
        return "x"


def entry_name(root: str, structure: trees.Structure, leaves: Sequence[Any], position: int) -> str:
    """Name the entry at a position of the flat vector of all leaves.

    Examples
    --------
    >>> leaves, structure = trees.flatten({"W": np.ones((2, 3)), "b": np.ones(2)})
    >>> entry_name("x", structure, leaves, 4), entry_name("x", trees.LEAF, [np.ones(9)], 4)
    ('W[1, 1]', 'x[4]')
    """
    sizes = [leaf.size for leaf in leaves]
    number = int(np.searchsorted(np.cumsum(sizes), position, side="right"))
    within = np.unravel_index(position - sum(sizes[:number]), leaves[number].shape)
    index = f"[{', '.join(map(str, within))}]" if within else ""
    return path_name(root, () if structure.spec is None else structure.spec.paths()[number]) + index


def path_name(root: str, path: Sequence[Any]) -> str:
    """Name an array in a container by its way there: a key of a dictionary is a name of its own.

    Examples
    --------
    >>> path_name("p", ()), path_name("p", [0]), path_name("p", ["W1"]), path_name("p", ["layers", 0, "W"])
    ('p', 'p[0]', 'W1', 'layers[0].W')
    """
    text = ""
    for part in path:
        if isinstance(part, str) and part.isidentifier():
            text += f".{part}" if text else part
        else:
            text = f"{text or root}[{part}]"
    return text or root
