"""The rules of ops that move entries: views, reads and scatters.

All are linear. ``front`` is () or (K,), the direction axes of a tangent or cotangent (`diffkit.ops`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.ops import (
    Array,
    Cost,
    Piece,
    Shape,
    Static,
    as_index,
    lead,
    size,
    unbroadcast,
    where_shape,
)
from diffkit.primitives.families import Inferred, Params
from diffkit.primitives.meanings import as_objects, numbers

# ---------------------------------------------------------------- views


def reshaped(x: Array, shape: Shape) -> Array:
    return np.reshape(x, shape)


def infer_shape(operands: Sequence[Any], params: Params) -> Inferred:
    return params["shape"], operands[0].dtype


def reshape_forward(tangent: Array, operand: Array, params: Params) -> Array:
    return np.reshape(tangent, lead(tangent, operand) + params["shape"])


def reshape_backward(cotangent: Array, result: Array, operand: Array, _params: Params) -> Array:
    return np.reshape(cotangent, lead(cotangent, result) + operand.shape)


def infer_transpose(operands: Sequence[Any], params: Params) -> Inferred:
    return tuple(operands[0].shape[axis] for axis in params["axes"]), operands[0].dtype


def transpose_forward(tangent: Array, operand: Array, params: Params) -> Array:
    return np.transpose(tangent, tuple(range(len(lead(tangent, operand)))) + params["axes"])


def transpose_backward(cotangent: Array, result: Array, operand: Array, params: Params) -> Array:
    axes = params["axes"]
    inverse = tuple(axes.index(axis) - len(axes) for axis in range(-len(axes), 0))
    return transpose_forward(cotangent, result, {"axes": inverse})


def broadcast_forward(tangent: Array, operand: Array, params: Params) -> Array:
    front, shape = lead(tangent, operand), params["shape"]
    missing = (1,) * (len(shape) - len(operand.shape)) if front else ()
    aligned = np.reshape(tangent, front + missing + operand.shape) if missing else tangent
    return np.broadcast_to(aligned, front + shape)


def broadcast_backward(cotangent: Array, result: Array, operand: Array, _params: Params) -> Array:
    return unbroadcast(cotangent, operand, lead(cotangent, result))


def converted(x: Array, dtype: Any) -> Array:
    return np.asarray(x).astype(dtype)


def infer_convert(operands: Sequence[Any], params: Params) -> Inferred:
    return operands[0].shape, np.dtype(params["dtype"])


def convert_forward(tangent: Array, _operand: Array, params: Params) -> Array:
    return tangent.astype(params["dtype"])


def convert_backward(cotangent: Array, _result: Array, operand: Array, _params: Params) -> Array:
    return cotangent.astype(operand.dtype)


def convert_symbolic(sympy: Any, operand: Any, dtype: Any) -> Any:
    """Numbers have no dtype in SymPy; a condition that becomes a number is 1 where it holds."""
    return operand if np.dtype(dtype) == bool else numbers(sympy, operand)


# ---------------------------------------------------------------- reading and scattering

Place = Any  # a basic index (`ops.Where`), or `Static` positions into the flattened operand


def place_shape(place: Place) -> Shape:
    """The shape that is read at a place."""
    return place.array.shape if isinstance(place, Static) else where_shape(place)


def read(x: Array, place: Place, shape: Shape = ()) -> Array:
    """Read entries, behind any leading axes; positions count in the flattened ``shape``."""
    if isinstance(place, Static):
        front = x.shape[: x.ndim - len(shape)]
        return np.reshape(x, (*front, math.prod(shape)))[..., place.array]
    return x[as_index(place)]


def infer_index(operands: Sequence[Any], params: Params) -> Inferred:
    shape, place = operands[0].shape, params["place"]
    return shape[: len(shape) - len(place)] + where_shape(place), operands[0].dtype


def infer_gather(operands: Sequence[Any], params: Params) -> Inferred:
    shape = operands[0].shape
    return shape[: len(shape) - len(params["shape"])] + params["place"].array.shape, operands[0].dtype


def take_at(x: Array, place: Place, shape: Shape = ()) -> Array:
    """Read entries, computed or recorded."""
    from diffkit import primitives

    if isinstance(place, Static):
        return primitives.gather(x, place=place, shape=shape)
    return primitives.index(x, place=place)


def index_forward(tangent: Array, _operand: Array, params: Params) -> Array:
    return take_at(tangent, **params)


def index_backward(cotangent: Array, _result: Array, operand: Array, params: Params) -> Piece:
    place = params["place"]
    return Piece(cotangent, place, operand.shape[len(operand.shape) - len(place) :])


def gather_backward(cotangent: Array, _result: Array, _operand: Array, params: Params) -> Piece:
    return Piece(cotangent, params["place"], params["shape"])


@functools.lru_cache(maxsize=4096)
def disjoint(shape: Shape, places: tuple[Place, ...]) -> bool:
    """Whether no entry is written twice, so that a scatter may assign instead of add."""
    hits = np.zeros(shape, dtype=np.int32)
    for place in places:
        if isinstance(place, Static):
            np.add.at(hits.reshape(-1), place.array, 1)
        else:
            hits[as_index(place)] += 1
    return bool(hits.size == 0 or hits.max() <= 1)


@functools.lru_cache(maxsize=4096)
def covering(shape: Shape, places: tuple[Place, ...]) -> bool:
    """Whether disjoint pieces fill the whole shape."""
    return sum(math.prod(place_shape(place)) for place in places) == math.prod(shape)


def scattered(*pieces: Array, shape: Shape, places: tuple[Place, ...]) -> Array:
    """Zeros of ``shape`` with each piece added at its place, behind any leading axes."""
    first = np.asarray(pieces[0])
    front = first.shape[: first.ndim - len(place_shape(places[0]))]
    result = np.zeros(front + shape, dtype=np.result_type(*pieces))
    flat = result.reshape((*front, math.prod(shape)))
    assign = disjoint(shape, places)
    for piece, place in zip(pieces, places, strict=True):
        if not isinstance(place, Static):
            spot = as_index(place)
            result[spot] = piece if assign else result[spot] + piece
        elif assign:
            flat[..., place.array] = piece
        else:
            every: Any = (..., place.array)
            np.add.at(flat, every, piece)
    return result


def infer_scatter(operands: Sequence[Any], params: Params) -> Inferred:
    front = operands[0].shape[: len(operands[0].shape) - len(place_shape(params["places"][0]))]
    return front + params["shape"], np.result_type(*[operand.dtype for operand in operands])


def scatter_jvp(
    _result: Array, _operands: tuple[Array, ...], tangents: tuple[Array | None, ...], params: Params
) -> Array:
    moved = [(tangent, place) for tangent, place in zip(tangents, params["places"], strict=True) if tangent is not None]
    from diffkit import primitives

    places = tuple(place for _, place in moved)
    return primitives.scatter(*[tangent for tangent, _ in moved], shape=params["shape"], places=places)


def scatter_vjp(
    cotangent: Array, _result: Array, _operands: tuple[Array, ...], active: tuple[bool, ...], params: Params
) -> list[Array | None]:
    return [
        take_at(cotangent, place, params["shape"]) if wanted else None
        for place, wanted in zip(params["places"], active, strict=True)
    ]


def scatter_symbolic(sympy: Any, *pieces: Any, **params: Any) -> Any:
    made = scattered(*[as_objects(piece) for piece in pieces], **params)
    return as_objects(np.frompyfunc(sympy.sympify, 1, 1)(made))  # the zeros are SymPy's too


def scatter_cost(result: Any, operands: Sequence[Any], params: Params) -> Cost:
    """Overlapping pieces are added; disjoint ones are moved."""
    if disjoint(params["shape"], params["places"]):
        return Cost("moved", size(result))
    return Cost("arithmetic", sum(size(operand) for operand in operands))
