"""Tracing one call of f: arguments in, graph out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit import trees
from diffkit.errors import InputError
from diffkit.graph import Graph
from diffkit.ops import Recorded
from diffkit.tracing.creating import holds_tracer
from diffkit.tracing.namespace import Namespace
from diffkit.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class Traced:
    """f as a graph, and how its result is put together.

    Attributes
    ----------
    graph
        Inputs are the leaves of the arguments; outputs the leaves of the result, then those of the extra result.
        None for a black box.
    leaves
        The leaves of the result: anything with a shape and a dtype.
    structure, extra
        Containers of the result, and of the extra result of ``has_aux``.
    unchanged
        Whether every name that f read outside its arguments is still bound to the same object.
    watched
        Those names: where each is bound, the name, and what it was bound to.
    """

    graph: Graph | None
    leaves: Sequence[Any]
    structure: trees.Structure
    extra: trees.Structure | Extra | None
    unchanged: Callable[[], bool]
    watched: Collection[tuple[Any, str, Any]] = ()


def trace_function(
    function: Callable[..., Any],
    leaves: Sequence[Any],
    rebuild: Callable[[Sequence[Any]], tuple[tuple[Any, ...], dict[str, Any]]],
    *,
    has_aux: bool = False,
) -> Traced:
    """Run f once on stand-ins for its leaves, and record."""
    trace = Trace()
    with trace.recording():
        namespace = Namespace(function)
        call = namespace.callable(function)
        args, kwargs = rebuild([trace.input(leaf) for leaf in leaves])
        result = call(*args, **kwargs)
        main, extra = _split_aux(result) if has_aux else (result, None)
        values, structure = _result_leaves(main)
        extras = Extra(*trees.flatten(extra)) if has_aux else None
        graph = trace.graph([*values, *(extras.traced if extras else ())])
    leaves = [graph.steps[position] for position in graph.outputs[: len(values)]]
    return Traced(graph, leaves, structure, extras, namespace.unchanged, namespace.reads.values())


def call_function(
    function: Callable[..., Any],
    arrays: Sequence[Any],
    rebuild: Callable[[Sequence[Any]], tuple[tuple[Any, ...], dict[str, Any]]],
    *,
    has_aux: bool = False,
) -> tuple[Traced, tuple[Any, ...]]:
    """Call f as a black box, on copies that it may keep or change; what its result looks like, and its leaves."""
    args, kwargs = rebuild([array.copy() if array.ndim else array[()] for array in arrays])
    result = function(*args, **kwargs)
    main, extra = _split_aux(result) if has_aux else (result, None)
    values, structure = _result_leaves(main)
    extra_values, extra_structure = trees.flatten(extra) if has_aux else ([], None)
    return Traced(None, values, structure, extra_structure, lambda: True), (*values, *extra_values)


def _split_aux(result: Any) -> tuple[Any, Any]:
    if not (isinstance(result, tuple) and len(result) == 2):
        raise InputError(f"has_aux=True, but f returned a {type(result).__name__}; return (result, extra)")
    return result


def _result_leaves(result: Any) -> tuple[list[Any], trees.Structure]:
    if result is None:
        raise InputError(
            "f returned None; it must return a number, an array, or containers of arrays (a missing return?)"
        )
    if isinstance(result, list) and result and all(_is_number(part) for part in result):
        result = np.asarray(result, dtype=object if holds_tracer(result) else None)  # a list of numbers is an array
    values, structure = trees.flatten(result)
    if not values:
        raise InputError("f returned an empty container; it must return a number, an array, or containers of arrays")
    return [_result_leaf(value) for value in values], structure


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) or (hasattr(value, "shape") and value.shape == ())


def _result_leaf(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == object and holds_tracer(value):
        from diffkit.tracing.creating import from_objects

        return from_objects(value)
    if isinstance(value, Recorded):
        return value if value.dtype.kind == "f" else value.astype(np.float64)
    return trees.as_leaf(value, "the result of f")


class Extra:
    """The extra result of ``has_aux``: what depends on f's arguments is traced, anything else stays what it is."""

    def __init__(self, leaves: Sequence[Any], structure: trees.Structure) -> None:
        self.structure = structure
        self.leaves = [None if holds_tracer(leaf) else leaf for leaf in leaves]
        self.spots = [spot for spot, leaf in enumerate(leaves) if holds_tracer(leaf)]
        self.traced = [leaves[spot] for spot in self.spots]

    def unflatten(self, found: Sequence[Any]) -> Any:
        """Put values in the places of what was traced."""
        leaves = list(self.leaves)
        for spot, value in zip(self.spots, found, strict=True):
            leaves[spot] = value
        return self.structure.unflatten(leaves)
