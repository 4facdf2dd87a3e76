"""Steps being emitted, each simplified as it comes, and what rules are: one op's ways to become smaller."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.graph import CONSTANT, INPUT, REFERENCE, Step
from diffkit.ops import Op, broadcast_shapes

Operands = tuple[int, ...]
Rule = Callable[["Builder", Operands, dict[str, Any]], "int | None"]
RULES: dict[Op, list[Rule]] = {}

COMMUTATIVE = frozenset({p.add, p.multiply, p.maximum, p.minimum, p.hypot, p.logical_and, p.logical_or})
ENTRYWISE = frozenset(
    {op for op in p.TABLE.values() if op.family == "elementwise" or isinstance(op.numpy, np.ufunc)} | {p.where}
)
MODERATE = 2.0**32  # numbers up to this size move through products: the result neither overflows nor vanishes
FOLDABLE = 4096  # a constant that folding creates has at most this many entries, unless its operands were larger


class Builder:
    """Steps being emitted, each simplified as it comes."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._known: dict[Any, int] = {}

    # ------------------------------------------------------------ what a rule may ask

    def scalar(self, position: int) -> float | None:
        """The value of a constant number."""
        step = self.steps[position]
        return (
            step.params["value"].item() if step.op is CONSTANT and step.shape == () and step.dtype.kind == "f" else None
        )

    def array(self, position: int) -> Any:
        """The value of a constant."""
        step = self.steps[position]
        return step.params["value"] if step.op is CONSTANT else None

    def of(self, position: int, op: Op) -> Operands | None:
        """The operands of a step, if it is of this op."""
        step = self.steps[position]
        return step.operands if step.op is op else None

    def like(self, position: int, operands: Operands) -> bool:
        """Whether a step has the shape and dtype that the operands have together."""
        step = self.steps[position]
        shapes = [self.steps[operand].shape for operand in operands]
        return step.shape == broadcast_shapes(*shapes) and all(self.steps[o].dtype == step.dtype for o in operands)

    def factor(self, position: int) -> tuple[float, int] | None:
        """A step as (number, rest) where it is a multiple of the rest."""
        step = self.steps[position]
        if step.op is p.negative:
            return -1.0, step.operands[0]
        if step.op is p.multiply:
            number = self.scalar(step.operands[0])
            rest = self.steps[step.operands[1]]
            if number is not None and moderate(number) and (rest.shape, rest.dtype) == (step.shape, step.dtype):
                return number, step.operands[1]
        return None

    # ------------------------------------------------------------ what a rule may make

    def constant(self, value: Any, dtype: Any = None) -> int:
        """A constant."""
        array = np.asarray(value, dtype)
        return self.emit(CONSTANT, (), {"value": array})

    def times(self, number: float, position: int) -> int:
        """A multiple of a step."""
        return self.emit(p.multiply, (self.constant(number, self.steps[position].dtype), position), {})

    def emit(self, op: Op, operands: Operands, params: dict[str, Any], given: Step | None = None) -> int:
        """Append a step, or find what equals it."""
        if op is INPUT:
            return self._append(given or Step(op, (), params, (), np.dtype(float)))
        if op is CONSTANT:
            return self._constant(params["value"])
        if op in COMMUTATIVE and not self._ordered(operands):
            operands = operands[::-1]
        answer = self._answer(op, operands, params)
        if answer is not None:
            return answer
        key = (op, operands, _key(op, params))
        found = self._known.get(key)
        if found is None:
            shape, dtype = op.infer([self.steps[operand] for operand in operands], params)
            found = self._known[key] = self._append(Step(op, operands, params, shape, dtype))
        return found

    def _ordered(self, operands: Operands) -> bool:
        """Constants first, so that rules find them; otherwise in order of appearance."""
        first, second = (self.steps[operand].op is not CONSTANT for operand in operands)
        return (first, operands[0]) <= (second, operands[1])

    def _answer(self, op: Op, operands: Operands, params: dict[str, Any]) -> int | None:
        folded = self._fold(op, operands, params) if operands and op is not p.broadcast else None
        if folded is not None:
            return folded
        for rule in RULES.get(op, ()):
            answer = rule(self, operands, params)
            if answer is not None:
                return answer
        return narrow(self, op, operands, params) if op in ENTRYWISE else None

    def _fold(self, op: Op, operands: Operands, params: dict[str, Any]) -> int | None:
        values = [self.array(operand) for operand in operands]
        if any(value is None for value in values):
            return None
        shape, _ = op.infer([self.steps[operand] for operand in operands], params)
        if math.prod(shape) > max(FOLDABLE, *[value.size for value in values]):
            return None
        with np.errstate(all="ignore"):
            return self.constant(op.evaluate(*values, **params))

    def _constant(self, value: Any) -> int:
        if value.ndim and _repeats(value):
            return self.emit(p.broadcast, (self.constant(value.flat[0], value.dtype),), {"shape": value.shape})
        key = (value.dtype.str, value.item(), str(value)) if value.ndim == 0 else id(value)
        found = self._known.get((CONSTANT, key))
        if found is None:
            found = self._known[CONSTANT, key] = self._append(
                Step(CONSTANT, (), {"value": value}, value.shape, value.dtype)
            )
        return found

    def _append(self, step: Step) -> int:
        self.steps.append(step)
        return len(self.steps) - 1


def _repeats(value: np.ndarray[Any, Any]) -> bool:
    """Whether all entries are one number, the sign of a zero included."""
    if not value.size or value.dtype.kind not in "fb" or not (value == value.flat[0]).all():
        return False
    return bool(value.flat[0]) or len(set(np.signbit(value).flat)) == 1


def _key(op: Op, params: dict[str, Any]) -> Any:
    if op is REFERENCE:
        value = params["value"]
        return id(value) if isinstance(value, np.ndarray) else (value.recorder.level, value.index)
    return tuple(params.values())


def moderate(number: float) -> bool:
    """Whether a number may move from one step to another."""
    return 1 / MODERATE <= abs(number) <= MODERATE


def rule(*ops: Op) -> Callable[[Rule], Rule]:
    """Register a rule for ops; it answers with a step, or None."""

    def register(function: Rule) -> Rule:
        for op in ops:
            RULES.setdefault(op, []).append(function)
        return function

    return register


def narrow(b: Builder, op: Op, operands: Operands, params: dict[str, Any]) -> int | None:
    """NumPy broadcasts by itself: a broadcast operand need not be spread before an elementwise op."""
    sources = [b.of(operand, p.broadcast) for operand in operands]
    if not any(sources):
        return None
    shape = broadcast_shapes(*[b.steps[operand].shape for operand in operands])
    bare = tuple(source[0] if source else operand for source, operand in zip(sources, operands, strict=True))
    inner = broadcast_shapes(*[b.steps[operand].shape for operand in bare])
    made = b.emit(op, bare, params)
    return made if inner == shape else b.emit(p.broadcast, (made,), {"shape": shape})
