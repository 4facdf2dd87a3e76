"""Derivatives in matrix form: read from the graph that a sweep of diffkit's own recorded, and checked in numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffkit.differentiators import Derivative, get
from diffkit.differentiators.finite import FiniteDifference
from diffkit.errors import CheckError, InputError, check_name, is_whole
from diffkit.lab.matrix_calculus.algebra import Matrix, as_columns, named, number
from diffkit.lab.matrix_calculus.layouts import derivative
from diffkit.lab.matrix_calculus.reading import read
from diffkit.lab.matrix_calculus.writing import text, value
from diffkit.operators import jvp
from diffkit.ops import Shape

DIFFERENCES = FiniteDifference(scheme="richardson")
TOLERANCE = 1e-6
"""How far a formula may be from differences, relative to the largest entry; they hold 8 digits or more."""

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
        Shapes that do not fit f's parameters, have a size of 1 or more than two axes, or a symmetric matrix that is not
        square.
    UnknownNameError
        ``by``, ``layout`` or ``symmetric`` is a name that nobody has.
    UnsupportedError
        The derivative is no matrix (see `differential`), or a step of it has no matrix form here.
    CheckError
        The formula is not the derivative at the point where it was checked.

    Examples
    --------
    >>> print(derive(lambda x, B: x @ B @ x, 3, (3, 3)))
    d(x'Bx)/dx = (B + B')x
    >>> print(derive(lambda x, B: x @ B @ x, 3, (3, 3), symmetric="B", layout="numerator"))
    d(x'Bx)/dx = 2x'B
    """
    asked = _Question.about(f, shapes, by, symmetric)
    expected = derivative(asked.partly, asked.point[asked.by], layout=layout, method=DIFFERENCES)
    result, x = np.asarray(f(*asked.point.values())), asked.point[asked.by]
    product = "jvp" if x.ndim == 0 else ("jacobian" if result.ndim else "gradient")
    extra = [number(1.0)] if product == "jvp" else []
    plan = asked.prepare(product)
    numerator = read(plan.graph, [*asked.arguments, *extra])
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
    plan = asked.prepare("jvp")
    expression = read(plan.graph, [*asked.arguments, named(name, *as_columns(x.shape))])
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
        equal = frozenset([symmetric] if isinstance(symmetric, str) else symmetric)
        for name in (*equal, *([] if by is None else [by])):
            check_name(name, names, kind="argument")
        rng = np.random.default_rng(0)
        point = {
            name: _random(rng, name, shape, symmetric=name in equal) for name, shape in zip(names, shapes, strict=True)
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
        return method.prepare(self.f, *self.point.values(), product=product, argnums=list(self.point).index(self.by))

    def answer(
        self, layout: str, plan: Derivative, expression: Matrix, point: Mapping[str, Any], expected: Any
    ) -> Formula:
        """The formula, after its numbers were checked."""
        found = value(expression, point)
        error = float(np.max(np.abs(found - expected.reshape(found.shape))) / max(np.max(np.abs(expected)), 1e-300))
        written = text(expression)
        if not error <= TOLERANCE:
            raise CheckError(f"{written} is off by {error:.2g} from differences, relative to the largest entry")
        function = text(read(plan.function_graph, self.arguments))
        shapes = {name: x.shape for name, x in point.items()}
        return Formula(function, self.by, layout, written, expression.shape, shapes, error, expression)


def _names(f: Function) -> list[str]:
    """The parameters of f that must be given."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError) as error:
        raise InputError(f"{f!r} has no names of parameters; give a function such as lambda x: x @ x") from error
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [one.name for one in parameters if one.kind in plain and one.default is one.empty]


def _random(rng: np.random.Generator, name: str, shape: int | Shape, *, symmetric: bool) -> np.ndarray[Any, Any]:
    """Positive numbers; square matrices are dominated by their diagonals, so that they have inverses and logarithms."""
    sizes: tuple[Any, ...] = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if len(sizes) > 2 or not all(is_whole(size) and size > 1 for size in sizes):
        raise InputError(f"{name} has shape {sizes}; give (), n or (n, m), where a size of 1 would look like a number")
    square = len(sizes) == 2 and sizes[0] == sizes[1]
    if symmetric and not square:
        raise InputError(f"{name} has shape {sizes} and cannot be symmetric; give (n, n)")
    drawn = rng.uniform(0.5, 1.5, sizes)
    if square:
        drawn = drawn + sizes[0] * np.eye(sizes[0])
    return np.asarray((drawn + drawn.T) / 2 if symmetric else drawn)
