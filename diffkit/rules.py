"""A user's own say in a derivative: a rule for a black box, and a value that is held constant."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit import trees
from diffkit.differentiators.arguments import fitted
from diffkit.errors import InputError, TracingError
from diffkit.ops import Cost, Op, Recorded, lead

Function = Callable[..., Any]


def constant(x: Any) -> Any:
    """Stop a derivative: the value of x, with derivative zero.

    Examples
    --------
    >>> import diffkit as dk
    >>> float(dk.grad(lambda x: x * dk.constant(x))(3.0))
    3.0
    """
    return trees.map_leaves(lambda leaf: p.stop(leaf) if isinstance(leaf, Recorded) else leaf, x)


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

    Raises
    ------
    InputError
        Where there is no rule; and, when it is used, where a rule gives no array of its operand's or result's shape.

    Notes
    -----
    A rule is traced like any function: what it calls outside of NumPy needs a rule of its own.

    Examples
    --------
    >>> import math, numpy as np, diffkit as dk
    >>> cube = dk.primitive(
    ...     lambda x: x**3,
    ...     jvp=lambda y, ops, ts: 3 * ops[0] ** 2 * ts[0],
    ...     vjp=lambda w, y, ops: (3 * ops[0] ** 2 * w,),
    ... )
    >>> dk.grad(lambda x: np.sum(cube(x)))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    rules: dict[str, Any] = {"g": g, "jvp": jvp, "vjp": vjp, "like": like}
    for what, given in rules.items():
        if not callable(given) and (given is not None or what == "g"):
            raise InputError(f"{what}={given!r} is no function; give the function itself, not its result")
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
        lambda result, operands, tangents, _params: _pushed(
            _checked(jvp, "jvp", "forward", name), name, result, operands, tangents
        ),
        lambda cotangent, result, operands, active, _params: _pulled(
            _checked(vjp, "vjp", "reverse", name), name, cotangent, result, operands, active
        ),
        cost=lambda result, _operands, _params: Cost("transcendental", int(np.prod(result.shape))),
    )

    @functools.wraps(g)
    def call(*operands: Any) -> Any:
        if not any(isinstance(operand, Recorded) for operand in operands):
            return g(*operands)
        return op(*operands)

    return call


def _shown(name: str) -> str:
    """The black box's name without the number that tells it from others."""
    return name.partition("#")[0]


def _checked(rule: Function | None, kind: str, method: str, name: str) -> Function:
    if rule is None:
        other = "reverse" if method == "forward" else "forward"
        raise TracingError(
            f"{_shown(name)} has no {kind}, which {method} mode needs; give {kind}=, or use method={other!r}"
        )
    return rule


def _pushed(rule: Function, name: str, result: Any, operands: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    """A rule for one direction, applied to each of K."""
    front: tuple[int, ...] = next(lead(t, x) for t, x in zip(tangents, operands, strict=True) if t is not None)
    if not front:
        return fitted(rule(result, operands, tangents), result, f"the jvp of {_shown(name)}")
    each = [tuple(None if t is None else t[k] for t in tangents) for k in range(front[0])]
    return np.stack([_pushed(rule, name, result, operands, one) for one in each])


def _pulled(
    rule: Function, name: str, cotangent: Any, result: Any, operands: tuple[Any, ...], active: tuple[bool, ...]
) -> list[Any]:
    front = lead(cotangent, result)
    if not front:
        sent = rule(cotangent, result, operands)
        parts = sent if isinstance(sent, (tuple, list)) else (sent,)
        if len(parts) != len(operands):
            raise InputError(
                f"the vjp of {_shown(name)} gave {len(parts)} cotangent{'s' * (len(parts) != 1)} for "
                f"{len(operands)} operands; it must give one for each, in a tuple"
            )
        return [
            fitted(part, operand, f"the vjp of {_shown(name)}") if flag else None
            for part, operand, flag in zip(parts, operands, active, strict=True)
        ]
    each = [_pulled(rule, name, cotangent[k], result, operands, active) for k in range(front[0])]
    return [np.stack(list(parts)) if parts[0] is not None else None for parts in zip(*each, strict=True)]
