"""The loop over the cells of a suite, with its progress; every row is on disk before the next cell starts."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich import progress
from rich.console import Console
from rich.table import Column

from diffkit.benchmark.cells import measure_cell
from diffkit.benchmark.results import ROWS, Measurement, append, environment, now, write_environment
from diffkit.benchmark.suite import Cell, Suite
from diffkit.errors import ResultsError


def run_suite(suite: Suite, folder: Path, console: Console | None = None) -> list[Measurement]:
    """Measure every cell of a suite and leave a row for each in ``folder``, which is made if need be.

    What an earlier run left there is replaced. Once a cell has timed out, larger cells that differ from it in
    size only are skipped, with a prediction. Ctrl-C keeps all rows that are finished.

    Raises
    ------
    ResultsError
        The folder cannot be written.
    """
    facts = environment()
    _start(folder, facts)
    done: list[Measurement] = []
    exceeded: list[Cell] = []
    try:
        with _progress_bar(console) as bar:
            task = bar.add_task("", total=len(suite.cells))
            for cell in suite.cells:
                bar.update(task, description=str(cell))
                row = _predicted(cell, exceeded, suite) or measure_cell(cell, suite.limits)
                append(folder, row)
                done.append(row)
                if row.status == "timed out":
                    exceeded.append(cell)
                bar.advance(task)
    finally:
        write_environment(folder, {**facts, "finished": now()})
    return done


def _start(folder: Path, facts: dict[str, object]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ROWS).write_bytes(b"")
        write_environment(folder, facts)
    except OSError as error:
        raise ResultsError(f"cannot write to {folder}: {error}; choose another folder with --out") from None


def _predicted(cell: Cell, exceeded: list[Cell], suite: Suite) -> Measurement | None:
    """A row that says why this cell need not be tried, if a smaller one of its kind has timed out."""
    smaller = next((other for other in exceeded if other.row == cell.row and cell.at_least(other)), None)
    if smaller is None:
        return None
    growth = cell.size / smaller.size
    seconds = suite.limits.seconds
    reason = (
        f"{smaller.size_text} did not finish within {seconds:g} s; this is {growth:.3g} x as large, "
        f"which takes {growth * seconds:.3g} s if cost grows in proportion"
    )
    return Measurement(**asdict(cell), status="skipped", reason=reason, started=now())


def _progress_bar(console: Console | None) -> progress.Progress:
    return progress.Progress(
        progress.BarColumn(bar_width=20),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("left"),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
        console=console,
        expand=True,
    )
