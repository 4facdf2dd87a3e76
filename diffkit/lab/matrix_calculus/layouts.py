"""The nine derivatives of a scalar, a vector or a matrix by a scalar, a vector or a matrix, in both layouts.

In numerator layout the rows of a derivative belong to what is differentiated, in denominator layout to what it is
differentiated by. Only six of the nine are matrices, and only five in both layouts: the others have three or four axes.
Magnus and Neudecker (2019), "Matrix Differential Calculus", 3rd edition, chapter 9; Minka (2000), "Old and New Matrix
Algebra Useful for Statistics".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.differentiators import Differentiator
from diffkit.errors import InputError, UnsupportedError, check_name, check_whole
from diffkit.operators import DEFAULT, jacobian
from diffkit.ops import Shape
from diffkit.trees import as_leaf

KINDS = ("scalar", "vector", "matrix")
"""By the number of axes."""
LAYOUTS = ("numerator", "denominator")
MATRIX_BY_SCALAR = (2, 0)


def derivative(
    f: Callable[[Any], Any],
    x: Any,
    *,
    layout: str = "denominator",
    method: str | Differentiator = DEFAULT,
    **options: Any,
) -> np.ndarray[Any, Any]:
    """What is the derivative of f at x, as the matrix that textbooks write?

    Parameters
    ----------
    f
        A plain-NumPy function of a scalar, a vector or a matrix, that returns one of these.
    x
        Where, an array of at most two axes, or a list that is one.
    layout
        "denominator": a gradient has the shape of x. "numerator": a gradient is a row.
    method, **options
        As of `diffkit.jacobian`.

    Returns
    -------
    numpy.ndarray
        Two axes; vectors are columns ``(n, 1)`` or rows ``(1, n)``. A scalar by a scalar has no axes.

    Raises
    ------
    UnsupportedError
        The derivative is no matrix: it has three or four axes, or is of a matrix by a scalar in denominator layout.
    InputError
        x or f(x) has more than two axes.

    Examples
    --------
    >>> A, x = np.arange(6.0).reshape(2, 3), np.ones(3)
    >>> derivative(lambda x: A @ x, x).shape, derivative(lambda x: A @ x, x, layout="numerator").shape
    ((3, 2), (2, 3))
    """
    check_name(layout, LAYOUTS, kind="layout")
    x = x if isinstance(x, dict) else as_leaf(x)
    found = jacobian(f, method=method, blocks=True, **options)(x)
    if isinstance(found, dict | list | tuple):
        raise InputError("x or f(x) is a container; matrix calculus is of one array by one array")
    block = np.asarray(found)
    by = np.ndim(x)
    axes = (block.ndim - by, by)
    if max(axes) >= len(KINDS):
        raise InputError(f"f takes {axes[1]} axes and returns {axes[0]}; matrix calculus is of at most two")
    if sum(axes) > 2 or (axes == MATRIX_BY_SCALAR and layout == "denominator"):
        raise UnsupportedError(_no_matrix(axes, block.shape, layout))
    if axes in ((0, 0), MATRIX_BY_SCALAR):
        return block
    if axes == (0, 2):
        return block if layout == "denominator" else block.T
    columns = block if block.ndim == 2 else block[:, np.newaxis]
    numerator = columns.T if axes == (0, 1) else columns
    return numerator if layout == "numerator" else numerator.T


def _no_matrix(axes: tuple[int, int], shape: Shape, layout: str) -> str:
    told = f"the derivative of a {KINDS[axes[0]]} by a {KINDS[axes[1]]} is no matrix"
    if sum(axes) == 2:
        return f"{told} in {layout} layout; take layout='numerator'"
    return (
        f"{told}: it has {sum(axes)} axes, {shape}; take jacobian(f), with both flattened in C order, "
        "jacobian(f, blocks=True), or matrix_calculus.differential(f, ...)"
    )


@dataclass(frozen=True)
class Kind:
    """One of the nine derivatives, as an example of it came out.

    Attributes
    ----------
    of, by
        "scalar", "vector" or "matrix".
    example
        What was differentiated, by x, as mathematics writes it.
    result, point
        The shapes of the example's result and of x.
    numerator, denominator
        Shapes in the two layouts; None where the layout has no such matrix.
    jacobian
        The shape of `diffkit.jacobian`: ``(B, A)``, result and x flattened in C order.
    blocks
        The shape with ``blocks=True``: the result's axes, then x's.
    """

    of: str
    by: str
    example: str
    result: Shape
    point: Shape
    numerator: Shape | None
    denominator: Shape | None
    jacobian: Shape
    blocks: Shape


class Table(tuple[Kind, ...]):
    """Rows of shapes; prints as a Markdown table."""

    __slots__ = ()

    def __str__(self) -> str:
        head = ("derivative", "example", "numerator", "denominator", "`jacobian`", "`blocks=True`")
        body = [
            (
                f"{row.of} by {row.by}",
                f"{row.example}: {_shape(row.result)} by {_shape(row.point)}",
                *map(_shape, (row.numerator, row.denominator, row.jacobian, row.blocks)),
            )
            for row in self
        ]
        lines = (head, tuple("---" for _ in head), *body)
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shape(shape: Shape | None) -> str:
    if shape is None:
        return "–"
    return " × ".join(map(str, shape)) or "1"


def table(m: int = 2, n: int = 3, p: int = 4, q: int = 5) -> Table:
    """Which shapes have the nine derivatives? Found by running an example of each.

    Parameters
    ----------
    m, n
        Results are vectors of m entries, or matrices ``(m, n)``.
    p, q
        x is a vector of p entries, or a matrix ``(p, q)``.

    Raises
    ------
    InputError
        A size is no whole number from 1.

    Examples
    --------
    >>> row = table()[4]
    >>> row.of, row.by, row.numerator, row.denominator
    ('vector', 'vector', (2, 4), (4, 2))
    """
    for name, size in {"m": m, "n": n, "p": p, "q": q}.items():
        check_whole(size, name)
    points = (np.array(0.5), np.full(p, 0.5), np.full((p, q), 0.5))
    made = (_kind(name, f, points[k % 3]) for k, (name, f) in enumerate(_examples(m, n, p, q).items()))
    return Table(made)


def _kind(example: str, f: Callable[[Any], Any], x: np.ndarray[Any, Any]) -> Kind:
    result = np.shape(f(x))
    return Kind(
        KINDS[len(result)],
        KINDS[x.ndim],
        example,
        result,
        x.shape,
        _or_none(f, x, "numerator"),
        _or_none(f, x, "denominator"),
        jacobian(f)(x).shape,
        np.shape(jacobian(f, blocks=True)(x)),
    )


def _or_none(f: Callable[[Any], Any], x: np.ndarray[Any, Any], layout: str) -> Shape | None:
    try:
        return derivative(f, x, layout=layout).shape
    except UnsupportedError:
        return None


def _examples(m: int, n: int, p: int, q: int) -> dict[str, Callable[[Any], Any]]:
    """One of each kind, linear wherever that is enough; in the order scalar, vector, matrix, of and by."""
    a, b, c = np.arange(1.0, p + 1), np.arange(1.0, q + 1), np.arange(1.0, m + 1)
    left, right = np.ones((m, p)) + np.eye(m, p), np.ones((q, n)) + np.eye(q, n)
    wide = np.ones((m, n)) + np.eye(m, n)
    return {
        "x²": lambda x: x**2,
        "a'x": lambda x: a @ x,
        "a'Xb": lambda x: a @ x @ b,
        "xc": lambda x: x * c,
        "Ax": lambda x: left @ x,
        "AXb": lambda x: left @ x @ b,
        "xW": lambda x: x * wide,
        "Ax1'": lambda x: np.outer(left @ x, np.ones(n)),
        "AXD": lambda x: left @ x @ right,
    }
