"""Orders: sorting takes entries along positions that are found while running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.tracing.creating import as_traced
from diffkit.tracing.lowering.reducing import along, as_real, mean_, over, rows_last
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
    """An array in order is partitioned at every position."""
    return sort(x, axis)


def _order_statistic(x: Any, axis: Any, keepdims: Any, read: Callable[[Any], Any]) -> Any:
    """What ``read`` makes of the entries in order (its last axis); NaN where there is one among them."""
    x = as_real(x)
    axes = over(axis, x.ndim)
    rows = rows_last(x, axes)
    if rows.shape[-1] == 0:
        raise TracingError(f"an empty array of shape {x.shape} has no order statistics; give at least one entry")
    ordered = sort(rows)
    result = p.where(p.isnan(ordered[..., -1]), np.nan, read(ordered))  # NaN is sorted last
    return np.expand_dims(result, axes) if keepdims else result


@lowers(np.median)
def median(x: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    def middle(ordered: Any) -> Any:
        n = ordered.shape[-1]
        return mean_(ordered[..., (n - 1) // 2 : n // 2 + 1], axis=-1)

    return _order_statistic(x, axis, keepdims, middle)


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
    """Linear interpolation between neighbours in order; from the nearer one, as NumPy does."""
    if method != "linear" or weights is not None:
        raise TracingError(
            "np.quantile with weights or with a method other than 'linear' cannot be traced: "
            "diffkit only interpolates; read the entry that you want from np.sort(x)"
        )
    shares = np.asarray(as_traced(q).concrete(), dtype=np.float64)

    def between(ordered: Any) -> Any:
        spot = shares * (ordered.shape[-1] - 1)
        low = np.floor(spot).astype(int)
        high = np.minimum(low + 1, ordered.shape[-1] - 1)
        upper = spot - low >= 0.5
        near = np.where(upper, high, low)
        way = np.asarray(spot - low - upper, ordered.dtype if type(q) in (int, float) else None)
        found = ordered[..., near] + (ordered[..., high] - ordered[..., low]) * way
        return np.moveaxis(found, range(-shares.ndim, 0), range(shares.ndim))

    return _order_statistic(x, axis, keepdims, between)


@lowers(np.percentile)
def percentile(x: Any, q: Any, *args: Any, **options: Any) -> Any:
    return quantile(x, (np.asarray(q) if isinstance(q, (list, tuple)) else q) / 100, *args, **options)


@lowers(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """How many entries of ``a`` are smaller: a count, so it has derivative zero."""
    a, v = as_traced(a), as_traced(v)
    below = p.less if side == "left" else p.less_equal
    return np.sum(below(a, np.reshape(v, (*v.shape, 1))), axis=-1)
