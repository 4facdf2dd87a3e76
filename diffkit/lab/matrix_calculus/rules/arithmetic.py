"""Sums, products, powers and functions of matrices."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from diffkit.graph import Step
from diffkit.lab.matrix_calculus import algebra as m
from diffkit.lab.matrix_calculus.algebra import Matrix
from diffkit.lab.matrix_calculus.rules.shared import Rule, add, multiply, no_form
from diffkit.primitives.contracting import Spec

REPEATED = (2, 3, 4)
"""Powers entry by entry that are written as products, x ∘ x ∘ x; others are x^∘1.5."""


def _subtract(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    return add(step, like, [operands[0], _negative(step, like, operands[1:])])


def _negative(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    return m.multiply(m.number(-1.0), operands[0])


def _divide(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    x, y = operands
    below = m.power(y, -1.0) if y.scalar else m.function("reciprocal", *y.shape, y)
    return multiply(step, like, [x, below])


def _power(step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    x, y = operands
    if not y.scalar or any(term.scalars for term in y.terms):
        raise no_form(step)
    exponent = y.terms[0].coefficient if y.terms else 0.0
    if x.scalar:
        return m.power(x, exponent)
    if exponent in REPEATED:
        return functools.reduce(m.times, [x] * int(exponent))
    return m.function("power", *x.shape, x, m.number(exponent), symmetric=x.symmetric)


def _square(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    return m.times(operands[0], operands[0])


def _sqrt(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    (x,) = operands
    return m.power(x, 0.5) if x.scalar else m.function("sqrt", *x.shape, x)


def _contract(step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    spec: Spec = step.params["spec"]
    left, right = operands
    summed = [letter for letter in spec.left if letter in spec.right and letter not in spec.out]
    if len(summed) == 2 and not spec.out:
        return m.trace(m.multiply(left.transposed if spec.left == spec.right else left, right))
    if len(summed) != 1 or len(spec.left + spec.right) - 2 != len(spec.out):
        raise no_form(step)
    first = left.transposed if spec.left[0] == summed[0] else left
    second = right if spec.right[0] == summed[0] else right.transposed
    made = m.multiply(first, second)
    rows = spec.left.replace(summed[0], "")
    return made if spec.out.startswith(rows) and rows else made.transposed


def _sum(step: Step, like: Sequence[Step], operands: Sequence[Any]) -> Matrix:
    (x,), axes = operands, step.params["axis"]
    if len(axes) == like[0].ndim:
        return m.total(x)
    return m.multiply(x, m.ones(x.columns)) if axes == (-1,) else m.multiply(x.transposed, m.ones(x.rows))


def _solve(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    return m.multiply(m.inverse(operands[0]), operands[1])


def _cofactor(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    (x,) = operands
    return m.multiply(m.function("det", 1, 1, x), m.inverse(x).transposed)


def _cofactor_slope(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    """The differential of det(X) X^-T along M: det(X) (trace(X^-1 M) X^-T - X^-T M' X^-T)."""
    x, along = operands
    inverse = m.inverse(x)
    turned = m.multiply(m.multiply(inverse, along), inverse).transposed
    spread_out = m.multiply(m.trace(m.multiply(inverse, along)), inverse.transposed)
    slope = m.add(spread_out, m.multiply(m.number(-1.0), turned))
    return m.multiply(m.function("det", 1, 1, x), slope)


RULES: dict[str, Rule] = {
    "add": add,
    "subtract": _subtract,
    "negative": _negative,
    "multiply": multiply,
    "divide": _divide,
    "power": _power,
    "square": _square,
    "sqrt": _sqrt,
    "reciprocal": lambda step, like, x: _divide(step, [*like, *like], [m.ones(*x[0].shape), x[0]]),
    "contract": _contract,
    "sum": _sum,
    "inv": lambda _step, _like, x: m.inverse(x[0]),
    "solve": _solve,
    "det": lambda _step, _like, x: m.function("det", 1, 1, x[0]),
    "logabsdet": lambda _step, _like, x: m.function("log|det|", 1, 1, x[0]),
    "cofactor": _cofactor,
    "cofactor_slope": _cofactor_slope,
}
