"""One contraction for all products of arrays: einsum of two operands, whose rules are contractions again."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from diffkit.ops import Array, Cost, Masked, add_up, lead
from diffkit.primitives.families import Inferred, Params
from diffkit.primitives.meanings import as_objects, numbers

LETTERS = "abcdefghijklmnopqrstuvwxy"
DIRECTION = "Z"  # the letter of K: canonical specs never contain it


class Spec(NamedTuple):
    """The letters of a contraction of two operands, as in ``einsum("left,right->out")``."""

    left: str
    right: str
    out: str

    def __repr__(self) -> str:
        return f"{self.left},{self.right}->{self.out}"


class Product(NamedTuple):
    """How a contraction becomes one matrix product: two transposes, and one of the result."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    out: tuple[int, ...]
    batch: int
    rows: int
    summed: int


@functools.lru_cache(maxsize=4096)
def as_product(spec: Spec) -> Product:
    """Order the letters so that a contraction is ``(batch, rows, summed) @ (batch, summed, columns)``."""
    batch = [x for x in spec.out if x in spec.left and x in spec.right]
    summed = [x for x in spec.left if x in spec.right and x not in spec.out]
    rows = [x for x in spec.out if x in spec.left and x not in batch]
    columns = [x for x in spec.out if x in spec.right and x not in batch]
    made = batch + rows + columns
    return Product(
        tuple(spec.left.index(x) for x in batch + rows + summed),
        tuple(spec.right.index(x) for x in batch + summed + columns),
        tuple(made.index(x) for x in spec.out),
        len(batch),
        len(rows),
        len(summed),
    )


def contracted(left: Array, right: Array, spec: Spec) -> Array:
    """Contract two arrays: the letters that are not in ``out`` are summed."""
    plan = as_product(spec)
    a, b = np.transpose(left, plan.left), np.transpose(right, plan.right)
    batch, rows = a.shape[: plan.batch], a.shape[plan.batch : plan.batch + plan.rows]
    columns = b.shape[plan.batch + plan.summed :]
    depth = math.prod(a.shape[plan.batch + plan.rows :])
    product = np.matmul(a.reshape((*batch, math.prod(rows), depth)), b.reshape((*batch, depth, math.prod(columns))))
    return np.transpose(product.reshape(batch + rows + columns), plan.out)


def _sizes(operands: Sequence[Any], spec: Spec) -> dict[str, int]:
    lengths = dict(zip(spec.left, operands[0].shape, strict=True))
    lengths.update(zip(spec.right, operands[1].shape, strict=True))
    return lengths


def infer_contract(operands: Sequence[Any], params: Params) -> Inferred:
    lengths = _sizes(operands, params["spec"])
    shape = tuple(lengths[letter] for letter in params["spec"].out)
    return shape, np.result_type(operands[0].dtype, operands[1].dtype)


def contract_cost(_result: Any, operands: Sequence[Any], params: Params) -> Cost:
    return Cost("arithmetic", 2 * math.prod(_sizes(operands, params["spec"]).values()))


def contraction(left: Array, right: Array, spec: Spec) -> Array:
    """Record or compute a contraction; without a summed letter it is a broadcast product."""
    from diffkit import primitives

    if not set(spec.left) & set(spec.right) - set(spec.out):
        return spread(left, spec.left, spec.out) * spread(right, spec.right, spec.out)
    names: dict[str, str] = {}
    for letter in "".join(spec):
        names.setdefault(letter, LETTERS[len(names)])
    renamed = Spec(*["".join(names[letter] for letter in part) for part in spec])
    return primitives.contract(left, right, spec=renamed)


def spread(x: Array, letters: str, out: str) -> Array:
    """Transpose and reshape ``x`` so that it broadcasts over ``out``."""
    order = tuple(letters.index(letter) - len(letters) for letter in out if letter in letters)
    straight = order == tuple(range(-len(letters), 0))
    moved = x if straight else np.transpose(x, order)
    first = min((out.index(letter) for letter in letters), default=len(out))
    lengths = iter(moved.shape)
    shape = tuple([next(lengths) if letter in letters else 1 for letter in out[first:]])
    return moved if shape == moved.shape else np.reshape(moved, shape)


def contract_jvp(
    _result: Array, operands: tuple[Array, ...], tangents: tuple[Array | None, ...], params: Params
) -> Array:
    spec, (left, right), terms = params["spec"], operands, []
    if tangents[0] is not None:
        z = DIRECTION * len(lead(tangents[0], left))
        terms.append(contraction(tangents[0], right, Spec(z + spec.left, spec.right, z + spec.out)))
    if tangents[1] is not None:
        z = DIRECTION * len(lead(tangents[1], right))
        terms.append(contraction(left, tangents[1], Spec(spec.left, z + spec.right, z + spec.out)))
    return add_up(terms)


def contract_vjp(
    cotangent: Array | Masked, result: Array, operands: tuple[Array, ...], active: tuple[bool, ...], params: Params
) -> list[Any]:
    spec, (left, right) = params["spec"], operands
    if isinstance(cotangent, Masked):
        masks = [_reached(cotangent.mask, spec.out, letters) for letters in (spec.left, spec.right)]
        safe = tuple(np.where(mask, x, 0.0) for mask, x in zip(masks, operands, strict=True))
        sent = contract_vjp(cotangent.cotangent, result, safe, active, params)
        return [
            None if part is None else Masked(part, np.broadcast_to(mask, x.shape))
            for part, mask, x in zip(sent, masks, operands, strict=True)
        ]
    z = DIRECTION * len(lead(cotangent, result))
    return [
        contraction(cotangent, right, Spec(z + spec.out, spec.right, z + spec.left)) if active[0] else None,
        contraction(left, cotangent, Spec(spec.left, z + spec.out, z + spec.right)) if active[1] else None,
    ]


def _reached(mask: Array, out: str, letters: str) -> Array:
    """Which entries of an operand any reached entry of the result is made of, to be broadcast over it."""
    others = tuple(k - len(out) for k, letter in enumerate(out) if letter not in letters)
    kept = "".join(letter for letter in out if letter in letters)
    return spread(np.any(mask, axis=others) if others else mask, kept, letters)


def contract_symbolic(sympy: Any, left: Any, right: Any, spec: Spec) -> Any:
    made = contracted(numbers(sympy, left), numbers(sympy, right), spec)
    return as_objects(np.frompyfunc(sympy.sympify, 1, 1)(made))  # NumPy's empty sums are ints
