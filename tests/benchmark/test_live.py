from __future__ import annotations

import io
import json
from dataclasses import asdict

import pytest
from rich.console import Console

from diffkit.benchmark.live import Lines, Objects, Picture, Progress, View
from diffkit.benchmark.results import Measurement
from diffkit.benchmark.suite import Suite

CELLS = Suite.parse(
    """
    [limits]
    visits = 1
    [[grid]]
    problems = ["tanh-map"]
    methods = ["forward", "reverse"]
    inputs = [1, 10, 100]
    """,
    "mine",
).cells


def row(cell, run_seconds=1e-6, cell_seconds=1.0, **more):
    return Measurement(**asdict(cell), run_seconds=run_seconds, cell_seconds=cell_seconds, **more)


def test_the_time_left_is_what_cells_of_each_kind_took_on_average():
    progress = Progress(CELLS, [])
    assert progress.seconds_left is None
    progress.ends(row(CELLS[0], cell_seconds=2.0))  # forward at A = 1
    assert progress.seconds_left == 2 * 2.0 + 3 * 2.0  # nothing is known of reverse yet
    progress.ends(row(CELLS[1], cell_seconds=0.5))  # reverse
    progress.ends(row(CELLS[2], cell_seconds=4.0))  # forward at A = 10
    assert progress.seconds_left == 1 * 3.0 + 2 * 0.5


def test_cells_that_run_side_by_side_share_the_time_left():
    progress = Progress(CELLS, [])
    progress.ends(row(CELLS[0], cell_seconds=2.0))
    for cell in CELLS[1:3]:
        progress.begins(cell)
    assert progress.seconds_left == 5 * 2.0 / 2


def test_a_prediction_costs_nothing_and_so_may_the_next_of_its_kind():
    progress = Progress(CELLS, [])
    progress.ends(row(CELLS[0], cell_seconds=2.0))
    progress.ends(row(CELLS[2], None, None, status="predicted to exceed"))
    assert progress.seconds_left == 1 * 1.0 + 3 * 1.0


def test_what_an_earlier_run_has_left_is_counted():
    progress = Progress(CELLS[2:], [row(cell) for cell in CELLS[:2]])
    assert (progress.done, progress.total, progress.seconds_left) == (2, 6, 4.0)


def test_the_winner_of_a_size_is_the_fastest_that_is_right():
    progress = Progress(CELLS, [])
    times = {"forward": (1e-6, 3e-6, 1e-6), "reverse": (2e-6, 1e-6, 2e-6)}
    for cell, size in zip(CELLS, (0, 0, 1, 1, 2, 2), strict=True):
        progress.ends(row(cell, times[cell.method][size]))
    assert progress.winners == {"tanh-map": {"forward": 2, "reverse": 1}}
    wrong = Progress(CELLS, [])
    wrong.ends(row(CELLS[0], 1e-9, status="disagrees"))
    assert wrong.winners == {}


@pytest.fixture
def shown():
    """Show a short run by a view of this kind; hands back what was written."""

    def show(kind, *, terminal=False):
        file = io.StringIO()
        console = Console(file=file, width=100, force_terminal=terminal)
        with kind(console) if kind is not View else View() as view:
            view.starts(CELLS, [])
            for number, cell in enumerate(CELLS):
                view.begins(cell)
                view.ends(row(cell) if number else row(cell, status="failed", reason="ValueError: [b]no[/b]"))
        return file.getvalue()

    return show


def test_nothing(shown):
    assert shown(View) == ""


def test_a_line_per_cell(shown):
    lines = shown(Lines).splitlines()
    assert lines[0] == ("1/6 tanh-map, forward, numpy, A = 1, B = 1: failed, ValueError: [b]no[/b], about 0:00:05 left")
    assert lines[5] == "6/6 tanh-map, reverse, numpy, A = 100, B = 1: ok, 1e-06 s a run, about 0:00:00 left"


def test_an_object_per_cell(shown):
    found = [json.loads(line) for line in shown(Objects).splitlines()]
    assert [entry["status"] for entry in found] == ["failed", *["ok"] * 5]
    assert found[0]["reason"] == "ValueError: [b]no[/b]"
    assert found[1]["inputs"] == CELLS[1].inputs


def test_a_picture_of_progress_and_winners(shown):
    text = shown(Picture, terminal=True)
    assert "6/6" in text
    assert "about 0:00:00 left" in text
    assert "fastest at so many sizes" in text
    assert "forward 2, reverse 1" in text  # of two as fast the first
