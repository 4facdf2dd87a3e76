"""Pictures made of lines: cost against size, depth and calls, and error against step size."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from diffkit.pictures import REFERENCE, headline, looks
from diffkit.report import costs, rows
from diffkit.report.figures.labels import End, label_ends
from diffkit.report.words import method_name, number, seconds

SMALLEST_ERROR = 1e-17
"""What an error of exactly zero is drawn as, on a logarithmic axis."""

MOST_CALLS = 1e6
"""Where the picture of preparation against calls ends."""


def time_against_inputs(frame: pd.DataFrame, axes: Axes) -> Axes:
    """How does the time of a Jacobian grow with the number of inputs A, at B = 1?"""
    return _time_against(rows.longest_line(frame, "inputs"), "inputs", axes)


def time_against_outputs(frame: pd.DataFrame, axes: Axes) -> Axes:
    """How does the time of a Jacobian grow with the number of outputs B, at A = 1?"""
    return _time_against(rows.longest_line(frame, "outputs"), "outputs", axes)


def _time_against(line: pd.DataFrame, axis: rows.Axis, axes: Axes) -> Axes:
    right = rows.timed(line)
    function = right.groupby(axis)["function_seconds"].median().dropna()
    (line_of_f,) = axes.plot(function.index, function, color=REFERENCE, linewidth=1.0)
    ends = [End(line_of_f, "f itself", REFERENCE)]
    for method, look in looks(rows.methods(right)).items():
        part = right[right["method"] == method].sort_values(axis)
        (drawn,) = axes.plot(part[axis], part["run_seconds"], **look.line)
        ends.append(End(drawn, method_name(method) + _why_it_stops(line, part, axis), look.ink))
    letter, other = rows.LETTER[axis], rows.OTHER[axis]
    axes.set(xscale="log", yscale="log", xlabel=f"{axis} {letter} (count)", ylabel="time of one Jacobian (s)")
    first = line.iloc[0]
    fixed = f"{rows.LETTER[other]} = {first[other]:,}"
    headline(axes, _fastest_at_the_end(right, axis), f"{first['problem']}, {fixed}, engine {first['engine']}")
    label_ends(axes, ends)
    return axes


def _why_it_stops(every: pd.DataFrame, drawn: pd.DataFrame, size: str) -> str:
    """Say what happened to a method at the size after the last one that is drawn."""
    method, last = drawn["method"].iloc[0], drawn[size].max()
    beyond = every[(every["method"] == method) & (every[size] > last)].sort_values(size)
    return f": {beyond['status'].iloc[0]}" if len(beyond) else ""


def _fastest_at_the_end(right: pd.DataFrame, axis: rows.Axis) -> str:
    """Compare the fastest and the slowest method at the largest size that at least two managed."""
    table = costs.times(right, axis)
    several = table[table.notna().sum(axis=1) > 1]
    if several.empty:
        return f"Time of one Jacobian against {rows.LETTER[axis]}"
    last = several.iloc[-1]
    fastest, slowest = str(last.idxmin()), str(last.idxmax())
    best = f"{method_name(fastest)} takes {seconds(last[fastest])}"
    worst = f"{method_name(slowest)} {number(last[slowest] / last[fastest])} times that"
    return f"{rows.LETTER[axis]} = {number(several.index[-1])}: {best}, {worst}"


def error_against_step_size(frame: pd.DataFrame, axes: Axes) -> Axes:
    """Which step size gives finite differences their smallest error, and what do exact methods reach?"""
    found = rows.step_sizes(frame)
    whole = [found["step_size"].min(), found["step_size"].max()]
    ends = []
    for method, look in looks(rows.methods(found)).items():
        part = found[found["method"] == method]
        exact = part["step_size"].isna().all()
        errors = pd.Series(part["error"].max(), whole) if exact else part.groupby("step_size")["error"].max()
        errors = errors.clip(lower=SMALLEST_ERROR)
        (drawn,) = axes.plot(errors.index, errors, **look.line)
        ends.append(End(drawn, method_name(method) + (" (exact)" if exact else ""), look.ink))
    axes.set(xscale="log", yscale="log", xlabel="step size (relative to |x|, at least to 1)")
    axes.set_ylabel("largest error (relative to the largest entry)")
    zero = f"no error at all is drawn as {SMALLEST_ERROR:.0e}"
    headline(axes, _best_steps(found), f"{_place(found)}; {zero}")
    label_ends(axes, ends)
    return axes


def _best_steps(found: pd.DataFrame) -> str:
    """State the optimum of the two schemes with the largest error there: those that have a real one."""
    best = costs.best_steps(found).sort_values("error", ascending=False).head(2)
    schemes = [method_name(str(label)).removeprefix("finite-difference ").strip("()") for label in best.index]
    sizes = [f"{size:.0e} for {name}" for size, name in zip(best["step_size"], schemes, strict=True)]
    return f"Best step size: {', '.join(sizes)}"


def operations_against_depth(frame: pd.DataFrame, axes: Axes) -> Axes:
    """How many operations does a derivative of the logistic map take as the map gets deeper?"""
    found = rows.swell(frame)
    counted = found[found["operations"] > 0]
    ends = []
    for method, look in looks(rows.methods(counted)).items():
        part = counted[counted["method"] == method].sort_values("depth")
        (drawn,) = axes.plot(part["depth"], part["operations"], **look.line)
        ends.append(End(drawn, method_name(method) + _why_it_stops(found, part, "depth"), look.ink))
    axes.set(
        yscale="log",
        xlabel="depth of the logistic map (count)",
        ylabel="operations of one derivative (count)",
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    headline(axes, _largest_swell(counted), "logistic map l(n+1) = 4 l(n) (1 - l(n)), counted, not timed")
    label_ends(axes, ends)
    return axes


def _largest_swell(counted: pd.DataFrame) -> str:
    """Compare most and fewest operations at the largest depth that most methods managed."""
    table = counted.pivot_table("operations", "depth", "method")
    managed = table.notna().sum(axis=1)
    last = table[managed == managed.max()].iloc[-1]
    most, fewest = str(last.idxmax()), str(last.idxmin())
    more = f"{number(last[most])} operations for {method_name(most)}"
    return f"Depth {last.name:.0f}: {more}, {number(last[fewest])} for {method_name(fewest)}"


def time_against_calls(frame: pd.DataFrame, axes: Axes) -> Axes:
    """After how many calls has a method repaid its preparation?"""
    cell = rows.preparation(frame)
    repaid = costs.break_even(cell)
    least = cell["method"].iloc[cell["prepare_seconds"].argmin()]
    calls = np.logspace(0, np.log10(MOST_CALLS))
    ends = []
    for method, look in looks(rows.methods(cell)).items():
        prepare, run = cell.loc[cell["method"] == method, ["prepare_seconds", "run_seconds"]].to_numpy()[0]
        (drawn,) = axes.plot(calls, prepare + run * calls, color=look.colour, linestyle=look.linestyle)
        if repaid[method] <= MOST_CALLS:
            axes.plot(repaid[method], prepare + run * repaid[method], color=look.colour, marker="o")
        when = "never pays" if np.isnan(repaid[method]) else f"pays from call {number(repaid[method])}"
        name = f"{method_name(method)}: {'least preparation' if method == least else when}"
        ends.append(End(drawn, name, look.ink))
    axes.set(xscale="log", yscale="log", xlabel="calls (count)", ylabel="preparation and all calls together (s)")
    pays = f"pays: cheaper by then than {method_name(least)}"
    headline(axes, _cheapest(cell), f"{_place(cell)}, engine {cell['engine'].iloc[0]}; {pays}")
    label_ends(axes, ends)
    return axes


def _cheapest(cell: pd.DataFrame) -> str:
    first_call = cell["prepare_seconds"] + cell["run_seconds"]
    once = method_name(cell["method"].iloc[first_call.argmin()])
    often = method_name(cell["method"].iloc[cell["run_seconds"].argmin()])
    return f"{once.capitalize()} is cheapest for one call, {'and' if once == often else often} for many"


def _place(found: pd.DataFrame) -> str:
    first = found.iloc[0]
    return f"{first['problem']}, A = {first['inputs']:,}, B = {first['outputs']:,}"
