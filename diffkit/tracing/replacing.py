"""What f calls instead of a function while it is traced: NumPy's that make arrays, Python's mathematics, SciPy's."""

from __future__ import annotations

import functools
import math
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.tracing.array_tracer import ArrayTracer
from diffkit.tracing.creating import CREATING, as_traced, holds_tracer
from diffkit.tracing.dispatch import call_function, call_ufunc
from diffkit.tracing.lowering import reducing
from diffkit.tracing.tracer import LOWERINGS, Tracer


def is_instance(value: Any, kinds: Any) -> bool:
    """A traced number is what NumPy's would be (a float), a traced array an array."""
    stands_for: Any = value
    if isinstance(value, ArrayTracer):
        stands_for = np.empty(0, value.dtype)
    elif isinstance(value, Tracer):
        stands_for = value.dtype.type()
    return isinstance(stands_for, kinds)


def _isscalar(value: Any) -> bool:
    return is_instance(value, np.generic) or np.isscalar(value)


def _either(plain: Callable[..., Any], traced: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def call(*args: Any, **kwargs: Any) -> Any:
        return (traced if holds_tracer(list(args)) else plain)(*args, **kwargs)

    return call


_MATH = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
         "acosh": "arccosh", "atanh": "arctanh", "pow": "power", "fabs": "fabs"}  # fmt: skip
_SAME = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "expm1", "log1p", "log2", "log10", "sqrt", "cbrt",
         "degrees", "radians", "isnan", "isinf", "isfinite", "copysign", "prod")  # fmt: skip


def _log(x: Any, base: Any = None) -> Any:
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _isclose(a: Any, b: Any, *, rel_tol: float = 1e-9, abs_tol: float = 0.0) -> Any:
    return abs(a - b) <= max(rel_tol * max(abs(a), abs(b)), abs_tol)


_OWN_WAY: dict[Any, Callable[..., Any]] = {
    math.log: _log,
    math.hypot: lambda *sides: functools.reduce(np.hypot, sides, 0.0),
    math.dist: lambda one, other: np.linalg.norm(np.subtract(one, other)),
    math.fsum: sum,
    math.isclose: _isclose,
    math.erf: p.erf,
    math.erfc: p.erfc,
    math.lgamma: p.gammaln,
}


def _recorded(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function on traced values; NumPy finds them among its arguments, but not within lists of numbers."""
    if isinstance(function, np.ufunc):
        operands = tuple(as_traced(value) if isinstance(value, (list, tuple)) else value for value in args)
        return call_ufunc(function, "__call__", operands, kwargs)
    return call_function(function, args, kwargs)


def replacement(value: Any) -> Callable[..., Any] | None:
    """What f calls instead of a function while it is traced; None where it is that function."""
    found = _replacements(sys.modules.get("scipy.special")).get(id(value))
    return None if found is None else found[1]


@functools.cache
def _replacements(special: types.ModuleType | None) -> dict[int, tuple[Any, Callable[..., Any]]]:
    """Functions that f calls by another definition while it is traced, by identity; SciPy's once it is imported."""
    table: dict[Any, Callable[..., Any]] = dict(CREATING)
    for name in (*_MATH, *_SAME):
        plain = getattr(math, name, None)
        if plain is not None:
            table[plain] = _either(plain, getattr(np, _MATH.get(name, name)))
    for plain, traced in _OWN_WAY.items():
        table[plain] = _either(plain, traced)
    table[np.isscalar] = _isscalar
    for plain in LOWERINGS:
        if not isinstance(plain, np.ufunc):  # a ufunc has methods
            table.setdefault(plain, _either(plain, functools.partial(_recorded, plain)))
    if special is not None:
        table |= _of_scipy(special)
    return {id(plain): (plain, traced) for plain, traced in table.items()}


def _of_scipy(special: types.ModuleType) -> dict[Any, Callable[..., Any]]:
    table = {getattr(special, name, None): op for name, op in p.BY_NAME.items()}
    traced = {
        plain: functools.partial(_recorded, plain) if isinstance(plain, np.ufunc) else op
        for plain, op in table.items()
        if plain is not None
    }
    traced |= {getattr(special, name): getattr(reducing, name) for name in ("logsumexp", "softmax", "log_softmax")}
    return {plain: _either(plain, call) for plain, call in traced.items()}
