"""A graph read as a matrix expression: every step on scalars, vectors and matrices becomes one in matrix form."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from diffkit.errors import UnsupportedError
from diffkit.graph import Graph, Step
from diffkit.lab.matrix_calculus import algebra as m
from diffkit.lab.matrix_calculus.algebra import Matrix
from diffkit.primitives.contracting import Spec
from diffkit.simplify import as_written


class Flat(NamedTuple):
    """A square matrix, flattened: what traces and diagonals go through."""

    matrix: Matrix


def read(graph: Graph | None, arguments: Sequence[Matrix]) -> Matrix:
    """The first result of a graph, as a matrix expression in its arguments.

    Raises
    ------
    UnsupportedError
        A step has no matrix form here, or an array of numbers has no name; the message says which.
    """
    if graph is None:
        raise UnsupportedError("f was called as a black box; only a traced f has a graph to read")
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
    """An array of numbers as an expression: one number everywhere, or on a diagonal."""
    if not isinstance(value, np.ndarray):
        return value
    if value.ndim <= 2 and value.size and np.all(value == value.flat[0]):
        return m.multiply(m.number(float(value.flat[0])), m.ones(*m.as_columns(value.shape)))
    if value.ndim == 2 and np.array_equal(value, value[0, 0] * np.eye(len(value))):
        return m.number(float(value[0, 0]), len(value))
    raise UnsupportedError(f"f reads an array of numbers, {value.shape}, that has no name; make it an argument of f")


def _step(step: Step, like: Sequence[Step], operands: Sequence[Any]) -> Any:
    rule = _RULES.get(step.op.name)
    if rule is None and _entry_by_entry(step):
        (x,) = operands
        return m.function(step.op.name, *x.shape, x, symmetric=x.symmetric and not x.scalar)
    if rule is None:
        raise _no_form(step)
    return rule(step, like, [_matrix(operand) for operand in operands])


def _entry_by_entry(step: Step) -> bool:
    """Whether it is a function of NumPy's from one array of numbers to one of its shape."""
    kind = step.op.family in ("elementwise", "constant") and step.dtype.kind == "f"
    return kind and len(step.operands) == 1 and hasattr(np, step.op.name)


def _no_form(step: Step) -> UnsupportedError:
    settings = "".join(f" {name}={value}" for name, value in step.params.items())
    return UnsupportedError(
        f"the step {step.op.name}{settings}, of shape {step.shape}, has no matrix form here; write f with products, "
        "sums, transposes, inv, det, trace, and functions entry by entry"
    )


# ------------------------------------------------------------ rules


def _spread(x: Matrix, like: Step, step: Step) -> Matrix:
    """An operand as NumPy broadcasts it: a vector beside a matrix is a row."""
    row = len(like.shape) == 1 and step.ndim == 2
    return x.transposed if row else x


def _wide(x: Matrix, shape: tuple[int, int]) -> Matrix:
    """Repeat a scalar, a column or a row until it has a shape."""
    if x.shape == shape:
        return x
    if x.scalar:
        return m.multiply(x, m.ones(*shape))
    if x.columns == 1:
        return m.multiply(x, m.ones(shape[1]).transposed)
    return m.multiply(m.ones(shape[0]), x)


def _add(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    left, right = (_spread(x, one, step) for x, one in zip(operands, like, strict=True))
    shape = m.as_columns(step.shape)
    return m.add(_wide(left, shape), _wide(right, shape))


def _subtract(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    return _add(step, like, [operands[0], _negative(step, like, operands[1:])])


def _negative(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    return m.multiply(m.number(-1.0), operands[0])


def _multiply(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    left, right = (_spread(x, one, step) for x, one in zip(operands, like, strict=True))
    if left.scalar or right.scalar:
        return m.multiply(left, right)
    if left.shape == right.shape:
        return m.times(left, right)
    column, other = (left, right) if left.columns == 1 else (right, left)
    if column.columns == 1:
        return m.multiply(column, other) if other.rows == 1 else m.multiply(_diag(column), other)
    row, other = (left, right) if left.rows == 1 else (right, left)
    return m.multiply(other, _diag(row.transposed))


def _diag(column: Matrix) -> Matrix:
    """The vector on a diagonal; of the vector 1 it is the identity."""
    flat = m.ones(column.rows).terms[0].word
    equal = [term._replace(word=()) for term in column.terms if term.word == flat]
    rest = column._replace(terms=tuple(term for term in column.terms if term.word != flat))
    made = m.collect(column.rows, column.rows, equal)
    if not rest.terms:
        return made
    if equal and not all(term.scalars for term in equal):  # 1 - h is better kept together
        made, rest = m.collect(column.rows, column.rows, ()), column
    return m.add(made, m.function("diag", column.rows, column.rows, rest, symmetric=True))


def _divide(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    x, y = operands
    below = m.power(y, -1.0) if y.scalar else m.function("reciprocal", *y.shape, y)
    return _multiply(step, like, [x, below])


def _power(step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    x, y = operands
    if not (x.scalar and y.scalar) or any(term.scalars for term in y.terms):
        raise _no_form(step)
    return m.power(x, y.terms[0].coefficient if y.terms else 0.0)


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
        raise _no_form(step)
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
    raise _no_form(step)


def _broadcast(step: Step, like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    if step.ndim > 2:
        raise _no_form(step)
    return _wide(_spread(operands[0], like[0], step), m.as_columns(step.shape))


def _moved(step: Step, like: Sequence[Step], operands: Sequence[Any]) -> Any:
    """An index, gather or scatter, by where it takes numbered entries: nowhere, to a diagonal, or from one."""
    x, numbered = operands[0], np.arange(1.0, 1 + math.prod(like[0].shape)).reshape(like[0].shape)
    if len(operands) == 1:
        moved = step.op.evaluate(numbered, **step.params)
        if np.array_equal(moved, numbered):
            return x
        if isinstance(x, Flat) and np.array_equal(moved, np.diagonal(numbered.reshape(x.matrix.shape))):
            return m.function("diagonal", x.matrix.rows, 1, x.matrix)
        if isinstance(x, Matrix) and x.columns == 1 and np.array_equal(moved, np.diag(np.ravel(numbered)).ravel()):
            return Flat(_diag(x))
    raise _no_form(step)


def _solve(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    return m.multiply(m.inverse(operands[0]), operands[1])


def _cofactor(_step: Step, _like: Sequence[Step], operands: Sequence[Matrix]) -> Matrix:
    (x,) = operands
    return m.multiply(m.function("det", 1, 1, x), m.inverse(x).transposed)


_RULES: dict[str, Callable[[Step, Sequence[Step], list[Any]], Any]] = {
    "add": _add,
    "subtract": _subtract,
    "negative": _negative,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "square": _square,
    "sqrt": _sqrt,
    "reciprocal": lambda step, like, x: _divide(step, [*like, *like], [m.ones(*x[0].shape), x[0]]),
    "contract": _contract,
    "sum": _sum,
    "transpose": _transpose,
    "reshape": _reshape,
    "broadcast": _broadcast,
    "index": _moved,
    "gather": _moved,
    "scatter": _moved,
    "inv": lambda _step, _like, x: m.inverse(x[0]),
    "solve": _solve,
    "det": lambda _step, _like, x: m.function("det", 1, 1, x[0]),
    "logabsdet": lambda _step, _like, x: m.function("log|det|", 1, 1, x[0]),
    "cofactor": _cofactor,
}
