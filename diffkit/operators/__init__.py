"""The operators: thin, and the only place that knows defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.differentiators import Derivative, Differentiator
from diffkit.errors import InputError, check_name, check_whole
from diffkit.expressions import as_callable
from diffkit.operators.preparing import Function, Operator

DEFAULT = "reverse"


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
    return Operator(f, "gradient", method, argnums, has_aux=has_aux, **options)


def value_and_grad(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """What are f and its gradient, in one run?

    Parameters and errors are those of `grad`; ``value_and_grad(f)(x)`` is ``(f(x), gradient)``.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> value, gradient = dk.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    >>> float(value), gradient
    (5.0, array([2., 4.]))
    """
    return Operator(f, "value_and_gradient", method, argnums, has_aux=has_aux, **options)


def jacobian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    layout: str = "numerator",
    blocks: bool = False,
    sparse: bool = False,
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
    sparse
        As a ``scipy.sparse.csr_array``, with as few sweeps as its pattern allows (see `Sparse`).
    has_aux
        Whether f returns ``(result, extra)``; then so does the derivative.
    **options
        Options of the method, such as ``engine=`` or ``scheme=``.

    Raises
    ------
    UnknownNameError
        For a layout, a method or an option that nobody has.
    TooLargeError
        Where the matrix would take more than half of the machine's memory.
    InputError
        For arguments that cannot be used, and for ``sparse=True`` beside ``blocks=True`` or another method.
    TracingError
        Where f does something that a trace cannot follow.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.jacobian(lambda x: np.array([x[0] * x[1], x[0]]), method="forward")(np.array([2.0, 3.0]))
    array([[3., 2.],
           [1., 0.]])
    >>> dk.jacobian(np.sin, sparse=True)(np.zeros(1_000_000)).nnz
    1000000
    """
    layouts = ("numerator", "denominator")
    check_name(layout, layouts, kind="layout")
    if sparse:
        method = _sparse(method)
        if blocks:
            raise InputError("a sparse Jacobian is one matrix; leave out blocks=True, or sparse=True")

    def finish(found: Any, derivative: Derivative, _args: Any) -> Any:
        matrix, extra = found if has_aux else (found, None)
        made = derivative.blocks(matrix) if blocks else (matrix.T if layout == "denominator" else matrix)
        return (made, extra) if has_aux else made

    plain = layout == "numerator" and not blocks
    return Operator(f, "jacobian", method, argnums, has_aux=has_aux, finish=None if plain else finish, **options)


def hessian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    sparse: bool = False,
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """What is the Hessian ``(A, A)`` of a scalar f?

    With ``sparse=True`` as a ``scipy.sparse.csr_array``, with as few sweeps as its pattern allows (see `Sparse`). The
    other parameters are those of `grad`, and so are its errors; `TooLargeError` where the matrix would take more than
    half of the machine's memory.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return Operator(f, "hessian", _sparse(method) if sparse else method, argnums, has_aux=has_aux, **options)


def _sparse(method: str | Differentiator) -> str:
    if method != DEFAULT:
        raise InputError(
            f"sparse=True with method={method!r}: a sparse derivative chooses its sweeps itself; leave out method=, or "
            "give by='columns' (forward) or by='rows' (reverse)"
        )
    return "sparse"


def jvp(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = "forward",
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """How does f change along v? ``jvp(f)(x, v)`` is J v (the pushforward), built like f's result.

    Parameters are those of `grad`; f may return any number of entries. `InputError` where v is not built like x.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.jvp(np.sin)(np.zeros(2), np.array([1.0, 2.0]))
    array([1., 2.])
    """
    return Operator(f, "jvp", method, argnums, has_aux=has_aux, **options)


def vjp(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """Which change of x does w see? ``vjp(f)(x, w)`` is w J (the pullback), built like x.

    Parameters are those of `grad`; f may return any number of entries. `InputError` where w is not built like f's
    result.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.vjp(lambda x: np.array([x[0], x[0] * x[1]]))(np.array([2.0, 3.0]), np.array([1.0, 1.0]))
    array([4., 2.])
    """
    return Operator(f, "vjp", method, argnums, has_aux=has_aux, **options)


def hvp(
    f: Function,
    argnums: int | Sequence[int] = 0,
    *,
    method: str | Differentiator = DEFAULT,
    has_aux: bool = False,
    **options: Any,
) -> Operator:
    """What is the Hessian of a scalar f times v, without the Hessian? ``hvp(f)(x, v)``, built like x.

    Parameters and errors are those of `grad`; `InputError` where v is not built like x.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> dk.hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    return Operator(f, "hvp", method, argnums, has_aux=has_aux, **options)


def derivative(f: Function, n: int = 1, *, method: str | Differentiator = "forward", **options: Any) -> Function:
    """What is the n-th derivative of a function of one number (entry by entry of an array)?

    Parameters
    ----------
    f
        A function of one array whose result has the same shape, each entry depending on its own input only.
    n
        The order; 0 gives f.
    method, **options
        As of `grad`.

    Raises
    ------
    InputError
        Where n is no whole number from 0, or where f's result has another shape than x.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> float(dk.derivative(np.sin, 3)(0.0))
    -1.0
    >>> dk.derivative(lambda t: t**3, 2)(np.array([1.0, 2.0]))
    array([ 6., 12.])
    """
    check_whole(n, "n", least=0)
    result = as_callable(f)
    for _ in range(n):
        inner = Operator(result, "jvp", method, **options)
        result = _along_ones(inner)
    return result


def _along_ones(pushed: Operator) -> Function:
    def slope(x: Any) -> Any:
        found = pushed(x, np.ones_like(x) if np.shape(x) else 1.0)
        if np.shape(found) != np.shape(x):
            raise InputError(
                f"f returned shape {np.shape(found)} for x of shape {np.shape(x)}; derivative() is for functions of "
                "one number, entry by entry: use grad or jacobian"
            )
        return found

    return slope
