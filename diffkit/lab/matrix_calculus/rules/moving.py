"""Entries that move: transposes, repetitions, diagonals, and single entries by unit vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from diffkit.graph import Step
from diffkit.lab.matrix_calculus import algebra as m
from diffkit.lab.matrix_calculus.algebra import Matrix
from diffkit.lab.matrix_calculus.rules.shared import Rule, diag, no_form, spread, wide
from diffkit.ops import Shape


class Flat(NamedTuple):
    """A square matrix, flattened: what traces and diagonals go through."""

    matrix: Matrix


def _transpose(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    return operands[0].transposed


def _reshape(step: Step, like: Sequence[Step], operands: Sequence[Any]) -> Any:
    (x,) = operands
    if isinstance(x, Flat):
        if step.shape == x.matrix.shape:
            return x.matrix
    elif x.scalar or {step.shape, like[0].shape} <= {(x.rows,), (x.columns,), (x.rows, 1), (1, x.columns)} | {
        (1, x.rows),
        (x.columns, 1),
    }:
        column = x if x.columns == 1 else x.transposed
        return column.transposed if len(step.shape) == 2 and step.shape[0] == 1 else column
    elif step.shape == (x.rows**2,) and x.rows == x.columns:
        return Flat(x)
    raise no_form(step)


def _broadcast(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    if step.ndim > 2:
        raise no_form(step)
    return wide(spread(operands[0], like[0], step), m.as_columns(step.shape))


def _moved(step: Step, like: Sequence[Step], operands: Sequence[Any]) -> Any:
    """An index, gather or scatter of one array, by where it takes numbered entries: nowhere, to or from a diagonal."""
    x, numbered = operands[0], np.arange(1.0, 1 + math.prod(like[0].shape)).reshape(like[0].shape)
    moved = step.op.evaluate(numbered, **step.params)
    if np.array_equal(moved, numbered):
        return x
    if isinstance(x, Flat) and np.array_equal(moved, np.diagonal(numbered.reshape(x.matrix.shape))):
        return m.function("diagonal", x.matrix.rows, 1, x.matrix)
    if isinstance(x, Matrix) and x.columns == 1 and np.array_equal(moved, np.diag(np.ravel(numbered)).ravel()):
        return Flat(diag(x))
    raise no_form(step)


# ------------------------------------------------------------ single entries, rows and columns


def _index(step: Step, like: Sequence[Step], operands: Sequence[Any]) -> Any:
    """Read one entry e_i'X e_j, one row X'e_i, or one column X e_j; a row is a column of X' as all vectors are."""
    cut = _cut(step.params["place"], like[0].shape)
    if cut is None or isinstance(operands[0], Flat):
        return _moved(step, like, operands)
    row, column = cut
    x: Matrix = operands[0]
    made = x if row is None else m.multiply(row.transposed, x)
    made = made if column is None else m.multiply(made, column)
    return made if column is not None or row is None or len(like[0].shape) == 1 else made.transposed


def _scatter(step: Step, like: Sequence[Step], operands: Sequence[Any]) -> Any:
    """Put pieces where an index reads them, among zeros: c e_i e_j', e_i c' or c e_j'."""
    cuts = [_cut(place, step.shape) for place in step.params["places"]]
    if len(operands) == 1 and cuts[0] is None:
        return _moved(step, like, operands)
    made = m.collect(*m.as_columns(step.shape), [])
    for cut, piece in zip(cuts, operands, strict=True):
        if cut is None:
            raise no_form(step)
        made = m.add(made, _placed(piece, *cut))
    return made


def _placed(piece: Matrix, row: Matrix | None, column: Matrix | None) -> Matrix:
    if column is None:
        return piece if row is None else m.multiply(row, piece.transposed)
    return m.multiply(piece if row is None else m.multiply(piece, row), column.transposed)


def _cut(place: Any, shape: Shape) -> tuple[Matrix | None, Matrix | None] | None:
    """The unit vectors of the row and the column that a place names, None where it takes all; None for other places."""
    if not isinstance(place, tuple) or len(shape) > 2:
        return None
    behind = shape[len(shape) - len(place) :]
    found = []
    for part, size in zip(place, behind, strict=True):
        if not isinstance(part, int) and (part.length, part.step) != (size, 1):
            return None
        found.append(m.unit(size, part % size) if isinstance(part, int) else None)
    front = [None] * (len(shape) - len(place))  # an axis of directions is taken as a whole
    row, column = ([*front, *found, None] if len(shape) == 1 else [*front, *found])[:2]
    return row, column


RULES: dict[str, Rule] = {
    "transpose": _transpose,
    "reshape": _reshape,
    "broadcast": _broadcast,
    "index": _index,
    "gather": _moved,
    "scatter": _scatter,
}
