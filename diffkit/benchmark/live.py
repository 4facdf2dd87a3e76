"""What is shown while a run goes on: nothing, a line per cell, an object per cell, or a picture that changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from statistics import fmean, median
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from diffkit.benchmark.grid import Cell
from diffkit.benchmark.results import Measurement, as_line


class Progress:
    """How far a run is, what the rest will take, and who is fastest so far.

    Parameters
    ----------
    missing
        The cells to be measured.
    rows
        What an earlier run has left of the same grid.

    Examples
    --------
    >>> cells = [Cell("mine", "tanh-map", "reverse", "numpy", A, 1) for A in (1, 10, 100)]
    >>> progress = Progress(cells, [])
    >>> progress.ends(Measurement("mine", "tanh-map", "reverse", "numpy", 1, 1, run_seconds=1e-6, cell_seconds=0.5))
    >>> progress.done, progress.total, progress.seconds_left
    (1, 3, 1.0)
    >>> progress.winners
    {'tanh-map': Counter({'reverse': 1})}
    """

    def __init__(self, missing: Sequence[Cell], rows: Sequence[Measurement]) -> None:
        self.total = len(missing) + len(rows)
        self.done = 0
        self.running: list[Cell] = []
        self._left = Counter(cell.row for cell in missing) + Counter(row.cell.row for row in rows)
        self._costs: defaultdict[Cell, list[float]] = defaultdict(list)
        self._fastest: dict[tuple[str, int, int], Measurement] = {}
        for row in rows:
            self.ends(row)

    def begins(self, cell: Cell) -> None:
        """Count a cell that is being measured."""
        self.running.append(cell)

    def ends(self, row: Measurement) -> None:
        """Count a cell that is finished."""
        self.done += 1
        self.running = [cell for cell in self.running if cell != row.cell]
        self._left[row.cell.row] -= 1
        self._costs[row.cell.row].append(row.cell_seconds or 0.0)
        size = row.problem, row.inputs, row.outputs
        if row.status == "ok" and row.run_seconds is not None:
            self._fastest[size] = min(self._fastest.get(size, row), row, key=lambda each: each.run_seconds or 0.0)

    @property
    def seconds_left(self) -> float | None:
        """What the rest takes if each cell takes what those of its kind took on average; None where none is finished.

        Kinds that have not begun count as a middle one: a few cells that run into their limits would spoil a mean.
        """
        if not self._costs:
            return None
        means = {kind: fmean(costs) for kind, costs in self._costs.items()}
        usual = median(means.values())
        return sum(means.get(kind, usual) * count for kind, count in self._left.items()) / max(1, len(self.running))

    @property
    def winners(self) -> dict[str, Counter[str]]:
        """At how many sizes of each problem is a method the fastest?"""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for (problem, _, _), row in self._fastest.items():
            found[problem][row.method if row.engine == "numpy" else f"{row.method} on {row.engine}"] += 1
        return dict(found)


class View:
    """Watches a run, and shows nothing. Those that show something say what in `show`."""

    progress: Progress

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def starts(self, missing: Sequence[Cell], rows: Sequence[Measurement]) -> None:
        """See what is to be measured, and the rows that an earlier run has left."""
        self.progress = Progress(missing, rows)

    def begins(self, cell: Cell) -> None:
        """See a cell being measured."""
        self.progress.begins(cell)
        self.show(None)

    def ends(self, row: Measurement) -> None:
        """See a cell finished."""
        self.progress.ends(row)
        self.show(row)

    def show(self, finished: Measurement | None) -> None:
        """Show how far the run is; ``finished`` is the row that has just been made, if it is that."""


class Objects(View):
    """Prints one JSON object per finished cell, as the file of rows has it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, finished: Measurement | None) -> None:
        """Print the row."""
        if finished is not None:
            self._console.file.write(as_line(finished))
            self._console.file.flush()


class Lines(View):
    """Prints a line per finished cell, for what is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, finished: Measurement | None) -> None:
        """Print the line."""
        if finished is not None:
            self._console.out(_line(self.progress, finished), highlight=False)


class Picture(View):
    """Shows the current cell, the time left and the winners so far, in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=2)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._live.stop()

    def show(self, finished: Measurement | None) -> None:
        """Draw anew; what is drawn appears at the next refreshment."""
        self._live.update(_picture(self.progress))


def _line(progress: Progress, row: Measurement) -> str:
    found = f"{row.run_seconds:.3g} s a run" if row.status == "ok" and row.run_seconds else row.reason
    parts = [f"{progress.done}/{progress.total} {row.cell}: {row.status}", found, _left(progress)]
    return ", ".join(filter(None, parts))


def _left(progress: Progress) -> str:
    seconds = progress.seconds_left
    return "" if seconds is None else f"about {timedelta(seconds=round(seconds))} left"


def _picture(progress: Progress) -> Group:
    head = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=progress.total, completed=progress.done, width=20)
    head.add_row(bar, f"{progress.done}/{progress.total}", Text(_left(progress)), Text(_current(progress)))
    table = Table("problem", "fastest at so many sizes", box=None)
    for problem, counts in progress.winners.items():
        table.add_row(Text(problem), Text(", ".join(f"{label} {count}" for label, count in counts.most_common())))
    return Group(head, table) if table.row_count else Group(head)


def _current(progress: Progress) -> str:
    more = f" and {len(progress.running) - 1} more" if progress.running[1:] else ""
    return f"{progress.running[0]}{more}" if progress.running else ""
