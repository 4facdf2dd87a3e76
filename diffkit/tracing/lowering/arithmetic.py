"""Functions applied entry by entry that are not simply a row of the table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.ops import Recorded, ufunc_dtype
from diffkit.tracing.creating import as_traced
from diffkit.tracing.tracer import UFUNC_METHODS, lowers


@lowers(np.power)
def power(x: Any, y: Any) -> Any:
    """As NumPy's ``**`` does, the commonest exponents have steps of their own."""
    if type(y) in (int, float) and isinstance(x, Recorded):
        if y == 0:
            return np.ones_like(x)
        short: dict[float, Any] = {1: np.copy, 2: p.square, -1: p.reciprocal, 0.5: p.sqrt}
        if y in short:
            return short[y](x)
    return p.power(x, y)


@lowers(np.float_power)
def float_power(x: Any, y: Any) -> Any:
    return power(as_traced(x).astype(np.float64), y)


@lowers(np.positive)
def positive(x: Any) -> Any:
    return x.snapshot()


@lowers(np.fabs)
def fabs(x: Any) -> Any:
    return p.absolute(x)


@lowers(np.conjugate, np.real, np.real_if_close)
def conjugate(x: Any) -> Any:
    return x


@lowers(np.imag)
def imag(x: Any) -> Any:
    return np.zeros_like(x)


@lowers(np.deg2rad, np.radians)
def deg2rad(x: Any) -> Any:
    return x * (math.pi / 180)


@lowers(np.rad2deg, np.degrees)
def rad2deg(x: Any) -> Any:
    return x * (180 / math.pi)


@lowers(np.logaddexp2)
def logaddexp2(x: Any, y: Any) -> Any:
    scale = math.log(2)
    return p.logaddexp(x * scale, y * scale) / scale


@lowers(np.fmax)
def fmax(x: Any, y: Any) -> Any:
    return p.where(p.isnan(x), y, p.where(p.isnan(y), x, p.maximum(x, y)))


@lowers(np.fmin)
def fmin(x: Any, y: Any) -> Any:
    return p.where(p.isnan(x), y, p.where(p.isnan(y), x, p.minimum(x, y)))


def _promoted(ufunc: np.ufunc, x: Any, y: Any) -> tuple[Any, Any]:
    """Both operands in the dtype that NumPy computes in; a Python number takes the other's."""
    if not (hasattr(x, "dtype") and hasattr(y, "dtype")):
        return x, y
    dtype = ufunc_dtype(ufunc, x.dtype, y.dtype)
    return x.astype(dtype), y.astype(dtype)


@lowers(np.copysign)
def copysign(x: Any, y: Any) -> Any:
    x, y = _promoted(np.copysign, x, y)
    size = p.absolute(x)
    return p.where(p.signbit(y), -size, size)


@lowers(np.fmod)
def fmod(x: Any, y: Any) -> Any:
    """The remainder of the sizes, with the sign of x."""
    x, y = _promoted(np.fmod, x, y)
    y = abs(y)
    return p.where(p.less(x, 0), -p.mod(-x, y), p.mod(x, y))


@lowers(np.ldexp)
def ldexp(x: Any, exponent: Any) -> Any:
    return x * p.exp2(as_traced(exponent).astype(x.dtype))


def _bits(ufunc: np.ufunc, logical: Any) -> None:
    """Of truths, the logical op; the bits of whole numbers are read where they do not depend on an input."""

    @lowers(ufunc)
    def lowering(*operands: Any) -> Any:
        traced = [as_traced(operand) for operand in operands]
        if all(operand.dtype == bool for operand in traced):
            return logical(*traced)
        return ufunc(*[operand.concrete() for operand in traced])


_bits(np.bitwise_and, p.logical_and)
_bits(np.bitwise_or, p.logical_or)
_bits(np.bitwise_xor, p.logical_xor)
_bits(np.invert, p.logical_not)


@lowers(np.heaviside)
def heaviside(x: Any, half: Any) -> Any:
    """At x = 0 the result is the second operand, and so is its derivative."""
    if not isinstance(half, Recorded):
        return p.heaviside(x, half)
    return p.where(p.equal(x, 0), half, p.heaviside(x, half.dtype.type(0)))


@lowers(np.round, np.around)
def rounded(x: Any, decimals: int = 0) -> Any:
    x, scale = as_traced(x), 10.0**decimals
    if x.dtype.kind in "iu" and decimals >= 0:
        return np.copy(x)  # a whole number stays one
    return p.rint(x) if decimals == 0 else p.rint(x * scale) / scale


@lowers(np.fix)
def fix(x: Any) -> Any:
    return p.trunc(x)


@lowers(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Three arguments select; one asks where it holds, which is guarded."""
    if x is None and y is None:
        return np.nonzero(condition)
    mask = as_traced(condition)
    mask = mask if mask.dtype == bool else p.not_equal(mask, 0)
    x, y = (as_traced(side) if isinstance(side, (list, tuple)) else side for side in (x, y))
    return p.where(mask, x, y)


@lowers(np.clip)
def clip(x: Any, a_min: Any = None, a_max: Any = None, **limits: Any) -> Any:
    """One-sided where a limit is None; at a limit, the mean of both sides."""
    x, low, high = as_traced(x), limits.get("min", a_min), limits.get("max", a_max)
    raised = x if low is None else p.maximum(x, low)
    return raised if high is None else p.minimum(raised, high)


@lowers(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    if x.dtype.kind != "f":
        return x.snapshot()
    limits = np.finfo(x.dtype)
    top = limits.max if posinf is None else posinf
    bottom = limits.min if neginf is None else neginf
    known = p.where(p.isnan(x), nan, x)
    below = p.where(p.equal(known, math.inf), float(top), known)
    return p.where(p.equal(below, -math.inf), float(bottom), below)


@lowers(np.sinc)
def sinc(x: Any) -> Any:
    """``sin(pi x) / (pi x)``; near 0 its Taylor series, so that all derivatives are right there."""
    angle = math.pi * as_traced(x)
    small = p.less(p.absolute(angle), 1e-2)
    safe = p.where(small, 1.0, angle)
    square = angle * angle
    series = 1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72)))
    return p.where(small, series, p.sin(safe) / safe)


@lowers(np.i0)
def i0(x: Any) -> Any:
    return np.i0(x.concrete())


@lowers(np.isclose)
def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    near = p.less_equal(p.absolute(a - b), atol + rtol * p.absolute(as_traced(b)))
    close = p.logical_or(p.equal(a, b), p.logical_and(near, p.isfinite(b)))
    return p.logical_or(close, p.logical_and(p.isnan(a), p.isnan(b))) if equal_nan else close


@lowers(np.allclose)
def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    return bool(np.all(isclose(a, b, rtol, atol, equal_nan)))


@lowers(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Piecewise linear; the interval of each x is found while tracing and guarded."""
    x, fp = as_traced(x), as_traced(fp)
    grid = np.asarray(as_traced(xp).concrete(), dtype=np.float64)
    interval = np.searchsorted(grid, x, side="right").decide()
    low = np.clip(interval - 1, 0, len(grid) - 2)
    share = (p.minimum(p.maximum(x, grid[0]), grid[-1]) - grid[low]) / (grid[low + 1] - grid[low])
    inside = fp[low] + share * (fp[low + 1] - fp[low])
    inside = inside if left is None else p.where(p.less(x, grid[0]), left, inside)
    return inside if right is None else p.where(p.greater(x, grid[-1]), right, inside)


def logit(x: Any) -> Any:
    return p.log(x / (1 - x))


def xlogy(x: Any, y: Any) -> Any:
    """``x log(y)``, and 0 at x = 0 also where the logarithm is none (there, it counts as 0)."""
    none = p.logical_or(p.less_equal(y, 0), p.isinf(y))
    return x * p.log(p.where(p.logical_and(p.equal(x, 0), none), 1.0, y))


def xlog1py(x: Any, y: Any) -> Any:
    """``x log(1 + y)``, likewise."""
    none = p.logical_or(p.less_equal(y, -1), p.isinf(y))
    return x * p.log1p(p.where(p.logical_and(p.equal(x, 0), none), 0.0, y))


def log_expit(x: Any) -> Any:
    return -p.logaddexp(0.0, -x)


for _name, _lowering in {"logit": logit, "xlogy": xlogy, "xlog1py": xlog1py, "log_expit": log_expit}.items():
    p.BY_NAME[_name] = _lowering  # type: ignore[assignment]  # a lowering serves where a row does


def _outer(op: Any) -> Any:
    def outer(x: Any, y: Any) -> Any:
        x, y = as_traced(x), as_traced(y)
        return op(np.reshape(x, x.shape + (1,) * y.ndim), y)

    return outer


for _op in list(p.TABLE.values()):
    if isinstance(_op.numpy, np.ufunc) and _op.numpy.nin == 2:
        UFUNC_METHODS[_op.name, "outer"] = _outer(_op)


def _at(op: Any) -> Any:
    """``np.add.at`` and ``np.subtract.at``: repeated positions add up, in the target's dtype (two truths are two)."""

    def at(target: Any, index: Any, value: Any) -> None:
        from diffkit.tracing.lowering.indexing import positions_of

        spots = positions_of(target, index)
        piece = np.broadcast_to(as_traced(value).astype(target.dtype), spots.array.shape)
        target[...] = op(target, p.scatter(piece, shape=target.shape, places=(spots,)))

    return at


UFUNC_METHODS["add", "at"] = _at(p.add)
UFUNC_METHODS["subtract", "at"] = _at(p.subtract)
