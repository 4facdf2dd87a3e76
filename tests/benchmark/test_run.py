from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from diffkit.benchmark.environment import THREADS
from diffkit.benchmark.live import View
from diffkit.benchmark.results import ROWS, Measurement, append, load, only_writer
from diffkit.benchmark.run import PREDICTED, run_suite
from diffkit.benchmark.suite import Suite
from diffkit.errors import ResultsError, UnknownNameError

TEXT = """
[limits]
visits = 1
seconds = 3
memory_bytes = 500_000_000
[[grid]]
problems = ["tanh-map"]
methods = ["forward", "reverse"]
inputs = [1, 10, 100]
outputs = [1, 10]
"""
SUITE = Suite.parse(TEXT, "mine")


class Answering:
    """A place where every cell ends as a function of it says, at once."""

    def __init__(self, answer=lambda _cell: "ok"):
        self.answer = answer
        self.cells = []

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def facts(self):
        return {"where": "nowhere"}

    def each(self, cells, limits):
        assert limits == SUITE.limits
        for cell in cells:
            self.cells.append(cell)
            yield Measurement(**asdict(cell), status=self.answer(cell))


def environment_of(folder):
    return json.loads((folder / "environment.json").read_text(encoding="utf-8"))


def sizes(cells):
    return [(cell.method, cell.inputs, cell.outputs) for cell in cells]


def test_every_cell_leaves_a_row_in_order(tmp_path):
    place = Answering()
    folder = tmp_path / "new" / "folder"
    rows = run_suite(SUITE, folder, place=place)
    assert tuple(place.cells) == SUITE.cells
    frame = load(folder)
    assert list(zip(frame["method"], frame["inputs"], frame["outputs"], strict=True)) == sizes(SUITE.cells)
    assert [row.cell for row in rows] == list(SUITE.cells)
    assert environment_of(folder)["finished"]


def test_a_run_keeps_its_grid_and_says_where_it_was_made(tmp_path):
    run_suite(SUITE, tmp_path, place=Answering())
    assert Suite.load(str(tmp_path / "suite.toml")).differences(SUITE) == []
    assert environment_of(tmp_path)["threads"] == THREADS
    assert environment_of(tmp_path)["where"] == "nowhere"


def test_a_row_is_on_disk_before_the_next_cell_starts(tmp_path):
    seen = []

    def answer(_cell):
        seen.append(len((tmp_path / ROWS).read_text(encoding="utf-8").splitlines()))
        return "ok"

    run_suite(SUITE, tmp_path, place=Answering(answer))
    assert seen == list(range(len(SUITE.cells)))


def interrupting(cell):
    if (cell.method, cell.inputs) == ("forward", 100):
        raise KeyboardInterrupt
    return "ok"


def test_control_c_keeps_the_finished_rows(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_suite(SUITE, tmp_path, place=Answering(interrupting))
    assert len(load(tmp_path)) == 4
    assert environment_of(tmp_path)["finished"]


def test_in_a_worker_process_rows_are_those_of_real_cells(tmp_path):
    text = TEXT.replace("seconds = 3", "budget_seconds = 0.001").replace("100]", "3]")
    run_suite(Suite.parse(text, "mine"), tmp_path)
    frame = load(tmp_path)
    assert list(frame["status"]) == ["ok"] * 12
    assert (frame[["run_seconds", "cell_seconds", "operations"]] > 0).all(axis=None)


def test_what_a_sudden_end_has_left_beside_its_files_is_cleared_away(tmp_path):
    drafts = [tmp_path / f".{name}.12345.partial" for name in ("suite.toml", "environment.json")]
    for draft in drafts:
        draft.write_text("half of", encoding="utf-8")
    run_suite(SUITE, tmp_path, place=Answering())
    assert not any(draft.exists() for draft in drafts)


PLANTED = """
[limits]
visits = 1
seconds = {seconds}
memory_bytes = 300_000_000
budget_seconds = 0.001
[[grid]]
problems = {problems}
methods = ["finite-difference", "reverse"]
inputs = [2, 4]
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of a worker are those of Linux")
def test_a_suite_of_cells_that_behave_badly_is_measured_to_its_end(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    slow, others = ["sleeps_natively"], ["segfaults", "allocates", "exits", "is_wrong", "raises", "behaves"]
    found = {}
    for seconds, names in ((1, slow), (60, others)):  # what ends by itself may take a busy machine long
        problems = [f"planted:{name}" for name in names]
        run_suite(Suite.parse(PLANTED.format(seconds=seconds, problems=problems), "planted"), tmp_path / str(seconds))
        frame = load(tmp_path / str(seconds))
        found |= frame.groupby("problem", sort=False)["status"].agg(list).to_dict()
    assert found == {
        "planted:sleeps_natively": ["timed out"] * 2 + [PREDICTED] * 2,
        "planted:segfaults": ["crashed (SIGSEGV)"] * 4,
        "planted:allocates": ["out of memory"] * 2 + [PREDICTED] * 2,
        "planted:exits": ["exited (code 0)"] * 4,
        "planted:is_wrong": ["disagrees"] * 4,
        "planted:raises": ["failed"] * 4,
        "planted:behaves": ["ok"] * 4,
    }
    assert "planted.py" in frame[frame["problem"] == "planted:segfaults"]["printed"].iloc[0]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("timed out", "did not finish within 3 s; this is 100.0 x as large, which takes 300 s"),
        ("out of memory", "ran out of 500 MB; this is 100.0 x as large, which takes 50,000 MB"),
    ],
)
def test_cells_larger_than_one_that_took_too_much_are_predicted_to_exceed(tmp_path, status, words):
    place = Answering(lambda cell: status if (cell.method, cell.inputs) == ("forward", 10) else "ok")
    run_suite(SUITE, tmp_path, place=place)
    assert set(sizes(place.cells)) == {
        ("forward", 1, 1), ("forward", 10, 1), ("forward", 1, 10),
        *(("reverse", A, B) for A in (1, 10, 100) for B in (1, 10)),
    }  # fmt: skip
    frame = load(tmp_path)
    predicted = frame[frame["status"] == PREDICTED]
    assert set(zip(predicted["inputs"], predicted["outputs"], strict=True)) == {(100, 1), (10, 10), (100, 10)}
    last = predicted[(predicted["inputs"] == 100) & (predicted["outputs"] == 10)]["reason"].item()
    assert last == f"A = 10, B = 1 {words} if cost grows in proportion"


@pytest.mark.parametrize("status", ["failed", "too large", "disagrees", "skipped", "crashed (SIGSEGV)"])
def test_nothing_else_is_predicted(tmp_path, status):
    place = Answering(lambda _cell: status)
    run_suite(SUITE, tmp_path, place=place)
    assert len(place.cells) == len(SUITE.cells)


def test_a_new_run_replaces_the_old_one(tmp_path):
    for _ in range(2):
        place = Answering()
        run_suite(SUITE, tmp_path, place=place)
        assert len(place.cells) == len(SUITE.cells)
    assert len((tmp_path / ROWS).read_text(encoding="utf-8").splitlines()) == len(SUITE.cells)


def test_a_folder_that_cannot_be_written_is_an_error_with_a_cure(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ResultsError, match=r"cannot write to .*choose another folder with --out"):
        run_suite(SUITE, tmp_path / "file", place=Answering())


def test_the_view_sees_all_that_happens(tmp_path):
    class Noting(View):
        def __init__(self):
            self.seen = []

        def show(self, finished):
            kind = "begins" if finished is None else finished.status
            self.seen.append((kind, self.progress.done))

    view = Noting()
    place = Answering(lambda cell: "timed out" if cell.method == "forward" else "ok")
    run_suite(SUITE, tmp_path, place=place, view=view)
    assert view.seen[:4] == [("begins", 0), ("timed out", 1), ("begins", 1), ("ok", 2)]
    assert view.seen[4] == (PREDICTED, 3)
    assert view.seen[-1] == ("ok", 12)


# Going on with a run.


def test_what_is_resumed_is_measured_once_and_kept(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_suite(SUITE, tmp_path, place=Answering(interrupting))
    started = environment_of(tmp_path)["started"]
    place = Answering()
    rows = run_suite(SUITE, tmp_path, place=place, resume=True)
    assert place.cells == list(SUITE.cells[4:])
    assert [row.cell for row in rows] == list(SUITE.cells)
    assert len(load(tmp_path)) == len(SUITE.cells)
    facts = environment_of(tmp_path)
    assert facts["started"] == started
    assert facts["finished"] == facts["resumed"][-1]["finished"]


def test_a_run_that_is_resumed_elsewhere_says_what_is_other_there(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_suite(SUITE, tmp_path, place=Answering(interrupting))
    elsewhere = Answering()
    elsewhere.facts = lambda: {"where": "somewhere"}
    run_suite(SUITE, tmp_path, place=elsewhere, resume=True)
    facts = environment_of(tmp_path)
    assert facts["where"] == "nowhere"
    assert facts["resumed"][0]["where"] == "somewhere"
    assert "numpy" not in facts["resumed"][0]


def test_a_run_that_is_complete_is_left_as_it_is(tmp_path):
    run_suite(SUITE, tmp_path, place=Answering())
    before = (tmp_path / ROWS).read_bytes()
    place = Answering()
    assert len(run_suite(SUITE, tmp_path, place=place, resume=True)) == len(SUITE.cells)
    assert place.cells == []
    assert (tmp_path / ROWS).read_bytes() == before


def test_to_resume_where_nothing_is_starts(tmp_path):
    assert len(run_suite(SUITE, tmp_path, place=Answering(), resume=True)) == len(SUITE.cells)


def test_a_torn_row_is_measured_again_and_the_next_one_is_whole(tmp_path):
    run_suite(SUITE, tmp_path, place=Answering())
    path = tmp_path / ROWS
    for cut in (1, 20):
        path.write_bytes(path.read_bytes()[:-cut])
        place = Answering()
        run_suite(SUITE, tmp_path, place=place, resume=True)
        assert place.cells == [SUITE.cells[-1]]
        assert len(load(tmp_path)) == len(SUITE.cells)


def test_a_prediction_holds_when_the_run_goes_on(tmp_path):
    def answer(cell):
        if cell.inputs == 100:
            raise KeyboardInterrupt
        return "timed out" if cell.method == "forward" else "ok"

    with pytest.raises(KeyboardInterrupt):
        run_suite(SUITE, tmp_path, place=Answering(answer))
    place = Answering()
    run_suite(SUITE, tmp_path, place=place, resume=True)
    assert {cell.method for cell in place.cells} == {"reverse"}
    assert Counter(load(tmp_path)["status"]) == {"timed out": 1, PREDICTED: 5, "ok": 6}


STATUS = {("forward", 1): "failed", ("forward", 10): "timed out", ("reverse", 100): "crashed (SIGSEGV)"}


@pytest.mark.parametrize(
    ("repeat", "again"),
    [
        (["failed"], {("forward", 1, 1), ("forward", 1, 10)}),
        (["crashed"], {("reverse", 100, 1), ("reverse", 100, 10)}),
        (["timed-out"], {("forward", A, B) for A in (10, 100) for B in (1, 10)}),
    ],
)
def test_what_is_asked_for_is_measured_again_and_its_new_row_counts(tmp_path, repeat, again):
    run_suite(SUITE, tmp_path, place=Answering(lambda cell: STATUS.get((cell.method, cell.inputs), "ok")))
    place = Answering()
    rows = run_suite(SUITE, tmp_path, place=place, resume=True, repeat=repeat)
    assert set(sizes(place.cells)) == again
    frame = load(tmp_path)
    assert len(frame) == len(rows) == len(SUITE.cells)
    found = set(zip(frame["method"], frame["inputs"], frame["outputs"], frame["status"], strict=True))
    assert found >= {(*size, "ok") for size in again}
    assert len((tmp_path / ROWS).read_text(encoding="utf-8").splitlines()) == len(SUITE.cells) + len(again)


def test_an_unknown_status_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match="no status 'timedout'; did you mean 'timed-out'"):
        run_suite(SUITE, tmp_path, place=Answering(), resume=True, repeat=["timedout"])


def test_the_run_of_another_grid_is_refused_with_what_differs(tmp_path):
    run_suite(SUITE, tmp_path, place=Answering())
    before = (tmp_path / ROWS).read_bytes()
    other = Suite.parse(TEXT.replace("seconds = 3", "seconds = 4").replace("100", "1000"), "mine")
    with pytest.raises(ResultsError) as caught:
        run_suite(other, tmp_path, place=Answering(), resume=True)
    assert "holds the run of another grid: its limit seconds is 3, not 4; " in str(caught.value)
    assert "it alone has tanh-map, forward, numpy, A = 100, B = 1, and 3 more; " in str(caught.value)
    assert "it lacks tanh-map, forward, numpy, A = 1000, B = 1, and 3 more. " in str(caught.value)
    assert (tmp_path / ROWS).read_bytes() == before


def test_another_name_for_the_same_grid_is_no_other_grid(tmp_path):
    run_suite(SUITE, tmp_path, place=Answering())
    place = Answering()
    rows = run_suite(Suite.parse(TEXT, "yours"), tmp_path, place=place, resume=True)
    assert place.cells == []
    assert {row.suite for row in rows} == {"yours"}


def test_rows_without_their_grid_are_not_resumed(tmp_path):
    append(tmp_path, Measurement("mine", "tanh-map", "reverse", "numpy", 1, 1))
    with pytest.raises(ResultsError, match=r"does not say which grid it holds \(suite.toml\)"):
        run_suite(SUITE, tmp_path, place=Answering(), resume=True)


# Any end, and two runs at once, with real processes.


@contextmanager
def started(folder, *options):
    """A real run in a process of its own, quick and of many cells."""
    suite = folder.parent / "many.toml"
    suite.write_text(MANY, encoding="utf-8")
    program = "from diffkit.cli import main; main()"
    command = [sys.executable, "-c", program, "bench", str(suite), "--out", str(folder), *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


MANY = """
[limits]
visits = 1
budget_seconds = 0.0005
[[grid]]
problems = ["tanh-map"]
methods = ["forward", "reverse", "finite-difference"]
inputs = [1, 2, 3, 4, 5, 6, 7, 8]
outputs = [1, 2, 3, 4, 5]
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are ended as Linux ends them")
def test_twenty_sudden_ends_lose_no_cell_and_double_none(tmp_path):
    """Half of the ends come within the first second and a half, half when some more rows have been made."""
    chance = random.Random(20)  # noqa: S311 - no secret, but the same moments every time
    folder = tmp_path / "out"
    rows = folder / ROWS
    suite = Suite.parse(MANY, "many")
    for attempt in range(20):
        wanted = chance.choice([1, 1000, 5000]) + (rows.stat().st_size if rows.exists() else 0)
        with started(folder, "--resume", "--json") as process:
            while attempt % 2 and process.poll() is None and (not rows.exists() or rows.stat().st_size < wanted):
                time.sleep(0.001)
            time.sleep(chance.uniform(0.0, 0.05 if attempt % 2 else 1.5))
            process.send_signal(signal.SIGKILL)
    with started(folder, "--resume", "--quiet") as process:
        assert process.communicate(timeout=120)[1] == ""
    lines = rows.read_text(encoding="utf-8").splitlines()
    assert Counter(json.loads(line)["status"] for line in lines) == {"ok": len(suite.cells)}
    assert {(row.inputs, row.outputs, row.method) for row in load(folder).itertuples()} == {
        (cell.inputs, cell.outputs, cell.method) for cell in suite.cells
    }
    assert len(environment_of(folder)["resumed"]) > 0


def test_two_runs_at_once_in_one_folder_are_refused(tmp_path):
    folder = tmp_path / "out"
    with only_writer(folder), started(folder, "--resume") as second:
        _, complaint = second.communicate(timeout=60)
    assert second.returncode == 2
    assert complaint.replace("\n", " ").startswith(f"error: another run writes to {folder}")
    assert not (folder / "suite.toml").exists()
