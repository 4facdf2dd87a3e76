"""Joining, repeating and padding: whatever puts pieces together is one scatter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.ops import Recorded, Span
from diffkit.tracing.creating import as_traced
from diffkit.tracing.lowering.reducing import axes_of, summand
from diffkit.tracing.lowering.shaping import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_to,
    cut,
    expand_dims,
    ravel,
    reshape,
)
from diffkit.tracing.tracer import lowers


@lowers(np.concatenate)
def concatenate(arrays: Sequence[Any], axis: Any = 0, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = [as_traced(x) for x in arrays]
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    ndim = parts[0].ndim
    if ndim == 0 or any(x.ndim != ndim for x in parts):
        raise TracingError(
            f"concatenate needs arrays with the same number of axes, at least one; given {[x.shape for x in parts]}"
        )
    axis = axes_of(axis, ndim)[0]
    parts = [x for x in parts if x.shape[axis]] or parts[:1]
    if len(parts) == 1:
        return parts[0].snapshot()
    rest = {tuple(n for k, n in enumerate(x.shape) if k - ndim != axis) for x in parts}
    if len(rest) > 1:
        raise TracingError(f"concatenate along axis {axis}: the other axes differ in {[x.shape for x in parts]}")
    lengths = list(parts[0].shape)
    lengths[axis] = sum(x.shape[axis] for x in parts)
    places, start = [], 0
    for x in parts:
        spans = [Span(0, None, 1, n) for n in lengths]
        stop = start + x.shape[axis]
        spans[axis] = Span(start, None if stop == lengths[axis] else stop, 1, x.shape[axis])
        places.append(tuple(spans))
        start = stop
    joined = p.scatter(*_alike(parts), shape=tuple(lengths), places=tuple(places))
    return joined if dtype is None else joined.astype(dtype)


def _alike(parts: list[Any]) -> list[Any]:
    dtype = np.result_type(*[x.dtype for x in parts])
    return [x if x.dtype == dtype else p.convert(x, dtype=dtype) for x in parts]


@lowers(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = [as_traced(x) for x in arrays]
    if len({x.shape for x in parts}) > 1:
        raise TracingError(f"stack needs arrays of one shape; given {[x.shape for x in parts]}")
    lengths = list(parts[0].shape)
    where = axis % (len(lengths) + 1)
    lengths.insert(where, len(parts))
    whole = [Span(0, None, 1, n) for n in parts[0].shape]
    places = tuple((*whole[:where], k, *whole[where:]) for k in range(len(parts)))
    return p.scatter(*_alike(parts), shape=tuple(lengths), places=places)


@lowers(np.vstack)
def vstack(arrays: Sequence[Any], dtype: Any = None, casting: str = "same_kind") -> Any:
    return concatenate([atleast_2d(x) for x in arrays], 0, dtype)


@lowers(np.hstack)
def hstack(arrays: Sequence[Any], dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = [atleast_1d(x) for x in arrays]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1, dtype)


@lowers(np.dstack)
def dstack(arrays: Sequence[Any]) -> Any:
    return concatenate([atleast_3d(x) for x in arrays], 2)


@lowers(np.column_stack)
def column_stack(arrays: Sequence[Any]) -> Any:
    parts = [as_traced(x) for x in arrays]
    return concatenate([x if x.ndim > 1 else reshape(x, (-1, 1)) for x in parts], 1)


@lowers(np.block)
def block(arrays: Any) -> Any:
    def depth(part: Any) -> int:
        return 1 + max(map(depth, part)) if isinstance(part, list) else 0

    def join(part: Any, level: int) -> Any:
        return (
            concatenate([join(inner, level - 1) for inner in part], -level)
            if isinstance(part, list)
            else _atleast(part, total)
        )

    total = depth(arrays)
    return join(arrays, total)


def _atleast(x: Any, ndim: int) -> Any:
    x = as_traced(x)
    return reshape(x, (1,) * (ndim - x.ndim) + x.shape) if x.ndim < ndim else x


@lowers(np.append)
def append(x: Any, values: Any, axis: Any = None) -> Any:
    return concatenate([ravel(x), ravel(values)]) if axis is None else concatenate([x, values], axis)


@lowers(np.insert)
def insert(x: Any, spot: Any, values: Any, axis: Any = None) -> Any:
    """The values, in x's dtype, are appended; then all entries taken in the order that NumPy gives their positions."""
    x = ravel(x) if axis is None else as_traced(x)
    axis = axes_of(axis if axis is not None else 0, x.ndim)[0]
    values, length = _atleast(values, x.ndim).astype(x.dtype), x.shape[axis]
    spots = np.arange(length)[spot] if isinstance(spot, slice) else np.asarray(spot)
    if spots.ndim == 0:  # along the axis of insertion NumPy reads the first one
        values = np.moveaxis(values, 0, axis)
    count = values.shape[axis] if spots.size == 1 else spots.size
    new = broadcast_to(values, tuple(count if k - x.ndim == axis else n for k, n in enumerate(x.shape)))
    order = np.insert(np.arange(length), spots, length + np.arange(count))
    return np.take(concatenate([x, new], axis), order, axis)


@lowers(np.resize)
def resize(x: Any, new_shape: Any) -> Any:
    """Entries in C order, repeated as often as the shape needs."""
    flat, wanted = ravel(x), new_shape if isinstance(new_shape, (tuple, list)) else (new_shape,)
    return flat[np.resize(np.arange(flat.size), wanted)]


@lowers(np.delete)
def delete(x: Any, spot: Any, axis: Any = None) -> Any:
    x = ravel(x) if axis is None else as_traced(x)
    axis = axes_of(axis if axis is not None else 0, x.ndim)[0]
    return np.take(x, np.delete(np.arange(x.shape[axis]), spot), axis)


@lowers(np.tile)
def tile(x: Any, reps: Any) -> Any:
    x = as_traced(x)
    times = tuple(reps) if isinstance(reps, (tuple, list, np.ndarray)) else (reps,)
    ndim = max(x.ndim, len(times))
    x = _atleast(x, ndim)
    times = (1,) * (ndim - len(times)) + tuple(int(t) for t in times)
    doubled = tuple(n for pair in zip(times, x.shape, strict=True) for n in pair)
    spread = broadcast_to(reshape(x, tuple(n for length in x.shape for n in (1, length))), doubled)
    return reshape(spread, tuple(t * n for t, n in zip(times, x.shape, strict=True))).copy()


@lowers(np.repeat)
def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    x = ravel(x) if axis is None else as_traced(x)
    axis = axes_of(axis if axis is not None else 0, x.ndim)[0]
    if np.ndim(repeats):
        return np.take(x, np.repeat(np.arange(x.shape[axis]), repeats), axis)
    after = x.ndim + axis + 1
    spread = broadcast_to(expand_dims(x, after), (*x.shape[:after], int(repeats), *x.shape[after:]))
    return reshape(spread, tuple(n * int(repeats) if k - x.ndim == axis else n for k, n in enumerate(x.shape))).copy()


@lowers(np.apply_along_axis)
def apply_along_axis(function: Any, axis: int, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The axes of what the function returns take the place of the one it is given."""
    x = as_traced(x)
    rows, first = np.moveaxis(x, axis, -1), axis % x.ndim
    made = [as_traced(function(rows[spot], *args, **kwargs)) for spot in np.ndindex(*rows.shape[:-1])]
    count = made[0].ndim
    whole = reshape(stack(made), rows.shape[:-1] + made[0].shape)
    return np.moveaxis(whole, range(-count, 0), range(first, first + count)) if count else whole


@lowers(np.roll)
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    x = as_traced(x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    pairs = np.broadcast(np.asarray(shift), np.asarray(axis))
    for by, one in pairs:
        length = x.shape[int(one)]
        first = -int(by) % length if length else 0
        if first:
            where = axes_of(int(one), x.ndim)[0]
            x = concatenate([cut(x, where, first, None), cut(x, where, 0, first)], where)
    return x.snapshot()


@lowers(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    x = as_traced(x)
    width = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if mode != "constant":
        spots = np.pad(np.arange(x.size).reshape(x.shape), pad_width, mode=mode, **options)  # type: ignore[call-overload]  # modes are strings
        return ravel(x)[spots]
    place = tuple(
        Span(before, None if after == 0 else before + n, 1, n)
        for n, (before, after) in zip(x.shape, width, strict=True)
    )
    lengths = tuple(before + n + after for n, (before, after) in zip(x.shape, width, strict=True))
    padded = p.scatter(x, shape=lengths, places=(place,))
    fill = options.get("constant_values", 0)
    if np.ndim(fill) == 0 and not isinstance(fill, Recorded) and fill == 0:
        return padded
    rim = np.pad(np.zeros(x.shape), pad_width, constant_values=fill)
    return padded + rim


# ---------------------------------------------------------------- diagonals and triangles


@lowers(np.diag)
def diag(x: Any, k: int = 0) -> Any:
    x = as_traced(x)
    if x.ndim == 2:
        return np.diagonal(x, k)
    n = x.shape[0] + abs(k)
    start = k if k >= 0 else -k * n
    place = (Span(start, min(start + x.shape[0] * (n + 1), n * n), n + 1, x.shape[0]),)
    return reshape(p.scatter(x, shape=(n * n,), places=(place,)), (n, n))


lowers(np.diagflat)(lambda x, k=0: diag(ravel(x), k))


@lowers(np.tril)
def tril(x: Any, k: int = 0) -> Any:
    x = as_traced(x)
    return p.where(x.recorder.constant(np.tri(x.shape[-2:][0], x.shape[-1], k, dtype=bool)), x, 0)


@lowers(np.triu)
def triu(x: Any, k: int = 0) -> Any:
    x = as_traced(x)
    return p.where(x.recorder.constant(~np.tri(x.shape[-2:][0], x.shape[-1], k - 1, dtype=bool)), x, 0)


@lowers(np.vander)
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    x = summand(x)
    columns = [np.power(x, k) for k in range(x.shape[0] if N is None else N)]
    return stack(columns if increasing else columns[::-1], axis=1)
