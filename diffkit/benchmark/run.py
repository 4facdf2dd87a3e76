"""The loop over the cells of a suite; every row is on disk before anything else is made of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from diffkit.benchmark.environment import ENVIRONMENT, differing, environment, now, write_environment
from diffkit.benchmark.grid import Cell, Limits
from diffkit.benchmark.live import View
from diffkit.benchmark.results import (
    EXCEEDED,
    PREDICTED,
    ROWS,
    SUITE,
    Measurement,
    append,
    measurement,
    merged,
    only_writer,
    recover,
)
from diffkit.benchmark.suite import Suite
from diffkit.benchmark.workers import Worker
from diffkit.errors import ResultsError, UnknownNameError
from diffkit.files import clear_drafts, write_whole

STATUSES = ("ok", "failed", "disagrees", "skipped", "too large", *EXCEEDED, PREDICTED, "crashed", "exited")
"""How a cell may end; "crashed" and "exited" say more in parentheses."""


class Place(Protocol):
    """Where cells are measured: a worker process, or a cluster."""

    def facts(self) -> dict[str, Any]:
        """Say what the environment of a run should tell of this place."""
        ...

    def each(self, cells: Iterable[Cell], limits: Limits) -> Iterator[Measurement]:
        """Measure these cells; take the next one only when there is room for it, and hand back rows as they come."""
        ...


def run_suite(
    suite: Suite,
    folder: Path,
    *,
    place: AbstractContextManager[Place] | None = None,
    view: View | None = None,
    resume: bool = False,
    repeat: Collection[str] = (),
) -> list[Measurement]:
    """Measure every cell of a suite and leave a row for each in ``folder``, which is made if need be.

    Once a cell has taken too much time or memory, larger cells that differ from it in size only are not tried, and
    their rows say what they would take. Ctrl-C, or any other end, keeps all rows that are finished.

    Parameters
    ----------
    suite
        The grid, with its limits.
    folder
        Where the run is kept. What an earlier run left there is replaced, unless it is resumed.
    place
        Where cells are measured; a worker process on this machine if not given.
    view
        What is shown meanwhile; nothing if not given.
    resume
        Go on with the run in the folder: measure only what is missing.
    repeat
        Of a run that is resumed, measure those cells again that ended so: words of `STATUSES`, with hyphens.

    Returns
    -------
    list of Measurement
        One row per cell that is finished, as `diffkit.load` would read it.

    Raises
    ------
    ResultsError
        The folder cannot be written, another run writes to it, or it holds the run of another grid.
    UnknownNameError
        There is no such status to repeat.
    """
    again = _statuses(repeat)
    with place or Worker() as here, only_writer(folder):
        kept = _kept(suite, folder, again) if resume else _cleared(folder)
        for name in (SUITE, ENVIRONMENT):  # what a sudden end has left
            clear_drafts(folder / name)
        write_whole(folder / SUITE, suite.text.encode())
        run = _Run(suite, folder, view or View(), kept)
        with _recorded(folder, {**environment(), **here.facts()}, resumed=bool(kept)), run.view:
            run.view.starts(run.missing, list(kept.values()))
            for row in here.each(run.tried(), suite.limits):
                run.finish(row)
    return list(map(measurement, merged(map(asdict, run.rows.values()))))


@dataclass
class _Run:
    """A run on its way: what is finished, by cell, and what is not."""

    suite: Suite
    folder: Path
    view: View
    rows: dict[Cell, Measurement]
    missing: list[Cell] = field(init=False)

    def __post_init__(self) -> None:
        self.missing = [cell for cell in self.suite.cells if cell not in self.rows]

    def tried(self) -> Iterator[Cell]:
        """Yield one missing cell after another, and finish those that need not be tried."""
        for cell in self.missing:
            if (row := self._predicted(cell)) is None:
                self.view.begins(cell)
                yield cell
            else:
                self.finish(row)

    def finish(self, row: Measurement) -> None:
        append(self.folder, row)
        self.rows[row.cell] = row
        self.view.ends(row)

    def _predicted(self, cell: Cell) -> Measurement | None:
        """A row that says why this cell need not be tried, where a smaller one of its kind took too much."""
        for other, row in self.rows.items():
            if row.status in EXCEEDED and other.row == cell.row and cell.at_least(other):
                reason = _prediction(cell, other, row.status, self.suite.limits)
                return Measurement(**asdict(cell), status=PREDICTED, reason=reason, started=now())
        return None


def _prediction(cell: Cell, smaller: Cell, status: str, limits: Limits) -> str:
    growth = cell.size / smaller.size
    if status == "timed out":
        found = f"did not finish within {limits.seconds:g} s"
        expected = f"{growth * limits.seconds:,.0f} s"
    else:
        found = f"ran out of {limits.memory_bytes / 1e6:,.0f} MB"
        expected = f"{growth * limits.memory_bytes / 1e6:,.0f} MB"
    return (
        f"{smaller.size_text} {found}; this is {growth:,.1f} x as large, "
        f"which takes {expected} if cost grows in proportion"
    )


def _cleared(folder: Path) -> dict[Cell, Measurement]:
    (folder / ROWS).write_bytes(b"")
    return {}


def _kept(suite: Suite, folder: Path, again: Collection[str]) -> dict[Cell, Measurement]:
    """The rows of an earlier run of this grid that need not be made again; the last of each cell."""
    rows = recover(folder)
    if rows:
        _check_same_grid(suite, folder)
    # A suite may have had another name when a row was made; the cell is the same.
    last = {replace(row.cell, suite=suite.name): replace(row, suite=suite.name) for row in rows}
    return {cell: row for cell, row in last.items() if row.status.partition(" (")[0] not in again}


def _check_same_grid(suite: Suite, folder: Path) -> None:
    try:
        earlier = Suite.parse((folder / SUITE).read_text(encoding="utf-8"), suite.name)
    except FileNotFoundError:
        raise ResultsError(f"{folder} does not say which grid it holds ({SUITE}); run without --resume") from None
    if differences := earlier.differences(suite):
        raise ResultsError(
            f"{folder} holds the run of another grid: {'; '.join(differences)}. Resume the grid in {folder / SUITE}, "
            "or choose another folder with --out"
        )


def _statuses(words: Collection[str]) -> set[str]:
    """Read the statuses of cells to be measured again; what was predicted from one is predicted anew with it."""
    known = {status.replace(" ", "-"): status for status in STATUSES}
    for word in words:
        if word not in known:
            raise UnknownNameError(word, known, kind="status")
    found = {known[word] for word in words}
    return found | {PREDICTED} if found & set(EXCEEDED) else found


@contextmanager
def _recorded(folder: Path, facts: dict[str, Any], *, resumed: bool) -> Iterator[None]:
    """Say where and when a run was made; a run that is resumed keeps what was said before."""
    path = folder / ENVIRONMENT
    earlier: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if resumed and path.exists() else {}
    facts = differing(facts, earlier)
    whole = {**earlier, "resumed": [*earlier.get("resumed", []), facts]} if earlier else facts
    whole["finished"] = None
    write_environment(folder, whole)
    try:
        yield
    finally:
        whole["finished"] = facts["finished"] = now()
        write_environment(folder, whole)
