"""An array that is zero but for one direction per entry, as values and a pattern.

::

    one_hot(v1, ..., vm; rows, wheres)[k, i] = sum of v_j[i] over the j with wheres_j[i] == k

It lives inside the simplifier only: `diffkit.simplify.seeds` says what each op makes of one, and where one is left at
the end, it is written as a scatter of its values into zeros.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.ops import Op, Shape, Span, Static
from diffkit.simplify.builder import Builder


def _infer(operands: Any, params: dict[str, Any]) -> tuple[Shape, Any]:
    return (params["rows"], *operands[0].shape), np.result_type(*[operand.dtype for operand in operands])


def _evaluate(*values: Any, rows: int, wheres: tuple[Static, ...]) -> Any:
    made = np.zeros((rows, *values[0].shape), np.result_type(*values))
    grid = np.indices(values[0].shape, sparse=True)
    for value, where in zip(values, wheres, strict=True):
        np.add.at(made, (where.array, *grid), value)
    return made


ONE_HOT = Op("one_hot", "structural", _evaluate, _infer, linear=True)


def make(b: Builder, values: tuple[int, ...], rows: int, wheres: tuple[Static, ...]) -> int:
    """Emit a one-hot array; values of one pattern are added first. Without directions there is nothing to hold."""
    if not rows:
        first = b.steps[values[0]]
        return b.emit(p.broadcast, (b.constant(0.0, first.dtype),), {"shape": (0, *first.shape)})
    merged: dict[Static, int] = {}
    for value, where in zip(values, wheres, strict=True):
        merged[where] = value if where not in merged else b.emit(p.add, (merged[where], value), {})
    return b.emit(ONE_HOT, tuple(merged.values()), {"rows": rows, "wheres": tuple(merged)})


def each(b: Builder, position: int, change: Any, wheres: Any = None) -> int:
    """The same array with every value changed, and its pattern moved along by ``wheres``."""
    step = b.steps[position]
    moved = step.params["wheres"] if wheres is None else tuple(Static(wheres(w.array)) for w in step.params["wheres"])
    return make(b, tuple(change(value) for value in step.operands), step.params["rows"], moved)


def is_one_hot(b: Builder, position: int) -> bool:
    """Whether a step is such an array."""
    return b.steps[position].op is ONE_HOT


def written_out(b: Builder, position: int) -> int:
    """A one-hot array that is left: its values scattered into zeros."""
    step = b.steps[position]
    inner, rows = step.shape[1:], step.params["rows"]
    entries = math.prod(inner)
    places, values = [], []
    for value, where in zip(step.operands, step.params["wheres"], strict=True):
        spots = where.array * entries + np.arange(entries).reshape(inner)
        flat = b.emit(p.reshape, (value,), {"shape": (entries,)}) if inner != (entries,) else value
        places.append(_place(spots.reshape(-1), rows * entries))
        values.append(flat)
    made = b.emit(p.scatter, tuple(values), {"shape": (rows * entries,), "places": tuple(places)})
    return b.emit(p.reshape, (made,), {"shape": (rows, *inner)})


def _place(spots: Any, size: int) -> Any:
    """A slice where the positions are evenly spaced."""
    if len(spots) < 2:
        return Static(spots)
    step = int(spots[1] - spots[0])
    if step <= 0 or not np.array_equal(spots, spots[0] + step * np.arange(len(spots))):
        return Static(spots)
    stop = int(spots[-1]) + 1
    return (Span(int(spots[0]), None if stop >= size else stop, step, len(spots)),)
