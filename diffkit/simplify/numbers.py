"""Rules of arithmetic: numbers move outwards, where they meet others, and selects lose what is known."""

from __future__ import annotations

from typing import Any

from diffkit import primitives as p
from diffkit.ops import broadcast_shapes
from diffkit.simplify.builder import Builder, Operands, moderate, rule


@rule(p.multiply)
def multiply_numbers(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """``1 x = x``, ``-1 x = -x``, ``x x = x**2``, ``c (d x) = (c d) x``."""
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
        real = b.steps[one].dtype.kind == "f"  # the reciprocal of a whole number is a whole number
        if inverse and real and b.steps[one].shape == b.steps[other].shape:
            return b.emit(p.divide, (other, inverse[0]), {})
    return None


@rule(p.add)
def add_numbers(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """``x + 0 = x``, ``x + x = 2 x``, ``x + (-y) = x - y``."""
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
    """``x - 0 = x``, ``0 - x = -x``, ``x - (-c y) = x + c y``."""
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
    """``-(x - y) = y - x``, ``-(c x) = (-c) x``."""
    (x,) = operands
    inner = b.of(x, p.subtract)
    if inner:
        return b.emit(p.subtract, inner[::-1], {})
    multiple = b.factor(x)
    return b.times(-multiple[0], multiple[1]) if multiple else None


@rule(p.divide)
def divide_numbers(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """``x / 1 = x``, ``1 / x`` as a reciprocal, ``(c x) / d = (c / d) x``, ``(c x) / y = c (x / y)``."""
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
    """Branches that are the same, a mask that is known, a select within a select of the same mask."""
    mask, x, y = operands
    if x == y and b.like(x, (x, y)) and b.steps[x].shape == broadcast_shapes(b.steps[mask].shape, b.steps[x].shape):
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
