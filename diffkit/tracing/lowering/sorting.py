"""Orders: sorting takes entries along positions that are found while running."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.tracing.creating import as_traced
from diffkit.tracing.lowering.reducing import axes_of, mean
from diffkit.tracing.tracer import lowers


@lowers(np.argsort)
def argsort(x: Any, axis: Any = -1, **_options: Any) -> Any:
    x, axis = (np.ravel(x), -1) if axis is None else (as_traced(x), axis)
    return p.argsort(x, axis=axes_of(axis, x.ndim)[0])


@lowers(np.sort, np.partition)
def sort(x: Any, *kth: Any, axis: Any = -1, **_options: Any) -> Any:
    """Entries in order; a fully sorted array also satisfies ``np.partition``."""
    if kth and axis == -1 and not isinstance(kth[0], (int, np.integer, list, tuple, np.ndarray)):
        axis = kth[0]
    x, axis = (np.ravel(x), -1) if axis is None else (as_traced(x), axes_of(axis, as_traced(x).ndim)[0])
    return p.take_along(x, p.argsort(x, axis=axis), axis=axis)


@lowers(np.median)
def median(x: Any, axis: Any = None, keepdims: bool = False, **_options: Any) -> Any:
    x = as_traced(x)
    if axis is None:
        result = median(np.ravel(x), -1)
        return np.reshape(result, (1,) * x.ndim) if keepdims else result
    one = axes_of(axis, x.ndim)[0]
    ordered = np.moveaxis(sort(x, axis=one), one, -1)
    n = ordered.shape[-1]
    result = mean(ordered[..., (n - 1) // 2 : n // 2 + 1], axis=-1)
    return np.expand_dims(result, one) if keepdims else result


@lowers(np.quantile)
def quantile(x: Any, q: Any, axis: Any = None, keepdims: bool = False, **_options: Any) -> Any:
    """Linear interpolation between order statistics."""
    x = as_traced(x)
    flat = np.ravel(x) if axis is None else np.moveaxis(x, axis, -1)
    ordered = sort(flat)
    spot = np.asarray(q, dtype=float) * (ordered.shape[-1] - 1)
    low = np.floor(spot).astype(int)
    high = np.minimum(low + 1, ordered.shape[-1] - 1)
    part = np.expand_dims(spot - low, tuple(range(spot.ndim, spot.ndim)))
    result = ordered[..., low] * (1 - part) + ordered[..., high] * part
    return np.moveaxis(result, -1, 0) if spot.ndim and result.ndim > 1 else result


lowers(np.percentile)(lambda x, q, axis=None, **options: quantile(x, np.asarray(q) / 100.0, axis, **options))


@lowers(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """How many entries of ``a`` are smaller: a count, so it has derivative zero."""
    a, v = as_traced(a), as_traced(v)
    below = p.less if side == "left" else p.less_equal
    return np.sum(below(a, np.reshape(v, (*v.shape, 1))), axis=-1)
