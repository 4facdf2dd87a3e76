"""All measurements of a run as one table to read: which columns, in which words and units."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from diffkit.report.words import method_name, number


@dataclass(frozen=True)
class Column:
    """What one column of a run is called, in which unit it is shown, and how its values are written.

    Attributes
    ----------
    heading, unit
        What stands above it; numbers without a unit are plain counts.
    scale
        One unit, in the unit in which values are stored.
    write
        Puts a text into words; numbers are written as everywhere in the report.
    choice
        Whether a reader may want to see one of its values only.
    """

    heading: str
    unit: str = ""
    scale: float = 1.0
    write: Callable[[str], str] = str
    choice: bool = False


@dataclass(frozen=True)
class Shown:
    """One column as it is shown: its texts, and the numbers behind them where it has any.

    Attributes
    ----------
    numbers
        One per text, None where it is not known; empty for a column of words.
    choices
        The different texts, for a reader to choose from; empty where that is no help.
    """

    name: str
    heading: str
    unit: str
    texts: tuple[str, ...]
    numbers: tuple[float | None, ...] = ()
    choices: tuple[str, ...] = field(default=())


COLUMNS = {
    "problem": Column("problem", choice=True),
    "method": Column("method", write=method_name, choice=True),
    "engine": Column("engine", choice=True),
    "inputs": Column("A"),
    "outputs": Column("B"),
    "status": Column("status", choice=True),
    "run_seconds": Column("one run", "µs", 1e-6),
    "run_seconds_low": Column("95 % from", "µs", 1e-6),
    "run_seconds_high": Column("to", "µs", 1e-6),
    "run_seconds_iqr": Column("interquartile range", "µs", 1e-6),
    "relative_cost": Column("cost", "evaluations of f"),
    "prepare_seconds": Column("preparation", "ms", 1e-3),
    "error": Column("error", "relative"),
    "operations": Column("operations"),
    "peak_memory_bytes": Column("peak memory", "kB", 1e3),
    "study": Column("study", choice=True),
    "step_size": Column("step size", "relative"),
    "depth": Column("depth"),
    "host": Column("host", choice=True),
    "judge": Column("judged by", choice=True),
}
"""What is shown, from left to right, where a run holds it."""

LEFT_OUT = {
    "suite", "tolerance", "run_samples", "run_seconds_min", "loops", "repeats", "function_seconds",
    "function_seconds_min", "function_seconds_iqr", "function_operations", "graph_steps", "function_calls", "sweeps",
    "started", "bytes", "predicted_seconds", "bound_seconds", "cell_seconds", "visit", "run_seconds_mad",
    "function_seconds_mad", "function_seconds_low", "function_seconds_high", "function_samples", "reference_seconds",
    "reference_samples", "timed_seconds", "load",
}  # fmt: skip
"""What the raw data alone hold. A column that is in neither list is shown, under its own name."""

LAST = {"warning": Column("warning"), "reason": Column("reason"), "printed": Column("printed")}
"""Long texts, after all else."""


def measurements(frame: pd.DataFrame) -> list[Shown]:
    """Arrange the rows of a run, in the order in which they were made, column by column.

    A column without any value is left out, whether the run has it or not.

    Examples
    --------
    >>> found = measurements(pd.DataFrame({"method": ["reverse"], "run_seconds": [2e-6], "weather": ["dry"]}))
    >>> [(column.heading, column.unit, column.texts) for column in found]
    [('method', '', ('reverse',)), ('one run', 'µs', ('2',)), ('weather', '', ('dry',))]
    """
    if {"run_seconds", "function_seconds"} <= set(frame.columns):
        frame = frame.assign(relative_cost=frame["run_seconds"] / frame["function_seconds"])
    others = [str(name) for name in frame.columns if name not in {*COLUMNS, *LEFT_OUT, *LAST}]
    wanted = COLUMNS | {name: Column(name.replace("_", " ")) for name in others} | LAST
    shown = (_shown(name, column, frame[name]) for name, column in wanted.items() if name in frame.columns)
    return [column for column in shown if any(column.texts)]


def _shown(name: str, column: Column, values: pd.Series[Any]) -> Shown:
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        numbers = tuple(float(value) / column.scale if math.isfinite(value) else None for value in values)
        texts = tuple("" if value is None else number(value) for value in numbers)
        return Shown(name, column.heading, column.unit, texts, numbers)
    texts = tuple(column.write(_text(value)) for value in values)
    choices = tuple(dict.fromkeys(filter(None, texts))) if column.choice else ()
    return Shown(name, column.heading, column.unit, texts, choices=choices if len(choices) > 1 else ())


def _text(value: object) -> str:
    """Write what a row holds; nothing where it is not known."""
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    return "" if value is None or value is pd.NA or value != value else str(value)  # noqa: PLR0124 - NaN
