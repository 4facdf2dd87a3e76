"""How each op reads: as the function in its rectangle, and as a formula of its operands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from diffkit import primitives as p
from diffkit.explaining.notation import PRODUCT, Notation, Piece
from diffkit.graph import CONSTANT, Step
from diffkit.ops import Op, Shape, Static
from diffkit.primitives.contracting import Spec

Wording = Callable[[Notation, Step, Sequence[Step], Sequence[Piece]], Piece]
SIGNS = {
    p.greater: ">", p.greater_equal: ">=", p.less: "<", p.less_equal: "<=", p.equal: "==", p.not_equal: "!=",
    p.logical_and: "and", p.logical_or: "or",
}  # fmt: skip
WORDS = {p.expit: "sigmoid", p.stop: "constant", p.maximum: "max", p.minimum: "min"}
SPECIAL = {p.sqrt: "sqrt", p.exp: "exp", p.absolute: "absolute", p.expit: "sigmoid", p.inv: "inv"}
LABELS = {
    p.add: "+", p.subtract: "-", p.multiply: "×", p.divide: "/", p.negative: "-", p.square: "^2", p.reciprocal: "1/x",
    p.power: "^", p.absolute: "|x|", p.logical_not: "not", p.reshape: "=", **SIGNS, **WORDS,
}  # fmt: skip
HIDDEN = frozenset({p.reshape, p.broadcast, p.convert})  # the same entries, in another shape or dtype
SPREADING = frozenset({p.broadcast, p.convert, p.where, p.scatter, *SIGNS})  # arithmetic aside, what broadcasts


def word(op: Op) -> str:
    """An op's name as it is said; of a user's own without its number."""
    return WORDS.get(op, op.name.partition("#")[0])


def label(step: Step, operands: Sequence[Step]) -> str:
    """What stands in a step's rectangle."""
    if step.op is p.power and _value(operands[1]) is not None:
        return f"^{_value(operands[1]):g}"
    if step.op is p.divide and _value(operands[0]) == 1:
        return "1/x"
    if step.op is p.contract:
        return "matmul" if matrix_product(step.params["spec"]) else "einsum"
    return LABELS.get(step.op, word(step.op))


def formula(n: Notation, step: Step, operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """A step as a formula of what its operands are written as."""
    if step.op.family in ("elementwise", "constant") or step.op in SPREADING:
        pieces = pieces if step.op is p.multiply else [piece.lifted or piece for piece in pieces]
    else:
        counted = step.params.keys() & {"place", "axis", "axes"} and not _all_axes(step, operands)
        pieces = [piece.told or piece for piece in pieces] if counted else pieces
        pieces = [_spread(n, operand, piece) for operand, piece in zip(operands, pieces, strict=True)]
    return WORDINGS.get(step.op, general)(n, step, operands, pieces)


def _spread(n: Notation, operand: Step, piece: Piece) -> Piece:
    """An operand that was broadcast; only where entries meet entries does nobody need to be told."""
    return n.call("broadcast", [piece, n.verbatim(str(operand.shape))]) if operand.op is p.broadcast else piece


def general(n: Notation, step: Step, _operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """The op's name, its operands, and its parameters where they are short."""
    extra = [n.verbatim(f"{name}={_short(value)}") for name, value in step.params.items() if _short(value)]
    if step.op in SPECIAL:
        return n.special(SPECIAL[step.op], pieces[0])
    return n.call(word(step.op), [*pieces, *extra])


def _short(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 1:
        return str(value[0])
    return str(value) if isinstance(value, (int, tuple)) and len(str(value)) < 20 else ""


def _value(step: Step) -> float | None:
    known = step.op is CONSTANT and step.shape == ()
    return step.params["value"].item() if known else None


def same(_n: Notation, _step: Step, _operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """What moves nothing is not written."""
    return pieces[0]


def reshaped(n: Notation, step: Step, operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """Another shape; not written where only axes of length 1 come or go, but told to those who ask."""
    (piece,), before, after = pieces, operands[0].shape, step.shape
    place, known = _new_axes(before, after), piece.told or piece
    told = n.at(known, place) if place else n.call("reshape", [known, n.verbatim(str(after))])
    if [length for length in before if length != 1] != [length for length in after if length != 1]:
        return told
    return piece._replace(lifted=told if _without_first(before) != _without_first(after) else None, told=told)


def _without_first(shape: Shape) -> Shape:
    """A shape from its first axis on that is longer than 1, where broadcasting begins to matter."""
    return shape[next((axis for axis, length in enumerate(shape) if length != 1), len(shape)) :]


def _new_axes(before: Shape, after: Shape) -> str:
    """The index that adds axes of length 1 between or behind others; empty where that is not all."""
    rest, parts = list(before), []
    for length in after:
        old = rest[:1] == [length]
        parts.append(":" if old else "None")
        rest = rest[1:] if old else rest
    while parts and parts[-1] == ":":
        parts.pop()
    return ", ".join(parts) if ":" in parts and not rest else ""


# ---------------------------------------------------------------- arithmetic


def multiplied(n: Notation, step: Step, operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """Side by side; arrays with a sign, so that nobody takes them for a matrix product; columns by rows as one."""
    x, y = (operand.shape for operand in operands)
    if math.prod(x) == 1 or math.prod(y) == 1:
        return n.product(*pieces)
    if len(step.shape) == 2 and x[-1:] == (1,) and y[:-1] in ((), (1,)):
        return n.product(pieces[0], _row(n, operands[1], pieces[1]))
    if len(step.shape) == 2 and y[-1:] == (1,) and x[:-1] in ((), (1,)):
        return n.product(pieces[1], _row(n, operands[0], pieces[0]))
    return n.entrywise_product(*(piece.lifted or piece for piece in pieces))


def _row(n: Notation, operand: Step, piece: Piece) -> Piece:
    """A vector as a row; a matrix of one row is one already."""
    vector = len(operand.shape) == 1 or operand.op is p.reshape
    return n.transpose(piece) if vector else piece


def selected(n: Notation, step: Step, operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """A choice; one that is known, as what it chooses."""
    known = _value(operands[0])
    return general(n, step, operands, pieces) if known is None else pieces[1 if known else 2]


def compared(n: Notation, step: Step, _operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """A comparison."""
    return n.comparison(pieces[0], SIGNS[step.op], pieces[1])


# ---------------------------------------------------------------- products of arrays


def matrix_product(spec: Spec) -> tuple[bool, bool, bool] | None:
    """Whether a contraction is a product of matrices and vectors: (exchanged, left transposed, right transposed)."""
    summed = set(spec.left) & set(spec.right) - set(spec.out)
    if len(summed) != 1 or max(len(spec.left), len(spec.right)) > 2 or len(spec.out) != len(spec.left + spec.right) - 2:
        return None
    (k,) = summed
    first, second = spec.left, spec.right
    exchanged = bool(spec.out) and (spec.out[0] in second if len(spec.out) == 2 else len(second) == 2)
    if exchanged:
        first, second = second, first
    return exchanged, first[-1] != k or len(first + second) == 2, len(second) == 2 and second[0] != k


def contracted(n: Notation, step: Step, operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """A matrix product where it is one; otherwise its letters."""
    plan = matrix_product(step.params["spec"])
    if plan is None:
        return n.call("einsum", [n.verbatim(f"'{step.params['spec']!r}'"), *pieces])
    exchanged, turn_left, turn_right = plan
    left, right = reversed(pieces) if exchanged else pieces
    left, right = (n.transpose(left) if turn_left else left), (n.transpose(right) if turn_right else right)
    return n.signed(lambda x, y: _matmul(n, x, y), left, right)


def _matmul(n: Notation, x: Piece, y: Piece) -> Piece:
    """A product of matrices; turned, the product of the turned ones in the other order."""
    return Piece(n.beside(x, y), PRODUCT, turned=Piece(n.beside(n.transpose(y), n.transpose(x)), PRODUCT))


# ---------------------------------------------------------------- reading and placing


def place_text(place: Any) -> str:
    """Where a read or a scatter is, as Python writes it; empty where it is everywhere."""
    if isinstance(place, Static):
        return str(place.array.tolist()) if place.array.size <= 6 else "..."
    parts = [str(part) for part in place]
    while parts and parts[-1] == ":":
        parts.pop()
    return ", ".join(parts)


def read(n: Notation, step: Step, _operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """An index."""
    place = place_text(step.params["place"])
    return n.at(pieces[0], place) if place else pieces[0]


def scattered(n: Notation, step: Step, _operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """A list where the pieces are all entries in order; otherwise the pieces, and where they go."""
    places, shape = step.params["places"], step.params["shape"]
    if len(shape) == 1 and places == tuple((k,) for k in range(*shape)):
        return Piece(f"[{', '.join(piece.string for piece in pieces)}]")
    placed = zip(pieces, places, strict=True)
    return n.call(
        "scatter", [Piece(piece.string + n.verbatim(f" at [{place_text(place)}]").string) for piece, place in placed]
    )


def _all_axes(step: Step, operands: Sequence[Step]) -> bool:
    axes = step.params.get("axis")
    return isinstance(axes, tuple) and len(axes) == len(operands[0].shape)


def total(n: Notation, step: Step, operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """A sum, over all entries or some axes."""
    return n.call("sum", pieces) if _all_axes(step, operands) else general(n, step, operands, pieces)


def turned(n: Notation, step: Step, operands: Sequence[Step], pieces: Sequence[Piece]) -> Piece:
    """A transpose; other orders of axes by name."""
    if step.params["axes"] == (-1, -2):
        return n.transpose(pieces[0])
    return general(n, step, operands, pieces)


WORDINGS: dict[Op, Wording] = {
    p.add: lambda n, _s, _o, x: n.sum(*x),
    p.subtract: lambda n, _s, _o, x: n.difference(*x),
    p.negative: lambda n, _s, _o, x: n.negative(*x),
    p.divide: lambda n, _s, _o, x: n.quotient(*x),
    p.power: lambda n, _s, _o, x: n.power(*x),
    p.square: lambda n, _s, _o, x: n.power(x[0], n.number(2)),
    p.reciprocal: lambda n, _s, _o, x: n.quotient(n.number(1), x[0]),
    p.multiply: multiplied,
    p.where: selected,
    p.contract: contracted,
    **dict.fromkeys(SIGNS, compared),
    **dict.fromkeys(HIDDEN, same),
    p.reshape: reshaped,
    p.transpose: turned,
    p.index: read,
    p.gather: read,
    p.scatter: scattered,
    p.sum_: total,
}
