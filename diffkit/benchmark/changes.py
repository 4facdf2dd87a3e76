"""What became slower, what faster, between two runs? Beyond what chance and a busy machine would do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from diffkit.benchmark.environment import read_environment
from diffkit.benchmark.grid import Cell
from diffkit.benchmark.results import CELL, load
from diffkit.benchmark.statistics import rank_test
from diffkit.errors import InputError
from diffkit.measure import FEWEST_REPEATS

SIGNIFICANT = 0.002
"""Differences that chance brings about more rarely count. Seven samples a side that do not overlap reach 0.0006."""

FACTOR = 1.1
"""How many times as slow a cell must be to count as slower."""

FAST = 0.1
"""The share of the fastest samples."""

Verdict = Literal["slower", "faster", "no change", "undecided", "broken", "mended", "only before", "only after"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """What became of one cell.

    Attributes
    ----------
    verdict
        "slower" and "faster" are significant and beyond the factor; "broken" was ok and is not any more, "mended" the
        other way round; "undecided" has too few samples a side.
    factor
        Time after over time before, both by the reference; NaN where it is not known.
    p
        How likely chance alone makes such a difference.
    note
        What else there is to say.
    """

    cell: Cell
    verdict: Verdict
    factor: float = math.nan
    p: float = math.nan
    note: str = ""

    @property
    def regression(self) -> bool:
        """Whether it is for the worse."""
        return self.verdict in ("slower", "broken")


@dataclass(frozen=True)
class Comparison:
    """All cells of two runs, and what is other about the places where they were made.

    Attributes
    ----------
    factor
        The geometric mean of the factors of all cells that both runs timed; NaN where there is none.
    environments
        What differs, as ``(fact, before, after)``.
    """

    changes: tuple[Change, ...]
    environments: tuple[tuple[str, str, str], ...]

    @property
    def factor(self) -> float:  # noqa: D102 - among the attributes
        logs = [math.log(change.factor) for change in self.changes if change.factor > 0]
        return math.exp(math.fsum(logs) / len(logs)) if logs else math.nan

    @property
    def counts(self) -> Counter[str]:
        """How many cells have each verdict."""
        return Counter(change.verdict for change in self.changes)

    @property
    def regressed(self) -> bool:
        """Whether any cell changed for the worse."""
        return any(change.regression for change in self.changes)

    def as_facts(self) -> dict[str, Any]:
        """All of it as plain words and numbers; what is not known is None."""
        return {
            "factor": _known(self.factor),
            "counts": dict(self.counts),
            "environments": [dict(zip(("fact", "before", "after"), facts, strict=True)) for facts in self.environments],
            "changes": [_facts(change) for change in self.changes],
        }


def compare_runs(before: Path | str, after: Path | str, beyond: float = FACTOR) -> Comparison:
    """Which cells changed between two runs?

    Times are set beside the reference. Samples over those of their own round are compared by `rank_test`, which says
    whether they differ by more than chance; the factor (`fastest`) says whether by so much that it matters: two
    processes that run the same code differ by some per cent, however many samples each takes.

    Parameters
    ----------
    before, after
        Folders that ``diffkit bench`` wrote.
    beyond
        How many times as slow, or as fast, counts; above 1.

    Raises
    ------
    ResultsError
        A folder holds no run.
    InputError
        ``beyond`` is not above 1.
    """
    if not 1.0 < beyond < math.inf:
        raise InputError(f"a change beyond {beyond:g} x; give a factor above 1, such as {FACTOR}")
    first, second = load(before), load(after)
    rows = [{_cell(row): row for row in frame.to_dict("records")} for frame in (first, second)]
    facts = [read_environment(Path(folder)) for folder in (before, after)]
    changes = [_change(cell, rows[0].get(cell), rows[1].get(cell), beyond) for cell in {**rows[0], **rows[1]}]
    return Comparison(tuple(changes), tuple(_other_places(*facts)))


def _cell(row: Mapping[Any, Any]) -> Cell:
    """Which cell a row is about, whatever the suite was called; older rows lack some columns."""
    known = {name: row[name] for name in CELL if row[name] is not None and row[name] == row[name]}  # NaN
    return Cell(**{**known, "suite": "", "visit": 0})


def _change(cell: Cell, before: dict[Any, Any] | None, after: dict[Any, Any] | None, beyond: float) -> Change:
    if before is None or after is None:
        return Change(cell, "only after" if before is None else "only before")
    if before["status"] != after["status"]:
        return _other_status(cell, before, after)
    if before["status"] != "ok" or cell.study != "cells":
        return Change(cell, "no change", note="" if before["status"] == "ok" else f"{before['status']} both times")
    return _timed(cell, before, after, beyond)


def _other_status(cell: Cell, before: dict[Any, Any], after: dict[Any, Any]) -> Change:
    note = f"{before['status']} -> {after['status']}"
    if "ok" not in (before["status"], after["status"]):
        return Change(cell, "no change", note=note)
    reason = f": {after['reason']}" if after["reason"] else ""
    return Change(cell, "broken" if before["status"] == "ok" else "mended", note=note + reason)


def _timed(cell: Cell, before: dict[Any, Any], after: dict[Any, Any], beyond: float) -> Change:
    samples = [_samples(row) for row in (before, after)]
    fewest = min(run.size for run, _ in samples)
    if fewest < FEWEST_REPEATS:
        return Change(cell, "undecided", note=f"{fewest} samples with a reference; {FEWEST_REPEATS} a side are needed")
    factor = fastest(*samples[1]) / fastest(*samples[0])
    p = rank_test(*(run / reference for run, reference in samples))
    warnings = dict.fromkeys(row["warning"] for row in (before, after))
    verdict: Verdict = "no change"
    if p < SIGNIFICANT and max(factor, 1 / factor) > beyond:
        verdict = "slower" if factor > 1 else "faster"
    return Change(cell, verdict, factor, p, "; ".join(filter(None, warnings)))


def fastest(run: Array, reference: Array) -> float:
    """Take the fastest rounds: the first decile of a run over that of the reference.

    What disturbs a program only ever makes it slower, and code of another kind than the reference loses more or less
    than that does. So the fast end repeats best; its very end, the minimum, rests on a single sample.
    """
    return float(np.quantile(run, FAST) / np.quantile(reference, FAST))


def _samples(row: Mapping[Any, Any]) -> tuple[Array, Array]:
    """Read the samples of a cell and those of the reference beside them; none of an older run."""
    run, reference = (np.asarray(row[name], dtype=float) for name in ("run_samples", "reference_samples"))
    return (run, reference) if run.size == reference.size else (np.empty(0), np.empty(0))


def _other_places(before: dict[str, Any], after: dict[str, Any]) -> Iterable[tuple[str, str, str]]:
    for fact in ("cpu", "cores", "platform", "python", "numpy", "scipy", "sympy", "threads", "memory"):
        if before.get(fact) != after.get(fact):
            yield fact, str(before.get(fact)), str(after.get(fact))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _facts(change: Change) -> dict[str, Any]:
    facts = {"cell": str(change.cell), **asdict(change.cell), **asdict(change)}
    facts["cell"] = str(change.cell)
    return {**facts, "factor": _known(change.factor), "p": _known(change.p)}
