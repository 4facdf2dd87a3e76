"""The rules of ops that select: by a mask, or by positions that are found while running.

``front`` is () or (K,), the direction axes of a tangent or cotangent (`diffkit.ops`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.ops import Array, Cost, Masked, Shape, align, broadcast_shapes, lead, size, unbroadcast, widen
from diffkit.primitives.families import Inferred, Params
from diffkit.primitives.meanings import as_objects, numbers


def selected(mask: Array, x: Array, y: Array) -> Array:
    return np.where(mask, x, y)


def infer_where(operands: Sequence[Any], _params: Params) -> Inferred:
    shape = broadcast_shapes(*[operand.shape for operand in operands])
    return shape, np.result_type(operands[1].dtype, operands[2].dtype)


def where_jvp(result: Array, operands: tuple[Array, ...], tangents: tuple[Array | None, ...], _params: Params) -> Array:
    front: Shape = ()
    sides = []
    for operand, tangent in zip(operands[1:], tangents[1:], strict=True):
        if tangent is not None:
            front = lead(tangent, operand)
        sides.append(0.0 if tangent is None else align(tangent, operand, result))
    return widen(np.where(operands[0], *sides), result, front)


def where_vjp(
    cotangent: Array | Masked,
    result: Array,
    operands: tuple[Array, ...],
    active: tuple[bool, ...],
    _params: Params,
) -> list[Any]:
    mask, *sides = operands
    bare, outer = (cotangent.cotangent, cotangent.mask) if isinstance(cotangent, Masked) else (cotangent, None)
    contributions: list[Any] = [None]
    for side, wanted, chosen in zip(sides, active[1:], (True, False), strict=True):
        if not wanted:
            contributions.append(None)
            continue
        here = mask if chosen else np.logical_not(mask)
        routed = np.where(here, bare, 0.0)
        reached = here if outer is None else np.logical_and(here, outer)
        contributions.append(
            Masked(unbroadcast(routed, side, lead(bare, result)), narrow_mask(reached, side, result)),
        )
    return contributions


def narrow_mask(mask: Array, operand: Array, result: Array) -> Array:
    """The mask that an operand sees when the result is reached at ``mask``."""
    whole = widen(mask, result, ())
    if operand.shape == result.shape:
        return whole
    return np.greater(unbroadcast(np.where(whole, 1.0, 0.0), operand, ()), 0.0)


def where_symbolic(sympy: Any, mask: Any, x: Any, y: Any) -> Any:
    def piecewise(condition: Any, taken: Any, otherwise: Any) -> Any:
        return sympy.Piecewise((taken, condition), (otherwise, True))

    return as_objects(np.frompyfunc(piecewise, 3, 1)(mask, numbers(sympy, x), numbers(sympy, y)))


def where_cost(result: Any, _operands: Sequence[Any], _params: Params) -> Cost:
    return Cost("moved", size(result))


# ---------------------------------------------------------------- positions computed while running


def stable_argsort(x: Array, axis: int) -> Array:
    return np.argsort(x, axis=axis, kind="stable")


def infer_positions(operands: Sequence[Any], _params: Params) -> Inferred:
    return operands[0].shape, np.dtype(np.intp)


def infer_argument(operands: Sequence[Any], params: Params) -> Inferred:
    shape, axis = operands[0].shape, params["axis"]
    return tuple(itertools.chain(shape[: len(shape) + axis], shape[len(shape) + axis + 1 :])), np.dtype(np.intp)


def infer_take_along(operands: Sequence[Any], _params: Params) -> Inferred:
    return operands[1].shape, operands[0].dtype


def take_along_jvp(
    _result: Array, operands: tuple[Array, ...], tangents: tuple[Array | None, ...], params: Params
) -> Array:
    from diffkit import primitives

    tangent = tangents[0]
    positions = widen(operands[1], operands[1], lead(tangent, operands[0]))
    return primitives.take_along(tangent, positions, axis=params["axis"])


def take_along_vjp(
    cotangent: Array, result: Array, operands: tuple[Array, ...], _active: tuple[bool, ...], params: Params
) -> list[Array | None]:
    from diffkit import primitives

    axis = params["axis"]
    positions = widen(operands[1], operands[1], lead(cotangent, result))
    return [primitives.put_along(cotangent, positions, axis=axis, length=operands[0].shape[axis]), None]


def put_along_axis(piece: Array, positions: Array, axis: int, length: int) -> Array:
    """Zeros with pieces added at positions along an axis: the transpose of ``np.take_along_axis``."""
    shape = list(piece.shape)
    shape[axis] = length
    result = np.zeros(shape, dtype=piece.dtype)
    grid = list(np.indices(piece.shape, sparse=True))
    grid[axis] = positions
    np.add.at(result, tuple(grid), piece)
    return result


def infer_put_along(operands: Sequence[Any], params: Params) -> Inferred:
    shape = list(operands[0].shape)
    shape[params["axis"]] = params["length"]
    return tuple(shape), operands[0].dtype


def put_along_jvp(
    _result: Array, operands: tuple[Array, ...], tangents: tuple[Array | None, ...], params: Params
) -> Array:
    from diffkit import primitives

    positions = widen(operands[1], operands[1], lead(tangents[0], operands[0]))
    return primitives.put_along(tangents[0], positions, **params)


def put_along_vjp(
    cotangent: Array, result: Array, operands: tuple[Array, ...], _active: tuple[bool, ...], params: Params
) -> list[Array | None]:
    from diffkit import primitives

    positions = widen(operands[1], operands[1], lead(cotangent, result))
    return [primitives.take_along(cotangent, positions, axis=params["axis"]), None]
