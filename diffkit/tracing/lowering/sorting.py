"""Orders: sorting takes entries along positions that are found while running."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.tracing.creating import as_traced
from diffkit.tracing.lowering.reducing import along, mean_, over, rows_last
from diffkit.tracing.tracer import lowers


@lowers(np.argsort)
def argsort(x: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    x, axis = along(as_traced(x), axis)
    return p.argsort(x, axis=axis)


@lowers(np.sort)
def sort(x: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    x, axis = along(as_traced(x), axis)
    return p.take_along(x, p.argsort(x, axis=axis), axis=axis)


@lowers(np.partition)
def partition(x: Any, kth: Any, axis: Any = -1, kind: Any = None, order: Any = None) -> Any:
    """A fully sorted array is partitioned at every position."""
    return sort(x, axis)


def _statistic(x: Any, axis: Any, keepdims: Any, read: Any) -> Any:
    """What ``read`` takes from the entries in order (last axis); NaN where there is one among them."""
    x = as_traced(x)
    axes = over(axis, x.ndim)
    ordered = sort(rows_last(x, axes))
    if not ordered.shape[-1]:
        raise TracingError(f"an empty array of shape {x.shape} has no order statistics; give at least one entry")
    result = read(ordered)
    result = p.where(p.isnan(ordered[..., -1]), np.nan, result)  # NaN sorts last
    return np.expand_dims(result, tuple(one - 0 for one in axes)) if keepdims else result


@lowers(np.median)
def median(
    x: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: Any = False
) -> Any:
    def middle(ordered: Any) -> Any:
        n = ordered.shape[-1]
        return mean_(ordered[..., (n - 1) // 2 : n // 2 + 1], axis=-1)

    return _statistic(x, axis, keepdims, middle)


@lowers(np.quantile)
def quantile(
    x: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = False,
    *,
    weights: Any = None,
) -> Any:
    """Linear interpolation between order statistics, from the nearer one as NumPy does."""
    if method != "linear" or weights is not None:
        raise TracingError(
            f"np.quantile(method={method!r}, weights={weights!r}) cannot be traced: diffkit has the linear method only; "
            "leave both out, or read np.sort(x) where you want it"
        )
    weak = isinstance(q, (int, float))  # a plain number does not widen the result
    q = np.asarray(q.concrete() if isinstance(q, Recorded) else q, dtype=float)
    axis = axis

    def between(ordered: Any) -> Any:
        spot = q * (ordered.shape[-1] - 1)
        low = np.floor(spot).astype(int)
        high = np.minimum(low + 1, ordered.shape[-1] - 1)
        share = spot - low
        near, rest = np.where(share < 0.5, low, high), np.where(share < 0.5, share, share - 1)
        rest = rest.astype(ordered.dtype) if weak else rest
        return ordered[..., near] + (ordered[..., high] - ordered[..., low]) * rest


@lowers(np.percentile)
def percentile(x: Any, q: Any, *args: Any, **options: Any) -> Any:
    return quantile(x, q / 100 if isinstance(q, (int, float)) else np.asarray(q) / 100, *args, **options)


@lowers(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """How many entries of ``a`` are smaller: a count, so it has derivative zero."""
    a, v = as_traced(a), as_traced(v)
    below = p.less if side == "left" else p.less_equal
    return np.sum(below(a, np.reshape(v, (*v.shape, 1))), axis=-1)
