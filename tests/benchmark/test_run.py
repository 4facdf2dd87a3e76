from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from diffkit.benchmark import run
from diffkit.benchmark.results import ROWS, Measurement, load
from diffkit.benchmark.run import run_suite
from diffkit.benchmark.suite import Suite
from diffkit.errors import ResultsError

SUITE = Suite.parse(
    """
    [limits]
    seconds = 3
    [[grid]]
    problems = ["tanh-map"]
    methods = ["forward", "reverse"]
    inputs = [1, 10, 100]
    outputs = [1, 10]
    """,
    "mine",
)


@pytest.fixture
def measured(monkeypatch):
    """Replace the measuring of a cell by a function of it; hands back what was measured."""

    def replace(answer):
        cells = []

        def measure_cell(cell, limits):
            assert limits == SUITE.limits
            cells.append(cell)
            status = answer(cell)
            return Measurement("mine", cell.problem, cell.method, "numpy", cell.inputs, cell.outputs, status)

        monkeypatch.setattr(run, "measure_cell", measure_cell)
        return cells

    return replace


@pytest.fixture
def quiet():
    return Console(file=io.StringIO(), width=120)


def finished(folder):
    return json.loads((folder / "environment.json").read_text(encoding="utf-8"))["finished"]


def test_every_cell_leaves_a_row_in_order(measured, quiet, tmp_path):
    cells = measured(lambda _cell: "ok")
    rows = run_suite(SUITE, tmp_path / "new" / "folder", quiet)
    assert tuple(cells) == SUITE.cells
    frame = load(tmp_path / "new" / "folder")
    sizes = [(cell.method, cell.inputs, cell.outputs) for cell in SUITE.cells]
    assert list(zip(frame["method"], frame["inputs"], frame["outputs"], strict=True)) == sizes
    assert len(rows) == len(sizes)
    assert finished(tmp_path / "new" / "folder")


def test_a_row_is_on_disk_before_the_next_cell_starts(measured, quiet, tmp_path):
    seen = []

    def answer(_cell):
        seen.append(len((tmp_path / ROWS).read_text(encoding="utf-8").splitlines()))
        return "ok"

    measured(answer)
    run_suite(SUITE, tmp_path, quiet)
    assert seen == list(range(len(SUITE.cells)))


def test_control_c_keeps_the_finished_rows(measured, quiet, tmp_path):
    def answer(cell):
        if (cell.method, cell.inputs) == ("forward", 100):
            raise KeyboardInterrupt
        return "ok"

    measured(answer)
    with pytest.raises(KeyboardInterrupt):
        run_suite(SUITE, tmp_path, quiet)
    assert len(load(tmp_path)) == 4
    assert finished(tmp_path)


def test_larger_cells_of_a_row_that_timed_out_are_skipped_with_a_prediction(measured, quiet, tmp_path):
    cells = measured(lambda cell: "timed out" if (cell.method, cell.inputs) == ("forward", 10) else "ok")
    run_suite(SUITE, tmp_path, quiet)
    tried = {(cell.method, cell.inputs, cell.outputs) for cell in cells}
    assert tried == {
        ("forward", 1, 1), ("forward", 10, 1), ("forward", 1, 10),
        *(("reverse", A, B) for A in (1, 10, 100) for B in (1, 10)),
    }  # fmt: skip
    frame = load(tmp_path)
    skipped = frame[frame["status"] == "skipped"]
    assert set(zip(skipped["inputs"], skipped["outputs"], strict=True)) == {(100, 1), (10, 10), (100, 10)}
    last = skipped[(skipped["inputs"] == 100) & (skipped["outputs"] == 10)]["reason"].item()
    assert last == (
        "A = 10, B = 1 did not finish within 3 s; this is 100 x as large, which takes 300 s if cost grows in proportion"
    )


@pytest.mark.parametrize("status", ["failed", "too large", "disagrees", "skipped"])
def test_only_time_predicts_time(measured, quiet, tmp_path, status):
    cells = measured(lambda _cell: status)
    run_suite(SUITE, tmp_path, quiet)
    assert len(cells) == len(SUITE.cells)


def test_a_new_run_replaces_the_old_one(measured, quiet, tmp_path):
    measured(lambda _cell: "ok")
    run_suite(SUITE, tmp_path, quiet)
    run_suite(SUITE, tmp_path, quiet)
    assert len(load(tmp_path)) == len(SUITE.cells)


def test_a_folder_that_cannot_be_written_is_an_error_with_a_cure(measured, quiet, tmp_path):
    measured(lambda _cell: "ok")
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ResultsError, match=r"cannot write to .*choose another folder with --out"):
        run_suite(SUITE, tmp_path / "file", quiet)


def test_the_progress_names_the_last_cell_and_counts_them_all(measured, tmp_path):
    measured(lambda _cell: "ok")
    shown = io.StringIO()
    run_suite(SUITE, tmp_path, Console(file=shown, width=120))
    assert "12/12" in shown.getvalue()
    assert "tanh-map, reverse, numpy, A = 100, B = 10" in shown.getvalue()
