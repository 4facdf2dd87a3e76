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

TURN = 0.1
"""Seconds, as predicted, after which an engine's loop lets Ctrl-C and other threads have theirs."""
COPIED = 2**16
"""Bytes of rows that are copied at a time, where they lie in memory otherwise than an engine wants them."""
CALLS = 64
"""Calls after which an engine that had no loop is asked again: "auto" may have one by then."""


def fold(derivative: Products, carried: Sequence[Any], rows: Sequence[Any]) -> tuple[Arrays, Arrays]:
    """See `Products.fold`."""
    if derivative.product != "value" or derivative.has_aux:
        raise InputError('fold needs a plan of values: prepare(..., product="value"), without has_aux')
    if current_trace() is not None:
        raise TracingError("fold cannot be recorded; write the loop out in a function that is differentiated")
    if not (isinstance(carried, (tuple, list)) and isinstance(rows, (tuple, list))):
        raise InputError("fold takes a tuple of arrays to carry and one of rows: fold((x,), (rows,))")
    held, stacked = arguments(derivative.layout, tuple(carried), tuple(rows))
    return Folding(derivative, held, stacked).result()


class Folding:
    """A fold under way."""

    def __init__(self, derivative: Products, held: Sequence[Any], stacked: Sequence[Any]) -> None:
        self.derivative, self.held, self.stacked = derivative, held, stacked
        self.done, self.count, self.pieces = 0, len(stacked[0]), list[Sequence[Any]]()

    def result(self) -> tuple[Arrays, Arrays]:
        """What is carried in the end, and the other results, stacked."""
        kept = len(self.held)
        if not self.count:
            others = self.derivative.latest().leaves[kept:]
            return tuple(np.array(x)[()] for x in self.held), tuple(np.empty((0, *x.shape), x.dtype) for x in others)
        while self.done < self.count:
            before, loops = self.done, self.derivative.folds()
            for traced, loop, seconds in loops:
                if self.done < self.count and fits(traced, self.held):
                    self._looped(loop, TURN / seconds)
            if self.done == before:  # there is no such loop, or f takes a new branch here
                self._called(1 if loops else CALLS)
        held = (x if np.ndim(x) else x[()] for x in self.held)  # numbers, like all that is handed back
        return tuple(held), tuple(map(joined, zip(*self.pieces, strict=True)))

    def _looped(self, loop: Any, most: float) -> None:
        """Round after round, until a guard fails or the turn is over."""
        if not all(x.flags.c_contiguous for x in self.stacked):
            most = min(most, COPIED / max(1, sum(x[0].nbytes for x in self.stacked)))
        rows = [x[self.done : self.done + max(1, int(most))] for x in self.stacked]
        rounds, self.held, others = loop(self.held, rows)
        self.done += rounds
        self.pieces += [others] if rounds else []

    def _called(self, most: int) -> None:
        """Round after round, each a call."""
        kept = len(self.held)
        for k in range(self.done, min(self.done + most, self.count)):
            found = self.derivative.run(*self.held, *(x[k] for x in self.stacked))
            leaves = [np.array(x) for x in (found if isinstance(found, tuple) else (found,))]  # f may use its own again
            check_results(leaves, self.held)
            self.held, self.done = leaves[:kept], k + 1
            self.pieces.append([x[np.newaxis] for x in leaves[kept:]])


def joined(parts: Sequence[Any]) -> Any:
    """Pieces that follow each other, as one array."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def arguments(layout: Layout, carried: Arrays, rows: Arrays) -> tuple[list[Any], list[Any]]:
    """What is carried at first, and the rows, all as the arrays that f was prepared for."""
    specs = layout.plain
    if specs is None or len(specs) != len(carried) + len(rows) or not rows or not carried:
        raise InputError(
            f"fold was given {len(carried)} to carry and {len(rows)} of rows, and f is prepared for {layout}; it needs "
            "one or more of each, which together are f's arguments, each an array"
        )
    count = len(rows[0]) if np.ndim(rows[0]) else 0
    given = enumerate(zip((*carried, *rows), specs, strict=True))
    arrays = [as_rows(x, spec, k, () if k < len(carried) else (count,)) for k, (x, spec) in given]
    return arrays[: len(carried)], arrays[len(carried) :]


def as_rows(value: Any, spec: Spec, number: int, rounds: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """An argument of f, for each round where it is no carried one; numbers that it cannot hold are refused."""
    shape, dtype = rounds + spec.shape, spec.dtype
    array = np.asarray(value)
    if array.shape == shape and array.dtype == dtype and array.flags.aligned:  # machine code trusts addresses
        return array
    if array.shape != shape or not np.can_cast(array.dtype, dtype):
        what = f"the rows of argument {number}" if rounds else f"argument {number}"
        raise InputError(f"fold: {what} is {array.dtype} {array.shape}; it must be {dtype} {shape}")
    return array.astype(dtype)


def fits(traced: Traced, held: Sequence[Any]) -> bool:
    """Whether the first results can take the place of what is carried, and all are arrays by themselves."""
    leaves = traced.leaves[: len(held)]
    flat = traced.structure is trees.LEAF or trees.is_tuple(traced.structure, len(traced.leaves))
    return flat and [(x.shape, x.dtype) for x in leaves] == [(x.shape, x.dtype) for x in held]


def check_results(results: Sequence[Any], held: Sequence[Any]) -> None:
    """Refuse first results that cannot take the place of what is carried."""
    given = [(x.shape, x.dtype) for x in results[: len(held)]]
    if given != [(x.shape, x.dtype) for x in held]:
        raise InputError(
            "fold needs an f that gives back, as an array or a tuple of arrays, first what it carries and then the "
            f"rest; here it carries {', '.join(f'{x.dtype} {x.shape}' for x in held)} and gives "
            f"{', '.join(f'{dtype} {shape}' for shape, dtype in given)}"
        )
