"""A prepared function applied to its own results, over rows: descent, an integrator, a filter.

The loop is the engine's where it has one and no guard stops it; elsewhere each round is a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit import trees
from diffkit.errors import InputError, TracingError
from diffkit.tracing import Traced, current_trace

if TYPE_CHECKING:
    from diffkit.differentiators.arguments import Layout, Spec
    from diffkit.differentiators.products import Products

Arrays = tuple[Any, ...]

AT_ONCE = 10**8
"""Operations in a row during which an engine's loop does not let go of the interpreter: a tenth of a second or so."""


def fold(derivative: Products, carried: Sequence[Any], rows: Sequence[Any]) -> tuple[Arrays, Arrays]:
    """See `Derivative.fold`."""
    if derivative.product != "value" or derivative.has_aux:
        raise InputError('fold needs a plan of values: prepare(..., product="value"), without has_aux')
    if current_trace() is not None:
        raise TracingError("fold cannot be recorded; write the loop out in a function that is differentiated")
    held, stacked = arguments(derivative.layout, tuple(carried), tuple(rows))
    kept, done, count = len(held), 0, len(stacked[0])
    pieces = [] if count else [[np.empty((0, *x.shape), x.dtype) for x in derivative.latest().leaves[kept:]]]
    while done < count:
        before = done
        for traced, run, operations in derivative.folds():
            check_results(traced, held)
            most = done + max(1, AT_ONCE // max(1, operations))
            rounds, held, others = run(held, [x[done:most] for x in stacked])
            done += rounds
            pieces += [others] if rounds else []
        if done == before:  # there is no such loop, or f takes a new branch here
            results = derivative.run(*held, *(x[done] for x in stacked))
            check_results(derivative.latest(), held)
            leaves = results if isinstance(results, tuple) else (results,)
            held = leaves[:kept]
            done += 1
            pieces.append([np.asarray(x)[np.newaxis] for x in leaves[kept:]])
    held = [np.array(x)[()] if not (count and np.ndim(x)) else x for x in held]  # numbers, and nothing of the caller's
    return tuple(held), tuple(map(joined, zip(*pieces, strict=True)))


def joined(parts: Sequence[Any]) -> Any:
    """Pieces that follow each other, as one array."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def arguments(layout: Layout, carried: Arrays, rows: Arrays) -> tuple[Sequence[Any], list[Any]]:
    """What is carried at first, and the rows, all as the arrays that f was prepared for."""
    specs = layout.plain
    if specs is None or len(specs) != len(carried) + len(rows) or not rows or not carried:
        raise InputError(
            f"fold was given {len(carried)} arguments to carry and {len(rows)} of rows, and f is prepared for "
            f"{layout}; it needs one or more of each, which together are f's arguments, each an array"
        )
    count = len(rows[0]) if np.ndim(rows[0]) else 0
    given = enumerate(zip((*carried, *rows), specs, strict=True))
    arrays = [fitted(x, spec, k, () if k < len(carried) else (count,)) for k, (x, spec) in given]
    return arrays[: len(carried)], arrays[len(carried) :]


def fitted(value: Any, spec: Spec, number: int, rounds: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """An argument of f, for each round where it is no carried one; numbers that it cannot hold are refused."""
    shape, dtype = rounds + spec.shape, spec.dtype
    array = np.asarray(value)
    if array.shape == shape and array.dtype == dtype:
        return array
    if array.shape != shape or not np.can_cast(array.dtype, dtype, "same_kind"):
        what = f"the rows of argument {number}" if rounds else f"argument {number}"
        raise InputError(f"fold: {what} is {array.dtype} {array.shape}; it must be {dtype} {shape}")
    return array.astype(dtype)


def check_results(traced: Traced, held: Sequence[Any]) -> None:
    """The first results must be able to take the place of what is carried."""
    leaves = traced.leaves
    flat = traced.structure is trees.LEAF or trees.is_tuple(traced.structure, len(leaves))
    given = [(tuple(x.shape), x.dtype) for x in leaves[: len(held)]]
    if not flat or given != [(x.shape, x.dtype) for x in held]:
        raise InputError(
            "fold needs an f that gives back, as one tuple, first what it carries and then the rest; here it carries "
            f"{', '.join(f'{x.dtype} {x.shape}' for x in held)} and gives {', '.join(f'{d} {s}' for s, d in given)}"
            f"{'' if flat else ' in containers'}"
        )
