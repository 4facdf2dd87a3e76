"""The families: each builds the four meanings of an op from one derivative fact.

| family        | the fact stated                 | JVP                         | VJP                               |
|---------------|---------------------------------|-----------------------------|-----------------------------------|
| `elementwise` | each partial, pointwise         | sum of partial * tangent    | unbroadcast(partial * cotangent)  |
| `reduction`   | the partial, of the operand     | sum(partial * tangent)      | partial * expand(cotangent)       |
| `structural`  | where entries go (linear)       | itself on the tangent       | its transpose, stated             |
| `own`         | both rules, stated              | stated                      | stated                            |
| `constant`    | nothing                         | zero                        | none                              |
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.ops import (
    Array,
    Cost,
    Masked,
    Op,
    Shape,
    add_up,
    align,
    broadcast_shapes,
    lead,
    scale,
    size,
    ufunc_dtype,
    unbroadcast,
    widen,
)
from diffkit.primitives.meanings import as_objects, entrywise, numbers

Symbolic = str | Callable[..., Any] | None
Params = dict[str, Any]
Inferred = tuple[Shape, np.dtype[Any]]


def infer_elementwise(ufunc: np.ufunc) -> Callable[[Sequence[Any], Params], Inferred]:
    """Shape and dtype of a ufunc's result."""

    def infer(operands: Sequence[Any], _params: Params) -> Inferred:
        shape = broadcast_shapes(*[operand.shape for operand in operands])
        return shape, ufunc_dtype(ufunc, *[operand.dtype for operand in operands])

    return infer


def computed(result: Array, operands: tuple[Array, ...]) -> list[Array]:
    """The operands as NumPy computes with them, in the result's dtype; truths, which select, stay.

    In their own, the square of a small whole number overflows, and a single-precision partial makes the digits of a
    double-precision derivative wrong.
    """
    return [x if x.dtype == result.dtype or x.dtype.kind not in "iuf" else x.astype(result.dtype) for x in operands]


def elementwise(
    ufunc: Any, symbolic: Symbolic, *partials: Callable[..., Any], kind: str = "arithmetic", cost: int = 1
) -> Op:
    """Build a row from each partial derivative, pointwise, given the result and the operands."""

    def jvp(result: Array, operands: tuple[Array, ...], tangents: tuple[Array | None, ...], _params: Params) -> Array:
        terms: list[Array] = []
        front: Shape = ()
        for partial, operand, tangent in zip(partials, operands, tangents, strict=True):
            if tangent is not None:
                front = lead(tangent, operand)
                terms.append(scale(align(tangent, operand, result), partial(result, *computed(result, operands))))
        return widen(add_up(terms), result, front)

    def vjp(
        cotangent: Array | Masked,
        result: Array,
        operands: tuple[Array, ...],
        active: tuple[bool, ...],
        _params: Params,
    ) -> list[Array | None]:
        bare = cotangent.cotangent if isinstance(cotangent, Masked) else cotangent
        front = lead(bare, result)
        return [
            unbroadcast(scale(cotangent, partial(result, *computed(result, operands))), operand, front)
            if wanted
            else None
            for partial, operand, wanted in zip(partials, operands, active, strict=True)
        ]

    return Op(
        ufunc.__name__,
        "elementwise",
        ufunc,
        infer_elementwise(ufunc),
        jvp,
        vjp,
        entrywise(symbolic) if symbolic else None,
        lambda result, _operands, _params: Cost(kind, cost * size(result)),
        ufunc,
    )


def constant(ufunc: Any, symbolic: Symbolic = None, of: Callable[..., Any] = numbers, *, touches: str = "all") -> Op:
    """Build a row whose derivative is zero wherever it exists: steps, comparisons, tests."""
    return Op(
        ufunc.__name__,
        "constant",
        ufunc,
        infer_elementwise(ufunc),
        symbolic=entrywise(symbolic, of) if symbolic else None,
        cost=lambda result, _operands, _params: Cost("arithmetic", size(result)),
        numpy=ufunc,
        touches=touches,
    )


# ---------------------------------------------------------------- reductions


def kept(shape: Shape, axis: tuple[int, ...]) -> Shape:
    """The shape with ones where axes were reduced."""
    return tuple(1 if position - len(shape) in axis else length for position, length in enumerate(shape))


def dropped(shape: Shape, axis: tuple[int, ...]) -> Shape:
    """The shape without the reduced axes."""
    return tuple(length for position, length in enumerate(shape) if position - len(shape) not in axis)


def expand(cotangent: Array, result: Array, operand: Array, axis: tuple[int, ...]) -> Array:
    """Repeat a cotangent of the reduced result over the axes that were reduced."""
    front = lead(cotangent, result)
    return np.broadcast_to(np.reshape(cotangent, front + kept(operand.shape, axis)), front + operand.shape)


def infer_reduction(dtype: Any = None) -> Callable[[Sequence[Any], Params], Inferred]:
    """Shape and dtype of a reduction over ``axis``."""

    def infer(operands: Sequence[Any], params: Params) -> Inferred:
        return dropped(operands[0].shape, params["axis"]), np.dtype(dtype or operands[0].dtype)

    return infer


def reduction(function: Callable[..., Any], symbolic: Callable[..., Any], partial: Callable[..., Any]) -> Op:
    """Build a row from the partial, of the operand's shape, given the result (axes kept), operand and axis."""

    def weight(result: Array, operand: Array, axis: tuple[int, ...]) -> Array:
        return partial(np.reshape(result, kept(operand.shape, axis)), operand, axis)

    def jvp(result: Array, operands: tuple[Array, ...], tangents: tuple[Array, ...], params: Params) -> Array:
        return np.sum(tangents[0] * weight(result, operands[0], params["axis"]), axis=params["axis"])

    def vjp(
        cotangent: Array | Masked,
        result: Array,
        operands: tuple[Array, ...],
        _active: tuple[bool, ...],
        params: Params,
    ) -> list[Array]:
        (operand,), axis = operands, params["axis"]
        if isinstance(cotangent, Masked):
            spread: Any = Masked(
                *[expand(part, result, operand, axis) for part in (cotangent.cotangent, cotangent.mask)]
            )
        else:
            spread = expand(cotangent, result, operand, axis)
        return [scale(spread, weight(result, operand, axis))]

    return Op(
        function.__name__,
        "reduction",
        function,
        infer_reduction(),
        jvp,
        vjp,
        symbolic,
        lambda _result, operands, _params: Cost("arithmetic", size(operands[0])),
        function,
    )


# ---------------------------------------------------------------- linear rearrangements


def structural(
    name: str,
    evaluate: Callable[..., Any],
    infer: Callable[[Sequence[Any], Params], tuple[Shape, np.dtype[Any]]],
    forward: Callable[[Array, Array, Params], Array],
    backward: Callable[[Array, Array, Array, Params], Any],
    *,
    numpy: Any = None,
    symbolic: Callable[..., Any] | None = None,
    cost: Callable[..., Cost] | None = None,
    touches: str = "all",
) -> Op:
    """Build a linear row of one operand.

    ``forward(tangent, operand, params)`` is the op itself behind direction axes;
    ``backward(cotangent, result, operand, params)`` is its transpose.
    """

    def jvp(_result: Array, operands: tuple[Array, ...], tangents: tuple[Array, ...], params: Params) -> Array:
        return forward(tangents[0], operands[0], params)

    def vjp(
        cotangent: Array,
        result: Array,
        operands: tuple[Array, ...],
        _active: tuple[bool, ...],
        params: Params,
    ) -> list[Any]:
        return [backward(cotangent, result, operands[0], params)]

    return Op(
        name,
        "structural",
        evaluate,
        infer,
        jvp,
        vjp,
        symbolic or (lambda _sympy, operand, **params: as_objects(evaluate(operand, **params))),
        cost or (lambda _result, _operands, _params: Cost("moved", 0)),
        numpy,
        linear=True,
        touches=touches,
    )


# ---------------------------------------------------------------- matrices


def cubic(factor: float) -> Callable[..., Cost]:
    """Cost of a dense factorisation: ``factor * n^3`` per matrix, ``2 n^2`` per right-hand column."""

    def cost(_result: Any, operands: Sequence[Any], _params: Params) -> Cost:
        *batch, n, _ = operands[0].shape
        columns = 2 * n * size(operands[1]) if len(operands) > 1 else 0
        return Cost("arithmetic", math.ceil(math.prod(batch) * factor * n**3) + columns)

    return cost


def own(
    name: str,
    evaluate: Callable[..., Any],
    infer: Callable[[Sequence[Any], Params], tuple[Shape, np.dtype[Any]]],
    jvp: Callable[..., Any],
    vjp: Callable[..., Any],
    symbolic: Callable[..., Any] | None,
    cost: Callable[..., Cost],
    *,
    numpy: Any = None,
    family: str = "own",
    linear: bool = False,
) -> Op:
    """Build a row that states both of its rules."""
    return Op(name, family, evaluate, infer, jvp, vjp, symbolic, cost, numpy, linear)
