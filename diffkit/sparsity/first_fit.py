"""Colours for the columns of a sparse matrix, such that columns of one colour share no row."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.sparsity.counting import WORD, count_off, good
from diffkit.sparsity.rows import sparse_arrays

Numbers = np.ndarray[Any, Any]
PASSES = 4


def colour_columns(matrix: Any) -> Numbers:
    """A colour for each column, -1 for columns without entries; columns of one colour share no row.

    First by counting, which colours bands and stencils in linear time, often with as few colours as the fullest row has
    entries, which no colouring can beat. Where that needs many more, by first fit.
    """
    colours, width = count_off(matrix)
    counts = np.diff(matrix.indptr)
    fullest = int(counts.max(initial=0))
    colours[np.bincount(matrix.indices, minlength=matrix.shape[1]) == 0] = -1
    if good(width, fullest):
        return colours
    by_column = sparse_arrays().csc_array(matrix)
    groups = _classes(colours) if width <= 2 * fullest else _independent(by_column, _largest_last(by_column, counts))
    return first_fit(by_column, groups)


def first_fit(by_column: Any, groups: list[Numbers]) -> Numbers:
    """Each column takes the first colour that no other column of its rows has, group by group.

    The colours are given again, the last colour first, which never needs more (Culberson, 1992).
    """
    colours = np.full(by_column.shape[1], -1)
    for _ in range(PASSES):
        used = np.zeros((by_column.shape[0], 1), dtype=np.uint64)
        for group in groups:
            used = _give(by_column, group, used, colours)
        groups = _classes(colours)[::-1]
    return colours


def _classes(colours: Numbers) -> list[Numbers]:
    """The columns of each colour."""
    by_colour = np.argsort(colours, kind="stable")[np.count_nonzero(colours < 0) :]
    return np.split(by_colour, np.flatnonzero(np.diff(colours[by_colour])) + 1)


def _largest_last(by_column: Any, counts: Numbers) -> Numbers:
    """The columns that have entries, by how many neighbours they have; ties at random, so that groups are large."""
    filled = np.flatnonzero(np.diff(by_column.indptr))
    neighbours = np.add.reduceat(counts[by_column.indices], by_column.indptr[filled])
    ties = np.random.default_rng(0).permutation(len(filled))
    return filled[np.lexsort((ties, neighbours))]


def _independent(by_column: Any, order: Numbers) -> list[Numbers]:
    """Groups of columns that share no row, the last of the order first (Jones and Plassmann, 1993)."""
    groups = []
    entries, counts = _entries(by_column, order)
    top = np.full(by_column.shape[0], -1)
    while order.size:
        place = np.repeat(np.arange(len(order)), counts)
        top[entries] = place  # where a row occurs repeatedly, the last place stays
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        first = ~np.logical_or.reduceat(top[entries] != place, starts)
        groups.append(order[first])
        entries, order, counts = entries[~first[place]], order[~first], counts[~first]
    return groups


def _give(by_column: Any, group: Numbers, used: Numbers, colours: Numbers) -> Numbers:
    """Give each column of a group the first colour that is free in all of its rows; the colours used by rows."""
    entries, counts = _entries(by_column, group)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    taken = np.bitwise_or.reduceat(used[entries], starts, axis=0)
    if (taken == np.iinfo(np.uint64).max).all(axis=1).any():
        used = np.hstack([used, np.zeros_like(used)])
        taken = np.hstack([taken, np.zeros_like(taken)])
    word = (taken != np.iinfo(np.uint64).max).argmax(axis=1)
    free = ~taken[np.arange(len(group)), word]
    bit = free & (~free + np.uint64(1))
    colours[group] = WORD * word + np.bitwise_count(bit - np.uint64(1))
    used[entries, np.repeat(word, counts)] |= np.repeat(bit, counts)  # no row occurs twice in a group
    return used


def _entries(by_column: Any, columns: Numbers) -> tuple[Numbers, Numbers]:
    """The rows of columns one after the other, and how many each has."""
    starts, counts = by_column.indptr[columns], np.diff(by_column.indptr)[columns]
    shifts = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return by_column.indices[shifts + np.arange(len(shifts))], counts
