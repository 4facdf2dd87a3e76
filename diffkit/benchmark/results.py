"""The rows of a run: its folder holds one per measurement in ``measurements.jsonl``, appended as it ends."""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffkit.benchmark.drift import warning
from diffkit.benchmark.grid import Cell
from diffkit.benchmark.statistics import summary
from diffkit.errors import ResultsError

try:
    import fcntl
except ImportError:  # no POSIX system: nobody is refused
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import pandas as pd

ROWS = "measurements.jsonl"
SUITE = "suite.toml"


@dataclass(frozen=True)
class Measurement:
    """One row: one method on one engine, on one problem at one size.

    Seconds are per call; ``run_samples``, ``function_samples`` and ``reference_samples`` hold every sample, taken in
    turn round by round: of a run, of the plain function, and of `drift.reference`. ``run_seconds`` is their median;
    ``_min``, ``_iqr``, ``_mad`` and the interval from ``_low`` to ``_high`` are explained at `statistics.summary`.
    ``None`` means that the cell ended before this was known, or that the method has no such number. ``step_size``
    belongs to the study of step sizes, ``depth`` to that of expression swell. ``bytes`` is memory traffic as counted,
    ``predicted_seconds`` what a run should take by counted work, ``bound_seconds`` what the machine's own limits allow
    at best. ``printed`` is the end of what a cell printed that did not go well, ``cell_seconds`` all that it took and
    ``timed_seconds`` that part of it in which the clock ran, and ``host`` the machine of a cluster where it was
    measured. ``visit`` counts from 0 how often the cell was measured before; ``load`` is the load of the machine per
    core, ``warning`` why its times may be doubted. ``judge`` names the method whose answer was the reference, where the
    problem has none of its own.
    """

    suite: str
    problem: str
    method: str
    engine: str
    inputs: int
    outputs: int
    status: str = "ok"
    reason: str = ""
    error: float | None = None
    tolerance: float | None = None
    prepare_seconds: float | None = None
    run_seconds: float | None = None
    run_seconds_min: float | None = None
    run_seconds_iqr: float | None = None
    run_samples: tuple[float, ...] = ()
    loops: int | None = None
    repeats: int | None = None
    function_seconds: float | None = None
    function_seconds_min: float | None = None
    function_seconds_iqr: float | None = None
    operations: int | None = None
    function_operations: int | None = None
    graph_steps: int | None = None
    function_calls: int | None = None
    peak_memory_bytes: int | None = None
    sweeps: int | None = None
    started: str = ""
    study: str = "cells"
    step_size: float | None = None
    depth: int | None = None
    bytes: int | None = None
    predicted_seconds: float | None = None
    bound_seconds: float | None = None
    printed: str = ""
    cell_seconds: float | None = None
    host: str = ""
    visit: int = 0
    run_seconds_mad: float | None = None
    run_seconds_low: float | None = None
    run_seconds_high: float | None = None
    function_seconds_mad: float | None = None
    function_seconds_low: float | None = None
    function_seconds_high: float | None = None
    function_samples: tuple[float, ...] = ()
    reference_seconds: float | None = None
    reference_samples: tuple[float, ...] = ()
    timed_seconds: float | None = None
    load: float | None = None
    warning: str = ""
    judge: str = ""

    @property
    def cell(self) -> Cell:
        """The cell that this row is about."""
        return Cell(**{name: getattr(self, name) for name in CELL})


CELL = tuple(field.name for field in fields(Cell))
"""The columns that say which cell a row is about."""
COLUMNS = tuple(field.name for field in fields(Measurement))
EXCEEDED = ("timed out", "out of memory")
"""What happens to a larger cell as well, if it has happened to one."""
PREDICTED = "predicted to exceed"
PASSING = {*EXCEEDED, PREDICTED}
SAMPLES = ("run_samples", "function_samples", "reference_samples")
_ADDED = ("cell_seconds", "timed_seconds", "repeats")
_LARGEST = ("load", "peak_memory_bytes")
_EMPTY = {field.name: field.default for field in fields(Measurement) if field.default in ("", (), 0)}
_NUMBERS = [field.name for field in fields(Measurement) if field.type in ("float | None", "int | None")]


def measurement(row: dict[str, Any]) -> Measurement:
    """Read a row back from what JSON makes of it; columns of another version are left out."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Measurement(**{name: value for name, value in values.items() if name in COLUMNS})


def append(folder: Path, row: Measurement) -> None:
    """Put one row on disk, for good: it is there when this returns, whatever happens next."""
    with (folder / ROWS).open("a", encoding="utf-8") as file:
        file.write(as_line(row))
        file.flush()
        os.fsync(file.fileno())


def as_line(row: Measurement) -> str:
    """Write a row as the file has it: one JSON object and the end of the line."""
    columns = {column: _storable(value) for column, value in asdict(row).items()}
    return json.dumps(columns, allow_nan=False) + "\n"


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Make the folder of a run, and be the one that writes to it, until this is left or the process ends.

    Raises
    ------
    ResultsError
        The folder cannot be written, or another process writes to it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ROWS).open("ab")
    except OSError as error:
        raise ResultsError(f"cannot write to {folder}: {error}; choose another folder with --out") from None
    with file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # whoever holds it and dies lets go of it
            except OSError:
                raise ResultsError(f"another run writes to {folder}; let it end, or choose another --out") from None
        yield


def recover(folder: Path) -> list[Measurement]:
    """Read the rows that an earlier run has left, to go on with it: a torn last line is cut off, the next is whole.

    Raises
    ------
    ResultsError
        A line that is not a row.
    """
    path = folder / ROWS
    content = path.read_bytes()
    rows, whole = _rows(content, path)
    if whole < len(content):
        os.truncate(path, whole)
    return list(map(measurement, rows))


def load(folder: Path | str) -> pd.DataFrame:
    """Read a run back: one row per measurement, in the order in which they were made.

    A torn last line, as a sudden end leaves it, is dropped. Of a cell that was measured again the last row counts.

    Raises
    ------
    ResultsError
        The folder holds no run, or a line that is not a row.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     append(Path(folder), Measurement("quick", "rosenbrock", "reverse", "numpy", 2, 1, error=0.0))
    ...     load(folder)[["problem", "method", "inputs", "status"]].values.tolist()
    [['rosenbrock', 'reverse', 2, 'ok']]
    """
    path = Path(folder) / ROWS
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ResultsError(f"no run in {folder}: {error}; name a folder that `diffkit bench` wrote") from None
    rows, _ = _rows(content, path)
    return to_frame(merged(rows))


def merged(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per cell: of a cell that was measured again the last row counts, and visits are put together.

    Samples are joined, and summed up anew. A visit that failed speaks for the cell, unless it had too little time or
    memory in a busy minute, and another one had enough.
    """
    last = {tuple(row.get(name) for name in CELL): row for row in rows}
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in last.values():
        cells.setdefault(tuple(row.get(name) for name in CELL if name != "visit"), []).append(row)
    return [_joined(visits) if visits[1:] else visits[0] for visits in cells.values()]


def _joined(visits: list[dict[str, Any]]) -> dict[str, Any]:
    failed = [row for row in visits if row["status"] != "ok"]
    visits = [row for row in visits if row["status"] == "ok"]
    if not visits or not {row["status"] for row in failed} <= PASSING:
        return {**failed[0], "visit": 0}
    samples = {name: [sample for row in visits for sample in row[name]] for name in SAMPLES}
    known = {name: [row[name] for row in visits if row.get(name) is not None] for name in (*_ADDED, *_LARGEST)}
    whole = {**visits[0], **samples, **described(samples)}
    whole |= {name: sum(known[name]) for name in _ADDED if known[name]}
    whole |= {name: max(known[name]) for name in _LARGEST if known[name]}
    whole["prepare_seconds"] = statistics.median(row["prepare_seconds"] for row in visits)
    return whole | {"warning": warning(whole["run_samples"], whole["reference_samples"], whole.get("load"))}


def described(samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Sum up the samples of run, function and reference, in columns of a row."""
    found = {
        f"{name}_seconds{what}": value
        for name in ("run", "function")
        for what, value in summary(samples[f"{name}_samples"]).items()
    }
    return found | {"reference_seconds": statistics.median(samples["reference_samples"])}


def to_frame(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Measurements as a DataFrame with all columns; what is not known is NaN."""
    import pandas as pd  # on demand: pandas costs more to import than the rest of diffkit together

    whole = [{**_EMPTY, **row} for row in rows]  # an older run lacks columns
    return pd.DataFrame(whole, columns=list(COLUMNS)).astype(dict.fromkeys(_NUMBERS, "float64"))


def _rows(content: bytes, path: Path) -> tuple[list[dict[str, Any]], int]:
    """All rows of a file, and how many bytes they take: what follows the last end of a line is torn."""
    whole = content.rfind(b"\n") + 1
    rows = []
    for number, line in enumerate(content[:whole].split(b"\n")[:-1], start=1):
        try:
            rows.append(json.loads(line))
        except ValueError:  # no JSON, or no text
            shown = line[:60].decode(errors="replace")
            raise ResultsError(f"{path}, line {number} is not a row: {shown!r}; delete it") from None
    return rows, whole


def _storable(value: object) -> object:
    """JSON has no NaN and no infinity: what is not a number is not known."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
