"""Graph -> smaller equal graph: common subexpressions, constants, structure, dead steps.

Steps are re-emitted in order. Before one is appended, the rules of its op may answer with something smaller;
an equal step that is there already is reused. What nobody reads is dropped at the end. Rules keep special values:
nothing is multiplied away that could be NaN or infinite; only the sign of a zero may change, and what comes within
a factor of 2**32 of overflow. References are never read: their values may change.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.graph import CONSTANT, INPUT, REFERENCE, Graph, Guard, Step
from diffkit.ops import Op, broadcast_shapes
from diffkit.primitives.moving import covering, disjoint

Operands = tuple[int, ...]
Rule = Callable[["Builder", Operands, dict[str, Any]], "int | None"]
RULES: dict[Op, list[Rule]] = {}

COMMUTATIVE = frozenset({p.add, p.multiply, p.maximum, p.minimum, p.hypot, p.logical_and, p.logical_or})
ENTRYWISE = frozenset(
    {op for op in p.TABLE.values() if op.family == "elementwise" or isinstance(op.numpy, np.ufunc)} | {p.where}
)
MODERATE = 2.0**32  # numbers up to this size move through products: the result neither overflows nor vanishes
FOLDABLE = (
    4096  # a constant that folding creates has at most this many entries, unless its operands were larger
)


def simplify(graph: Graph) -> Graph:
    """Make a graph smaller; its results stay equal up to rounding.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> plan = dk.get("reverse").prepare(lambda x: x * x, 3.0, product="gradient")
    >>> print(plan.graph)
    v0 = input               float64 ()
    v1 = constant value=2.0   float64 ()
    v2 = multiply v1 v0      float64 ()
    return v2
    """
    while True:
        smaller = _once(graph)
        if len(smaller.steps) >= len(graph.steps):
            return smaller
        graph = smaller


def as_written(graph: Graph) -> Graph:
    """Drop what nobody reads, and nothing else: what is computed twice stays computed twice."""
    guards = {guard.position: guard.expected for guard in graph.guards}
    return drop_dead(list(graph.steps), list(graph.inputs), list(graph.outputs), guards)


def _once(graph: Graph) -> Graph:
    builder = Builder()
    where: list[int] = []
    for step in graph.steps:
        where.append(
            builder.emit(step.op, tuple([where[operand] for operand in step.operands]), step.params, step)
        )
    inputs = [where[position] for position in graph.inputs]
    outputs = [where[position] for position in graph.outputs]
    guards = {where[guard.position]: guard.expected for guard in graph.guards}
    varying = {
        position: expected
        for position, expected in guards.items()
        if builder.steps[position].op is not CONSTANT
    }
    return drop_dead(builder.steps, inputs, outputs, varying)


def drop_dead(steps: list[Step], inputs: list[int], outputs: list[int], guards: dict[int, Any]) -> Graph:
    """Keep what the results and the guards need, and all inputs."""
    needed = [False] * len(steps)
    for position in (*inputs, *outputs, *guards):
        needed[position] = True
    for position in range(len(steps) - 1, -1, -1):
        if needed[position]:
            for operand in steps[position].operands:
                needed[operand] = True
    new: dict[int, int] = {}
    kept = []
    for position, step in enumerate(steps):
        if needed[position]:
            new[position] = len(kept)
            kept.append(step._replace(operands=tuple([new[operand] for operand in step.operands])))
    return Graph(
        tuple(kept),
        tuple(new[position] for position in inputs),
        tuple(new[position] for position in outputs),
        tuple(Guard(new[position], expected) for position, expected in guards.items()),
    )


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
            step.params["value"].item()
            if step.op is CONSTANT and step.shape == () and step.dtype.kind == "f"
            else None
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
        return step.shape == broadcast_shapes(*shapes) and all(
            self.steps[o].dtype == step.dtype for o in operands
        )

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
        return (
            narrow(self, op, operands, params)
            if op in ENTRYWISE
            else None
        )

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
            return self.emit(
                p.broadcast, (self.constant(value.flat[0], value.dtype),), {"shape": value.shape}
            )
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


# ---------------------------------------------------------------- rules


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


@rule(p.multiply)
def multiply_numbers(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    x, y = operands
    number = b.scalar(x)
    if number is None:
        return b.emit(p.square, (x,), {}) if x == y else None
    if not b.like(y, operands):
        return None
    if number == 1.0:
        return y
    if number == -1.0:
        return b.emit(p.negative, (y,), {})
    multiple = b.factor(y)
    return b.times(number * multiple[0], multiple[1]) if multiple and moderate(number) else None


@rule(p.multiply)
def multiply_multiples(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """``(c x) y = c (x y)``: the number moves outwards, where it meets others; onto the smaller side."""
    for one, other in (operands, operands[::-1]):
        multiple = b.factor(one)
        if multiple is None or b.scalar(other) is not None:
            continue
        inner = (multiple[1], other)
        if b.like(other, inner) or b.like(multiple[1], inner):
            return b.times(multiple[0], b.emit(p.multiply, inner, {}))
    return None


@rule(p.multiply)
def multiply_reciprocal(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """``x (1 / y) = x / y``, unless many directions would then divide instead of multiply."""
    for one, other in (operands, operands[::-1]):
        inverse = b.of(one, p.reciprocal)
        if inverse and b.steps[one].shape == b.steps[other].shape:
            return b.emit(p.divide, (other, inverse[0]), {})
    return None


@rule(p.add)
def add_numbers(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    x, y = operands
    if b.scalar(x) == 0.0 and b.like(y, operands):
        return y
    if x == y:
        return b.times(2.0, x)
    for one, other in (operands, operands[::-1]):
        negated = b.of(one, p.negative)
        if negated:
            return b.emit(p.subtract, (other, negated[0]), {})
    return None


@rule(p.add)
def add_multiples(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """``c x + d x = (c + d) x`` for like signs, and ``x - c y`` instead of ``x + (-c) y``."""
    (c, x), (d, y) = (b.factor(operand) or (1.0, operand) for operand in operands)
    if x == y and c * d > 0:  # with unlike signs, inf - inf is NaN
        return b.times(c + d, x)
    if d < 0 and c > 0:
        return b.emit(p.subtract, (operands[0], b.times(-d, y)), {})
    return b.emit(p.subtract, (operands[1], b.times(-c, x)), {}) if c < 0 and d > 0 else None


@rule(p.subtract)
def subtract_numbers(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    x, y = operands
    if b.scalar(y) == 0.0 and b.like(x, operands):
        return x
    if b.scalar(x) == 0.0 and b.like(y, operands):
        return b.emit(p.negative, (y,), {})
    multiple = b.factor(y)
    if multiple and multiple[0] < 0:
        return b.emit(p.add, (x, b.times(-multiple[0], multiple[1])), {})
    return None


@rule(p.negative)
def negative_of(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    (x,) = operands
    inner = b.of(x, p.subtract)
    if inner:
        return b.emit(p.subtract, inner[::-1], {})
    multiple = b.factor(x)
    return b.times(-multiple[0], multiple[1]) if multiple else None


@rule(p.divide)
def divide_numbers(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    x, y = operands
    top, bottom = b.scalar(x), b.scalar(y)
    if bottom == 1.0 and b.like(x, operands):
        return x
    if top == 1.0 and b.like(y, operands):
        return b.emit(p.reciprocal, (y,), {})
    multiple = b.factor(x)
    if multiple is None:
        return None
    if bottom is not None and moderate(bottom):
        return b.times(multiple[0] / bottom, multiple[1])
    if b.like(multiple[1], (multiple[1], y)):
        return b.times(multiple[0], b.emit(p.divide, (multiple[1], y), {}))
    return None


@rule(p.power)
def power_small(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """Small exponents by multiplication: ten times faster than pow, and as accurate."""
    x, exponent = operands[0], b.scalar(operands[1])
    if exponent is None or not b.like(x, operands):
        return None
    if exponent in (0.5, 1.0):
        return x if exponent == 1.0 else b.emit(p.sqrt, (x,), {})
    if exponent not in (-3.0, -2.0, -1.0, 2.0, 3.0, 4.0):
        return None
    size = abs(exponent)
    square = b.emit(p.square, (x,), {})
    made = {
        1.0: x,
        2.0: square,
        3.0: b.emit(p.multiply, (x, square), {}),
        4.0: b.emit(p.square, (square,), {}),
    }[size]
    return made if exponent > 0 else b.emit(p.reciprocal, (made,), {})


@rule(p.where)
def where_known(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    mask, x, y = operands
    if (
        x == y
        and b.like(x, (x, y))
        and b.steps[x].shape == broadcast_shapes(b.steps[mask].shape, b.steps[x].shape)
    ):
        return x
    known = _uniform(b, mask)
    if known is None:
        nested = b.of(x, p.where)
        return b.emit(p.where, (mask, nested[1], y), {}) if nested and nested[0] == mask else None
    chosen = x if known else y
    shape, dtype = p.where.infer([b.steps[operand] for operand in operands], {})
    if b.steps[chosen].dtype != dtype:
        return None
    return chosen if b.steps[chosen].shape == shape else b.emit(p.broadcast, (chosen,), {"shape": shape})


def _uniform(b: Builder, position: int) -> bool | None:
    source = b.of(position, p.broadcast)
    value = b.array(source[0] if source else position)
    if value is None or not (value.all() or not value.any()):
        return None
    return bool(value.all())


@rule(p.greater)
def greater_mask(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """``where(mask, 1, 0) > 0`` is the mask."""
    chosen = b.of(operands[0], p.where)
    if chosen and b.scalar(operands[1]) == 0.0 and b.scalar(chosen[1]) == 1.0 and b.scalar(chosen[2]) == 0.0:
        return chosen[0]
    return None


@rule(p.sum_)
def sum_known(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Sums of multiples, of repeated numbers and over axes of length one."""
    (x,), axis = operands, params["axis"]
    step = b.steps[x]
    shape, _ = p.sum_.infer([step], params)
    if all(step.shape[one] == 1 for one in axis):
        return b.emit(p.reshape, (x,), {"shape": shape})
    source = b.of(x, p.broadcast)
    count = math.prod(step.shape[one] for one in axis)
    if source and count and b.steps[source[0]].shape == () and step.dtype.kind == "f":
        total = b.times(float(count), source[0])
        return total if shape == () else b.emit(p.broadcast, (total,), {"shape": shape})
    multiple = b.factor(x)
    return b.times(multiple[0], b.emit(p.sum_, (multiple[1],), params)) if multiple else None


@rule(p.contract)
def contract_multiples(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Numbers move out of a product, where they are fewer and meet others."""
    for spot in (0, 1):
        multiple = b.factor(operands[spot])
        if multiple:
            bare = tuple(multiple[1] if k == spot else operand for k, operand in enumerate(operands))
            return b.times(multiple[0], b.emit(p.contract, bare, params))
    return None


@rule(p.reshape)
def reshape_view(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    (x,), shape = operands, params["shape"]
    if b.steps[x].shape == shape:
        return x
    inner = b.of(x, p.reshape)
    if inner:
        return b.emit(p.reshape, inner, params)
    source = b.of(x, p.broadcast)
    return b.emit(p.broadcast, source, params) if source and b.steps[source[0]].shape == () else None


@rule(p.transpose)
def transpose_view(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    (x,), axes = operands, params["axes"]
    if axes == tuple(range(-len(axes), 0)):
        return x
    inner = b.of(x, p.transpose)
    if inner:
        first = b.steps[x].params["axes"]
        return b.emit(p.transpose, inner, {"axes": tuple(first[axis] for axis in axes)})
    source = b.of(x, p.broadcast)
    if source and b.steps[source[0]].shape == ():
        return b.emit(p.broadcast, source, {"shape": tuple(b.steps[x].shape[axis] for axis in axes)})
    return None


@rule(p.broadcast)
def broadcast_view(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    (x,), shape = operands, params["shape"]
    if b.steps[x].shape == shape:
        return x
    inner = b.of(x, p.broadcast)
    if inner:
        return b.emit(p.broadcast, inner, params)
    if b.steps[x].op is p.reshape and math.prod(b.steps[x].shape) == 1:
        (source,) = b.steps[x].operands
        if b.steps[source].shape == ():
            return b.emit(p.broadcast, (source,), params)
    return None


@rule(p.convert)
def convert_same(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    return operands[0] if b.steps[operands[0]].dtype == params["dtype"] else None


@rule(p.index, p.gather)
def read_known(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Reading a piece that was just put there, or an entry of a repeated number."""
    (x,), step = operands, b.steps[operands[0]]
    source = b.of(x, p.broadcast)
    if source and b.steps[source[0]].shape == ():
        op = p.gather if "shape" in params else p.index
        return b.emit(p.broadcast, source, {"shape": op.infer([step], params)[0]})
    if (
        step.op is p.scatter
        and step.shape == step.params["shape"]
        and disjoint(step.shape, step.params["places"])
    ):
        places = step.params["places"]
        piece = step.operands[places.index(params["place"])] if params["place"] in places else x
        return piece if piece != x and b.steps[piece].dtype == step.dtype else None
    whole = "shape" not in params and all(not isinstance(part, int) and part.length == n and part.step == 1
                                          for part, n in zip(params["place"], step.shape, strict=False))  # fmt: skip
    return x if whole and len(params["place"]) == len(step.shape) else None


@rule(p.scatter)
def scatter_known(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Pieces of zero are dropped; one piece that fills everything is the result."""
    shape, places = params["shape"], params["places"]
    kept = [spot for spot, operand in enumerate(operands) if not _zero(b, operand)]
    if len(kept) < len(operands) and kept:
        fewer = {"shape": shape, "places": tuple(places[k] for k in kept)}
        made = b.emit(p.scatter, tuple(operands[k] for k in kept), fewer)
        return b.emit(p.convert, (made,), {"dtype": np.result_type(*[b.steps[x].dtype for x in operands])})
    if len(set(places)) < len(places):
        return _merged(b, operands, shape, places)
    step = b.steps[operands[0]]
    if (
        len(operands) == 1
        and step.shape == shape
        and isinstance(places[0], tuple)
        and covering(shape, places)
    ):
        straight = all(not isinstance(part, int) and part.step == 1 for part in places[0])
        return operands[0] if straight else None
    return None


def _merged(b: Builder, operands: Operands, shape: Any, places: Any) -> int:
    """Pieces for one place are added before they are put there."""
    at: dict[Any, int] = {}
    for operand, place in zip(operands, places, strict=True):
        at[place] = operand if place not in at else b.emit(p.add, (at[place], operand), {})
    return b.emit(p.scatter, tuple(at.values()), {"shape": shape, "places": tuple(at)})


def _zero(b: Builder, position: int) -> bool:
    source = b.of(position, p.broadcast)
    value = b.array(source[0] if source else position)
    return value is not None and value.ndim == 0 and value == 0
