"""Ops as functions of SymPy's, for rows that state no other meaning in SymPy.

What SymPy would write out as ``log(exp(x) + exp(y))`` overflows, and ``exp(x) - 1`` loses the digits that
``np.expm1`` is for. Such an op stays one function, of the row's name; its derivative is the row's own.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from diffkit.graph import INPUT, Graph
from diffkit.ops import Op
from diffkit.primitives.meanings import as_objects, entrywise
from diffkit.simplify import simplify
from diffkit.tracing import Trace


def meaning(op: Op) -> Any:
    """What an op means in SymPy, ``(sympy, *object_arrays, **params)``; None if it means nothing there."""
    if op.symbolic is not None or op.numpy is None or op.family not in ("elementwise", "constant"):
        return op.symbolic
    return entrywise(lambda _sympy, *entries: kept(op)(*entries))


@functools.cache
def kept(op: Op) -> Any:
    """The SymPy function of an op's name: real, a number where its arguments are, with the row's own derivative."""
    import sympy

    def evaluated(_kind: Any, *arguments: Any) -> Any:
        if not all(argument.is_number for argument in arguments):
            return None
        if any(argument.is_extended_real is False for argument in arguments):  # a root of -1, or 1/0 without a sign
            return sympy.nan
        with np.errstate(all="ignore"):
            return as_number(sympy, float(op.evaluate(*map(float, arguments))))

    def slope(here: Any, argindex: int = 1) -> Any:
        return _read(sympy, _partial(op, len(here.args), argindex - 1), [here, *here.args])

    def latex(here: Any, _printer: Any, exp: str = "") -> str:
        name, inner = op.name.replace("_", r"\_"), ", ".join(map(sympy.latex, here.args))
        return rf"\operatorname{{{name}}}{f'^{{{exp}}}' if exp else ''}{{\left({inner} \right)}}"

    facts = {"is_real": True, "eval": classmethod(evaluated), "fdiff": slope, "_latex": latex}
    return type(op.name, (sympy.Function,), facts)


@functools.cache
def _partial(op: Op, count: int, spot: int) -> Graph:
    """The partial by one operand, as a graph over the result and the operands."""
    trace = Trace(frozen=True)
    with trace.recording():
        result, *operands = [trace.abstract_input(np.zeros(())) for _ in range(1 + count)]
        tangents = tuple(np.ones(()) if position == spot else None for position in range(count))
        made = 0.0 if op.jvp is None else op.jvp(result, tuple(operands), tangents, {})
        return simplify(trace.graph([made]))


def _read(sympy: Any, graph: Graph, arguments: list[Any]) -> Any:
    """A graph of numbers, on expressions."""
    found: list[Any] = []
    given = iter(map(as_objects, arguments))
    for step in graph.steps:
        if step.op is INPUT:
            found.append(next(given))
        elif step.op.family == "leaf":
            found.append(as_numbers(sympy, step.op.evaluate(**step.params)))
        else:
            operands = [found[operand] for operand in step.operands]
            found.append(meaning(step.op)(sympy, *operands, **step.params))
    return found[graph.outputs[0]].item()


def as_numbers(sympy: Any, value: Any) -> Any:
    """Exact numbers where they are short (1/2, 3), floats otherwise."""
    made = np.empty(value.shape, dtype=object)
    for spot in np.ndindex(*value.shape):
        made[spot] = as_number(sympy, value[spot].item())
    return made


def as_number(sympy: Any, value: Any) -> Any:
    """One number, likewise; truths are SymPy's."""
    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    if isinstance(value, int) or (math.isfinite(value) and value == int(value) and abs(value) < 2**53):
        return sympy.Integer(int(value))
    if math.isfinite(value) and (value * 64).is_integer() and abs(value) < 2**20:
        return sympy.Rational(value)
    if math.isnan(value):
        return sympy.nan
    return sympy.Float(value, 17) if math.isfinite(value) else (sympy.oo if value > 0 else -sympy.oo)
