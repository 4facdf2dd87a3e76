"""Shapes: views stay views; whatever joins pieces is one scatter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.ops import Recorded, Span
from diffkit.tracing.creating import active, as_traced
from diffkit.tracing.lowering.reducing import axes_of
from diffkit.tracing.tracer import lowers, viewing


@lowers(np.shape)
def shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape)


@lowers(np.ndim)
def ndim(x: Any) -> int:
    return len(x.shape)


@lowers(np.size)
def size(x: Any, axis: Any = None) -> int:
    return math.prod(x.shape) if axis is None else int(x.shape[axis])


@lowers(np.iscomplexobj, np.iscomplex)
def iscomplexobj(x: Any) -> bool:
    return False


@lowers(np.isrealobj)
def isrealobj(x: Any) -> bool:
    return True


@lowers(np.result_type)
def result_type(*values: Any) -> np.dtype[Any]:
    return np.result_type(*[value.dtype if isinstance(value, Recorded) else value for value in values])  # type: ignore[attr-defined]  # a Tracer


@lowers(np.copy)
def copy(x: Any, order: str = "K", subok: bool = False) -> Any:
    return x.snapshot()


@lowers(np.zeros_like)
def zeros_like(x: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> Any:
    return _like(x, 0.0, dtype, shape)


@lowers(np.empty_like)
def empty_like(x: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> Any:
    return _like(x, 0.0, dtype, shape)


@lowers(np.ones_like)
def ones_like(x: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> Any:
    return _like(x, 1.0, dtype, shape)


@lowers(np.full_like)
def full_like(
    x: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None
) -> Any:
    if not isinstance(fill_value, Recorded):
        return _like(x, fill_value, dtype, shape)
    return np.broadcast_to(fill_value, x.shape if shape is None else shape).astype(dtype or x.dtype)


def _like(x: Any, value: Any, dtype: Any, shape: Any) -> Any:
    trace = x.recorder if isinstance(x, Recorded) else active()  # type: ignore[attr-defined]  # a Tracer
    return trace.constant(np.full(x.shape if shape is None else shape, value, dtype or x.dtype))


@lowers(np.reshape)
def reshape(x: Any, /, shape: Any = None, order: str = "C", **options: Any) -> Any:
    x = as_traced(x)
    wanted = shape if shape is not None else options["newshape"]
    lengths = tuple(wanted) if isinstance(wanted, (tuple, list)) else (wanted,)
    lengths = tuple(int(length) for length in lengths)
    if order == "F":
        return np.transpose(reshape(np.transpose(x), lengths[::-1]))
    known = math.prod(length for length in lengths if length != -1)
    if -1 in lengths:
        lengths = tuple(x.size // known if length == -1 and known else max(length, 0) for length in lengths)
    if math.prod(lengths) != x.size:
        raise TracingError(
            f"a traced array of shape {x.shape} cannot be reshaped into {tuple(wanted) if isinstance(wanted, (tuple, list)) else wanted}"
        )
    return view_or_same(x, lengths)


def view_or_same(x: Any, lengths: tuple[int, ...]) -> Any:
    return x if lengths == x.shape else viewing(p.reshape, x, shape=lengths)


@lowers(np.ravel)
def ravel(x: Any, order: str = "C") -> Any:
    return reshape(x, -1, order)


@lowers(np.transpose, np.permute_dims)
def transpose(x: Any, axes: Any = None) -> Any:
    x = as_traced(x)
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(int(axis) % x.ndim for axis in axes)
    if order == tuple(range(x.ndim)):
        return x
    return viewing(p.transpose, x, axes=tuple(axis - x.ndim for axis in order))


@lowers(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any) -> Any:
    return swapaxes(x, -1, -2)


@lowers(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    x = as_traced(x)
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


@lowers(np.moveaxis)
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    x = as_traced(x)
    sources, targets = ([axis % x.ndim for axis in np.atleast_1d(given)] for given in (source, destination))
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return transpose(x, order)


@lowers(np.rollaxis)
def rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    start = start % (as_traced(x).ndim + 1)
    return moveaxis(x, axis, start - (axis < start))


@lowers(np.expand_dims)
def expand_dims(x: Any, axis: Any) -> Any:
    x = as_traced(x)
    new = axes_of(axis, x.ndim + (len(axis) if isinstance(axis, (tuple, list)) else 1))
    rest = iter(x.shape)
    total = x.ndim + len(new)
    return view_or_same(x, tuple(1 if k - total in new else next(rest) for k in range(total)))


@lowers(np.squeeze)
def squeeze(x: Any, axis: Any = None) -> Any:
    x = as_traced(x)
    gone = [k for k in range(-x.ndim, 0) if x.shape[k] == 1] if axis is None else axes_of(axis, x.ndim)
    if any(x.shape[k] != 1 for k in gone):
        raise TracingError(f"squeeze: axis {axis} of shape {x.shape} is longer than 1")
    return view_or_same(x, tuple(n for k, n in enumerate(x.shape) if k - x.ndim not in gone))


@lowers(np.atleast_1d)
def atleast_1d(*arrays: Any) -> Any:
    made = [reshape(x, (1,)) if as_traced(x).ndim == 0 else as_traced(x) for x in arrays]
    return made[0] if len(made) == 1 else tuple(made)


@lowers(np.atleast_2d)
def atleast_2d(*arrays: Any) -> Any:
    made = [reshape(x, (1,) * (2 - as_traced(x).ndim) + as_traced(x).shape) for x in arrays]
    return made[0] if len(made) == 1 else tuple(made)


@lowers(np.atleast_3d)
def atleast_3d(*arrays: Any) -> Any:
    made = []
    for x in map(as_traced, arrays):
        lengths = {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}.get(x.ndim, x.shape)
        made.append(reshape(x, lengths))
    return made[0] if len(made) == 1 else tuple(made)


@lowers(np.broadcast_to)
def broadcast_to(x: Any, shape: Any, subok: bool = False) -> Any:
    x = as_traced(x)
    lengths = tuple(shape) if isinstance(shape, (tuple, list)) else (int(shape),)
    if lengths == x.shape:
        return x
    if np.broadcast_shapes(x.shape, lengths) != lengths:
        raise TracingError(f"a traced array of shape {x.shape} cannot be broadcast to {lengths}")
    return viewing(p.broadcast, x, shape=lengths)


@lowers(np.broadcast_arrays)
def broadcast_arrays(*arrays: Any, subok: bool = False) -> tuple[Any, ...]:
    made = [as_traced(x) for x in arrays]
    common = np.broadcast_shapes(*[x.shape for x in made])
    return tuple(broadcast_to(x, common) for x in made)


@lowers(np.meshgrid)
def meshgrid(*arrays: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> tuple[Any, ...]:
    made = [reshape(x, (1,) * k + (-1,) + (1,) * (len(arrays) - 1 - k)) for k, x in enumerate(arrays)]
    if indexing == "xy" and len(made) > 1:
        made = [swapaxes(x, 0, 1) for x in made]
    return tuple(made) if sparse else broadcast_arrays(*made)


# ---------------------------------------------------------------- joining: one scatter of disjoint pieces


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
        raise TracingError(
            f"concatenate along axis {axis}: the other axes differ in {[x.shape for x in parts]}"
        )
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
def insert(x: Any, spot: int, values: Any, axis: Any = None) -> Any:
    x = ravel(x) if axis is None else as_traced(x)
    axis = axes_of(axis if axis is not None else 0, x.ndim)[0]
    before = _cut(x, axis, 0, spot)
    lengths = tuple(1 if k - x.ndim == axis else n for k, n in enumerate(x.shape))
    return concatenate([before, broadcast_to(as_traced(values), lengths), _cut(x, axis, spot, None)], axis)


@lowers(np.delete)
def delete(x: Any, spot: Any, axis: Any = None) -> Any:
    x = ravel(x) if axis is None else as_traced(x)
    axis = axes_of(axis if axis is not None else 0, x.ndim)[0]
    return np.take(x, np.delete(np.arange(x.shape[axis]), spot), axis)


def _cut(x: Any, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    return x[(Ellipsis, slice(start, stop, step), *(slice(None),) * (-1 - axis))]


@lowers(np.split)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    x = as_traced(x)
    sections = indices_or_sections
    if isinstance(sections, (int, np.integer)) and x.shape[axis] % sections:
        raise TracingError(
            f"an axis of length {x.shape[axis]} does not split into {sections} equal parts; use np.array_split"
        )
    return array_split(x, sections, axis)


@lowers(np.array_split)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    x = as_traced(x)
    axis = axes_of(axis, x.ndim)[0]
    bounds = [int(k) for k in np.array_split(np.arange(x.shape[axis] + 1), 1)[0][:0]]
    if isinstance(indices_or_sections, (int, np.integer)):
        each, extra = divmod(x.shape[axis], int(indices_or_sections))
        bounds = [0, *np.cumsum([each + (k < extra) for k in range(int(indices_or_sections))]).tolist()]
    else:
        bounds = [0, *(int(k) for k in indices_or_sections), x.shape[axis]]
    return [
        _cut(x, axis, start, max(start, stop) if stop >= 0 else stop)
        for start, stop in zip(bounds, bounds[1:], strict=False)
    ]


lowers(np.vsplit)(lambda x, sections: split(x, sections, 0))
lowers(np.hsplit)(lambda x, sections: split(x, sections, 1 if as_traced(x).ndim > 1 else 0))
lowers(np.dsplit)(lambda x, sections: split(x, sections, 2))


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
    return reshape(
        spread, tuple(n * int(repeats) if k - x.ndim == axis else n for k, n in enumerate(x.shape))
    ).copy()


@lowers(np.flip)
def flip(x: Any, axis: Any = None) -> Any:
    x = as_traced(x)
    axes = axes_of(axis, x.ndim)
    return (
        x[tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(-x.ndim, 0))]
        if axes
        else x
    )


lowers(np.flipud)(lambda x: flip(x, 0))
lowers(np.fliplr)(lambda x: flip(x, 1))


@lowers(np.rot90)
def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    first, second = axes
    turned = {
        0: lambda: x,
        1: lambda: swapaxes(flip(x, second), first, second),
        2: lambda: flip(x, axes),
        3: lambda: flip(swapaxes(x, first, second), second),
    }
    return turned[k % 4]()


@lowers(np.roll)
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    x = as_traced(x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    pairs = np.broadcast(np.asarray(shift), np.asarray(axis))
    for by, one in pairs:
        length = x.shape[int(one)]
        cut = -int(by) % length if length else 0
        if cut:
            where = axes_of(int(one), x.ndim)[0]
            x = concatenate([_cut(x, where, cut, None), _cut(x, where, 0, cut)], where)
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


@lowers(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    x = as_traced(x)
    axis = axes_of(axis, x.ndim)[0]
    ends = [as_traced(e) if e is not None else None for e in (prepend, append)]
    rim = tuple(1 if k - x.ndim == axis else length for k, length in enumerate(x.shape))
    ends = [broadcast_to(e, rim) if e is not None and e.ndim == 0 else e for e in ends]
    if any(e is not None for e in ends):
        x = concatenate([part for part in (ends[0], x, ends[1]) if part is not None], axis)
    for _ in range(n):
        x = _cut(x, axis, 1, None) - _cut(x, axis, None, -1)
    return x


@lowers(np.ediff1d)
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    parts = [to_begin, diff(ravel(x)), to_end]
    return concatenate(
        [np.atleast_1d(part) if part is not parts[1] else part for part in parts if part is not None]
    )


@lowers(np.gradient)
def gradient(x: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """NumPy's central differences of samples, with scalar spacing."""
    x = as_traced(x)
    axes = axes_of(axis, x.ndim)
    steps = list(spacing) * (len(axes) if len(spacing) == 1 else 1) or [1.0] * len(axes)
    if any(np.ndim(h) for h in steps) or edge_order != 1:
        raise TracingError(
            "np.gradient is traced with scalar spacing and edge_order=1; write the differences with slices"
        )
    made = []
    for one, h in zip(axes, steps, strict=True):
        first = (_cut(x, one, 1, 2) - _cut(x, one, 0, 1)) / h
        last = (_cut(x, one, -1, None) - _cut(x, one, -2, -1)) / h
        made.append(
            concatenate([first, (_cut(x, one, 2, None) - _cut(x, one, None, -2)) / (2 * h), last], one)
        )
    return made[0] if len(made) == 1 else tuple(made)


@lowers(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    y = as_traced(y)
    axis = axes_of(axis, y.ndim)[0]
    if x is None:
        widths = dx
    else:
        x = as_traced(x)
        widths = diff(x, axis=axis) if x.ndim > 1 else reshape(diff(x), (-1, *(1,) * (-1 - axis)))
    return np.sum(widths * (_cut(y, axis, 1, None) + _cut(y, axis, None, -1)) / 2.0, axis=axis)


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
    return p.where(x.recorder.constant(np.tri(*x.shape[-2:], k, dtype=bool)), x, 0)


@lowers(np.triu)
def triu(x: Any, k: int = 0) -> Any:
    x = as_traced(x)
    return p.where(x.recorder.constant(~np.tri(*x.shape[-2:], k - 1, dtype=bool)), x, 0)


@lowers(np.vander)
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    columns = [np.power(x, k) for k in range(x.shape[0] if N is None else N)]
    return stack(columns if increasing else columns[::-1], axis=1)
