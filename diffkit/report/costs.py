"""What methods cost side by side: run times, crossovers, break-even, cost in evaluations of f."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from diffkit.report import rows


def times(line: pd.DataFrame, index: str) -> pd.DataFrame:
    """Arrange run times in seconds: a row per size, a column per method, NaN where there is none."""
    return rows.timed(line).pivot_table(index=index, columns="method", values="run_seconds")


def crossover(line: pd.DataFrame, axis: rows.Axis, first: str, second: str) -> float | None:
    """Find the size from which `second` is faster than `first` up to the end of the line.

    Interpolated between measured sizes, where the ratio of their times goes through 1 for the last time.

    Returns
    -------
    float or None
        0 when `second` is faster at every size, infinity when it is slower at the largest one; None when
        fewer than two sizes have both.
    """
    table = times(line, axis)
    if not {first, second} <= set(table.columns):
        return None
    both = table[[first, second]].dropna()
    if len(both) < 2:
        return None
    size = np.log(both.index.to_numpy(dtype=float))
    gain = np.log(both[first].to_numpy() / both[second].to_numpy())
    slower = np.flatnonzero(gain <= 0)
    if not len(slower):
        return 0.0
    last = slower[-1]
    if last == len(gain) - 1:
        return math.inf
    share = -gain[last] / (gain[last + 1] - gain[last])
    return float(np.exp(size[last] + share * (size[last + 1] - size[last])))


def crossovers(plane: pd.DataFrame) -> list[tuple[float, int]]:
    """Find where forward and reverse cost the same: for each B the A from which reverse is faster.

    Only crossings between two measured sizes count, as pairs (A, B).
    """
    found = []
    for outputs, part in plane.groupby("outputs"):
        inputs = crossover(part, "inputs", "forward", "reverse")
        if inputs and math.isfinite(inputs):
            found.append((inputs, int(str(outputs))))
    return found


def crossing_ratio(plane: pd.DataFrame) -> float | None:
    """Average A / B over the crossovers of forward and reverse (geometric mean)."""
    found = crossovers(plane)
    return float(np.exp(np.mean([np.log(inputs / outputs) for inputs, outputs in found]))) if found else None


def break_even(cell: pd.DataFrame) -> dict[str, float]:
    """Count the calls after which each method has repaid its preparation.

    The reference is the method with the least preparation. Another one has repaid its own after the smallest
    N with ``prepare + N * run`` no larger than that of the reference; NaN where that never happens, and for
    the reference itself.

    Examples
    --------
    >>> cell = pd.DataFrame({"method": ["a", "b"], "prepare_seconds": [0.0, 9.0], "run_seconds": [2.0, 1.0]})
    >>> break_even(cell)
    {'a': nan, 'b': 9.0}
    """
    reference = cell.iloc[cell["prepare_seconds"].argmin()]
    extra = cell["prepare_seconds"] - reference["prepare_seconds"]
    saved = reference["run_seconds"] - cell["run_seconds"]
    calls = np.ceil((extra / saved.where(saved > 0)).clip(lower=1))
    return dict(zip(cell["method"], calls, strict=True))


def fastest_methods(plane: pd.DataFrame) -> pd.DataFrame:
    """Find the fastest method of each cell, and its lead: the runner-up's time over its own.

    Returns
    -------
    DataFrame
        Columns ``inputs, outputs, method, lead``; the lead is NaN where one method only was timed.
    """
    table = rows.timed(plane).pivot_table("run_seconds", ["inputs", "outputs"], "method")
    ordered = np.sort(table.to_numpy(), axis=1)
    lead = ordered[:, 1] / ordered[:, 0] if ordered.shape[1] > 1 else np.nan
    return table.idxmin(axis=1).rename("method").to_frame().assign(lead=lead).reset_index()


def relative_costs(frame: pd.DataFrame) -> pd.DataFrame:
    """Express the cost of one Jacobian of every problem in evaluations of f, ``timed`` and ``counted``."""
    found = rows.fullest_cells(frame)
    timed = found["run_seconds"] / found["function_seconds"]
    counted = found["operations"] / found["function_operations"]
    return found[["problem", "inputs", "outputs", "method"]].assign(timed=timed, counted=counted)


def best_steps(found: pd.DataFrame) -> pd.DataFrame:
    """Find the step size of the smallest error: columns ``step_size, error``, a row per scheme."""
    stepped = found[found["step_size"].notna()]
    best = stepped.loc[stepped.groupby("method")["error"].idxmin()]
    return best.set_index("method")[["step_size", "error"]]
