"""Which outputs depend on which inputs, found by walking a graph: from structure only, never from numbers.

An entry that is missing from a pattern would be a wrong answer without a word, so each rule may say too much and never
too little. Exact are ops entry by entry, views, reads, scatters, selections, sums and contractions (a constant operand
counts as dense); a matrix function and a user's primitive make every entry depend on all of their operands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TooLargeError
from diffkit.graph import CONSTANT, Graph, Step
from diffkit.primitives.contracting import spread
from diffkit.primitives.families import kept
from diffkit.primitives.moving import take_at
from diffkit.sparsity import rows as r
from diffkit.sparsity.drawing import characters, draw
from diffkit.sparsity.rows import Rows


@dataclass(frozen=True, eq=False)
class Pattern:
    """Where a Jacobian ``(B, A)`` can be other than zero.

    Attributes
    ----------
    matrix
        The entries as a ``scipy.sparse.csr_array`` of bool, columns ascending in each row.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> plan = dk.get("sparse").prepare(lambda x: x[1:] * x[:-1], np.ones(4))
    >>> print(plan.pattern)
    ##..
    .##.
    ..##
    >>> plan.pattern.shape, plan.pattern.entries
    ((3, 4), 6)
    """

    matrix: Any

    @property
    def shape(self) -> tuple[int, int]:
        """``(B, A)``."""
        rows, columns = self.matrix.shape
        return rows, columns

    @property
    def entries(self) -> int:
        """How many entries can be other than zero."""
        return int(self.matrix.nnz)

    def row_numbers(self) -> np.ndarray[Any, Any]:
        """The row of each entry, in the order of the matrix."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.matrix.indptr))

    def plot(self, ax: Any) -> Any:
        """Draw the entries into matplotlib axes; more than 500 rows or columns are drawn in groups."""
        return draw(ax, self.shape, self.row_numbers(), self.matrix.indices, np.ones(self.entries))

    def __str__(self) -> str:
        return characters(self.shape, self.row_numbers(), self.matrix.indices, np.full(self.entries, "#"))


def pattern_of(graph: Graph, wanted: Sequence[bool], results: int, most: int | None = None) -> Pattern:
    """The pattern of the first ``results`` outputs of a graph, by the inputs that are wanted.

    Raises
    ------
    TooLargeError
        Where it has more than ``most`` entries, or so many that a sparse matrix makes no sense.
    """
    known = _inputs(graph, wanted)
    last = {operand: position for position, step in enumerate(graph.steps) for operand in step.operands}
    keep = set(graph.outputs)
    for position, step in enumerate(graph.steps):
        parts = [known.get(operand) for operand in step.operands]
        if step.op.jvp is not None and step.dtype.kind == "f" and any(part is not None for part in parts):
            known[position] = _through(step, [graph.steps[operand] for operand in step.operands], parts)
        for operand in step.operands:
            if last[operand] == position and operand not in keep:
                known.pop(operand, None)
    columns = sum(math.prod(graph.steps[spot].shape) for spot, flag in zip(graph.inputs, wanted, strict=True) if flag)
    sizes = [math.prod(graph.steps[position].shape) for position in graph.outputs[:results]]
    found = [known.get(position) for position in graph.outputs[:results]]
    return Pattern(_joined(found, sizes, columns, r.LIMIT if most is None else most))


def _inputs(graph: Graph, wanted: Sequence[bool]) -> dict[int, Rows]:
    spots = [spot for spot, flag in zip(graph.inputs, wanted, strict=True) if flag]
    sizes = [math.prod(graph.steps[spot].shape) for spot in spots]
    offsets = np.cumsum([0, *sizes])
    return {
        spot: r.identity(size, int(offset), int(offsets[-1]))
        for spot, size, offset in zip(spots, sizes, offsets, strict=False)
    }


def _joined(found: Sequence[Rows | None], sizes: Sequence[int], columns: int, most: int) -> Any:
    """All outputs below each other."""
    entries = sum(r.entries(rows) for rows in found if rows is not None)
    if entries > most:
        raise TooLargeError(
            f"{entries} entries of the {sum(sizes)} x {columns} matrix may be other than zero, so it is not sparse; "
            "use jvp, vjp or hvp, which never form it, or a dense method where it fits into memory"
        )
    rows = [r.nothing(size, columns) if part is None else part for part, size in zip(found, sizes, strict=True)]
    whole = r.one_by_one(r.stack(rows)).matrix
    whole.sort_indices()
    return whole


# ---------------------------------------------------------------- what each op does to the rows

Given = list[Rows | None]
Rule = Callable[[Step, list[Step], Given], Rows]


def _through(step: Step, operands: list[Step], parts: Given) -> Rows:
    """The rows of a step, from those of its operands; None is an operand that depends on no input."""
    rule = _RULES.get(step.op.name) or _FAMILIES.get(step.op.family) or _anything
    return rule(step, operands, parts)


def _anything(step: Step, _operands: list[Step], parts: Given) -> Rows:
    return r.blanket([part for part in parts if part is not None], math.prod(step.shape))


def _entrywise(step: Step, operands: list[Step], parts: Given) -> Rows:
    spread_out = [
        r.broadcast(part, operand.shape, step.shape)
        for part, operand in zip(parts, operands, strict=True)
        if part is not None
    ]
    return r.union(spread_out, math.prod(step.shape))


def _chosen(step: Step, operands: list[Step], parts: Given) -> Rows:
    """``where``: either side; with a mask that is part of the graph, the side it takes."""
    mask = operands[0]
    if mask.op is not CONSTANT:
        return _entrywise(step, operands, [None, *parts[1:]])
    flags = np.broadcast_to(mask.params["value"], step.shape).reshape(-1)
    sides = []
    for part, operand, here in zip(parts[1:], operands[1:], (flags, ~flags), strict=True):
        if part is not None:
            spots = np.flatnonzero(here)
            sides.append(r.move(r.broadcast(part, operand.shape, step.shape), spots, spots, flags.size))
    return r.union(sides, flags.size)


def _moved(step: Step, operands: list[Step], parts: Given) -> Rows:
    """A view or a read: the op itself says which positions it takes."""
    part = _active(parts)
    if step.op in {p.reshape, p.convert}:
        return part
    return r.read(part, np.asarray(step.op.evaluate(r.numbered(operands[0].shape), **step.params)))


def _scattered(step: Step, operands: list[Step], parts: Given) -> Rows:
    """Pieces go where a read of the result's positions finds their places."""
    positions, shape = r.numbered(step.shape), step.params["shape"]
    pieces = [(part, place) for part, place in zip(parts, step.params["places"], strict=True) if part is not None]
    targets = np.concatenate([np.ravel(take_at(positions, place, shape)) for _, place in pieces])
    return r.move(r.stack([part for part, _ in pieces]), targets, np.arange(len(targets)), positions.size)


def _reduced(step: Step, operands: list[Step], parts: Given) -> Rows:
    return r.over_axes(_active(parts), operands[0].shape, step.params["axis"])


def _accumulated(step: Step, operands: list[Step], parts: Given) -> Rows:
    """``cumsum``: each entry, and all before it along the axis."""
    part, axis = _active(parts), step.params["axis"]
    lines = np.moveaxis(r.numbered(step.shape), axis, -1)
    length = step.shape[axis]
    if lines.size * length > r.LIMIT:
        return r.blanket([part], part.length)
    later, earlier = np.tril_indices(length)
    return r.move(part, lines[..., later].reshape(-1), lines[..., earlier].reshape(-1), part.length)


def _contracted(step: Step, operands: list[Step], parts: Given) -> Rows:
    """An entry depends on the entries of an operand that it is summed from, whatever they are multiplied with."""
    spec = step.params["spec"]
    sides = []
    for letters, operand, part in zip((spec.left, spec.right), operands, parts, strict=True):
        if part is not None:
            summed = tuple(k - len(letters) for k, letter in enumerate(letters) if letter not in spec.out)
            small = [n for n, letter in zip(operand.shape, letters, strict=True) if letter in spec.out]
            stay = "".join(letter for letter in letters if letter in spec.out)
            positions = spread(r.numbered(tuple(small)), stay, spec.out)
            sides.append(r.read(r.over_axes(part, operand.shape, summed), np.broadcast_to(positions, step.shape)))
    return r.union(sides, math.prod(step.shape))


def _along(step: Step, operands: list[Step], parts: Given) -> Rows:
    """Reads and scatters at positions that are found while running: every entry along the axis may be meant."""
    part, shape, axes = _active(parts[:1]), operands[0].shape, (step.params["axis"],)
    return r.broadcast(r.over_axes(part, shape, axes), kept(shape, axes), step.shape)


def _active(parts: Given) -> Rows:
    """The rows of the one operand that has some."""
    return next(part for part in parts if part is not None)


_FAMILIES: dict[str, Rule] = {"elementwise": _entrywise, "reduction": _reduced}
_RULES: dict[str, Rule] = {
    op.name: rule
    for rule, ops in (
        (_moved, (p.reshape, p.transpose, p.broadcast, p.index, p.gather, p.convert)),
        (_scattered, (p.scatter,)),
        (_chosen, (p.where,)),
        (_reduced, (p.sum_,)),
        (_accumulated, (p.cumsum,)),
        (_contracted, (p.contract,)),
        (_along, (p.take_along, p.put_along)),
    )
    for op in ops
}
