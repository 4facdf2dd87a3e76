"""Derivatives in matrix form: read from the graph that a sweep of diffkit's own recorded, and checked in numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffkit.differentiators import Derivative, get
from diffkit.differentiators.finite import FiniteDifference
from diffkit.errors import CheckError, InputError, UnsupportedError, check_name, is_whole
from diffkit.graph import Graph
from diffkit.lab.matrix_calculus.algebra import Matrix, as_columns, named, number
from diffkit.lab.matrix_calculus.layouts import derivative
from diffkit.lab.matrix_calculus.reading import read
from diffkit.lab.matrix_calculus.writing import text, value
from diffkit.operators import jvp
from diffkit.ops import Shape
from diffkit.tracing.lowering.naming import whole_names

DIFFERENCES = FiniteDifference(scheme="richardson")
TOLERANCE = 1e-6
"""How far a formula may be from differences, relative to the largest entry; they hold 8 digits or more."""

SMALL = 1e-4
"""Entries below are compared with this: a derivative that is 0 is one up to rounding."""
LOW, HIGH = 0.5, 1.5
"""Between these, formulas are checked against differences: there are roots, logarithms and powers of such numbers."""

Function = Callable[..., Any]


@dataclass(frozen=True)
class Formula:
    """A derivative in matrix form.

    Attributes
    ----------
    function, by
        What was differentiated, in matrix form, and the argument that it was differentiated by.
    layout
        "denominator", "numerator", or "differential".
    text
        The derivative, such as ``(B + B')x``.
    shape
        Of the derivative, two axes; vectors are columns or rows.
    shapes
        Of the arguments by name, in the order of f's.
    error
        How far it is from difference quotients of f at a random point, relative to the largest entry.
    """

    function: str
    by: str
    layout: str
    text: str
    shape: tuple[int, int]
    shapes: dict[str, Shape]
    error: float
    expression: Matrix = field(repr=False)

    def __call__(self, *arguments: Any) -> np.ndarray[Any, Any]:
        """The formula's numbers, of ``shape``; arguments as f takes them, and dx last for a differential."""
        if len(arguments) != len(self.shapes):
            raise InputError(
                f"{len(arguments)} arguments; the formula takes {len(self.shapes)}: {', '.join(self.shapes)}"
            )
        given = dict(zip(self.shapes, arguments, strict=True))
        for name, shape in self.shapes.items():
            if np.shape(given[name]) != shape:
                raise InputError(f"{name} has shape {np.shape(given[name])}; the formula was derived for {shape}")
        return value(self.expression, given)

    def __str__(self) -> str:
        if self.layout == "differential":
            return f"d({self.function}) = {self.text}"
        return f"d({self.function})/d{self.by} = {self.text}"


def derive(
    f: Function,
    *shapes: int | Shape,
    by: str | None = None,
    layout: str = "denominator",
    symmetric: str | Collection[str] = (),
) -> Formula:
    """What is the derivative of f in matrix form?

    A scalar f is differentiated by a return sweep, a vector by a vector by one with a seed per entry, and anything by a
    scalar by a forward sweep. What the sweep recorded is read as products of matrices, and checked against differences.

    Parameters
    ----------
    f
        A plain-NumPy function; its parameters have the names that mathematics gives them, ``lambda x, B: x @ B @ x``.
    *shapes
        The shape of each argument in turn: ``()``, n or ``(n,)``, ``(n, m)``.
    by
        The argument to differentiate by; the first one if not given.
    layout
        "denominator": a gradient has the shape of x. "numerator": a gradient is a row.
    symmetric
        Names of the matrices that equal their transposes. Each entry still varies by itself.

    Raises
    ------
    InputError
        Arrays in place of shapes, shapes that do not fit f's parameters, have a size of 1 or more than two axes, a
        symmetric matrix that is not square, a parameter whose name means something else in a formula, or a derivative
        that is not finite at positive numbers, where formulas are checked.
    UnknownNameError
        ``by``, ``layout`` or ``symmetric`` is a name that nobody has.
    UnsupportedError
        The derivative is no matrix (see `differential`), a step of it has no matrix form here, or f branches.
    CheckError
        The formula is not the derivative at a point where it was checked.

    Examples
    --------
    >>> print(derive(lambda x, B: x @ B @ x, 3, (3, 3)))
    d(x'Bx)/dx = (B + B')x
    >>> print(derive(lambda x, B: x @ B @ x, 3, (3, 3), symmetric="B", layout="numerator"))
    d(x'Bx)/dx = 2x'B
    >>> print(derive(lambda W, x: np.sum(np.maximum(W @ x, 0)), (4, 3), 3))
    d(1' max(Wx, 0))/dW = [Wx > 0]x'
    """
    asked = _Question.about(f, shapes, by, symmetric)
    expected = derivative(asked.partly, asked.point[asked.by], layout=layout, method=DIFFERENCES)
    result, x = np.asarray(f(*asked.point.values())), asked.point[asked.by]
    product = "jvp" if x.ndim == 0 else ("jacobian" if result.ndim else "gradient")
    plan = asked.prepare(product)
    numerator = asked.read(plan.graph, [(number(1.0), np.array(1.0))] if product == "jvp" else [])
    if product == "gradient":
        numerator = numerator.transposed
    expression = numerator if layout == "numerator" else numerator.transposed
    return asked.answer(layout, plan, expression, asked.point, expected)


def differential(
    f: Function, *shapes: int | Shape, by: str | None = None, symmetric: str | Collection[str] = ()
) -> Formula:
    """How does f change along dX, in matrix form? Also where the derivative itself is no matrix.

    Read from a forward sweep along dX, any matrix of X's shape. Parameters and errors are those of `derive`.

    Examples
    --------
    >>> print(differential(lambda X: np.linalg.inv(X), (3, 3)))
    d(X^-1) = -X^-1 dX X^-1
    """
    asked = _Question.about(f, shapes, by, symmetric)
    x = asked.point[asked.by]
    name, direction = f"d{asked.by}", np.random.default_rng(1).uniform(0.5, 1.5, x.shape)
    if name in asked.point:
        raise InputError(f"f takes {name}, the name of the direction that {asked.by} moves along; call it otherwise")
    plan = asked.prepare("jvp")
    expression = asked.read(plan.graph, [(named(name, *as_columns(x.shape)), direction)])
    expected = jvp(asked.partly, method=DIFFERENCES)(x, direction)
    return asked.answer("differential", plan, expression, {**asked.point, name: direction}, np.asarray(expected))


@dataclass(frozen=True)
class _Question:
    """What is differentiated by which of its arguments, and a random point to check at."""

    f: Function
    by: str
    symmetric: frozenset[str]
    point: dict[str, Any]

    @classmethod
    def about(
        cls, f: Function, shapes: Sequence[int | Shape], by: str | None, symmetric: str | Collection[str]
    ) -> _Question:
        names = _names(f)
        if not shapes or len(names) != len(shapes):
            raise InputError(
                f"f takes {', '.join(names) or 'nothing'}, and {len(shapes)} shapes were given; give one each"
            )
        _check_clear(names)
        equal = frozenset([symmetric] if isinstance(symmetric, str) else symmetric)
        for name in (*equal, *([] if by is None else [by])):
            check_name(name, names, kind="argument")
        rng = np.random.default_rng(0)
        point = {
            name: _drawn(rng, _shape(name, shape, symmetric=name in equal), symmetric=name in equal)
            for name, shape in zip(names, shapes, strict=True)
        }
        return cls(f, names[0] if by is None else by, equal, point)

    @property
    def arguments(self) -> list[Matrix]:
        return [named(name, *as_columns(x.shape), symmetric=name in self.symmetric) for name, x in self.point.items()]

    def partly(self, x: Any) -> Any:
        """F as a function of the argument that it is differentiated by."""
        return self.f(*{**self.point, self.by: x}.values())

    def prepare(self, product: str) -> Derivative:
        """A sweep of diffkit's own, recorded."""
        method = get("forward" if product == "jvp" else "reverse", engine="interpreted")
        number = list(self.point).index(self.by)
        with whole_names():
            return method.prepare(self.f, *self.point.values(), product=product, argnums=number, verify=True)

    def read(self, graph: Graph | None, directions: Sequence[tuple[Matrix, Any]] = ()) -> Matrix:
        """A graph in matrix form. It must have the graph's numbers also where entries have both signs."""
        if graph is None:
            raise UnsupportedError("f was called as a black box; only a traced f has a graph to read")
        expression = read(graph, [*self.arguments, *(name for name, _ in directions)])
        rng = np.random.default_rng(2)
        point = {
            name: _drawn(rng, x.shape, symmetric=name in self.symmetric, low=-HIGH) for name, x in self.point.items()
        }
        point |= {text(name): direction for name, direction in directions}
        with np.errstate(all="ignore"):
            expected, found = graph.evaluate(*point.values())[0], value(expression, point)
        expected = np.reshape(expected, found.shape)
        there = np.isfinite(expected)  # roots and logarithms of negative numbers are not
        _check(text(expression), found[there], expected[there])
        return expression

    def answer(
        self, layout: str, plan: Derivative, expression: Matrix, point: Mapping[str, Any], expected: Any
    ) -> Formula:
        """The formula, after its numbers were checked."""
        if not np.all(np.isfinite(expected)):
            raise InputError(
                f"the derivative is not finite at the random point where formulas are checked: entries are {LOW} to "
                f"{HIGH} there, and more by n on diagonals of n × n matrices; move what f takes roots or logarithms of"
            )
        found, written = value(expression, point), text(expression)
        error = _check(written, found, expected.reshape(found.shape))
        function = text(self.read(plan.function_graph))
        shapes = {name: x.shape for name, x in point.items()}
        return Formula(function, self.by, layout, written, expression.shape, shapes, error, expression)


def _check(written: str, found: Any, expected: Any) -> float:
    """How far numbers are from those that they should be, relative to the largest entry."""
    error = float(np.max(np.abs(found - expected), initial=0.0) / np.max(np.abs(expected), initial=SMALL))
    if not error <= TOLERANCE:
        raise CheckError(f"{written} is off by {error:.2g} from what f computes, relative to the largest entry")
    return error


def _names(f: Function) -> list[str]:
    """The parameters of f that must be given."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError) as error:
        raise InputError(f"{f!r} has no names of parameters; give a function such as lambda x: x @ x") from error
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [one.name for one in parameters if one.kind in plain and one.default is one.empty]


def _check_clear(names: Sequence[str]) -> None:
    """Whether a formula in these names can be read in one way only."""
    for name in names:
        if name == "I":
            raise InputError("f takes I, which is the identity in formulas; call it otherwise")
        if len(name) > 1 and set(name) <= set(names):
            raise InputError(f"f takes {name}, and {', '.join(name)}, whose product is written so; call it otherwise")


def _shape(name: str, shape: int | Shape, *, symmetric: bool) -> Shape:
    """The sizes of an argument, none of them 1."""
    if isinstance(shape, np.ndarray):
        raise InputError(f"{name} is given as an array of shape {shape.shape}; give a shape, such as {name}.shape")
    sizes: tuple[Any, ...] = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if len(sizes) > 2 or not all(is_whole(size) and size > 1 for size in sizes):
        raise InputError(f"{name} has shape {sizes}; give (), n or (n, m), where a size of 1 would look like a number")
    if symmetric and not _square(sizes):
        raise InputError(f"{name} has shape {sizes} and cannot be symmetric; give (n, n)")
    return sizes


def _square(shape: Shape) -> bool:
    return len(shape) == 2 and shape[0] == shape[1]


def _drawn(rng: np.random.Generator, shape: Shape, *, symmetric: bool, low: float = LOW) -> np.ndarray[Any, Any]:
    """Random numbers; square matrices are dominated by their diagonals, so that they have inverses and logarithms."""
    drawn = np.asarray(rng.uniform(low, HIGH, shape))
    if _square(shape):
        drawn = drawn + shape[0] * np.eye(shape[0])
    return (drawn + drawn.T) / 2 if symmetric else drawn
