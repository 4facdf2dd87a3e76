"""What selects: comparisons as indicators, [x > 0], which are 1 where they hold and 0 elsewhere.

An indicator chooses as a factor entry by entry: ``np.where(x > 0, a, b)`` is ``[x > 0] ∘ a + [x ≤ 0] ∘ b``. As in
Iverson's brackets, a 0 there wins over whatever it multiplies (Knuth, 1992, "Two Notes on Notation").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diffkit.graph import Step
from diffkit.lab.matrix_calculus import algebra as m
from diffkit.lab.matrix_calculus.algebra import Matrix
from diffkit.lab.matrix_calculus.rules.shared import Rule, add, entry_by_entry, multiply, wide

HALF = m.number(0.5)


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
    **{name: entry_by_entry(sign) for name, sign in m.COMPARISONS.items()},
    "logical_not": _not,
    "logical_and": multiply,
    "logical_or": _or,
    "where": _where,
}
