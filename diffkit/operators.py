"""The operators: thin, and the only place that knows defaults."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit import trees
from diffkit.differentiators import Derivative, Differentiator, get
from diffkit.differentiators.arguments import take
from diffkit.differentiators.programs import DIRECTED
from diffkit.errors import InputError, TracingError, UnknownNameError
from diffkit.expressions import as_function
from diffkit.ops import Cost, Op, Recorded, lead
from diffkit.tracing import current_trace

DEFAULT = "reverse"
MAX_SIGNATURES = 32  # per operator; the one least recently made goes first

Function = Callable[..., Any]


class Operator:
    """A function that gives a derivative: it prepares one per signature, and keeps it."""

    def __init__(
        self,
        f: Function,
        product: str,
        method: str | Differentiator,
        argnums: Any,
        *,
        has_aux: bool,
        finish: Function | None,
        options: dict[str, Any],
    ) -> None:
        if type(f).__module__.partition(".")[0] == "sympy":
            f = as_function(f)
        if not callable(f):
            raise InputError(
                f"f is a {type(f).__name__}, not a function; give the function itself, not its result"
            )
        if isinstance(method, Differentiator):
            if options:
                raise InputError(
                    f"options {', '.join(options)} belong to a method's name; this one is made already"
                )
            self.method = method
        else:
            self.method = get(method, **options)
        functools.update_wrapper(self, f, updated=())
        self.function, self.product, self.argnums, self.has_aux, self.finish = (
            f,
            product,
            argnums,
            has_aux,
            finish,
        )
        self._prepared: dict[Any, Derivative] = {}
        self._last: Derivative | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Differentiate at a point."""
        derivative = self._derivative(args, kwargs)
        found = derivative.call(self.product, args, kwargs)
        return found if self.finish is None else self.finish(found, derivative, args)

    def _derivative(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Derivative:
        plain = args[:-1] if self.product in DIRECTED else args
        last = self._last
        if last is not None and last.fits(plain, kwargs):
            return last
        numbers = (self.argnums,) if isinstance(self.argnums, (int, np.integer)) else tuple(self.argnums)
        single = isinstance(self.argnums, (int, np.integer))
        if (
            current_trace() is not None
        ):  # inside a function being traced: its steps join that trace, nothing is kept
            return Derivative.unprepared(
                self.method,
                self.function,
                plain,
                kwargs,
                argnums=numbers,
                single=single,
                has_aux=self.has_aux,
            )
        _, layout = take(plain, kwargs, numbers, single=single)
        found = self._prepared.get(layout)
        if found is None:
            found = self.method.prepare(
                self.function,
                *plain,
                product=self.product,
                argnums=self.argnums,
                has_aux=self.has_aux,
                **kwargs,
            )
            while len(self._prepared) >= MAX_SIGNATURES:
                self._prepared.pop(next(iter(self._prepared)), None)
            self._prepared[layout] = found
        self._last = found
        return found

    def __repr__(self) -> str:
        return (
            f"<{self.product} of {getattr(self.function, '__name__', self.function)} by {self.method.name}>"
        )


def _operator(
    f: Function,
    product: str,
    method: Any,
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    finish: Function | None = None,
    **options: Any,
) -> Operator:
    return Operator(f, product, method, argnums, has_aux=has_aux, finish=finish, options=options)


def grad(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """What is the gradient of a scalar f?

    Parameters
    ----------
    f
        A plain-NumPy function that returns one number.
    argnums
        Which positional arguments to differentiate by; a tuple gives a tuple of gradients.
    method
        A name (see `names`), or a `Differentiator`.
    has_aux
        Whether f returns ``(result, extra)``; then so does the derivative.
    **options
        Options of the method, such as ``engine=`` or ``scheme=``.

    Returns
    -------
    Operator
        ``grad(f)(x)`` has x's containers and shapes.

    Raises
    ------
    NotScalarError
        Where f returns more than one number.
    TracingError
        Where f does something that a trace cannot follow.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> dk.grad(lambda p: p["a"] * p["b"])({"a": 2.0, "b": 3.0})["a"].item()
    3.0
    """
    return _operator(f, "gradient", method, argnums, has_aux=has_aux, **options)


def value_and_grad(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """What are f and its gradient, in one run?

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> value, gradient = dk.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    >>> float(value), gradient
    (5.0, array([2., 4.]))
    """
    return _operator(f, "value_and_gradient", method, argnums, has_aux=has_aux, **options)


def jacobian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    layout: str = "numerator",
    blocks: bool = False,
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """What is the Jacobian of f?

    Parameters
    ----------
    f
        A plain-NumPy function.
    argnums
        Which positional arguments to differentiate by; their entries follow each other.
    method
        A name (see `names`), or a `Differentiator`.
    layout
        "numerator" gives ``(B, A)``, "denominator" gives ``(A, B)``.
    blocks
        Instead of one matrix, a block ``(*result shape, *x shape)`` per leaf of the result and of x, in their
        containers: the result's outside, x's inside.
    has_aux
        Whether f returns ``(result, extra)``; then so does the derivative.
    **options
        Options of the method, such as ``engine=`` or ``scheme=``.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.jacobian(lambda x: np.array([x[0] * x[1], x[0]]), method="forward")(np.array([2.0, 3.0]))
    array([[3., 2.],
           [1., 0.]])
    """
    layouts = ("numerator", "denominator")
    if layout not in layouts:
        raise UnknownNameError(layout, layouts, kind="layout")

    def finish(found: Any, derivative: Derivative, _args: Any) -> Any:
        matrix, extra = found if has_aux else (found, None)
        made = derivative.blocks(matrix) if blocks else (matrix.T if layout == "denominator" else matrix)
        return (made, extra) if has_aux else made

    plain = layout == "numerator" and not blocks
    return _operator(
        f, "jacobian", method, argnums, has_aux=has_aux, finish=None if plain else finish, **options
    )


def hessian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """What is the Hessian ``(A, A)`` of a scalar f?

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return _operator(f, "hessian", method, argnums, has_aux=has_aux, **options)


def jvp(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = "forward",
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """How does f change along v? ``jvp(f)(x, v)`` is J v (the pushforward), built like f's result.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.jvp(np.sin)(np.zeros(2), np.array([1.0, 2.0]))
    array([1., 2.])
    """
    return _operator(f, "jvp", method, argnums, has_aux=has_aux, **options)


def vjp(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """Which change of x does w see? ``vjp(f)(x, w)`` is w J (the pullback), built like x.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.vjp(lambda x: np.array([x[0], x[0] * x[1]]))(np.array([2.0, 3.0]), np.array([1.0, 1.0]))
    array([4., 2.])
    """
    return _operator(f, "vjp", method, argnums, has_aux=has_aux, **options)


def hvp(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """What is the Hessian of a scalar f times v, without the Hessian? ``hvp(f)(x, v)``, built like x.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    return _operator(f, "hvp", method, argnums, has_aux=has_aux, **options)


def derivative(
    f: Function, n: int = 1, *, method: str | Differentiator = "forward", **options: Any
) -> Function:
    """What is the n-th derivative of a function of one number (entry by entry of an array)?

    Parameters
    ----------
    f
        A function of one array whose result has the same shape, each entry depending on its own input only.
    n
        The order; 0 gives f.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> float(dk.derivative(np.sin, 3)(0.0))
    -1.0
    >>> dk.derivative(lambda t: t**3, 2)(np.array([1.0, 2.0]))
    array([ 6., 12.])
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise InputError(f"n={n!r}; the order of a derivative is 0, 1, 2, ...")
    result = f
    for _ in range(n):
        inner = _operator(result, "jvp", method, **options)
        result = _along_ones(inner)
    return result


def _along_ones(pushed: Operator) -> Function:
    def slope(x: Any) -> Any:
        return pushed(x, np.ones_like(x) if np.shape(x) else 1.0)

    return slope


def constant(x: Any) -> Any:
    """Stop a derivative: the value of x, with derivative zero.

    Examples
    --------
    >>> import diffkit as dk
    >>> float(dk.grad(lambda x: x * dk.constant(x))(3.0))
    3.0
    """
    return trees.map_leaves(lambda leaf: p.stop(leaf) if isinstance(leaf, Recorded) else leaf, x)


# ---------------------------------------------------------------- a user's own rule

_numbers = itertools.count()


def primitive(
    g: Function, *, jvp: Function | None = None, vjp: Function | None = None, like: Function | None = None
) -> Function:
    """Give a black box its own rule, so that it may stand in a function that is differentiated.

    Parameters
    ----------
    g
        A function of arrays that returns one array; inside a differentiated function it is called with plain arrays.
    jvp
        ``jvp(result, operands, tangents) -> tangent``; a tangent is None where it is zero.
    vjp
        ``vjp(cotangent, result, operands) -> (cotangent per operand)``. At least one rule is needed: forward mode needs
        ``jvp``, reverse mode ``vjp``. Rules are written in NumPy for one direction.
    like
        ``like(*operands)`` gives shape and dtype of the result, as an array or ``(shape, dtype)``; by default those of
        the first operand.

    Examples
    --------
    >>> import math, numpy as np, diffkit as dk
    >>> cube = dk.primitive(lambda x: x**3, jvp=lambda y, ops, ts: 3 * ops[0] ** 2 * ts[0], vjp=lambda w, y, ops: (3 * ops[0] ** 2 * w,))
    >>> dk.grad(lambda x: np.sum(cube(x)))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    if jvp is None and vjp is None:
        raise InputError("a primitive needs a rule: jvp=, vjp=, or both")
    name = f"{getattr(g, '__name__', 'primitive')}#{next(_numbers)}"

    def infer(operands: Sequence[Any], _params: dict[str, Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
        if like is None:
            return operands[0].shape, operands[0].dtype
        given = like(*operands)
        return (
            (tuple(given[0]), np.dtype(given[1]))
            if isinstance(given, tuple)
            else (np.shape(given), np.asarray(given).dtype)
        )

    op = Op(
        name,
        "own",
        lambda *operands: np.asarray(g(*operands)),
        infer,
        lambda result, operands, tangents, _params: _each(
            _checked(jvp, "jvp", "forward", name), result, operands, tangents
        ),
        lambda cotangent, result, operands, active, _params: _pulled(
            _checked(vjp, "vjp", "reverse", name), cotangent, result, operands, active
        ),
        cost=lambda result, _operands, _params: Cost("transcendental", int(np.prod(result.shape))),
    )

    @functools.wraps(g)
    def call(*operands: Any) -> Any:
        if not any(isinstance(operand, Recorded) for operand in operands):
            return g(*operands)
        return op(*operands)

    return call


def _checked(rule: Function | None, kind: str, method: str, name: str) -> Function:
    if rule is None:
        other = "reverse" if method == "forward" else "forward"
        raise TracingError(
            f"{name.partition('#')[0]} has no {kind}, which {method} mode needs; give {kind}=, or use method={other!r}"
        )
    return rule


def _each(rule: Function, result: Any, operands: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    """A rule for one direction, applied to each of K."""
    front: tuple[int, ...] = next(
        lead(t, x) for t, x in zip(tangents, operands, strict=True) if t is not None
    )
    if not front:
        return rule(result, operands, tangents)
    return np.stack(
        [
            rule(result, operands, tuple(None if t is None else t[k] for t in tangents))
            for k in range(front[0])
        ]
    )


def _pulled(
    rule: Function, cotangent: Any, result: Any, operands: tuple[Any, ...], active: tuple[bool, ...]
) -> list[Any]:
    front = lead(cotangent, result)
    if not front:
        sent = rule(cotangent, result, operands)
        parts = sent if isinstance(sent, (tuple, list)) else (sent,)
        return [part if flag else None for part, flag in zip(parts, active, strict=True)]
    each = [_pulled(rule, cotangent[k], result, operands, active) for k in range(front[0])]
    return [np.stack(list(parts)) if parts[0] is not None else None for parts in zip(*each, strict=True)]
