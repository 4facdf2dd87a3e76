"""Which rows of a run answer which question.

Each function takes a run as `diffkit.benchmark.results.load` gives it, or a part of one.
"""

from __future__ import annotations

from typing import Literal

import pandas as pd

Axis = Literal["inputs", "outputs"]
OTHER: dict[Axis, Axis] = {"inputs": "outputs", "outputs": "inputs"}
LETTER: dict[Axis, str] = {"inputs": "A", "outputs": "B"}

METHODS = ("finite-difference", "symbolic", "forward", "reverse")
"""The four, in the order in which tables and legends show them."""


def study(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Select the rows of one study, whatever their status."""
    return frame[frame["study"] == name]


def main_engine(frame: pd.DataFrame) -> str:
    """Name the engine that pictures and verdicts are about: ``numpy``, or the most frequent one."""
    engines = frame["engine"].value_counts()
    return "numpy" if "numpy" in engines or engines.empty else str(engines.index[0])


def cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the cells of the grid on the main engine; the newest row where one was measured twice."""
    rows = study(frame, "cells")
    rows = rows[rows["engine"] == main_engine(rows)]
    return rows.drop_duplicates(["problem", "method", "inputs", "outputs"], keep="last")


def timed(rows: pd.DataFrame) -> pd.DataFrame:
    """Select the rows that have the right answer and a time."""
    return rows[(rows["status"] == "ok") & (rows["run_seconds"] > 0)]


def methods(rows: pd.DataFrame) -> list[str]:
    """List the methods of these rows: the four first, in their order, each before its variants."""
    return sorted(map(str, rows["method"].unique()), key=_place)


def _place(label: str) -> tuple[int, str]:
    name = label.partition("(")[0]
    return (METHODS.index(name) if name in METHODS else len(METHODS), label)


def lines(frame: pd.DataFrame, axis: Axis) -> list[pd.DataFrame]:
    """Find the problems that grow along one axis, with the other size at its smallest; the longest first.

    A line is longer if it has at least four sizes, then if its other size is smaller, then if it has more
    sizes, then if they go further. Rows of every status are kept, so that it shows where a method stopped.
    """
    rows = cells(frame)
    smallest = timed(rows).groupby("problem")[OTHER[axis]].min()
    at_smallest = rows[rows[OTHER[axis]] == rows["problem"].map(smallest)]
    found = [line for _, line in at_smallest.groupby("problem", sort=False) if timed(line)[axis].nunique() > 1]

    def length(line: pd.DataFrame) -> tuple[bool, int, int, int]:
        sizes = timed(line)[axis]
        return sizes.nunique() >= 4, -int(line[OTHER[axis]].iloc[0]), sizes.nunique(), int(sizes.max())

    return sorted(found, key=length, reverse=True)


def longest_line(frame: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Select the line that the picture shows; no rows when no problem grows along this axis."""
    found = lines(frame, axis)
    return found[0] if found else frame.iloc[:0]


def plane(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the problem measured at most pairs of A and B; no rows when none spans a plane."""
    rows = cells(frame)
    right = timed(rows)
    per_a = right.groupby(["problem", "inputs"])["outputs"].nunique()
    per_b = right.groupby(["problem", "outputs"])["inputs"].nunique()
    wide = pd.MultiIndex.from_frame(rows[["problem", "inputs"]]).isin(per_a[per_a > 1].index)
    tall = pd.MultiIndex.from_frame(rows[["problem", "outputs"]]).isin(per_b[per_b > 1].index)
    spanned = [
        part
        for _, part in rows[wide & tall].groupby("problem", sort=False)
        if timed(part)["inputs"].nunique() > 1 and timed(part)["outputs"].nunique() > 1
    ]
    return max(spanned, key=_pairs, default=frame.iloc[:0])


def _pairs(rows: pd.DataFrame) -> int:
    return len(rows[["inputs", "outputs"]].drop_duplicates())


def fullest_cell(rows: pd.DataFrame) -> pd.DataFrame:
    """Select the cell that most methods finished; of several, the largest, then the one with most inputs."""
    right = timed(rows)
    sizes = right.groupby(["inputs", "outputs"])["method"].nunique()
    if sizes.empty:
        return right
    inputs, outputs = max(sizes.index, key=lambda size: (sizes[size], size[0] * size[1], size[0]))
    chosen: pd.DataFrame = right[(right["inputs"] == inputs) & (right["outputs"] == outputs)]
    return chosen


def fullest_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Select one cell of every problem, as `fullest_cell` does."""
    parts = [fullest_cell(part) for _, part in cells(frame).groupby("problem", sort=False)]
    return pd.concat(parts) if parts else cells(frame)


def preparation(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the cell of the longest line that most methods finished, with their preparation."""
    cell = fullest_cell(longest_line(frame, "inputs"))
    return cell[cell["prepare_seconds"].notna()]


def step_sizes(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the errors of finite differences at given step sizes, and of the exact methods beside them."""
    rows = study(frame, "step-size")
    return rows[rows["error"].notna()] if rows["step_size"].notna().any() else rows.iloc[:0]


def swell(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the counted operations of derivatives of the logistic map, by its depth."""
    rows = study(frame, "swell")
    return rows if (rows["operations"] > 0).any() else rows.iloc[:0]
