"""Cells that behave as badly as can be, each in a real worker process: the planted problems."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from diffkit.benchmark import workers
from diffkit.benchmark.grid import Cell, Limits
from diffkit.benchmark.workers import Worker

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits of a worker are those of Linux")

HERE = Path(__file__).parent
LIMITS = Limits(seconds=60.0, budget_seconds=0.002, memory_bytes=300_000_000)
BRIEF = replace(LIMITS, seconds=0.5)


def cell(name, **more):
    return Cell("mine", f"planted:{name}", "reverse", "numpy", inputs=3, outputs=2, **more)


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """A worker finds what its parent finds."""
    monkeypatch.syspath_prepend(str(HERE))


@pytest.fixture(scope="module")
def worker():
    with Worker() as worker:
        yield worker


def processes(mark):
    """The processes whose environment holds a mark, as they inherit it from whoever started them."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


@pytest.fixture
def mark(monkeypatch):
    """Something that all processes started from here carry; whoever is alive with it is left behind."""
    mark = f"DIFFKIT_TEST_MARK={os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setenv(*mark.split("="))
    return mark


def gone(mark):
    """Wait until no such process is left; none may stay for long."""
    latest = time.monotonic() + 20
    while (left := processes(mark)) and time.monotonic() < latest:
        time.sleep(0.01)
    return left == []


@pytest.mark.parametrize(
    ("name", "limits", "status", "reason"),
    [
        ("behaves", LIMITS, "ok", ""),
        ("is_wrong", LIMITS, "disagrees", "off by 3.3e-01"),
        ("raises", LIMITS, "failed", "ArithmeticError: planted"),
        ("sleeps", BRIEF, "timed out", "not finished within 0.5 s"),
        ("sleeps_natively", BRIEF, "timed out", "not finished within 0.5 s"),
        ("sleeps_and_holds_the_interpreter", BRIEF, "timed out", "not finished within 0.5 s"),
        ("allocates", LIMITS, "out of memory", "it may take 300 MB (limit memory_bytes)"),
        ("allocates_crumbs", LIMITS, "out of memory", "it may take 300 MB (limit memory_bytes)"),
        ("allocates_an_array", LIMITS, "out of memory", "MemoryError: Unable to allocate"),
        ("segfaults", LIMITS, "crashed (SIGSEGV)", "ended by the signal SIGSEGV"),
        ("aborts", LIMITS, "crashed (SIGABRT)", "ended by the signal SIGABRT"),
        ("is_killed", LIMITS, "crashed (SIGKILL)", "the system does so when its memory is used up"),
        ("exits", LIMITS, "exited (code 0)", "ended the process that measured it"),
        ("exits_politely", LIMITS, "exited (code 3)", "ended the process that measured it"),
        ("closes_everything", LIMITS, "exited (code 1) or exited (code 120)", "ended the process that measured it"),
        ("breeds", BRIEF, "timed out", "not finished within 0.5 s"),
        ("doubles", LIMITS, "ok", ""),
        ("meddles", LIMITS, "ok", ""),
        ("leaves_a_child", LIMITS, "exited (code 0)", "ended the process that measured it"),
    ],
)
def test_each_end_has_its_own_status_and_costs_no_other_cell(worker, name, limits, status, reason):
    row = worker.measure(cell(name), limits)
    assert row.status in status.split(" or ")  # 120 where Python could not even flush what it had written
    assert reason in row.reason
    assert row.cell == cell(name)
    assert row.started.endswith("+00:00")
    assert row.cell_seconds > 0
    assert worker.measure(cell("behaves"), LIMITS).status == "ok"


def test_a_gigabyte_of_output_costs_time_and_nothing_else(worker):
    row = worker.measure(cell("prints_a_gigabyte"), replace(LIMITS, seconds=300.0))
    assert row.status == "ok"
    assert row.printed == ""


def test_the_last_lines_of_what_fails_are_kept(worker):
    row = worker.measure(cell("fails_aloud"), LIMITS)
    assert row.printed.endswith("these are my last words")
    assert len(row.printed) <= workers.KEPT
    assert worker.measure(cell("raises"), LIMITS).printed == ""


def test_a_crash_says_where(worker):
    row = worker.measure(cell("segfaults"), LIMITS)
    assert "Segmentation fault" in row.printed
    assert "planted.py" in row.printed


def test_what_is_found_before_the_end_is_kept(worker):
    row = worker.measure(cell("slows_down"), replace(LIMITS, seconds=4.0))
    assert (row.status, row.error) == ("timed out", 0.0)
    assert row.operations > 0
    assert row.run_seconds is None


def test_the_limit_of_memory_is_that_of_one_cell(worker):
    assert {worker.measure(cell("hoards"), LIMITS).status for _ in range(3)} == {"ok"}


def test_one_process_serves_many_cells_and_a_broken_one_is_replaced(mark):
    with Worker() as worker:
        assert processes(mark) == []
        worker.measure(cell("behaves"), LIMITS)
        (first,) = processes(mark)
        for name in ("raises", "is_wrong", "behaves"):
            worker.measure(cell(name), LIMITS)
        assert processes(mark) == [first]
        worker.measure(cell("allocates"), LIMITS)
        assert processes(mark) == []
        worker.measure(cell("behaves"), LIMITS)
        (second,) = processes(mark)
    assert second != first
    assert processes(mark) == []


def test_what_an_earlier_cell_has_broken_is_not_held_against_the_next():
    with Worker() as worker:
        assert worker.measure(cell("plants_a_bomb"), LIMITS).status == "ok"
        assert worker.measure(cell("steps_on_it"), LIMITS).status == "ok"


def test_a_process_that_has_died_between_cells_is_replaced(mark):
    with Worker() as worker:
        worker.measure(cell("behaves"), LIMITS)
        (process,) = processes(mark)
        os.kill(process, signal.SIGKILL)
        assert worker.measure(cell("behaves"), LIMITS).status == "ok"


def test_a_worker_that_was_interrupted_answers_what_it_is_asked_next(worker):
    def interrupt(_number, _frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            worker.measure(cell("sleeps"), LIMITS)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert worker.measure(cell("behaves"), LIMITS).cell == cell("behaves")


def test_a_problem_that_cannot_even_be_loaded_is_given_up(monkeypatch, tmp_path):
    (tmp_path / "planted_and_slow.py").write_text("import time\ntime.sleep(10**6)\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(workers, "PATIENCE", 3.0)
    with Worker() as worker:
        row = worker.measure(Cell("mine", "planted_and_slow:never", "reverse", "numpy", 1, 1), LIMITS)
    assert row.status == "timed out"
    assert row.reason == "its problem and libraries were not loaded within 3 s"


def test_linear_algebra_has_one_thread(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    with Worker() as worker:
        row = worker.measure(cell("tells_its_threads"), LIMITS)
    assert row.reason == "ArithmeticError: {1}"


PARENT = """
import signal, sys
from diffkit.benchmark.grid import Cell, Limits
from diffkit.benchmark.workers import Worker
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started us with SIGINT ignored
with Worker() as worker:
    row = worker.measure(Cell("mine", sys.argv[1], "reverse", "numpy", 3, 2), Limits())
"""


def test_an_answer_that_came_while_the_main_process_was_stopped_counts(tmp_path, monkeypatch):
    sign = tmp_path / "the cell has begun"
    program = PARENT.replace("Limits()", "Limits(seconds=5.0, budget_seconds=0.001)") + "    print(row.status)\n"
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": path, "SIGN": str(sign)}
    command = [sys.executable, "-c", program, "planted:behaves"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as main:
        while not sign.exists():
            time.sleep(0.001)
        main.send_signal(signal.SIGSTOP)
        time.sleep(6)
        main.send_signal(signal.SIGCONT)
        assert main.communicate(timeout=30)[0] == "ok\n"


def test_a_worker_that_is_still_loading_when_its_parent_dies_ends_too(mark):
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-c", PARENT, "planted:sleeps"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}) as main:
        while len(processes(mark)) < 2:
            time.sleep(0.001)
        main.kill()
    assert gone(mark)


@pytest.mark.parametrize("name", ["sleeps", "sleeps_natively", "sleeps_and_holds_the_interpreter", "breeds"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nobody_survives_the_main_process(mark, tmp_path, name, end):
    path = os.pathsep.join(filter(None, sys.path))
    sign = tmp_path / "the cell has begun"
    command = [sys.executable, "-c", PARENT, f"planted:{name}"]
    environment = {**os.environ, "PYTHONPATH": path, "SIGN": str(sign)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as main:
        while not sign.exists():
            assert main.poll() is None
            time.sleep(0.01)
        main.send_signal(end)
        main.wait(30)
    assert gone(mark)
