"""Reading and writing by index: basic indices become one `index`, all others one `gather` of known positions."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.ops import Recorded, Span, Static, Where, where_shape
from diffkit.tracing.array_tracer import ArrayTracer
from diffkit.tracing.creating import as_traced
from diffkit.tracing.memory import pending_read, viewing, write
from diffkit.tracing.tracer import lowers


def _plain(index: Any) -> Any:
    """An index without tracers: what is traced in it is decided now, and guarded."""
    if isinstance(index, tuple):
        return tuple(_plain(part) for part in index)
    if isinstance(index, Recorded):
        if index.dtype.kind not in "iub":
            raise TracingError(
                "a traced float array cannot be an index; compare it (x > 0) or convert it (astype(int))"
            )
        return index.decide()
    if isinstance(index, list):
        return np.asarray([_plain(part) for part in index], dtype=None if index else np.intp)
    if isinstance(index, slice):
        ends = (index.start, index.stop, index.step)
        return slice(*[part if part is None else operator.index(part) for part in ends])
    return index


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def basic(parts: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Where, tuple[int, ...]] | None:
    """A basic index as one part per axis, and the shape it reads (new axes included); None if it is advanced."""
    if not all(
        part is None
        or part is Ellipsis
        or (isinstance(part, (int, np.integer, slice)) and not isinstance(part, (bool, np.bool_)))
        for part in parts
    ):
        return None
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    if taken > len(shape):
        raise IndexError(f"too many indices: {taken} for a traced array with {len(shape)} axes")
    rest = (slice(None),) * (len(shape) - taken)
    where = next((spot for spot, part in enumerate(parts) if part is Ellipsis), None)
    full = (*parts, *rest) if where is None else (*parts[:where], *rest, *parts[where + 1 :])
    place: list[int | Span] = []
    reads: list[int] = []
    for part in full:
        if part is None:
            reads.append(1)
            continue
        length = shape[len(place)]
        if isinstance(part, slice):
            span = _span(part, length)
            reads.append(span.length)
            place.append(span)
        else:
            place.append(_entry(int(part), length))
    return tuple(place), tuple(reads)


def _span(part: slice, length: int) -> Span:
    start, stop, step = part.indices(length)
    count = len(range(start, stop, step))
    if step < 0:
        return Span(start, stop if stop >= 0 else None, step, count)
    return Span(start, None if stop >= length and count else stop, step, count)


def _entry(position: int, length: int) -> int:
    if not -length <= position < length:
        raise IndexError(f"index {position} is out of bounds for an axis of length {length}")
    return position % length


def positions_of(x: Any, index: Any) -> Static:
    """The positions in the flattened ``x`` that an index reads, as NumPy itself says."""
    every = np.arange(math.prod(x.shape)).reshape(x.shape)
    return Static(np.asarray(every[_plain(index)]))


def get(x: ArrayTracer, index: Any) -> Any:
    """``x[index]``."""
    parts = _plain(_parts(index))
    found = basic(parts, x.shape)
    if found is None:
        return p.gather(x, place=positions_of(x, index), shape=x.shape)
    place, reads = found
    if not reads:
        ready = pending_read(x, place)
        return p.index(x, place=place) if ready is None else ready
    result = viewing(p.index, x, place=place)
    return result if reads == where_shape(place) else viewing(p.reshape, result, shape=reads)


def put(x: ArrayTracer, index: Any, value: Any) -> None:
    """``x[index] = value``."""
    found = basic(_plain(_parts(index)), x.shape)
    place: Any = found[0] if found else positions_of(x, index)
    reads = found[1] if found else place.array.shape
    shape = where_shape(place) if found else reads
    value = as_traced(value)
    if value.ndim > len(reads):  # NumPy drops leading axes of length 1
        value = np.reshape(value, value.shape[value.ndim - len(reads) :])
    if value.dtype != x.dtype:
        value = value.astype(x.dtype)
    spread: Any = value if value.shape == reads else np.broadcast_to(value, reads)
    spread = spread if reads == shape else np.reshape(spread, shape)
    if not found and len(np.unique(place.array)) < place.array.size:
        place, spread = _last_written(place, spread)
    write(x, place, spread.snapshot())


def _last_written(place: Static, value: Any) -> tuple[Static, Any]:
    """Of repeated positions the last one is written, as in NumPy."""
    flat = place.array.ravel()
    _, last = np.unique(flat[::-1], return_index=True)
    kept = np.sort(flat.size - 1 - last)
    return Static(flat[kept]), np.ravel(value)[kept]


@lowers(np.take)
def take(x: Any, indices: Any, axis: Any = None, mode: str = "raise", **_options: Any) -> Any:
    x = as_traced(x)
    if axis is None:
        x, axis = np.ravel(x), 0
    spots = np.asarray(_plain(indices))
    if mode != "raise":
        length = x.shape[axis]
        spots = spots % length if mode == "wrap" else np.clip(spots, 0, length - 1)
    return x[(slice(None),) * (axis % x.ndim) + (spots if spots.ndim else int(spots),)]


@lowers(np.take_along_axis)
def take_along_axis(x: Any, indices: Any, axis: Any = -1) -> Any:
    x = as_traced(x)
    if axis is None:
        x, axis = np.ravel(x), -1
    if not (isinstance(indices, Recorded) and indices.varies):
        every = np.arange(x.size).reshape(x.shape)
        spots = np.take_along_axis(every, np.asarray(_plain(indices)), axis)
        return p.gather(x, place=Static(spots), shape=x.shape)
    axis, picked = axis - x.ndim if axis >= 0 else axis, as_traced(indices)
    lengths = np.broadcast_shapes(
        *[tuple(1 if k - len(s) == axis else n for k, n in enumerate(s)) for s in (x.shape, picked.shape)]
    )
    shape = tuple(picked.shape[axis] if k - x.ndim == axis else n for k, n in enumerate(lengths))
    source = tuple(x.shape[axis] if k - x.ndim == axis else n for k, n in enumerate(lengths))
    return p.take_along(np.broadcast_to(x, source), np.broadcast_to(picked, shape), axis=axis)


@lowers(np.compress)
def compress(condition: Any, x: Any, axis: Any = None) -> Any:
    return take(x, np.flatnonzero(_plain(condition)), axis)


@lowers(np.extract)
def extract(condition: Any, x: Any) -> Any:
    return compress(np.ravel(_plain(condition)), x)


@lowers(np.choose)
def choose(selector: Any, choices: Any, **_options: Any) -> Any:
    result = as_traced(choices[-1])
    for position in range(len(choices) - 2, -1, -1):
        result = p.where(p.equal(as_traced(selector), position), choices[position], result)
    return result


@lowers(np.select)
def select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        result = (
            np.where(condition, choice, result)
            if not isinstance(condition, Recorded)
            else p.where(condition, choice, result)
        )
    return result


@lowers(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kwargs: Any) -> Any:
    """Every piece is computed everywhere and selected where it holds; one more than conditions is the default."""
    x = as_traced(x)
    conditions = [condlist] if not isinstance(condlist, (list, tuple)) else list(condlist)
    pieces = [piece(x, *args, **kwargs) if callable(piece) else piece for piece in funclist]
    result = pieces.pop() if len(pieces) > len(conditions) else 0.0
    for condition, piece in zip(conditions, pieces, strict=True):
        result = p.where(as_traced(condition), piece, result)
    return result


@lowers(np.nonzero)
def nonzero(x: Any) -> Any:
    return np.nonzero((x != 0).decide())  # where entries are, not which


@lowers(np.flatnonzero)
def flatnonzero(x: Any) -> Any:
    return np.flatnonzero((x != 0).decide())


@lowers(np.argwhere)
def argwhere(x: Any) -> Any:
    return np.argwhere(x.decide())


@lowers(np.copyto)
def copyto(target: Any, source: Any, where: Any = True, **_options: Any) -> None:
    target[...] = source if where is True else p.where(where, source, target)


@lowers(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """A strided view of the flattened last two axes."""
    x = as_traced(x)
    moved = np.moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = moved.shape[-2:]
    start = offset if offset >= 0 else -offset * columns
    count = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    flat = np.reshape(moved, (*moved.shape[:-2], rows * columns))
    return flat[..., start : start + count * (columns + 1) : columns + 1][..., :count]


lowers(np.linalg.diagonal)(lambda x, /, *, offset=0: diagonal(x, offset, -2, -1))


@lowers(np.fill_diagonal)
def fill_diagonal(x: Any, value: Any, wrap: bool = False) -> None:
    steps = np.arange(min(x.shape))
    x[(steps,) * x.ndim] = value
