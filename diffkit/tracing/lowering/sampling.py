"""Differences and integrals of samples along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.errors import TracingError
from diffkit.tracing.creating import as_traced
from diffkit.tracing.lowering.joining import concatenate
from diffkit.tracing.lowering.reducing import as_real, axes_of
from diffkit.tracing.lowering.shaping import broadcast_to, cut, ravel, reshape
from diffkit.tracing.tracer import lowers


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
        x = cut(x, axis, 1, None) - cut(x, axis, None, -1)
    return x


@lowers(np.ediff1d)
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    parts = [to_begin, diff(ravel(x)), to_end]
    return concatenate([ravel(part) for part in parts if part is not None])


@lowers(np.gradient)
def gradient(x: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """NumPy's central differences of samples, with scalar spacing."""
    x = as_real(x)
    axes = axes_of(axis, x.ndim)
    steps = list(spacing) * (len(axes) if len(spacing) == 1 else 1) or [1.0] * len(axes)
    if any(np.ndim(h) for h in steps) or edge_order != 1:
        raise TracingError(
            "np.gradient is traced with scalar spacing and edge_order=1; write the differences with slices"
        )
    made = []
    for one, h in zip(axes, steps, strict=True):
        first = (cut(x, one, 1, 2) - cut(x, one, 0, 1)) / h
        last = (cut(x, one, -1, None) - cut(x, one, -2, -1)) / h
        made.append(concatenate([first, (cut(x, one, 2, None) - cut(x, one, None, -2)) / (2 * h), last], one))
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
    return np.sum(widths * (cut(y, axis, 1, None) + cut(y, axis, None, -1)) / 2.0, axis=axis)
