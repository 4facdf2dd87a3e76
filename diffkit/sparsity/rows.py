"""Which inputs each entry of an array depends on: a boolean matrix with a row per entry, and what ops do to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from diffkit.errors import needing
from diffkit.ops import Shape
from diffkit.primitives.families import kept

LIMIT = 100_000_000  # entries of one pattern; beyond, every entry counts as depending on whatever any of them does

Positions = np.ndarray[Any, Any]


class Rows(NamedTuple):
    """A row per entry of an array; a matrix of one row serves all entries alike.

    That one row is what keeps means, norms and products of a million inputs cheap: each entry depends on everything,
    and this is said once.
    """

    matrix: Any  # csr_array of bool, (length, A) or (1, A)
    length: int

    @property
    def alike(self) -> bool:
        """Whether one row stands for all entries."""
        return bool(self.matrix.shape[0] == 1)


def sparse_arrays() -> Any:
    """The module of sparse arrays, which belongs to an extra."""
    with needing("a sparse derivative", extra="scipy"):
        import scipy.sparse
    return scipy.sparse


def matrix_of(indptr: Positions, indices: Positions, columns: int) -> Any:
    """A boolean CSR matrix from its index arrays."""
    data = np.ones(len(indices), dtype=bool)
    return sparse_arrays().csr_array((data, indices, indptr), shape=(len(indptr) - 1, columns))


def identity(count: int, offset: int, columns: int) -> Rows:
    """Each entry is an input itself."""
    kind = np.int32 if columns < np.iinfo(np.int32).max else np.int64
    return Rows(
        matrix_of(np.arange(count + 1, dtype=kind), np.arange(offset, offset + count, dtype=kind), columns), count
    )


def nothing(count: int, columns: int) -> Rows:
    """No entry depends on an input."""
    return Rows(sparse_arrays().csr_array((count, columns), dtype=bool), count)


def blanket(parts: Sequence[Rows], count: int) -> Rows:
    """Every entry depends on whatever any entry of the parts depends on: never too little."""
    columns = parts[0].matrix.shape[1]
    hit = np.zeros(columns, dtype=bool)
    for part in parts:
        if part.length:
            hit[part.matrix.indices] = True
    found = np.flatnonzero(hit)
    return Rows(matrix_of(np.array([0, len(found)]), found, columns), count)


def read(rows: Rows, positions: Positions) -> Rows:
    """The entries at positions of the flattened array, in their order."""
    flat = positions.reshape(-1)
    if rows.alike:
        return Rows(rows.matrix, flat.size)
    if np.diff(rows.matrix.indptr)[flat].sum() > LIMIT:
        return blanket([rows], flat.size)
    return Rows(rows.matrix[flat], flat.size)


def broadcast(rows: Rows, shape: Shape, to: Shape) -> Rows:
    """The entries of an array that is broadcast."""
    if shape == to or rows.alike:
        return Rows(rows.matrix, math.prod(to))
    return read(rows, np.broadcast_to(numbered(shape), to))


def union(parts: Sequence[Rows], count: int) -> Rows:
    """Each entry depends on what it depends on in any of the parts."""
    distinct = list({id(part.matrix): part for part in parts}.values())
    for part in distinct:
        if len(distinct) == 1 or (part.alike and part.matrix.nnz == part.matrix.shape[1]):
            return Rows(part.matrix, count)
    if not all(part.alike for part in distinct):
        if sum(entries(part) for part in distinct) > LIMIT:
            return blanket(distinct, count)
        distinct = [one_by_one(part) for part in distinct]
    matrix = distinct[0].matrix
    for part in distinct[1:]:
        matrix = matrix + part.matrix
    return Rows(matrix, count)


def one_by_one(rows: Rows) -> Rows:
    """A row for each entry, also where one serves all."""
    if not rows.alike or rows.length == 1:
        return rows
    row = rows.matrix.indices
    indptr = np.arange(rows.length + 1, dtype=np.int64) * len(row)
    return Rows(matrix_of(indptr, np.tile(row, rows.length), rows.matrix.shape[1]), rows.length)


def stack(parts: Sequence[Rows]) -> Rows:
    """The entries of several arrays, one after the other."""
    if len(parts) == 1:
        return parts[0]
    length = sum(part.length for part in parts)
    if sum(entries(part) for part in parts) > LIMIT:
        return blanket(parts, length)
    arrays = sparse_arrays()
    return Rows(arrays.csr_array(arrays.vstack([one_by_one(part).matrix for part in parts], format="csr")), length)


def entries(rows: Rows) -> int:
    """How many entries the rows have, one that serves all counted for each."""
    return int(rows.matrix.nnz) * (rows.length if rows.alike else 1)


def move(rows: Rows, targets: Positions, sources: Positions, count: int) -> Rows:
    """Entry ``targets[k]`` of the result depends on what entry ``sources[k]`` does, for every k."""
    reached = np.zeros(count, dtype=bool)
    reached[targets] = True
    if rows.alike and rows.length and reached.all():
        return Rows(rows.matrix, count)
    counts = rows.matrix.nnz * len(sources) if rows.alike else np.diff(rows.matrix.indptr)[sources].sum()
    if counts > LIMIT:
        return blanket([rows], count)
    chosen = np.ones(len(sources), dtype=bool)
    selection = sparse_arrays().csr_array((chosen, (targets, sources)), shape=(count, rows.length))
    matrix = selection @ one_by_one(rows).matrix
    matrix.sort_indices()
    return Rows(matrix, count)


def over_axes(rows: Rows, shape: Shape, axes: tuple[int, ...]) -> Rows:
    """Entries that differ only along the (negative) axes depend on the same; one row for each such group."""
    small = kept(shape, axes)
    count = math.prod(small)
    if small == shape:
        return rows
    if count == 1:
        return blanket([rows], 1)
    return move(rows, np.broadcast_to(numbered(small), shape).reshape(-1), np.arange(math.prod(shape)), count)


def numbered(shape: Shape) -> Positions:
    """The positions of the entries of an array, in its shape."""
    return np.arange(math.prod(shape)).reshape(shape)
