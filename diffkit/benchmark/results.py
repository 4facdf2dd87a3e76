"""One run is a folder: a row per measurement in ``measurements.jsonl``, ``environment.json`` beside it."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffkit import __version__
from diffkit.errors import ResultsError

if TYPE_CHECKING:
    import pandas as pd

ROWS = "measurements.jsonl"
ENVIRONMENT = "environment.json"
THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
    "1",
)
"""What cells run under: one thread of linear algebra, for threads make the times of small products noise."""


@dataclass(frozen=True)
class Measurement:
    """One row: one method on one engine, on one problem at one size.

    Seconds are per call; ``run_samples`` holds every sample of ``run``. ``None`` means that the cell ended
    before this was known, or that the method has no such number. ``step_size`` belongs to the study of step
    sizes, ``depth`` to that of expression swell. ``bytes`` is memory traffic as counted, ``predicted_seconds`` what a
    run should take by counted work, ``bound_seconds`` what the machine's own limits allow at best. ``printed`` is the
    end of what a cell printed that did not go well, ``cell_seconds`` all that it took, and ``host`` the machine where that is another one.
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


COLUMNS = tuple(field.name for field in fields(Measurement))
_NUMBERS = [field.name for field in fields(Measurement) if field.type in ("float | None", "int | None")]


def measurement(row: dict[str, Any]) -> Measurement:
    """Read a row back from what JSON makes of it; columns of another version are left out."""
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Measurement(**{name: value for name, value in values.items() if name in COLUMNS})


def append(folder: Path, measurement: Measurement) -> None:
    """Put one row on disk, for good: it is there when this returns, whatever happens next."""
    row = {column: _storable(value) for column, value in asdict(measurement).items()}
    with (folder / ROWS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def load(folder: Path | str) -> pd.DataFrame:
    """Read a run back: one row per measurement, in the order in which they were made.

    A torn last line, as a power cut leaves it, is dropped.

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
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"no run in {folder}: {error}; name a folder that `diffkit bench` wrote") from None
    return to_frame(_rows(lines, path))


def to_frame(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Measurements as a DataFrame with all columns; what is not known is NaN."""
    import pandas as pd  # on demand: pandas costs more to import than the rest of diffkit together

    return pd.DataFrame(list(rows), columns=list(COLUMNS)).astype(dict.fromkeys(_NUMBERS, "float64"))


def environment() -> dict[str, Any]:
    """Say where a run was made: versions, processor, commit, thread variables."""
    return {
        "python": platform.python_version(),
        **{package: _version(package) for package in ("numpy", "scipy", "sympy")},
        "diffkit": __version__,
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "commit": _commit(),
        "threads": THREADS,
        "started": now(),
        "finished": None,
    }


def write_environment(folder: Path, facts: dict[str, Any]) -> None:
    """Put the environment beside the rows."""
    (folder / ENVIRONMENT).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def now() -> str:
    """Tell the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _rows(lines: list[str], path: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            if number < len(lines):
                raise ResultsError(f"{path}, line {number} is not a row: {line[:60]!r}; delete it") from None
    return rows


def _storable(value: object) -> object:
    """JSON has no NaN and no infinity: what is not a number is not known."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """Name the CPU model; Linux tells it nowhere but here."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())


def _commit() -> str | None:
    """Name the commit that runs, marked ``-dirty`` where files differ; None outside a checkout of diffkit."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():  # an installed copy may lie inside somebody else's checkout
        return None
    command = ["git", "--no-optional-locks", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603 - constant
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()
