"""A graph read as a matrix expression: every step on scalars, vectors and matrices becomes one in matrix form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.errors import UnsupportedError
from diffkit.graph import Graph, Step
from diffkit.lab.matrix_calculus import algebra as m
from diffkit.lab.matrix_calculus.algebra import Matrix
from diffkit.lab.matrix_calculus.rules import moving, no_form, rule_of
from diffkit.simplify import as_written

FEW = 3
"""As many entries beside zeros are written with unit vectors; with more, an array of numbers needs a name."""


def read(graph: Graph, arguments: Sequence[Matrix]) -> Matrix:
    """The first result of a graph, as a matrix expression in its arguments.

    Raises
    ------
    UnsupportedError
        A step has no matrix form here, an array of numbers has no name, or f branches; the message says which.
    """
    if graph.guards:
        raise UnsupportedError("f takes a branch that depends on numbers, and a formula has none; write np.where")
    values: list[Any] = []
    graph = as_written(graph)
    given = dict(zip(graph.inputs, arguments, strict=True))
    for position, step in enumerate(graph.steps):
        operands = [values[operand] for operand in step.operands]
        if position in given:
            values.append(given[position])
        elif all(isinstance(operand, np.ndarray) for operand in operands):
            values.append(np.asarray(step.op.evaluate(*operands, **step.params)))
        else:
            values.append(_step(step, [graph.steps[operand] for operand in step.operands], operands))
    return _matrix(values[graph.outputs[0]])


def _matrix(value: Any) -> Any:
    """An array of numbers as an expression: one number everywhere, or on a diagonal; or few entries beside zeros."""
    if not isinstance(value, np.ndarray):
        return value
    if value.ndim <= 2 and value.size and np.all(value == value.flat[0]):
        return m.multiply(m.number(float(value.flat[0])), m.ones(*m.as_columns(value.shape)))
    if value.ndim == 2 and np.array_equal(value, value[0, 0] * np.eye(len(value))):
        return m.number(float(value[0, 0]), len(value))
    if value.ndim in (1, 2) and np.count_nonzero(value) <= FEW:
        return _entries(value)
    raise UnsupportedError(f"f reads an array of numbers, {value.shape}, that has no name; make it an argument of f")


def _entries(value: np.ndarray[Any, Any]) -> Matrix:
    """An array by those of its entries that are not zero."""
    shape = m.as_columns(value.shape)
    made = m.collect(*shape, [])
    columns = value.reshape(shape)
    for row, column in np.argwhere(columns).tolist():
        made = m.add(made, m.multiply(m.number(float(columns[row, column])), m.single_entry(shape, row, column)))
    return made


def _step(step: Step, like: Sequence[Step], operands: Sequence[Any]) -> Any:
    rule = rule_of(step)
    if rule is None or (step.op.name not in moving.RULES and any(isinstance(x, moving.Flat) for x in operands)):
        raise no_form(step)
    return rule(step, like, [_matrix(operand) for operand in operands])
