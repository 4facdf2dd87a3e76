"""Two products of one matrix with a vector, M x and w M, in one pass over it: reading it is what such a product costs.

The gradient of a quadratic form has both, and so has a Hessian's product with a direction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from diffkit import primitives as p
from diffkit.engines.llvm.functions import number
from diffkit.engines.llvm.layout import Access
from diffkit.engines.llvm.products import BLAS_FROM
from diffkit.graph import Graph, Step
from diffkit.ops import size

if TYPE_CHECKING:
    from diffkit.engines.llvm.code import Code

ROWS = 8  # rows at a time, so that w M is loaded and stored once for as many


class Product(NamedTuple):
    """A product of a matrix with a vector: their steps, and the axis of the matrix that is summed over."""

    matrix: int
    vector: int
    axis: int


def product(graph: Graph, step: Step) -> Product | None:
    """What a contraction is, if it is a product of a matrix with a vector."""
    if step.op is not p.contract:
        return None
    spec = step.params["spec"]
    sides = sorted(zip((spec.left, spec.right), step.operands, strict=True), key=lambda side: len(side[0]))
    (letter, vector), (letters, matrix) = sides
    known = len(letter) == 1 and len(letters) == 2 and letter in letters and len(spec.out) == 1 and letter != spec.out
    if not known or len({graph.steps[k].dtype for k in (matrix, vector)}) > 1:
        return None
    return Product(matrix, vector, letters.index(letter))


def pairs(graph: Graph) -> dict[int, int]:
    """Each product that can share its pass, and with which one; neither needs the other's result."""
    waiting: dict[tuple[int, int], list[int]] = {}
    found: dict[int, int] = {}
    for position, step in enumerate(graph.steps):
        one = product(graph, step)
        if one is None or size(graph.steps[one.matrix]) < BLAS_FROM:
            continue
        others = waiting.get((one.matrix, 1 - one.axis), [])
        free = next((other for other in others if not _needs(graph, position, other)), None)
        if free is None:
            waiting.setdefault((one.matrix, one.axis), []).append(position)
        else:
            others.remove(free)
            found |= {position: free, free: position}
    return found


def _needs(graph: Graph, position: int, earlier: int) -> bool:
    """Whether a step depends on an earlier one."""
    pending, seen = [position], {position}
    while pending:
        for operand in graph.steps[pending.pop()].operands:
            if operand == earlier:
                return True
            if operand > earlier and operand not in seen:
                seen.add(operand)
                pending.append(operand)
    return False


def both(code: Code, positions: list[int]) -> bool:
    """Write two products of one matrix, a few rows at a time; False where its entries lie otherwise."""
    found = {one.axis: (one, position) for position in positions if (one := product(code.graph, code.steps[position]))}
    (across, right), (down, left) = found[1], found[0]  # M x sums over columns, w M over rows
    matrix = code.access(across.matrix)
    if matrix.strides[0] == 1:  # in Fortran order columns are rows
        matrix = Access(matrix.base, matrix.kind, matrix.shape[::-1], matrix.strides[::-1], matrix.offset)
        across, right, down, left = down, left, across, right
    if matrix.strides[1] != 1:
        return False
    x, w = code.access(across.vector), code.access(down.vector)
    y, z = code.stores[right], code.stores[left]
    code.zero(z)
    rows = matrix.shape[0]
    for begin, count in ((0, ROWS), (rows - rows % ROWS, 1)):
        end = rows - rows % ROWS if count == ROWS else rows
        if end > begin:
            _rows(code, matrix, (x, w), (y, z), (begin, end, count))
    return True


def _rows(
    code: Code,
    matrix: Access,
    given: tuple[Access, Access],
    made: tuple[Access, Access],
    span: tuple[int, int, int],
) -> None:
    """From a row to another, so many at a time."""
    (x, w), (y, z), (begin, end, count) = given, made, span
    kind = matrix.kind
    outer: list[str] = []
    opened = code.open_loop((end - begin) // count, outer)
    first = code(f"add nuw nsw i64 {code(f'mul nuw nsw i64 {outer[0]}, {count}')}, {begin}")
    rows = [first, *(code(f"add nuw nsw i64 {first}, {k}") for k in range(1, count))]
    weights = [code.load(w, [row]) for row in rows]
    sums = [code.cell(kind) for _ in rows]
    code.lines += [f"  store {kind} {number(0.0)}, ptr {cell}" for cell in sums]
    inner: list[str] = []
    group = code.access_group()
    turned = code.open_loop(matrix.shape[1], inner)
    with code.marked(group):
        total, factor = code.load(z, inner), code.load(x, inner)
        for row, weight, cell in zip(rows, weights, sums, strict=True):
            entry = code.load(matrix, [row, *inner])
            before = code(f"load {kind}, ptr {cell}")
            after = code(f"fadd reassoc contract {kind} {before}, {code(f'fmul contract {kind} {entry}, {factor}')}")
            code.lines.append(f"  store {kind} {after}, ptr {cell}")
            total = code(f"fadd contract {kind} {total}, {code(f'fmul contract {kind} {entry}, {weight}')}")
        code.store(z, inner, total)
    code.close_loop(turned, group)
    for row, cell in zip(rows, sums, strict=True):
        code.store(y, [row], code(f"load {kind}, ptr {cell}"))
    code.close_loop(opened)
    code.loaded = {}
