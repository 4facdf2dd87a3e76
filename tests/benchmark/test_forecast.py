from __future__ import annotations

from dataclasses import replace

import pytest

from diffkit.benchmark.forecast import forecast
from diffkit.benchmark.results import Measurement, append
from diffkit.benchmark.suite import Suite

TEXT = """
[limits]
visits = 1
seconds = 5.0
budget_seconds = {budget}
[[grid]]
problems = ["tanh-map"]
methods = ["forward", "finite-difference"]
inputs = [1, 10, 1000]
outputs = [1, 2]
"""


def suite(budget=0.01):
    return Suite.parse(TEXT.format(budget=budget), "mine")


def test_cells_are_counted_by_row(tmp_path):
    found = forecast(suite(), tmp_path)
    assert [(row.cell.method, row.cells, row.measured) for row in found] == [
        ("forward", 6, 0), ("finite-difference", 6, 0),
    ]  # fmt: skip
    assert found[0].sizes == {(A, B) for A in (1, 10, 1000) for B in (1, 2)}


def test_a_larger_budget_takes_longer_and_no_cell_takes_more_than_its_limit(tmp_path):
    little, much = (forecast(suite(budget), tmp_path) for budget in (0.01, 0.1))
    assert all(a.seconds < b.seconds for a, b in zip(little, much, strict=True))
    assert all(row.seconds <= 6 * 5.0 for row in forecast(suite(1000.0), tmp_path))


def test_what_an_earlier_run_took_counts(tmp_path):
    cells = suite().cells
    for cell in cells[:3]:
        append(tmp_path, Measurement(**vars(replace(cell, suite="before")), cell_seconds=3.0))
    known = {row.cell.method: row for row in forecast(suite(), tmp_path)}
    assert sum(row.measured for row in known.values()) == 3
    other = {row.cell.method: row for row in forecast(suite(), tmp_path / "nowhere")}
    assert sum(row.seconds for row in known.values()) - sum(row.seconds for row in other.values()) == pytest.approx(
        9.0, abs=1.0
    )


def test_a_cell_that_was_not_tried_takes_nothing(tmp_path):
    cell = suite().cells[0]
    append(tmp_path, Measurement(**vars(cell), status="predicted to exceed"))
    assert sum(row.measured for row in forecast(suite(), tmp_path)) == 1
