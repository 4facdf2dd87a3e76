"""How long will a suite take? From earlier rows of the same cells where there are some, from counted work elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from diffkit import costs, problems
from diffkit.benchmark.grid import Cell, Limits
from diffkit.benchmark.methods import Method
from diffkit.benchmark.results import PREDICTED, ROWS, Measurement, recover
from diffkit.benchmark.suite import Suite
from diffkit.differentiators import FiniteDifference, Reverse, Symbolic
from diffkit.errors import DiffkitError

OVERHEAD = 0.01
"""Seconds that a cell takes besides: the problem is made, its answer compared, its row written."""

PREPARATION = 0.005
SYMBOLIC = 0.2
"""Seconds that a method, and the symbolic one, usually takes to prepare."""


@dataclass
class Row:
    """All cells of a grid that differ in size or step size only.

    Attributes
    ----------
    measured
        How many of them an earlier run has measured, whose times count.
    """

    cell: Cell
    cells: int = 0
    measured: int = 0
    seconds: float = 0.0
    sizes: set[tuple[int, int]] = field(default_factory=set)


def forecast(suite: Suite, folder: Path) -> list[Row]:
    """Count the cells of every row of a grid, and predict what they take; nothing is measured.

    Parameters
    ----------
    suite
        The grid, with its limits.
    folder
        Where an earlier run may lie: its times count where it has a cell.

    Examples
    --------
    >>> grid = "grid = {problems = ['tanh-map'], methods = ['forward', 'reverse'], inputs = [1, 10, 100]}"
    >>> [(row.cell.method, row.cells, row.measured) for row in forecast(Suite.parse(grid, "mine"), Path("nowhere"))]
    [('forward', 15, 0), ('reverse', 15, 0)]
    """
    earlier = dict(_earlier(recover(folder))) if (folder / ROWS).exists() else {}
    rows: dict[Cell, Row] = {}
    for cell in suite.cells:
        row = rows.setdefault(replace(cell.row, step_size=None), Row(cell))
        known = earlier.get(_key(cell))
        row.cells += 1
        row.measured += known is not None
        row.seconds += _predicted(cell, suite.limits) if known is None else known
        row.sizes.add((cell.inputs, cell.outputs))
    return list(rows.values())


def _earlier(found: Iterable[Measurement]) -> Iterator[tuple[Cell, float]]:
    for row in found:
        if row.status == PREDICTED or row.cell_seconds is not None:
            yield _key(row.cell), row.cell_seconds or 0.0


def _key(cell: Cell) -> Cell:
    return replace(cell, suite="")


def _predicted(cell: Cell, limits: Limits) -> float:
    """Seconds of a cell: three quantities are sampled, and preparation; a run is made a few times besides."""
    method = Method.parse(cell.method)
    preparation = SYMBOLIC if method.name == Symbolic.name else PREPARATION
    if 8 * cell.inputs * cell.outputs > limits.jacobian_bytes:
        return OVERHEAD
    if cell.study != "cells":
        return min(limits.seconds, OVERHEAD + preparation)
    once = _work(cell.problem, cell.inputs, cell.outputs)
    sweeps = method.differentiator(cell.engine).sweeps(cell.inputs, cell.outputs)
    finite = method.name == FiniteDifference.name
    run = (once.times(sweeps) if finite else costs.sweep(once, sweeps)).seconds(cell.engine)
    sampled = [max(limits.budget_seconds, limits.repeats * one) for one in (run, once.seconds("numpy"), 0.0)]
    prepared = max(limits.budget_seconds, preparation)
    return min(limits.seconds, sum(sampled) + prepared + 4 * run + OVERHEAD)


@cache
def _work(problem: str, inputs: int, outputs: int) -> costs.Work:
    """Count the work of one evaluation of f; none where that cannot be told beforehand."""
    instance = problems.get(problem).at(inputs, outputs)
    try:
        graph = Reverse(engine="interpreted").prepare(instance.function, instance.point, product="value").graph
    except DiffkitError:  # it cannot be traced
        return costs.Work()
    return costs.work(graph) if graph else costs.Work()
