"""The chain rule for vectors in both layouts and in the wrong order; elementwise maps and their diagonal Jacobians."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.differentiators import get
from diffkit.errors import InputError, check_name
from diffkit.expressions import as_callable
from diffkit.lab.matrix_calculus.layouts import LAYOUTS, derivative
from diffkit.ops import Shape
from diffkit.trees import as_leaf

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class ChainRule:
    """What came of multiplying two derivatives in both orders.

    Attributes
    ----------
    layout
        "denominator" or "numerator".
    inner, outer, whole
        du/dx, dy/du and dy/dx, matrices in that layout; dy/dx is found from y directly.
    right, wrong
        The order that the layout needs, and the other one: the product, or None where the shapes do not match.
    """

    layout: str
    inner: np.ndarray[Any, Any]
    outer: np.ndarray[Any, Any]
    whole: np.ndarray[Any, Any]
    right: np.ndarray[Any, Any] | None
    wrong: np.ndarray[Any, Any] | None

    @property
    def errors(self) -> tuple[float, float]:
        """How far right and wrong are from dy/dx, at most; infinite where the shapes do not match."""
        return _distance(self.right, self.whole), _distance(self.wrong, self.whole)

    def __str__(self) -> str:
        names = {"du/dx": self.inner, "dy/du": self.outer}
        order = list(names) if self.layout == "denominator" else list(names)[::-1]
        lines = [f"{self.layout} layout: dy/dx is {_shape(self.whole.shape)}"]
        for first, second in (order, order[::-1]):
            product = self.right if (first, second) == tuple(order) else self.wrong
            shapes = f"({_shape(names[first].shape)})({_shape(names[second].shape)})"
            lines.append(f"({first})({second}): {shapes} {_verdict(product, self.whole)}")
        return "\n".join(lines)


def _shape(shape: Shape) -> str:
    return " × ".join(map(str, shape))


def _distance(product: np.ndarray[Any, Any] | None, whole: np.ndarray[Any, Any]) -> float:
    if product is None or product.shape != whole.shape:
        return float("inf")
    return float(np.max(np.abs(product - whole)))


def _verdict(product: np.ndarray[Any, Any] | None, whole: np.ndarray[Any, Any]) -> str:
    if product is None:
        return "cannot be multiplied"
    if product.shape != whole.shape:
        return f"is {_shape(product.shape)}, another shape than dy/dx"
    if np.allclose(product, whole, rtol=1e-10, atol=1e-12 * np.max(np.abs(whole))):
        return "is dy/dx"
    return f"has the shape of dy/dx, and is off by up to {_distance(product, whole):.2g}"


def chain_rule(outer: Function, inner: Function, x: Any, *, layout: str = "denominator") -> ChainRule:
    """In which order do derivatives multiply? y = outer(u), u = inner(x), all of them vectors.

    In denominator layout dy/dx = (du/dx)(dy/du), in numerator layout dy/dx = (dy/du)(du/dx).

    Raises
    ------
    InputError
        x, u or y is no vector.
    UnknownNameError
        For a layout that nobody has.

    Examples
    --------
    >>> A, B = np.arange(6.0).reshape(2, 3), np.arange(8.0).reshape(4, 2)
    >>> print(chain_rule(lambda u: B @ u, lambda x: np.tanh(A @ x), np.full(3, 0.1)))
    denominator layout: dy/dx is 3 × 4
    (du/dx)(dy/du): (3 × 2)(2 × 4) is dy/dx
    (dy/du)(du/dx): (2 × 4)(3 × 2) cannot be multiplied
    """
    check_name(layout, LAYOUTS, kind="layout")
    outer, inner, x = as_callable(outer), as_callable(inner), as_leaf(x)
    u = as_leaf(inner(x), "u = inner(x)")
    shapes = {"x": np.shape(x), "u": np.shape(u), "y": np.shape(outer(u))}
    for name, shape in shapes.items():
        if len(shape) != 1 or shape == (0,):
            raise InputError(f"{name} has shape {shape}; the order of the chain rule is about vectors: give shape (n,)")
    first, second = derivative(inner, x, layout=layout), derivative(outer, u, layout=layout)
    pair = (first, second) if layout == "denominator" else (second, first)
    whole = derivative(lambda x: outer(inner(x)), x, layout=layout)
    return ChainRule(layout, first, second, whole, _product(*pair), _product(*pair[::-1]))


def _product(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    return left @ right if left.shape[1] == right.shape[0] else None


@dataclass(frozen=True)
class Elementwise:
    """The Jacobian of a map, and what its pattern says.

    Attributes
    ----------
    jacobian
        ``(n, n)``, a ``scipy.sparse.csr_array``.
    slopes
        Its diagonal: the derivative of each entry by its own input.
    entries
        How many entries can be other than zero, by the graph of f alone.
    directions
        How many directions the sparse method takes.
    """

    jacobian: Any
    slopes: np.ndarray[Any, Any]
    entries: int
    directions: int

    def __str__(self) -> str:
        n, _ = self.jacobian.shape
        return f"{n} × {n} Jacobian: {self.entries} entries, all on the diagonal; directions needed: {self.directions}"


def elementwise(f: Function, x: Any) -> Elementwise:
    """Is the Jacobian of f diagonal? Found from the pattern of f's graph, for an elementwise f.

    Raises
    ------
    InputError
        f(x) has another size than x, or an entry of it can depend on another entry of x than its own.
    UnsupportedError
        SciPy, which holds sparse arrays, is not installed.

    Examples
    --------
    >>> print(elementwise(np.tanh, np.zeros(1000)))
    1000 × 1000 Jacobian: 1000 entries, all on the diagonal; directions needed: 1
    """
    plan = get("sparse").prepare(f, x)
    if plan.inputs != plan.outputs:
        raise InputError(f"f is not elementwise: it makes {plan.outputs} numbers of {plan.inputs}")
    rows, columns = plan.pattern.row_numbers(), plan.pattern.matrix.indices
    outside = np.flatnonzero(rows != columns)
    if outside.size:
        row, column = rows[outside[0]], columns[outside[0]]
        raise InputError(f"f is not elementwise: entry {row} of its result can depend on entry {column} of x")
    jacobian = plan.run(x)
    return Elementwise(jacobian, jacobian.diagonal(), plan.pattern.entries, plan.colours)
