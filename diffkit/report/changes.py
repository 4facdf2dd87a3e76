"""What changed between two runs, as tables of a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from diffkit.benchmark.changes import Change, Comparison
from diffkit.report.words import listed, number

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
