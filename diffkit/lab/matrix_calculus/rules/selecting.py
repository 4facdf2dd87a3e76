"""What selects: comparisons as indicators, [x > 0], which are 1 where they hold and 0 elsewhere; and max and min.

An indicator chooses as a factor entry by entry: ``np.where(x > 0, a, b)`` is ``[x > 0] ∘ a + [x ≤ 0] ∘ b``. As in
Iverson's brackets, a 0 there wins over whatever it multiplies (Knuth, 1992, "Two Notes on Notation").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diffkit.graph import Step
from diffkit.lab.matrix_calculus import algebra as m
from diffkit.lab.matrix_calculus.algebra import Matrix
from diffkit.lab.matrix_calculus.rules.shared import Rule, add, multiply, spread, wide

HALF = m.number(0.5)
EITHER_WAY = ("max", "min", "=", "≠")
"""These do not tell their arguments apart, which have one order then, numbers last."""


def _of_two(name: str) -> Rule:
    """A function of two arrays entry by entry, which is written ``max(x, y)`` or ``[x > y]``; numbers stay numbers."""

    def rule(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
        shape = m.as_columns(step.shape)
        spread_out = [spread(x, one, step) for x, one in zip(operands, like, strict=True)]
        x, y = (one if one.scalar else wide(one, shape) for one in spread_out)
        if name in EITHER_WAY:
            x, y = sorted((x, y), key=lambda one: (one.scalar, one))
        return m.function(name, *shape, x, y, symmetric=x.symmetric and y.symmetric)

    return rule


def _not(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    return m.negated(operands[0])


def _or(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    both = multiply(step, like, operands)
    return m.add(add(step, like, operands), m.multiply(m.number(-1.0), both))


def _where(step: Step, like: Sequence[Step], operands: Sequence[Any]) -> Matrix:
    mask, taken, otherwise = operands
    if taken in (HALF, wide(HALF, m.as_columns(step.shape))) and m.tied(mask, otherwise):
        return otherwise
    sides = []
    for chosen, value, one in ((mask, taken, like[1]), (m.negated(mask), otherwise, like[2])):
        made = multiply(step, [like[0], one], [chosen, value])
        sides.append(wide(made, m.as_columns(step.shape)))
    return m.add(*sides)


RULES: dict[str, Rule] = {
    **{name: _of_two(sign) for name, sign in m.COMPARISONS.items()},
    "maximum": _of_two("max"),
    "minimum": _of_two("min"),
    "logical_not": _not,
    "logical_and": multiply,
    "logical_or": _or,
    "where": _where,
}
