"""Rules of sums, products and views: what is repeated, put somewhere or read back need not be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.ops import Static
from diffkit.primitives.moving import covering, disjoint
from diffkit.simplify.builder import Builder, Operands, rule


@rule(p.sum_)
def sum_known(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Sums of multiples, of repeated numbers and over axes of length one."""
    (x,), axis = operands, params["axis"]
    step = b.steps[x]
    shape, _ = p.sum_.infer([step], params)
    if all(step.shape[one] == 1 for one in axis):
        return b.emit(p.reshape, (x,), {"shape": shape})
    source = b.of(x, p.broadcast)
    count = math.prod(step.shape[one] for one in axis)
    if source and count and b.steps[source[0]].shape == () and step.dtype.kind == "f":
        total = b.times(float(count), source[0])
        return total if shape == () else b.emit(p.broadcast, (total,), {"shape": shape})
    multiple = b.factor(x)
    return b.times(multiple[0], b.emit(p.sum_, (multiple[1],), params)) if multiple else None


@rule(p.contract)
def contract_multiples(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Numbers move out of a product, where they are fewer and meet others."""
    for spot in (0, 1):
        multiple = b.factor(operands[spot])
        if multiple:
            bare = tuple(multiple[1] if k == spot else operand for k, operand in enumerate(operands))
            return b.times(multiple[0], b.emit(p.contract, bare, params))
    return None


@rule(p.reshape)
def reshape_view(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Reshapes to the same shape, of a reshape, of a repeated number."""
    (x,), shape = operands, params["shape"]
    if b.steps[x].shape == shape:
        return x
    inner = b.of(x, p.reshape)
    if inner:
        return b.emit(p.reshape, inner, params)
    source = b.of(x, p.broadcast)
    return b.emit(p.broadcast, source, params) if source and b.steps[source[0]].shape == () else None


@rule(p.transpose)
def transpose_view(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Transposes that change nothing, of a transpose, of a repeated number."""
    (x,), axes = operands, params["axes"]
    if axes == tuple(range(-len(axes), 0)):
        return x
    inner = b.of(x, p.transpose)
    if inner:
        first = b.steps[x].params["axes"]
        return b.emit(p.transpose, inner, {"axes": tuple(first[axis] for axis in axes)})
    source = b.of(x, p.broadcast)
    if source and b.steps[source[0]].shape == ():
        return b.emit(p.broadcast, source, {"shape": tuple(b.steps[x].shape[axis] for axis in axes)})
    return None


@rule(p.broadcast)
def broadcast_view(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Broadcasts to the same shape, of a broadcast, of a number that was reshaped."""
    (x,), shape = operands, params["shape"]
    if b.steps[x].shape == shape:
        return x
    inner = b.of(x, p.broadcast)
    if inner:
        return b.emit(p.broadcast, inner, params)
    if b.steps[x].op is p.reshape and math.prod(b.steps[x].shape) == 1:
        (source,) = b.steps[x].operands
        if b.steps[source].shape == ():
            return b.emit(p.broadcast, (source,), params)
    return None


@rule(p.convert)
def convert_same(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """A conversion to the dtype that is there."""
    return operands[0] if b.steps[operands[0]].dtype == params["dtype"] else None


@rule(p.index, p.gather)
def read_known(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Reading a piece that was just put there, or an entry of a repeated number."""
    (x,), step = operands, b.steps[operands[0]]
    source = b.of(x, p.broadcast)
    if source and b.steps[source[0]].shape == ():
        op = p.gather if "shape" in params else p.index
        return b.emit(p.broadcast, source, {"shape": op.infer([step], params)[0]})
    if step.op is p.scatter and step.shape == step.params["shape"] and disjoint(step.shape, step.params["places"]):
        places = step.params["places"]
        piece = step.operands[places.index(params["place"])] if params["place"] in places else x
        return piece if piece != x and b.steps[piece].dtype == step.dtype else None
    whole = "shape" not in params and all(not isinstance(part, int) and part.length == n and part.step == 1
                                          for part, n in zip(params["place"], step.shape, strict=False))  # fmt: skip
    return x if whole and len(params["place"]) == len(step.shape) else None


@rule(p.scatter)
def scatter_known(b: Builder, operands: Operands, params: dict[str, Any]) -> int | None:
    """Pieces of zero are dropped; one piece that fills everything is the result."""
    shape, places = params["shape"], params["places"]
    kept = [spot for spot, operand in enumerate(operands) if not _zero(b, operand)]
    if len(kept) < len(operands) and kept:
        fewer = {"shape": shape, "places": tuple(places[k] for k in kept)}
        made = b.emit(p.scatter, tuple(operands[k] for k in kept), fewer)
        return b.emit(p.convert, (made,), {"dtype": np.result_type(*[b.steps[x].dtype for x in operands])})
    if len(set(places)) < len(places):
        return _merged(b, operands, shape, places)
    alone = len(operands) == 1 and b.steps[operands[0]].shape == shape
    return operands[0] if alone and _in_order(shape, places[0]) else None


def _in_order(shape: Any, place: Any) -> bool:
    """Whether a piece of the whole shape goes where it is."""
    if isinstance(place, Static):
        return np.array_equal(place.array.reshape(-1), np.arange(math.prod(shape)))
    straight = all(not isinstance(part, int) and part.step == 1 for part in place)
    return straight and covering(shape, (place,))


def _merged(b: Builder, operands: Operands, shape: Any, places: Any) -> int:
    """Pieces for one place are added before they are put there."""
    at: dict[Any, int] = {}
    for operand, place in zip(operands, places, strict=True):
        at[place] = operand if place not in at else b.emit(p.add, (at[place], operand), {})
    return b.emit(p.scatter, tuple(at.values()), {"shape": shape, "places": tuple(at)})


def _zero(b: Builder, position: int) -> bool:
    source = b.of(position, p.broadcast)
    value = b.array(source[0] if source else position)
    return value is not None and value.ndim == 0 and value == 0
