"""Structure instead of zeros: what becomes of the identity matrix that a Jacobian's directions start from.

A seed is one-hot: entry i of direction k is 1 where k is i's own direction, and zero otherwise. Products with partials,
reads, reshapes and sums of few such arrays are zero in the same pattern: they are `diffkit.simplify.one_hot` again. A
product with a matrix turns one into a scaled matrix, ``v[:, None] * W``. NaN and infinity times a zero of the pattern
are zeros here, which is what the derivative is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.graph import IDENTITY
from diffkit.ops import Span, Static, broadcast_shapes
from diffkit.primitives.moving import disjoint, place_shape
from diffkit.simplify.builder import Builder, Operands, rule
from diffkit.simplify.one_hot import each, is_one_hot, make

TERMS = 8  # more patterns than this in one array are not worth keeping apart


@rule(IDENTITY)
def identity(b: Builder, _operands: Operands, params: dict[str, Any]) -> int:
    """The identity matrix: ones, each of its own direction."""
    shape = params["shape"]
    ones = (
        b.emit(p.broadcast, (b.constant(1.0, params["dtype"]),), {"shape": shape})
        if shape
        else b.constant(1.0, params["dtype"])
    )
    where = Static(params["offset"] + np.arange(math.prod(shape)).reshape(shape))
    return make(b, (ones,), params["rows"], (where,))


# ---------------------------------------------------------------- entry by entry


@rule(p.multiply)
def multiplied(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """A product with a partial, which has no direction axis, falls on the values."""
    for seed, partial in (operands, operands[::-1]):
        if not is_one_hot(b, seed) or is_one_hot(b, partial):
            continue
        inner, outer = b.steps[seed].shape[1:], b.steps[partial].shape
        if len(outer) > len(inner):
            return None
        shape = broadcast_shapes(inner, outer)
        wheres = None if shape == inner else lambda w, shape=shape: np.broadcast_to(w, shape)
        return each(b, seed, lambda value, partial=partial: b.emit(p.multiply, (value, partial), {}), wheres)
    return None


@rule(p.negative, p.convert)
def changed(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """A sign or another dtype falls on the values."""
    if not is_one_hot(b, operands[0]):
        return None
    op = p.convert if "dtype" in params else p.negative
    return each(b, operands[0], lambda value: b.emit(op, (value,), params))


@rule(p.add, p.subtract)
def added(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """Two patterns in one array, as long as they are few."""
    return _sum(b, operands) if all(is_one_hot(b, operand) for operand in operands) else None


def _sum(b: Builder, operands: Operands) -> int | None:
    first, second = (b.steps[operand] for operand in operands)
    same = (first.shape, first.dtype) == (second.shape, second.dtype)
    if not same or len(first.operands) + len(second.operands) > TERMS:
        return None
    wheres = first.params["wheres"] + second.params["wheres"]
    return make(b, first.operands + second.operands, first.params["rows"], wheres)


@rule(p.where)
def selected(b: Builder, operands: Operands, _params: dict[str, Any]) -> int | None:
    """Values are masked where the other side is zero, and chosen where it has the same pattern."""
    mask, x, y = operands
    seed = x if is_one_hot(b, x) else y
    if not is_one_hot(b, seed):
        return None
    step, inner = b.steps[seed], b.steps[seed].shape[1:]
    if len(b.steps[mask].shape) > len(inner) or broadcast_shapes(b.steps[mask].shape, inner) != inner:
        return None
    sides = []
    for side in (x, y):
        if is_one_hot(b, side) and b.steps[side].params == step.params:
            sides.append(b.steps[side].operands)
        elif b.scalar(side) == 0.0:
            sides.append((side,) * len(step.operands))
        else:
            return None
    values = tuple(b.emit(p.where, (mask, *pair), {}) for pair in zip(*sides, strict=True))
    return make(b, values, step.params["rows"], step.params["wheres"])


# ---------------------------------------------------------------- moving entries


@rule(p.reshape)
def reshaped(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Another shape of the entries, the directions as they are."""
    (x,), shape = operands, params["shape"]
    if not is_one_hot(b, x) or not shape or shape[0] != b.steps[x].shape[0] or b.steps[x].shape == shape:
        return None
    if math.prod(shape[1:]) != math.prod(b.steps[x].shape[1:]):
        return None
    return each(b, x, lambda value: b.emit(p.reshape, (value,), {"shape": shape[1:]}), lambda w: w.reshape(shape[1:]))


@rule(p.transpose)
def transposed(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Another order of the entries' axes; a diagonal matrix is its own transpose."""
    (x,), axes = operands, params["axes"]
    if not is_one_hot(b, x):
        return None
    if axes[0] == -len(axes):  # the directions stay in front
        inner = axes[1:]
        order = tuple(axis + len(inner) for axis in inner)
        return each(b, x, lambda value: b.emit(p.transpose, (value,), {"axes": inner}), lambda w: w.transpose(order))
    step = b.steps[x]
    square = (
        len(step.shape) == 2
        and step.shape[0] == step.shape[1]
        and all(_straight(w, step.shape[0]) for w in step.params["wheres"])
    )
    return x if square else None  # a diagonal matrix is its own transpose


def _straight(where: Static, rows: int) -> bool:
    """Whether entry i belongs to direction i."""
    return where.array.shape == (rows,) and np.array_equal(where.array, np.arange(rows))


@rule(p.broadcast)
def broadcast(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Repeated entries belong to the direction that they repeat."""
    (x,), shape = operands, params["shape"]
    if (
        not is_one_hot(b, x)
        or b.steps[x].shape == shape
        or len(shape) != len(b.steps[x].shape)
        or shape[0] != b.steps[x].shape[0]
    ):
        return None
    inner = shape[1:]
    return each(
        b, x, lambda value: b.emit(p.broadcast, (value,), {"shape": inner}), lambda w: np.broadcast_to(w, inner)
    )


@rule(p.index, p.gather)
def read(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """What is read keeps its direction."""
    (x,) = operands
    shape = b.steps[x].shape[1:]
    if not is_one_hot(b, x) or len(params.get("shape", params["place"])) != len(shape):
        return None
    op = p.gather if "shape" in params else p.index
    return each(b, x, lambda value: b.emit(op, (value,), params), lambda w: op.evaluate(w, **params))


@rule(p.scatter)
def scattered(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Pieces that are one-hot in the same directions make a one-hot array; overlapping ones, a sum of several."""
    if not all(is_one_hot(b, operand) for operand in operands):
        return None
    steps = [b.steps[operand] for operand in operands]
    if not disjoint(params["shape"], params["places"]):
        return _overlapping(b, operands, params)
    terms = max(len(step.operands) for step in steps)
    alike = len({(step.params["rows"], step.dtype) for step in steps}) == 1
    whole = all(
        len(step.shape) == 1 + len(place_shape(place)) for step, place in zip(steps, params["places"], strict=True)
    )
    if not (alike and whole):
        return None
    values, wheres = [], []
    for term in range(terms):
        held = [(step, place) for step, place in zip(steps, params["places"], strict=True) if term < len(step.operands)]
        part = {"shape": params["shape"], "places": tuple(place for _, place in held)}
        values.append(b.emit(p.scatter, tuple(step.operands[term] for step, _ in held), part))
        wheres.append(Static(p.scatter.evaluate(*[step.params["wheres"][term].array for step, _ in held], **part)))
    return make(b, tuple(values), steps[0].params["rows"], tuple(wheres))


def _overlapping(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Each piece in an array of its own, which are added."""
    terms = sum(len(b.steps[operand].operands) for operand in operands)
    if len(operands) < 2 or terms > TERMS:
        return None
    parts = [
        b.emit(p.scatter, (operand,), {"shape": params["shape"], "places": (place,)})
        for operand, place in zip(operands, params["places"], strict=True)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = b.emit(p.add, (total, part), {})
    return total


@rule(p.sum_)
def summed(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """A sum over entries: every value goes to its direction."""
    (x,), axis = operands, params["axis"]
    step = b.steps[x]
    if not is_one_hot(b, x) or len(axis) >= len(step.shape):
        return None
    inner, rows = step.shape[1:], step.params["rows"]
    kept = tuple(n for k, n in enumerate(inner) if k - len(inner) not in axis)
    spots = np.broadcast_to(
        np.arange(math.prod(kept)).reshape(tuple(1 if k - len(inner) in axis else n for k, n in enumerate(inner))),
        inner,
    )
    places = tuple(Static(where.array * math.prod(kept) + spots) for where in step.params["wheres"])
    flat = b.emit(p.scatter, step.operands, {"shape": (rows * math.prod(kept),), "places": places})
    return b.emit(p.reshape, (flat,), {"shape": (rows, *kept)})


# ---------------------------------------------------------------- products


@rule(p.contract)
def contracted(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """A diagonal matrix times a matrix is the matrix scaled, row by row."""
    spec = params["spec"]
    for spot, letters, others in ((0, spec.left, spec.right), (1, spec.right, spec.left)):
        step = b.steps[operands[spot]]
        if not is_one_hot(b, operands[spot]) or len(letters) != 2 or len(step.operands) != 1:
            continue
        row, column = letters
        first = _first(step.params["wheres"][0])
        if first is None or column in spec.out or row in others:
            return None
        renamed = others.replace(column, row)
        value = _spread(b, step.operands[0], row, spec.out)
        matrix = _spread(b, operands[1 - spot], renamed, spec.out)
        return _rows_of(b, b.emit(p.multiply, (value, matrix), {}), spec.out.index(row), first, step.params["rows"])
    return None


def _first(where: Static) -> int | None:
    """The direction of the first entry, where those of the others follow one by one."""
    spots = where.array
    if spots.ndim != 1 or not spots.size or not np.array_equal(spots, spots[0] + np.arange(spots.size)):
        return None
    return int(spots[0])


def _rows_of(b: Builder, position: int, axis: int, first: int, rows: int) -> int:
    """Directions that others do not see are zero."""
    shape = b.steps[position].shape
    count = shape[axis]
    if count == rows:
        return position
    spans = [Span(0, None, 1, length) for length in shape]
    stop = first + count
    spans[axis] = Span(first, None if stop == rows else stop, 1, count)
    whole = (*shape[:axis], rows, *shape[axis + 1 :])
    return b.emit(p.scatter, (position,), {"shape": whole, "places": (tuple(spans),)})


def _spread(b: Builder, position: int, letters: str, out: str) -> int:
    """Transpose and reshape a step so that it broadcasts over the letters of a result."""
    order = tuple(letters.index(letter) - len(letters) for letter in out if letter in letters)
    moved = b.emit(p.transpose, (position,), {"axes": order}) if len(letters) > 1 else position
    lengths = iter(b.steps[moved].shape)
    first = min(out.index(letter) for letter in letters)
    shape = tuple(next(lengths) if letter in letters else 1 for letter in out[first:])
    return b.emit(p.reshape, (moved,), {"shape": shape})
