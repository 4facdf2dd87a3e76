"""Shapes, parts and turns of arrays: views stay views."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.ops import Recorded
from diffkit.tracing.creating import active, as_traced
from diffkit.tracing.lowering.reducing import axes_of
from diffkit.tracing.memory import stays_view, viewing
from diffkit.tracing.tracer import lowers


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
    return np.result_type(*[value.dtype if isinstance(value, Recorded) else value for value in values])


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
    return broadcast_to(fill_value, x.shape if shape is None else shape).astype(dtype or x.dtype)


def _like(x: Any, value: Any, dtype: Any, shape: Any) -> Any:
    trace = x.recorder if isinstance(x, Recorded) else active()
    return trace.constant(np.full(x.shape if shape is None else shape, value, dtype or x.dtype))


@lowers(np.linspace)
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop = broadcast_arrays(start, stop)
    steps = np.linspace(0.0, 1.0, int(num), endpoint)
    spaced = start + reshape(steps, (-1,) + (1,) * start.ndim) * (stop - start)
    made = moveaxis(spaced, 0, axis).astype(dtype or spaced.dtype)
    return (made, (stop - start) / (num - endpoint or np.nan)) if retstep else made


@lowers(np.reshape)
def reshape(x: Any, /, shape: Any = None, order: str = "C", **options: Any) -> Any:
    x = as_traced(x)
    wanted = shape if shape is not None else options["newshape"]
    lengths = tuple(wanted) if isinstance(wanted, (tuple, list)) else (wanted,)
    lengths = tuple(int(length) for length in lengths)
    if _checked(order) == "F":
        return np.transpose(reshape(np.transpose(x), lengths[::-1]))
    known = math.prod(length for length in lengths if length != -1)
    if -1 in lengths:
        lengths = tuple(x.size // known if length == -1 and known else max(length, 0) for length in lengths)
    if math.prod(lengths) != x.size:
        raise TracingError(f"a traced array of shape {x.shape} cannot be reshaped into {wanted}")
    viewed = stays_view(x, lambda entries: entries.reshape(lengths))
    return view_or_same(x if viewed else x.snapshot(), lengths)


def view_or_same(x: Any, lengths: tuple[int, ...]) -> Any:
    return x if lengths == x.shape else viewing(p.reshape, x, shape=lengths)


@lowers(np.ravel)
def ravel(x: Any, order: str = "C") -> Any:
    x = transpose(x) if _checked(order) == "F" else as_traced(x)
    return view_or_same(x if stays_view(x, np.ravel) else x.snapshot(), (x.size,))


def _checked(order: str) -> str:
    if order not in ("C", "F"):
        raise TracingError(f"order={order!r} follows the memory, which traced arrays have none of; give 'C' or 'F'")
    return order


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


# ---------------------------------------------------------------- cutting and turning


def cut(x: Any, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    """A slice along one axis, given as a negative number."""
    return x[(Ellipsis, slice(start, stop, step), *(slice(None),) * (-1 - axis))]


@lowers(np.split)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    x = as_traced(x)
    sections = indices_or_sections
    if isinstance(sections, (int, np.integer)) and x.shape[axis] % sections:
        raise TracingError(
            f"an axis of length {x.shape[axis]} does not split into {sections} equal parts; use np.array_split"
        )
    return list(array_split(x, sections, axis))


@lowers(np.array_split)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    x = as_traced(x)
    axis = axes_of(axis, x.ndim)[0]
    if isinstance(indices_or_sections, (int, np.integer)):
        each, extra = divmod(x.shape[axis], int(indices_or_sections))
        lengths = [each + (k < extra) for k in range(int(indices_or_sections))]
        bounds = [0, *itertools.accumulate(lengths)]
    else:
        bounds = [0, *(int(k) for k in indices_or_sections), x.shape[axis]]
    return [cut(x, axis, start, stop) for start, stop in itertools.pairwise(bounds)]


lowers(np.vsplit)(lambda x, sections: split(x, sections, 0))
lowers(np.hsplit)(lambda x, sections: split(x, sections, 1 if as_traced(x).ndim > 1 else 0))
lowers(np.dsplit)(lambda x, sections: split(x, sections, 2))
if hasattr(np, "unstack"):  # since NumPy 2.1
    lowers(np.unstack)(lambda x, axis=0: tuple(np.moveaxis(x, axis, 0)))


@lowers(np.flip)
def flip(x: Any, axis: Any = None) -> Any:
    x = as_traced(x)
    axes = axes_of(axis, x.ndim)
    return x[tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(-x.ndim, 0))] if axes else x


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
