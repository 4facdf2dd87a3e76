"""What a function's arguments are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from diffkit.checking.naming import path_name
from diffkit.differentiators.arguments import Layout, Spec
from diffkit.errors import InputError
from diffkit.graph import REFERENCE, Graph

Entries = dict[tuple[int, int], str]
"""Names of entries, by (number of the array, entry)."""


def name_inputs(f: Callable[..., Any], layout: Layout, names: Sequence[str] | str | None) -> tuple[list[str], Entries]:
    """A name for each array among the arguments, and names of its entries where they were given.

    Raises
    ------
    InputError
        The names are not as many as the arguments, or not all different.
    """
    count = len(layout.structures)
    if names is None:
        return _leaves(layout, _parameters(f, count)), {}
    if not isinstance(names, (str, list, tuple)):
        raise InputError(f"names={names!r} is a {type(names).__name__}; give a list of names, or text such as 'x z'")
    given = names.replace(",", " ").split() if isinstance(names, str) else [str(name) for name in names]
    if not all(name.strip() for name in given) or len(set(given)) < len(given):
        raise InputError(f"names={names!r}; give each argument a name of its own, such as names='x z'")
    if [spec.shape for spec in layout.specs] == [(len(given),)]:
        return _leaves(layout, _parameters(f, count)), {(0, entry): name for entry, name in enumerate(given)}
    if len(given) != count:
        raise InputError(
            f"names={names!r} are {len(given)} names, but f was given {count} argument{'s' * (count != 1)}; give "
            "a name for each argument, or, to a single one-dimensional array, for each entry"
        )
    return _leaves(layout, given), {}


def name_parameters(f: Callable[..., Any], graph: Graph) -> dict[int, str]:
    """What f calls the arrays that it reads from outside, by the position of the step."""
    try:
        read = inspect.getclosurevars(f)
    except (TypeError, ValueError):  # no function of Python's, or a name in it is not bound yet
        return {}
    known = {id(value): name for name, value in (*read.globals.items(), *read.nonlocals.items())}
    return {
        position: known[id(step.params["value"])]
        for position, step in enumerate(graph.steps)
        if step.op is REFERENCE and id(step.params["value"]) in known
    }


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    """What f calls its arguments; x1, x2 and so on where it does not say."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (ValueError, TypeError):  # a function in C need not tell
        parameters = []
    found = [parameter.name for parameter in parameters if parameter.kind in positional]
    return [*found, *(f"x{number + 1}" for number in range(len(found), count))][:count]


def _leaves(layout: Layout, names: Sequence[str]) -> list[str]:
    """The names of arrays: an argument's own, or its path in a container; from the argument on where two are alike."""
    ways = [
        (name, path)
        for name, structure in zip(names, layout.structures, strict=True)
        for path in ([()] if structure.spec is None else structure.spec.paths())
    ]
    called = [path_name(*way) for way in ways]
    if len(set(called)) < len(called):
        called = [name + "".join(f"[{key}]" for key in path) for name, path in ways]
    return [name for name, leaf in zip(called, layout.leaves, strict=True) if isinstance(leaf, Spec)]
