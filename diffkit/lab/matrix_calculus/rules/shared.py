"""What the rules share: shapes as NumPy broadcasts them, sums and products, and the error of a step without a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from diffkit.errors import UnsupportedError
from diffkit.graph import Step
from diffkit.lab.matrix_calculus import algebra as m
from diffkit.lab.matrix_calculus.algebra import Matrix

Rule: TypeAlias = Callable[[Step, Sequence[Step], list[Any]], Any]
"""From a step, the steps that it reads, and what these were read as, to a matrix expression."""

EITHER_WAY = ("maximum", "minimum", "hypot", "logaddexp", "=", "≠")
"""These do not tell their arguments apart, which have one order then, numbers last, and 0 behind all."""


def no_form(step: Step) -> UnsupportedError:
    """The error for a step that no textbook writes with matrices."""
    settings = "".join(f" {name}={value}" for name, value in step.params.items())
    return UnsupportedError(
        f"the step {step.op.name}{settings}, of shape {step.shape}, has no matrix form here; write f with products, "
        "sums, transposes, inv, det, trace, single entries, and functions entry by entry"
    )


def spread(x: Matrix, like: Step, step: Step) -> Matrix:
    """An operand as NumPy broadcasts it: a vector beside a matrix is a row."""
    row = len(like.shape) == 1 and step.ndim == 2
    return x.transposed if row else x


def wide(x: Matrix, shape: tuple[int, int]) -> Matrix:
    """Repeat a scalar, a column or a row until it has a shape."""
    if x.shape == shape:
        return x
    if x.scalar:
        return m.multiply(x, m.ones(*shape))
    if x.columns == 1:
        return m.multiply(x, m.ones(shape[1]).transposed)
    return m.multiply(m.ones(shape[0]), x)


def entry_by_entry(name: str) -> Rule:
    """A function of arrays entry by entry, which is written ``max(x, y)`` or ``[x > y]``; numbers stay numbers."""

    def rule(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
        shape = m.as_columns(step.shape)
        spread_out = [spread(x, one, step) for x, one in zip(operands, like, strict=True)]
        given = [x if x.scalar else wide(x, shape) for x in spread_out]
        if name in EITHER_WAY:
            given.sort(key=lambda x: (not x.terms, x.scalar, x))
        return m.function(name, *shape, *given, symmetric=all(x.symmetric for x in given))

    return rule


def add(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    """The sum, of what NumPy broadcasts."""
    left, right = (spread(x, one, step) for x, one in zip(operands, like, strict=True))
    shape = m.as_columns(step.shape)
    return m.add(wide(left, shape), wide(right, shape))


def multiply(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    """The product entry by entry; a column or a row beside a matrix is multiplied as a diagonal."""
    left, right = (spread(x, one, step) for x, one in zip(operands, like, strict=True))
    if left.scalar or right.scalar:
        return m.multiply(left, right)
    if left.shape == right.shape:
        return m.times(left, right)
    column, other = (left, right) if left.columns == 1 else (right, left)
    if column.columns == 1:
        return m.multiply(column, other) if other.rows == 1 else m.multiply(diag(column), other)
    row, other = (left, right) if left.rows == 1 else (right, left)
    return m.multiply(other, diag(row.transposed))


def diag(column: Matrix) -> Matrix:
    """The vector on a diagonal; of the vector 1 it is the identity, and a number comes out of it."""
    flat = m.ones(column.rows).terms[0].word
    equal = [term._replace(word=()) for term in column.terms if term.word == flat]
    rest = column._replace(terms=tuple(term for term in column.terms if term.word != flat))
    made = m.collect(column.rows, column.rows, equal)
    if not rest.terms:
        return made
    if equal and not all(term.scalars for term in equal):  # 1 - h is better kept together
        made, rest = m.collect(column.rows, column.rows, ()), column
    size = rest.terms[0].coefficient if len(rest.terms) == 1 else 1.0
    kept = m.multiply(m.number(1 / size), rest)
    return m.add(made, m.multiply(m.number(size), m.function("diag", column.rows, column.rows, kept, symmetric=True)))
