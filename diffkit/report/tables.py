"""The numbers beside each picture, as tables of texts."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from diffkit.report import costs, rows
from diffkit.report.words import factor, method_name, number, seconds


def times_against_inputs(frame: pd.DataFrame) -> pd.DataFrame:
    """Median time of one Jacobian by A."""
    return _times(rows.longest_line(frame, "inputs"), "inputs")


def times_against_outputs(frame: pd.DataFrame) -> pd.DataFrame:
    """Median time of one Jacobian by B."""
    return _times(rows.longest_line(frame, "outputs"), "outputs")


def _times(line: pd.DataFrame, axis: rows.Axis) -> pd.DataFrame:
    table = _by_method(line, axis, "run_seconds", seconds, heading=rows.LETTER[axis])
    function = rows.timed(line).groupby(axis)["function_seconds"].median().reindex(sorted(line[axis].unique()))
    table.insert(1, "f itself", function.map(seconds).to_list())
    return table


def operations_against_depth(frame: pd.DataFrame) -> pd.DataFrame:
    """Counted operations of one derivative by depth."""
    return _by_method(rows.swell(frame), "depth", "operations", number, heading="depth")


def _by_method(
    found: pd.DataFrame, index: str, value: str, write: Callable[[float], str], heading: str
) -> pd.DataFrame:
    """Arrange one value: a row per size, a column per method; where it is missing, the status says why."""
    text = found[value].map(write).where(found["status"] == "ok", found["status"])
    table = found.assign(text=text).pivot_table("text", index, "method", aggfunc="last").fillna("–")
    table = table[rows.methods(found)].rename(columns=method_name)
    table.insert(0, heading, [number(size) for size in table.index])
    return table


def winners(frame: pd.DataFrame) -> pd.DataFrame:
    """Name the fastest method and its lead over the runner-up: a row per B, a column per A."""
    fastest = costs.fastest_methods(rows.plane(frame))
    text = fastest["method"].map(method_name) + " " + fastest["lead"].map(factor)
    grid = fastest.assign(text=text).pivot_table("text", "outputs", "inputs", aggfunc="last").fillna("–")
    table = grid.rename(columns=lambda size: f"A = {number(size)}")
    table.insert(0, "B", [number(size) for size in grid.index])
    return table


def relative_cost(frame: pd.DataFrame) -> pd.DataFrame:
    """Cost of one Jacobian in evaluations of f: timed, and counted in parentheses."""
    found = costs.relative_costs(frame)
    text = found["timed"].map(number) + " (" + found["counted"].map(number) + ")"
    keys = ["problem", "inputs", "outputs"]
    table = found.assign(text=text).pivot_table("text", keys, "method", aggfunc="last", sort=False).fillna("–")
    return sized(table[rows.methods(found)].rename(columns=method_name).reset_index())


def sized(table: pd.DataFrame) -> pd.DataFrame:
    """Write the sizes in a table by their letters, with thousands apart."""
    sizes = {axis: table[axis].map(number) for axis in rows.OTHER}
    return table.assign(**sizes).rename(columns=rows.LETTER)


def step_sizes(frame: pd.DataFrame) -> pd.DataFrame:
    """Best step size and smallest error of each scheme, and the error of the exact methods."""
    found = rows.step_sizes(frame)
    best = pd.concat([costs.best_steps(found), _exact_errors(found)])
    return pd.DataFrame(
        {
            "method": [method_name(str(method)) for method in best.index],
            "best step size": best["step_size"].map(number).to_list(),
            "smallest error": best["error"].map(number).to_list(),
        }
    )


def _exact_errors(found: pd.DataFrame) -> pd.DataFrame:
    exact = found[found["step_size"].isna()]
    return exact.groupby("method", sort=False)[["step_size", "error"]].max()


def limits(frame: pd.DataFrame) -> pd.DataFrame:
    """How much of the machine's own limit each method reaches, on the largest cell of every problem."""
    found = rows.fullest_cells(frame[frame["bound_seconds"].notna()])
    text = (found["bound_seconds"] / found["run_seconds"]).map("{:.1%}".format)
    keys = ["problem", "inputs", "outputs"]
    table = found.assign(text=text).pivot_table("text", keys, "method", aggfunc="last", sort=False).fillna("–")
    return sized(table[rows.methods(found)].rename(columns=method_name).reset_index())


def preparation(frame: pd.DataFrame) -> pd.DataFrame:
    """Preparation, run, and the calls after which the preparation is repaid."""
    cell = rows.preparation(frame)
    repaid = costs.break_even(cell)
    return pd.DataFrame(
        {
            "method": cell["method"].map(method_name),
            "preparation": cell["prepare_seconds"].map(seconds),
            "one run": cell["run_seconds"].map(seconds),
            "break-even (calls)": cell["method"].map(repaid).map(number),
        }
    )
