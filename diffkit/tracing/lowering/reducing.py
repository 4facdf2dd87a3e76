"""Sums, products, extrema and statistics over axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.ops import Op
from diffkit.primitives.families import kept
from diffkit.tracing.creating import as_traced
from diffkit.tracing.lowering.naming import as_named
from diffkit.tracing.tracer import UFUNC_METHODS, lowers

Axis = tuple[int, ...]


def axes_of(axis: Any, ndim: int) -> Axis:
    """Axes as sorted negative numbers; None means all."""
    if axis is None:
        return tuple(range(-ndim, 0))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    for one in given:
        if not -ndim <= one < ndim:
            raise np.exceptions.AxisError(int(one), ndim)
    return tuple(sorted(int(one) - ndim if one >= 0 else int(one) for one in given))


def over(axis: Any, ndim: int) -> Axis:
    """The axes of a reduction: a number may be reduced over an axis 0, as in NumPy."""
    return () if ndim == 0 and axis in (0, -1) else axes_of(axis, ndim)


def _kept(result: Any, x: Any, axes: Axis, keepdims: Any) -> Any:
    return np.reshape(result, kept(x.shape, axes)) if keepdims else result


def summand(x: Any, dtype: Any = None) -> Any:
    """What NumPy adds or multiplies up: in the dtype that is asked for, truths and small numbers as whole ones."""
    x = as_traced(x)
    if dtype is not None:
        return x.astype(dtype)
    if x.dtype.kind not in "biu":
        return x
    wide = np.promote_types(x.dtype, np.uintp if x.dtype.kind == "u" else np.intp)
    return x if x.dtype == wide else p.convert(x, dtype=wide)


def as_real(x: Any) -> Any:
    """An array whose entries NumPy divides: whole numbers become float64."""
    x = as_traced(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


@lowers(np.sum)
def sum_(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: Any = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    x = summand(x, dtype)
    x = x if where is True else p.where(where, x, 0)
    axes = over(axis, x.ndim)
    total = p.sum_(x, axis=axes) if axes else x
    total = _kept(total, x, axes, keepdims)
    return total if isinstance(initial, (int, float)) and initial == 0 else total + initial


@lowers(np.mean)
def mean_(
    x: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False, where: Any = True
) -> Any:
    x = as_traced(x)
    return sum_(x, axis, dtype, keepdims=keepdims, where=where) / _count(x, axis, keepdims, where)


def _count(x: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    """How many entries a mean is taken over."""
    if where is True:
        return math.prod(x.shape[one] for one in over(axis, x.ndim)) or math.nan
    counted = np.broadcast_to(as_traced(where), x.shape).astype(x.dtype)
    return sum_(counted, axis, keepdims=keepdims)


@lowers(np.average)
def average(x: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: Any = False) -> Any:
    if weights is None:
        return mean_(x, axis, keepdims=keepdims)
    x, weights = as_traced(x), as_traced(weights)
    if weights.ndim < x.ndim and axis is not None:
        (one,) = over(axis, x.ndim)
        weights = np.reshape(weights, tuple(x.shape[k] if k == one else 1 for k in range(-x.ndim, 0)))
    weights = np.broadcast_to(weights, x.shape)
    scale = sum_(weights, axis, keepdims=keepdims)
    result = sum_(x * weights, axis, keepdims=keepdims) / scale
    return (result, scale) if returned else result


@lowers(np.var)
def var(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    x = as_traced(x) if dtype is None else as_traced(x).astype(dtype)
    centre = mean_(x, axis, keepdims=True, where=where) if mean is None else mean
    squares = sum_(p.square(x - centre), axis, keepdims=keepdims, where=where)
    return squares / (_count(x, axis, keepdims, where) - (ddof if correction is None else correction))


@lowers(np.std)
def std(x: Any, *args: Any, **options: Any) -> Any:
    return root_of_sum(var(x, *args, **options))


def root_of_sum(total: Any, order: float = 2) -> Any:
    """The root of a sum of powers: where all are zero it has a kink, and derivative 0, the mean of both sides."""
    if as_named():
        return np.power(total, 1 / order)
    zero = p.less_equal(total, 0)
    return p.where(zero, 0.0, np.power(p.where(zero, 1.0, total), 1 / order))


def _extremum(op: Op, pick: Op, empty: float) -> Callable[..., Any]:
    def reduce(
        x: Any,
        axis: Any = None,
        out: None = None,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = True,
    ) -> Any:
        x = as_traced(x)
        x = x if where is True else p.where(where, x, empty)
        axes = over(axis, x.ndim)
        if any(x.shape[one] == 0 for one in axes):
            if initial is None:
                raise TracingError(f"the {op.name} of an empty array of shape {x.shape} does not exist; give initial=")
            return sum_(x, axis, keepdims=keepdims) + initial
        result = _kept(op(x, axis=axes), x, axes, keepdims) if axes else x
        return result if initial is None else pick(result, initial)

    return reduce


maximum = lowers(np.max, np.amax)(_extremum(p.max_, p.maximum, -math.inf))
minimum = lowers(np.min, np.amin)(_extremum(p.min_, p.minimum, math.inf))


@lowers(np.ptp)
def ptp(x: Any, axis: Any = None, out: None = None, keepdims: Any = False) -> Any:
    return maximum(x, axis, keepdims=keepdims) - minimum(x, axis, keepdims=keepdims)


def rows_last(x: Any, axes: Axis) -> Any:
    """The reduced axes as one last axis."""
    stay = tuple(one for one in range(-x.ndim, 0) if one not in axes)
    moved = x if (*stay, *axes) == tuple(range(-x.ndim, 0)) else np.transpose(x, (*stay, *axes))
    shape = (*(x.shape[one] for one in stay), math.prod(x.shape[one] for one in axes))
    return moved if shape == moved.shape else np.reshape(moved, shape)


@lowers(np.prod)
def prod(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: Any = False,
    initial: Any = 1,
    where: Any = True,
) -> Any:
    """A tree of products of halves: right with zeros in x, to every order, in n - 1 multiplications."""
    x = summand(x, dtype)
    x = x if where is True else p.where(where, x, 1)
    axes = over(axis, x.ndim)
    rows, spare = rows_last(x, axes), None
    if rows.shape[-1] == 0:
        return _kept(np.ones_like(p.sum_(x, axis=axes)), x, axes, keepdims) * initial
    while rows.shape[-1] > 1:
        half = rows.shape[-1] // 2
        if rows.shape[-1] % 2:
            last = rows[..., -1:]
            spare = last if spare is None else spare * last
        rows = rows[..., :half] * rows[..., half : 2 * half]
    result = np.reshape(rows if spare is None else rows * spare, rows.shape[:-1])
    result = _kept(result, x, axes, keepdims)
    return result if isinstance(initial, (int, float)) and initial == 1 else result * initial


def along(x: Any, axis: Any) -> tuple[Any, int]:
    """The array and a negative axis; without an axis, the flattened array."""
    return (np.ravel(x), -1) if axis is None or not x.ndim else (x, axes_of(axis, x.ndim)[0])


@lowers(np.cumsum)
def cumsum(x: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Any:
    x, axis = along(summand(x, dtype), axis)
    return p.cumsum(x, axis=axis)


@lowers(np.cumprod)
def cumprod(x: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Any:
    """Right with zeros in x, to every order."""
    return accumulated(p.multiply, summand(x, dtype), axis)


def accumulated(op: Op, x: Any, axis: Any) -> Any:
    """All leading results of an associative op by doubling (Hillis and Steele 1986): log2 n steps."""
    x, axis = along(as_traced(x), axis)
    rows, reach = np.moveaxis(x, axis, -1), 1
    while reach < rows.shape[-1]:
        rows = np.concatenate([rows[..., :reach], op(rows[..., reach:], rows[..., :-reach])], axis=-1)
        reach *= 2
    return np.moveaxis(rows, -1, axis)


@lowers(np.any)
def any_(x: Any, axis: Any = None, out: None = None, keepdims: Any = False) -> Any:
    return _connective(p.any_, x, axis, keepdims)


@lowers(np.all)
def all_(x: Any, axis: Any = None, out: None = None, keepdims: Any = False) -> Any:
    return _connective(p.all_, x, axis, keepdims)


def _truth(x: Any) -> Any:
    x = as_traced(x)
    return x if x.dtype == bool else p.not_equal(x, 0)


def _connective(op: Op, x: Any, axis: Any, keepdims: Any) -> Any:
    x = _truth(x)
    axes = over(axis, x.ndim)
    return _kept(op(x, axis=axes), x, axes, keepdims)


@lowers(np.count_nonzero)
def count_nonzero(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return sum_(_truth(x), axis, keepdims=keepdims)


def _argument(op: Op) -> Callable[..., Any]:
    def find(x: Any, axis: Any = None, out: None = None, keepdims: Any = False) -> Any:
        x = as_traced(x)
        if axis is None or not x.ndim:
            found = op(np.ravel(x), axis=-1)
            return np.reshape(found, (1,) * x.ndim) if keepdims else found
        axes = over(axis, x.ndim)
        return _kept(op(x, axis=axes[0]), x, axes, keepdims)

    return find


argmax = lowers(np.argmax)(_argument(p.argmax))
argmin = lowers(np.argmin)(_argument(p.argmin))


def logsumexp(x: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """``log(sum(b exp(x)))`` without overflow: the largest x is taken out, and its derivative cancels."""
    if return_sign:
        raise TracingError("logsumexp(return_sign=True) cannot be traced: it has two results; use np.log(np.abs(...))")
    x = as_traced(x)
    axes = over(axis, x.ndim)
    top = p.stop(maximum(x, axes, keepdims=True, initial=None if x.size else 0.0))
    top = p.where(p.isfinite(top), top, 0.0)
    powers = p.exp(x - top)
    total = p.log(sum_(powers if b is None else b * powers, axes, keepdims=True)) + top
    return total if keepdims else np.reshape(total, tuple(n for k, n in enumerate(x.shape) if k - x.ndim not in axes))


def log_softmax(x: Any, axis: Any = None) -> Any:
    return x - logsumexp(x, axis, keepdims=True)


def softmax(x: Any, axis: Any = None) -> Any:
    x = as_traced(x)
    powers = p.exp(x - p.stop(maximum(x, axis, keepdims=True)))
    return powers / sum_(powers, axis, keepdims=True)


UFUNC_METHODS["add", "reduce"] = lambda x, axis=0, **options: sum_(x, axis, **options)
UFUNC_METHODS["multiply", "reduce"] = lambda x, axis=0, **options: prod(x, axis, **options)
UFUNC_METHODS["maximum", "reduce"] = lambda x, axis=0, **options: maximum(x, axis, **options)
UFUNC_METHODS["minimum", "reduce"] = lambda x, axis=0, **options: minimum(x, axis, **options)
UFUNC_METHODS["logical_and", "reduce"] = lambda x, axis=0, **options: all_(x, axis, **options)
UFUNC_METHODS["logical_or", "reduce"] = lambda x, axis=0, **options: any_(x, axis, **options)
UFUNC_METHODS["logaddexp", "reduce"] = lambda x, axis=0, **options: logsumexp(x, axis, **options)
UFUNC_METHODS["add", "accumulate"] = lambda x, axis=0: cumsum(x, axis)
for _op in (p.multiply, p.maximum, p.minimum, p.logaddexp):
    UFUNC_METHODS[_op.name, "accumulate"] = lambda x, axis=0, op=_op: accumulated(op, x, axis)
