"""Colouring: columns that share no row go into one direction, and a sweep tells them apart again.

A few full rows spoil the columns (each pair of columns shares them), and a few full columns spoil the rows. So rows may
be split: those with the most entries are found by return sweeps, a colour each or few, the others by forward sweeps.
Coleman and Verma (1998), "The efficient computation of sparse Jacobian matrices using automatic differentiation".
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.sparsity.counting import good
from diffkit.sparsity.drawing import characters, draw
from diffkit.sparsity.first_fit import colour_columns
from diffkit.sparsity.pattern import Pattern

Numbers = np.ndarray[Any, Any]
NONE = -1  # the colour of what needs no direction of its kind


@dataclass(frozen=True, eq=False)
class Colouring:
    """Which columns and rows of a pattern share a direction.

    Attributes
    ----------
    pattern
        What is coloured.
    columns
        ``(A,)``: the colour of each column, counted from 0; -1 where it needs none.
    rows
        ``(B,)``: the same for rows.
    symmetric
        Whether entries are read from their mirror images where that saves a direction.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> plan = dk.get("sparse").prepare(lambda x: np.append(x * x[0], np.sum(x)), np.ones(5))
    >>> print(plan.colouring)  # a letter for each direction; capitals are rows, found by return sweeps
    b....
    ba...
    b.a..
    b..a.
    b...a
    AAAAA
    >>> plan.colours
    3
    """

    pattern: Pattern
    columns: Numbers
    rows: Numbers
    symmetric: bool = False

    @property
    def column_count(self) -> int:
        """How many directions carry columns."""
        return int(self.columns.max(initial=NONE)) + 1

    @property
    def row_count(self) -> int:
        """How many directions carry rows."""
        return int(self.rows.max(initial=NONE)) + 1

    @property
    def count(self) -> int:
        """How many directions there are together."""
        return self.column_count + self.row_count

    def directions(self) -> Numbers:
        """For each entry the direction that finds it: columns' first, then rows'."""
        i, j = self.pattern.row_numbers(), self.pattern.matrix.indices
        found = np.where(self.rows[i] >= 0, self.column_count + self.rows[i], self.columns[j])
        mirrored = found < 0
        found[mirrored] = self.column_count + self.rows[j[mirrored]]
        return found

    def plot(self, ax: Any) -> Any:
        """Draw the entries into matplotlib axes, coloured by the direction that finds them."""
        i, j = self.pattern.row_numbers(), self.pattern.matrix.indices
        return draw(ax, self.pattern.shape, i, j, self.directions())

    def __str__(self) -> str:
        i, j = self.pattern.row_numbers(), self.pattern.matrix.indices
        small, large = np.array(list(string.ascii_lowercase)), np.array(list(string.ascii_uppercase))
        found = self.directions()
        marks = np.where(found < self.column_count, small[found % 26], large[(found - self.column_count) % 26])
        return characters(self.pattern.shape, i, j, marks)


def colour(pattern: Pattern, *, by: str = "fewest", symmetric: bool = False) -> Colouring:
    """Which columns and rows share a direction, so that there are few.

    Parameters
    ----------
    pattern
        A pattern; with ``symmetric``, that of a symmetric matrix.
    by
        "columns", "rows", or "fewest" of these and both together.
    symmetric
        Entries may be read from their mirror images, so a column that is found as a row is not found again. The
        result is a star colouring: each entry is read off directly.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> from diffkit.sparsity import colour
    >>> pattern = dk.get("sparse").prepare(lambda x: x[1:] - x[:-1], np.ones(1000)).pattern
    >>> colour(pattern).count, colour(pattern, by="rows").count
    (2, 2)
    """
    if symmetric:  # each half of the pattern may say more than the other
        pattern = Pattern(pattern.matrix + pattern.matrix.T.tocsr())
    matrix = pattern.matrix
    (_, first), *others = _splits(matrix, by)
    best = _coloured(pattern, first, symmetric=symmetric)
    for bound, peeled in others:
        if not good(best.count, bound):
            best = min(best, _coloured(pattern, peeled, symmetric=symmetric), key=lambda found: found.count)
    return best


def _coloured(pattern: Pattern, peeled: Numbers, *, symmetric: bool) -> Colouring:
    """Colour the rows that are peeled off by rows, the others by columns."""
    matrix = pattern.matrix
    columns, rows = np.full(matrix.shape[1], NONE), np.full(matrix.shape[0], NONE)
    if not peeled.any():
        columns = colour_columns(matrix)
    else:
        across = matrix[np.flatnonzero(peeled)].T.tocsr()
        rows[peeled] = colour_columns(across)
        rest = matrix[np.flatnonzero(~peeled)]
        if symmetric:
            kept = np.flatnonzero(~peeled)
            columns[kept] = colour_columns(rest[:, kept])
        else:
            columns = colour_columns(rest)
    return Colouring(pattern, columns, rows, symmetric)


def _splits(matrix: Any, by: str) -> list[tuple[int, Numbers]]:
    """Ways to divide the rows, with the least number of colours each may need; the most promising first."""
    counts = np.diff(matrix.indptr)
    none, every = np.zeros(len(counts), dtype=bool), np.ones(len(counts), dtype=bool)
    heights = np.bincount(matrix.indices, minlength=matrix.shape[1])
    columns, rows = (int(counts.max(initial=0)), none), (int(heights.max(initial=0)), every)
    if by != "fewest":
        return [columns if by == "columns" else rows]
    fewest, least = min(columns[0], rows[0]), int(counts.min(initial=0))
    ways = [columns, rows]
    if fewest > least + 1:  # otherwise one colour for a row that is peeled off saves none
        ways.append(_both(matrix, counts))
    return sorted(ways, key=lambda way: way[0])


def _both(matrix: Any, counts: Numbers) -> tuple[int, Numbers]:
    """Peel off so many of the fullest rows that their colours and those of the others' columns are fewest together."""
    order = np.argsort(-counts, kind="stable")
    by_column = matrix[order].tocsc()
    # The k-th entry of a column, from the fullest row on, asks for k colours among the rows up to its own.
    nth = np.arange(1, by_column.nnz + 1) - np.repeat(by_column.indptr[:-1], np.diff(by_column.indptr))
    colours = np.zeros(len(counts) + 1, dtype=np.int64)
    np.maximum.at(colours, by_column.indices + 1, nth)
    bounds = np.maximum.accumulate(colours) + np.append(counts[order], 0)
    peeled = np.zeros(len(counts), dtype=bool)
    split = int(bounds.argmin())
    peeled[order[:split]] = True
    return int(bounds[split]), peeled
