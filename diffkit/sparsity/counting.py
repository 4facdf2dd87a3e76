"""Colours by counting: ``j mod w`` for bands, ``(j + c (j // s)) mod w`` for grids with lines of s points."""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]
NEAR = 4  # a colouring is good enough when it needs at most a quarter more colours than the fullest row has entries
WORD = 64  # as many colours as a machine word has bits are looked for
PLAIN = (1, 0)
STRIDES = 8
SAMPLE = 200  # rows that a way of counting is tried on before it is tried on all


def good(count: int, bound: int) -> bool:
    """Whether so many colours are near enough to what is needed at least."""
    return count <= bound + max(1, bound // NEAR)


def count_off(matrix: Any) -> tuple[Numbers, int]:
    """Colours for all columns, such that no row has one twice, and how many there are.

    From as many colours as the fullest row has entries up to twice that, each way of counting is tried, first on some
    rows. Counting up to the widest row's span always holds.
    """
    counts, columns = np.diff(matrix.indptr), np.arange(matrix.shape[1])
    fullest = int(counts.max(initial=0))
    full = np.flatnonzero(counts == fullest)
    sample = matrix[full[:: max(1, len(full) // SAMPLE)]]
    rows = np.flatnonzero(counts)
    span = int((matrix.indices[matrix.indptr[rows + 1] - 1] - matrix.indices[matrix.indptr[rows]]).max(initial=-1)) + 1
    for width in range(fullest, min(2 * fullest, span - 1, WORD) + 1):
        for stride, shift in _ways(sample, width) if good(width, fullest) else [PLAIN]:
            if all(_told_apart(part, width, stride, shift) for part in (sample, matrix)):
                return _counted(columns, width, stride, shift), width
    return columns % max(span, 1), span


def _ways(sample: Any, width: int) -> list[tuple[int, int]]:
    """Plain counting first; then strides that are distances within a row, the commonest first, with each shift."""
    row = sample.indices[: sample.indptr[1]]
    distances, times = np.unique(np.abs(row[:, None] - row), return_counts=True)
    strides = distances[np.argsort(-times, kind="stable")]
    strides = strides[strides > 1][:STRIDES]
    return [PLAIN, *((int(stride), shift) for stride in strides for shift in range(1, width))]


def _counted(columns: Numbers, width: int, stride: int, shift: int) -> Numbers:
    return (columns + shift * (columns // stride) if shift else columns) % width


def _told_apart(matrix: Any, width: int, stride: int, shift: int) -> bool:
    """Whether no row has two columns of one colour."""
    counts = np.diff(matrix.indptr)
    bits = np.left_shift(np.uint64(1), _counted(matrix.indices, width, stride, shift).astype(np.uint64))
    found = np.bitwise_or.reduceat(bits, matrix.indptr[:-1][counts > 0])
    return bool(np.array_equal(np.bitwise_count(found), counts[counts > 0]))
