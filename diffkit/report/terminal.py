"""What changed between two runs, and what a run will take, as tables of a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from diffkit.benchmark.changes import Change, Comparison
from diffkit.benchmark.forecast import Row
from diffkit.report.words import listed, number, seconds

STYLES = {"slower": "red", "broken": "bold red", "faster": "green", "mended": "green", "undecided": "yellow"}


def tables(found: Comparison) -> Iterator[RenderableType]:
    """Write what is other about the machines, what changed, and a line that counts the rest."""
    if found.environments:
        places = Table("other here", "before", "after", box=None)
        for facts in found.environments:
            places.add_row(*map(Text, facts))
        yield places
    shown = [change for change in found.changes if change.verdict != "no change"]
    if shown:
        yield _table(sorted(shown, key=_weight))
    yield Text(_sentence(found))


def _table(changes: list[Change]) -> Table:
    table = Table("problem", "method", "engine", "A, B", "verdict", "after / before", "p", "note", box=None)
    for change in changes:
        cell, style = change.cell, STYLES.get(change.verdict, "")
        words = (cell.problem, cell.method, cell.engine, cell.size_text, change.verdict)
        numbers = (number(change.factor), f"{change.p:.1g}" if change.p >= 0 else "–")
        table.add_row(*(Text(word, style) for word in (*words, *numbers)), Text(change.note))
    return table


def _weight(change: Change) -> tuple[int, float]:
    """The worst first."""
    order = ["broken", "slower", "mended", "faster", "undecided", "only before", "only after"]
    return order.index(change.verdict), -abs(math.log(change.factor)) if change.factor > 0 else 0.0


def _sentence(found: Comparison) -> str:
    counts = listed(f"{count} {verdict}" for verdict, count in found.counts.most_common())
    timed = sum(change.factor > 0 for change in found.changes)
    mean = f"; geometric mean of after / before {number(found.factor)} over {timed} timed" if timed else ""
    return f"{len(found.changes)} cells: {counts}{mean}"


def forecast_table(rows: list[Row]) -> Iterator[RenderableType]:
    """Write how many cells each row of a grid has, and what they will take."""
    table = Table("problem", "method", "engine", "cells", "A", "B", "will take", box=None)
    for row in rows:
        sizes = [_range({size[axis] for size in row.sizes}) for axis in (0, 1)]
        words = (row.cell.problem, row.cell.method, row.cell.engine, f"{row.cells:,}", *sizes, seconds(row.seconds))
        table.add_row(*map(Text, words))
    yield table
    cells, measured = (sum(getattr(row, name) for row in rows) for name in ("cells", "measured"))
    total = timedelta(seconds=round(sum(row.seconds for row in rows)))
    known = f"{measured:,} of them as an earlier run took, the rest" if measured else "all"
    yield Text(f"{cells:,} cells, about {total} on one machine: {known} by counted work")


def _range(sizes: set[int]) -> str:
    return f"{min(sizes):,}" if len(sizes) == 1 else f"{min(sizes):,} to {max(sizes):,}"
