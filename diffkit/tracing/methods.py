"""Python's operators and the methods of NumPy's arrays, set on the tracers from the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.ops import Op, Recorded
from diffkit.tracing.array_tracer import ArrayTracer
from diffkit.tracing.tracer import Tracer


def _operand(value: Any) -> Any:
    """An operand of an operator; NotImplemented for what another class may know."""
    if isinstance(value, (Recorded, int, float, np.ndarray, np.generic, complex)):
        return value
    if isinstance(value, (list, tuple)):
        return np.asarray(value, dtype=object if _holds_tracer(value) else None)
    return NotImplemented


def _holds_tracer(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_tracer, value))
    return isinstance(value, Recorded)


def _binary(name: str, function: Callable[[Any, Any], Any]) -> None:
    def forward(self: Tracer, other: Any) -> Any:
        operand = _operand(other)
        return NotImplemented if operand is NotImplemented else function(self, operand)

    def backward(self: Tracer, other: Any) -> Any:
        operand = _operand(other)
        return NotImplemented if operand is NotImplemented else function(operand, self)

    def inplace(self: ArrayTracer, other: Any) -> Any:
        result = forward(self, other)
        if result is not NotImplemented:
            self[...] = result
            return self
        return NotImplemented

    setattr(Tracer, f"__{name}__", forward)
    setattr(Tracer, f"__r{name}__", backward)
    setattr(ArrayTracer, f"__i{name}__", inplace)


def _comparison(name: str, op: Op) -> None:
    def compare(self: Tracer, other: Any) -> Any:
        operand = _operand(other)
        return NotImplemented if operand is NotImplemented else op(self, operand)

    setattr(Tracer, f"__{name}__", compare)


def _power(x: Any, y: Any) -> Any:
    return np.power(x, y)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": p.add, "sub": p.subtract, "mul": p.multiply, "truediv": p.divide, "mod": p.mod,
    "floordiv": p.floor_divide, "pow": _power, "matmul": np.matmul,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "lshift": np.left_shift, "rshift": np.right_shift,
}  # fmt: skip
for _name, _function in _OPERATORS.items():
    _binary(_name, _function)
for _name, _op in {
    "lt": p.less, "le": p.less_equal, "gt": p.greater, "ge": p.greater_equal, "eq": p.equal, "ne": p.not_equal,
}.items():  # fmt: skip
    _comparison(_name, _op)


def _method(owner: type[Tracer], name: str, function: Any) -> None:
    def call(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    call.__name__, call.__doc__ = name, "As of an array."
    setattr(owner, name, call)


for _name in (
    "sum", "mean", "prod", "max", "min", "var", "std", "cumsum", "cumprod", "any", "all", "argmax", "argmin",
    "argsort", "dot", "reshape", "ravel", "transpose", "swapaxes", "squeeze", "repeat", "take", "clip", "round",
    "trace", "diagonal", "nonzero", "searchsorted",
):  # fmt: skip
    if _name == "reshape":
        continue
    _method(Tracer, _name, getattr(np, _name))
for _op in p.TABLE.values():  # NumPy calls t.sin() and t.hypot(u) on object arrays of tracers
    if isinstance(_op.numpy, np.ufunc) and _op.family == "elementwise" and not hasattr(Tracer, _op.name):
        _method(Tracer, _op.name, _op.numpy)


def _reshape(self: Tracer, *shape: Any, order: str = "C") -> Any:
    """As of an array: one tuple or several lengths."""
    return np.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)  # type: ignore[call-overload]  # a tracer is not an array to mypy


def _transpose(self: Tracer, *axes: Any) -> Any:
    """As of an array: one tuple or several axes."""
    given = axes[0] if len(axes) == 1 and not isinstance(axes[0], (int, np.integer)) else (axes or None)
    return np.transpose(self, given)


Tracer.reshape = _reshape  # type: ignore[attr-defined]  # set here because NumPy's own takes one tuple only
Tracer.transpose = _transpose  # type: ignore[attr-defined]  # set here because NumPy's own takes one tuple only
