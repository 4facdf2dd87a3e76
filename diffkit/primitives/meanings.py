"""What an op means in SymPy: a function applied to the entries of object arrays, which hold numbers or conditions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np


def as_objects(value: Any) -> np.ndarray[Any, Any]:
    """An object array, also of one expression."""
    if isinstance(value, np.ndarray):
        return value.astype(object, copy=False)
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def numbers(sympy: Any, operand: Any) -> Any:
    """An operand as numbers: a condition counts 1 where it holds, as in NumPy."""

    def number(entry: Any) -> Any:
        return sympy.Piecewise((1, entry), (0, True)) if _is_condition(sympy, entry) else entry

    return as_objects(np.frompyfunc(number, 1, 1)(operand))


def conditions(sympy: Any, operand: Any) -> Any:
    """An operand as conditions: a number counts as true where it is not 0."""

    def condition(entry: Any) -> Any:
        return entry if _is_condition(sympy, entry) else sympy.Ne(entry, 0)

    return as_objects(np.frompyfunc(condition, 1, 1)(operand))


def _is_condition(sympy: Any, entry: Any) -> bool:
    return isinstance(entry, sympy.Basic) and not isinstance(entry, sympy.Expr)


def entrywise(meaning: str | Callable[..., Any], of: Callable[..., Any] = numbers) -> Callable[..., Any]:
    """A SymPy function, by name or as a function of the SymPy module, applied entry by entry."""

    def symbolic(sympy: Any, *operands: Any, **_params: Any) -> Any:
        function = getattr(sympy, meaning) if isinstance(meaning, str) else functools.partial(meaning, sympy)
        return as_objects(np.frompyfunc(function, len(operands), 1)(*[of(sympy, x) for x in operands]))

    return symbolic
