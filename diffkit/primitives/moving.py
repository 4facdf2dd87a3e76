"""The rules of ops that move entries: views, reads, scatters, selections, and sums over axes.

All are linear. ``front`` is () or (K,), the direction axes of a tangent or cotangent (`diffkit.ops`).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.ops import (
    Array,
    Cost,
    Masked,
    Piece,
    Shape,
    Static,
    align,
    as_index,
    broadcast_shapes,
    lead,
    size,
    unbroadcast,
    where_shape,
    widen,
)
from diffkit.primitives.families import Params, as_objects, expand

Inferred = tuple[Shape, np.dtype[Any]]


class Logistic:
    """``1 / (1 + exp(-x))`` in plain NumPy, without overflow; named like SciPy's ufunc."""

    __name__ = "expit"

    @staticmethod
    def resolve_dtypes(dtypes: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give the dtypes that ``np.exp`` has."""
        return np.exp.resolve_dtypes(dtypes)

    def __call__(self, x: Any) -> Any:
        small = np.exp(-np.abs(x))
        return np.where(np.greater_equal(x, 0), 1.0, small) / (1.0 + small)


class Stop:
    """The identity, with derivative zero."""

    __name__ = "stop"

    @staticmethod
    def resolve_dtypes(dtypes: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give back the operand's dtype."""
        return (dtypes[0], dtypes[0])

    def __call__(self, x: Any) -> Any:
        return x


# ---------------------------------------------------------------- sums


def total(x: Array, axis: tuple[int, ...]) -> Array:
    """Sum over negative axes."""
    return np.sum(x, axis=axis)


def sum_forward(tangent: Array, _operand: Array, params: Params) -> Array:
    return np.sum(tangent, axis=params["axis"])


def sum_backward(cotangent: Array, result: Array, operand: Array, params: Params) -> Array:
    return expand(cotangent, result, operand, params["axis"])


def same_shape(operands: Sequence[Any], _params: Params) -> Inferred:
    return operands[0].shape, operands[0].dtype


def cumsum_forward(tangent: Array, _operand: Array, params: Params) -> Array:
    return np.cumsum(tangent, axis=params["axis"])


def cumsum_backward(cotangent: Array, _result: Array, _operand: Array, params: Params) -> Array:
    axis = params["axis"]
    return np.flip(np.cumsum(np.flip(cotangent, axis), axis=axis), axis)


def extremum(name: str) -> Callable[..., Any]:
    """SymPy's Max or Min over axes of an object array."""

    def symbolic(sympy: Any, operand: Any, axis: tuple[int, ...]) -> Any:
        return _over_axes(getattr(sympy, name), operand, axis)

    return symbolic


def connective(name: str) -> Callable[..., Any]:
    """SymPy's And or Or over axes of an object array."""

    def symbolic(sympy: Any, operand: Any, axis: tuple[int, ...]) -> Any:
        return _over_axes(getattr(sympy, name), operand, axis)

    return symbolic


def sum_symbolic(sympy: Any, operand: Any, axis: tuple[int, ...]) -> Any:
    """SymPy's n-ary Add: adding one by one would copy the sum n times."""
    return _over_axes(sympy.Add, operand, axis)


def _over_axes(function: Callable[..., Any], operand: Any, axis: tuple[int, ...]) -> Any:
    last = np.moveaxis(operand, axis, tuple(range(-len(axis), 0)))
    kept = last.shape[: last.ndim - len(axis)]
    rows = last.reshape(math.prod(kept), -1)
    result = np.empty(len(rows), dtype=object)
    for position, row in enumerate(rows):
        result[position] = function(*row)
    return result.reshape(kept)


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


# ---------------------------------------------------------------- reading and scattering

Place = Any  # a basic index (`ops.Where`), or `Static` positions into the flattened operand


def place_shape(place: Place) -> Shape:
    """The shape that is read at a place."""
    return place.array.shape if isinstance(place, Static) else where_shape(place)


def read(x: Array, place: Place, shape: Shape = ()) -> Array:
    """Read entries, behind any leading axes; positions count in the flattened ``shape``."""
    if isinstance(place, Static):
        front = x.shape[: x.ndim - len(shape)]
        return np.reshape(x, (*front, -1))[..., place.array]
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
    flat = result.reshape((*front, -1))
    assign = disjoint(shape, places)
    for piece, place in zip(pieces, places, strict=True):
        if not isinstance(place, Static):
            spot = as_index(place)
            result[spot] = piece if assign else result[spot] + piece
        elif assign:
            flat[..., place.array] = piece
        else:
            np.add.at(flat, (..., place.array), piece)
    return result


def infer_scatter(operands: Sequence[Any], params: Params) -> Inferred:
    front = operands[0].shape[: len(operands[0].shape) - len(place_shape(params["places"][0]))]
    return front + params["shape"], np.result_type(*[operand.dtype for operand in operands])


def scatter_jvp(
    _result: Array, _operands: tuple[Array, ...], tangents: tuple[Array | None, ...], params: Params
) -> Array:
    moved = [
        (tangent, place)
        for tangent, place in zip(tangents, params["places"], strict=True)
        if tangent is not None
    ]
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


# ---------------------------------------------------------------- selecting


def selected(mask: Array, x: Array, y: Array) -> Array:
    return np.where(mask, x, y)


def infer_where(operands: Sequence[Any], _params: Params) -> Inferred:
    shape = broadcast_shapes(*[operand.shape for operand in operands])
    return shape, np.result_type(operands[1].dtype, operands[2].dtype)


def where_jvp(
    result: Array, operands: tuple[Array, ...], tangents: tuple[Array | None, ...], _params: Params
) -> Array:
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
    bare, outer = (
        (cotangent.cotangent, cotangent.mask) if isinstance(cotangent, Masked) else (cotangent, None)
    )
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

    return as_objects(np.frompyfunc(piecewise, 3, 1)(mask, x, y))


def where_cost(result: Any, _operands: Sequence[Any], _params: Params) -> Cost:
    return Cost("moved", size(result))


# ---------------------------------------------------------------- positions computed while running


def stable_argsort(x: Array, axis: int) -> Array:
    return np.argsort(x, axis=axis, kind="stable")


def infer_positions(operands: Sequence[Any], _params: Params) -> Inferred:
    return operands[0].shape, np.dtype(np.intp)


def infer_argument(operands: Sequence[Any], params: Params) -> Inferred:
    shape, axis = operands[0].shape, params["axis"]
    return tuple(itertools.chain(shape[: len(shape) + axis], shape[len(shape) + axis + 1 :])), np.dtype(
        np.intp
    )


def infer_take_along(operands: Sequence[Any], _params: Params) -> Inferred:
    return operands[1].shape, operands[0].dtype


def _positions(positions: Array, direction: Array) -> Array:
    missing = len(direction.shape) - len(positions.shape)
    return np.reshape(positions, (1,) * missing + positions.shape) if missing else positions


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
