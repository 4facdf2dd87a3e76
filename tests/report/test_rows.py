from __future__ import annotations

import pandas as pd
import pytest

from diffkit.report import rows


def test_numpy_is_the_main_engine_wherever_it_ran(run):
    assert rows.main_engine(run) == "numpy"
    assert rows.main_engine(run[run["engine"] == "interpreted"]) == "interpreted"
    assert set(rows.cells(run)["engine"]) == {"numpy"}
    assert set(rows.cells(run)["study"]) == {"cells"}


def test_the_newest_row_of_a_cell_counts(run):
    again = run[(run["problem"] == "tanh-map") & (run["inputs"] == 10) & (run["method"] == "reverse")].assign(
        run_seconds=42.0
    )
    cells = rows.cells(pd.concat([run, again]))
    assert len(cells) == len(rows.cells(run))
    assert (cells["run_seconds"] == 42.0).sum() == len(again)


def test_methods_come_in_the_order_of_the_course():
    labels = [
        "zeta",
        "reverse",
        "symbolic(form=expression)",
        "forward",
        "alpha",
        "symbolic",
        "finite-difference",
    ]
    found = rows.methods(pd.DataFrame({"method": labels}))
    assert found == [
        "finite-difference",
        "symbolic",
        "symbolic(form=expression)",
        "forward",
        "reverse",
        "alpha",
        "zeta",
    ]


def test_the_longest_line_is_the_one_with_most_sizes_at_the_smallest_other_size(run):
    line = rows.longest_line(run, "inputs")
    assert set(line["problem"]) == {"tanh-map"}
    assert set(line["outputs"]) == {1}
    assert sorted(set(line["inputs"])) == [1, 3, 10, 30, 100, 300, 1000]
    assert set(line["status"]) == {"ok", "too large"}
    assert [set(part["problem"]) for part in rows.lines(run, "inputs")] == [{"tanh-map"}, {"rosenbrock"}]
    assert [set(part["problem"]) for part in rows.lines(run, "outputs")] == [{"tanh-map"}]


def test_four_sizes_at_a_larger_other_size_beat_two_at_the_smallest(law):
    made = law()
    measured = [
        *made.rows("short", [(1, 1), (2, 1)]),
        *made.rows("long", [(n, 5) for n in (1, 10, 100, 1000)]),
    ]
    frame = pd.DataFrame([vars(row) for row in measured])
    assert set(rows.longest_line(frame, "inputs")["problem"]) == {"long"}


def test_a_plane_has_no_tails(run):
    plane = rows.plane(run)
    assert set(plane["inputs"]) == set(plane["outputs"]) == {1, 3, 10, 30, 100}
    assert len(plane[["inputs", "outputs"]].drop_duplicates()) == 25


@pytest.mark.parametrize(
    "sizes",
    [[(n, 1) for n in (1, 2, 3)], [(n, n) for n in (1, 2, 3)], [(1, 1), (1, 2), (2, 1)]],
    ids=["line", "diagonal", "corner"],
)
def test_what_does_not_span_a_plane(law, sizes):
    frame = pd.DataFrame([vars(row) for row in law().rows("tanh-map", sizes)])
    assert rows.plane(frame).empty


def test_the_fullest_cell_is_the_largest_that_most_methods_finished(run):
    cell = rows.fullest_cell(rows.longest_line(run, "inputs"))
    assert set(cell["inputs"]) == {100}  # symbolic stops there
    assert len(cell) == 4
    assert list(rows.fullest_cells(run)["problem"].unique()) == ["tanh-map", "rosenbrock"]


SELECTIONS = [
    lambda frame: rows.longest_line(frame, "inputs"),
    lambda frame: rows.longest_line(frame, "outputs"),
    rows.plane,
    rows.fullest_cells,
    rows.preparation,
    rows.step_sizes,
    rows.swell,
]


@pytest.mark.parametrize("select", SELECTIONS)
@pytest.mark.parametrize("kept", ["nothing", "failures"])
def test_what_is_not_there_is_no_rows(run, select, kept):
    frame = run.iloc[:0] if kept == "nothing" else run[run["status"] == "failed"]
    assert select(frame).empty
