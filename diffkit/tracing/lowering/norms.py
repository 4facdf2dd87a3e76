"""Norms of vectors, and of matrices where no singular values are needed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.tracing.lowering.reducing import as_real, axes_of, maximum, minimum, root_of_sum, sum_
from diffkit.tracing.tracer import lowers


@lowers(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002 - NumPy's name
    """Vector norms of any order; matrix norms that need no singular values."""
    x = as_real(x)
    axes = axes_of(axis, x.ndim)
    if ord is None:
        return vector_norm(x, axis=axes, keepdims=keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axis if axis is not None else (-2, -1), keepdims)
    return vector_norm(x, axis=axes, keepdims=keepdims, ord=ord)


@lowers(np.linalg.vector_norm)
def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:  # noqa: A002 - NumPy's name
    x = as_real(x)
    if ord == 2:
        return root_of_sum(sum_(p.square(x), axis, keepdims=keepdims))
    size = p.absolute(x)
    if ord == math.inf:
        return maximum(size, axis, keepdims=keepdims)
    if ord == -math.inf:
        return minimum(size, axis, keepdims=keepdims)
    if ord == 0:
        return sum_(p.not_equal(size, 0).astype(size.dtype), axis, keepdims=keepdims)
    total = sum_(np.power(size, ord), axis, keepdims=keepdims)
    return root_of_sum(total, ord) if ord > 0 else np.power(total, 1 / ord)


@lowers(np.linalg.matrix_norm)
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:  # noqa: A002 - NumPy's name
    return _matrix_norm(as_real(x), ord, (-2, -1), keepdims)


def _matrix_norm(x: Any, order: Any, axis: Any, keepdims: bool) -> Any:
    if order == "fro":
        return vector_norm(x, axis=axis, keepdims=keepdims)
    if order not in (1, -1, math.inf, -math.inf):
        raise TracingError(
            f"np.linalg.norm(ord={order!r}) of a matrix cannot be traced: it needs singular values; use 'fro'"
        )
    rows, columns = (one - x.ndim if one >= 0 else one for one in axis)
    along, across = (rows, columns) if abs(order) == 1 else (columns, rows)
    totals = sum_(p.absolute(x), along, keepdims=True)
    pick = maximum if order > 0 else minimum
    result = pick(totals, across, keepdims=True)
    return result if keepdims else np.squeeze(result, axis=(rows, columns))
