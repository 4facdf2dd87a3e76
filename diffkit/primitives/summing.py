"""The rules of sums over axes, and what reductions over axes mean in SymPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.ops import Array
from diffkit.primitives.families import Inferred, Params, expand
from diffkit.primitives.meanings import numbers


def total(x: Array, axis: tuple[int, ...]) -> Array:
    """Sum over negative axes."""
    return np.sum(x, axis=axis)


def sum_forward(tangent: Array, _operand: Array, params: Params) -> Array:
    return np.sum(tangent, axis=params["axis"])


def sum_backward(cotangent: Array, result: Array, operand: Array, params: Params) -> Array:
    return expand(cotangent, result, operand, params["axis"])


def same_shape(operands: Sequence[Any], _params: Params) -> Inferred:
    return operands[0].shape, operands[0].dtype


def cumsum_forward(tangent: Array, _operand: Array, params: Params) -> Array:
    return np.cumsum(tangent, axis=params["axis"])


def cumsum_backward(cotangent: Array, _result: Array, _operand: Array, params: Params) -> Array:
    axis = params["axis"]
    return np.flip(np.cumsum(np.flip(cotangent, axis), axis=axis), axis)


def over_axes(name: str, of: Callable[..., Any] = numbers) -> Callable[..., Any]:
    """A function of SymPy (Max, Min, And, Or) over axes of an object array."""

    def symbolic(sympy: Any, operand: Any, axis: tuple[int, ...]) -> Any:
        return _over_axes(getattr(sympy, name), of(sympy, operand), axis)

    return symbolic


def sum_symbolic(sympy: Any, operand: Any, axis: tuple[int, ...]) -> Any:
    """SymPy's n-ary Add: adding one by one would copy the sum n times."""
    return _over_axes(sympy.Add, operand, axis)


def _over_axes(function: Callable[..., Any], operand: Any, axis: tuple[int, ...]) -> Any:
    last = np.moveaxis(operand, axis, tuple(range(-len(axis), 0)))
    kept = last.shape[: last.ndim - len(axis)]
    rows = last.reshape(math.prod(kept), math.prod(last.shape[len(kept) :]))
    result = np.empty(len(rows), dtype=object)
    for position, row in enumerate(rows):
        result[position] = function(*row)
    return result.reshape(kept)
