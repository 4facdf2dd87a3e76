"""Making traced arrays: from objects that hold tracers, and the ``np`` that f sees while it is traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.ops import Recorded
from diffkit.tracing.trace import Trace, current_trace


def holds_tracer(value: Any) -> bool:
    """Whether a (nested) list, tuple or object array holds a traced value."""
    if isinstance(value, Recorded):
        return True
    if isinstance(value, (list, tuple)):
        return any(map(holds_tracer, value))
    return isinstance(value, np.ndarray) and value.dtype == object and any(map(holds_tracer, value.flat))


def as_traced(value: Any) -> Any:
    """A tracer of anything array-like, on the innermost trace."""
    if isinstance(value, Recorded):
        return value
    trace = active()
    if isinstance(value, (list, tuple)):
        return from_objects(value) if holds_tracer(value) else trace.constant(np.asarray(value))
    return trace.tracer(trace.lift(value))


def active() -> Trace:
    """The innermost trace; there is one whenever a tracer is met in the course of tracing."""
    trace = current_trace()
    if trace is None:
        raise TracingError(
            "a traced value outlived the call of f that it belongs to (f stored it in a global, an attribute or a "
            "list); return it from f instead (has_aux=True for extra results)"
        )
    return trace


def from_objects(value: Any) -> Any:
    """One traced array of a nested list or an object array of tracers and numbers."""
    entries, shape = _flatten(value)
    if not entries:
        return active().constant(np.zeros(shape))
    if all(not isinstance(entry, Recorded) for entry in entries):
        return active().constant(_numbers(entries).reshape(shape))
    plain = [entry for entry in entries if not isinstance(entry, Recorded)]
    dtypes = [entry.dtype for entry in entries if isinstance(entry, Recorded)]
    dtype = np.result_type(*dtypes, *([_numbers(plain)] if plain else []))
    places = [tuple(int(i) for i in spot) for spot in np.ndindex(*shape)]
    moving = [(entry, place) for entry, place in zip(entries, places, strict=True) if isinstance(entry, Recorded)]
    if not shape:
        return moving[0][0]
    made = p.scatter(*[entry for entry, _ in moving], shape=shape, places=tuple(place for _, place in moving))
    if len(moving) < len(entries):
        rest = np.zeros(shape, dtype)
        for entry, place in zip(entries, places, strict=True):
            if not isinstance(entry, Recorded):
                rest[place] = entry
        made = p.add(made, active().constant(rest)) if rest.any() else made
    return made if made.dtype == dtype else p.convert(made, dtype=dtype)


def _numbers(entries: list[Any]) -> Any:
    numbers = np.asarray(entries)
    if numbers.dtype.kind not in "fiub":
        raise TracingError(
            f"an array of {type(entries[0]).__name__} objects meets a traced value; diffkit differentiates real numbers"
        )
    return numbers


def _flatten(value: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Entries in C order and the shape, as ``np.array`` would see them."""
    if isinstance(value, Recorded) and value.shape:
        if value.size == 1:
            return [np.reshape(value, ())], value.shape
        flat = np.ravel(value)
        return list(flat), value.shape
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 0:
        return [value.item()], ()
    if not isinstance(value, (list, tuple, np.ndarray)) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return [value], ()
    parts = [_flatten(part) for part in value]
    shapes = {shape for _, shape in parts}
    if len(shapes) > 1:
        raise TracingError(f"np.array of parts with different shapes: {', '.join(map(str, sorted(shapes)))}")
    inner = shapes.pop() if shapes else ()
    return [entry for entries, _ in parts for entry in entries], (len(parts), *inner)


# ---------------------------------------------------------------- the thin module: what creates arrays in f


def _array(value: Any, dtype: Any = None, *, copy: Any = True, ndmin: int = 0, **options: Any) -> Any:
    if isinstance(value, Recorded):
        made: Any = value.snapshot() if copy else value
    elif holds_tracer(value):
        made = from_joined(value)
    else:
        plain = np.array(value, dtype=dtype, copy=copy, ndmin=ndmin, **options)
        fresh = plain is not value and (copy or not isinstance(value, np.ndarray))
        return _writable(plain) if fresh else plain
    if dtype is not None and np.dtype(dtype) not in (made.dtype, np.dtype(object)):
        made = made.astype(dtype)
    return np.reshape(made, (1,) * (ndmin - made.ndim) + made.shape) if made.ndim < ndmin else made


def from_joined(value: Any) -> Any:
    """``np.array`` of a list: rows are stacked as they are, scalars gathered."""
    if isinstance(value, (list, tuple)) and all(isinstance(part, (Recorded, np.ndarray)) for part in value):
        parts = [as_traced(part) for part in value]
        if len({part.shape for part in parts}) == 1 and parts[0].shape:
            return np.stack(parts)
    return from_objects(value)


def _asarray(value: Any, dtype: Any = None, **options: Any) -> Any:
    return _array(value, dtype, copy=None)


def _writable(plain: Any) -> Any:
    """A new array as a traced one, so that f can write traced values into it."""
    if not (isinstance(plain, np.ndarray) and plain.dtype.kind == "f"):
        return plain
    made = active().constant(plain)
    return made if plain.ndim else made.as_array()


def _fresh(function: Callable[..., Any]) -> Callable[..., Any]:
    def make(*args: Any, **kwargs: Any) -> Any:
        return _writable(function(*args, **kwargs))

    return make


def _fromiter(entries: Any, dtype: Any, count: int = -1, **_options: Any) -> Any:
    return _array(list(entries)[: None if count < 0 else count], dtype)


def _filled(function: Callable[..., Any]) -> Callable[..., Any]:
    def make(shape: Any, *args: Any, **kwargs: Any) -> Any:
        if holds_tracer(args) or holds_tracer(list(kwargs.values())):
            return _full(shape, *args, **kwargs)
        return _writable(function(_lengths(shape), *args, **kwargs))

    return make


def _lengths(shape: Any) -> Any:
    return tuple(int(length) for length in shape) if isinstance(shape, (tuple, list)) else int(shape)


def _full(shape: Any, fill_value: Any, dtype: Any = None, **_options: Any) -> Any:
    lengths = _lengths(shape)
    made = np.broadcast_to(as_traced(fill_value), lengths).copy()
    return made if dtype is None else made.astype(dtype)


def _empty(shape: Any, *args: Any, **kwargs: Any) -> Any:
    return np.zeros(shape, *args, **kwargs)


_MAKERS = (
    np.eye, np.identity, np.tri, np.arange, np.linspace, np.logspace, np.geomspace, np.copy, np.zeros_like,
    np.ones_like, np.empty_like, np.full_like, np.repeat, np.tile, np.diag,
)  # fmt: skip

CREATING: dict[Any, Callable[..., Any]] = {
    np.array: _array,
    np.asarray: _asarray,
    np.asanyarray: _asarray,
    np.ascontiguousarray: _asarray,
    np.zeros: _filled(np.zeros),
    np.ones: _filled(np.ones),
    np.empty: _filled(_empty),
    np.full: _filled(np.full),
    np.fromiter: _fromiter,
    **{function: _fresh(function) for function in _MAKERS},
}
"""NumPy functions that dispatch cannot catch -> what f calls instead while it is traced."""
