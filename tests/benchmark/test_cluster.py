"""A real scheduler and real workers of Dask on the loopback address, and what becomes of cells when they are lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from diffkit.benchmark import cluster as clusters
from diffkit.benchmark.cluster import Cluster
from diffkit.benchmark.grid import Cell, Limits
from diffkit.benchmark.results import ROWS, load
from diffkit.errors import InputError

distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits of a worker are those of Linux")

HERE = Path(__file__).parent
GRID = """
[limits]
visits = 1
seconds = {seconds}
memory_bytes = 300_000_000
budget_seconds = 0.001
[[grid]]
problems = {problems}
methods = ["forward", "reverse"]
inputs = {inputs}
"""


@contextmanager
def program(*arguments, **environment):
    """A program of ours or of Dask in a process of its own, in whose modules the planted problems are found."""
    path = os.pathsep.join([str(HERE), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Running:
    """A scheduler with workers; each can be ended."""

    def __init__(self, folder, **environment):
        self._file = folder / "scheduler.json"
        self._open = ExitStack()
        self._environment = environment
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        while not self._file.exists():
            assert self.scheduler.poll() is None
            time.sleep(0.01)
        self.address = json.loads(self._file.read_text(encoding="utf-8"))["address"]

    def worker(self, *options):
        return self._start("worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", *options)

    def end(self):
        self._open.close()

    def _start(self, kind, *options):
        module = f"distributed.cli.dask_{kind}"
        command = ["-m", module, "--scheduler-file", self._file, "--no-dashboard", *options]
        return self._open.enter_context(program(*command, **self._environment))


@pytest.fixture
def running(tmp_path):
    """Start a scheduler and so many workers that offer what cells need."""
    started = []

    def run(workers, **environment):
        running = Running(tmp_path, **environment)
        started.append(running)
        running.workers = [running.worker("--resources", "diffkit=1") for _ in range(workers)]
        return running

    yield run
    for running in started:
        running.end()


@pytest.fixture
def suite(tmp_path):
    def write(problems, inputs=(1, 2, 3, 4, 5, 6), seconds=60):
        path = tmp_path / "own.toml"
        path.write_text(GRID.format(problems=problems, inputs=list(inputs), seconds=seconds), encoding="utf-8")
        return path

    return write


def bench(*arguments, **environment):
    return program("-c", "from diffkit.cli import main; main()", "bench", *arguments, **environment)


def finished(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def rows_once(folder, cells):
    lines = (folder / ROWS).read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(load(folder)) == cells


def test_a_grid_runs_on_all_workers_one_cell_at_a_time_on_each(running, suite, tmp_path):
    where = tmp_path / "taken"
    where.mkdir()
    cluster = running(2, TAKEN=str(where))
    folder = tmp_path / "out"
    with bench(suite(["planted:is_alone"]), "--out", folder, "--scheduler", cluster.address, "--json") as process:
        shown = finished(process)
    assert shown == (folder / ROWS).read_text(encoding="utf-8")
    rows_once(folder, 12)
    frame = load(folder)
    assert Counter(frame["status"]) == {"ok": 12}, frame["reason"]
    assert set(frame["host"]) == {os.uname().nodename}
    assert len(json.loads((folder / "environment.json").read_text(encoding="utf-8"))["workers"]) == 2
    assert len(list(where.glob("*.served"))) == 2


def test_a_cell_has_its_limits_on_a_cluster_too(running, suite, tmp_path):
    cluster = running(2)
    found = set()
    for seconds, names in ((1, ["sleeps"]), (60, ["segfaults", "allocates", "exits", "behaves"])):
        folder = tmp_path / f"out {seconds}"
        grid = suite([f"planted:{name}" for name in names], [2], seconds)
        with bench(grid, "--out", folder, "--scheduler", cluster.address) as process:
            finished(process)
        frame = load(folder)
        found |= set(zip(frame["problem"], frame["status"], strict=True))
    assert found == {
        ("planted:sleeps", "timed out"),
        ("planted:segfaults", "crashed (SIGSEGV)"),
        ("planted:allocates", "out of memory"),
        ("planted:exits", "exited (code 0)"),
        ("planted:behaves", "ok"),
    }


def test_a_cell_whose_worker_is_lost_is_measured_elsewhere(running, suite, tmp_path):
    where = tmp_path / "begun by"
    cluster = running(2, BEGUN_BY=str(where))
    folder = tmp_path / "out"
    grid = suite(["planted:waits_once", "planted:behaves"])
    with bench(grid, "--out", folder, "--scheduler", cluster.address) as process:
        while not where.exists() or not where.read_text(encoding="utf-8").endswith("\n"):
            assert process.poll() is None
            time.sleep(0.01)
        worker, measuring = map(int, where.read_text(encoding="utf-8").split())
        assert worker in [each.pid for each in cluster.workers]
        os.kill(worker, signal.SIGKILL)
        finished(process)
    rows_once(folder, 24)
    assert Counter(load(folder)["status"]) == {"ok": 24}
    assert not Path(f"/proc/{measuring}").exists()


def test_a_run_on_a_cluster_is_resumed_like_any_other(running, suite, tmp_path):
    cluster = running(2)
    folder = tmp_path / "out"
    grid = suite(["planted:behaves"], range(1, 31))
    for wanted in (1, 20_000):
        with bench(grid, "--out", folder, "--scheduler", cluster.address, "--resume") as process:
            while not (folder / ROWS).exists() or (folder / ROWS).stat().st_size < wanted:
                assert process.poll() is None
                time.sleep(0.001)
            process.kill()
    with bench(grid, "--out", folder, "--scheduler", cluster.address, "--resume") as process:
        finished(process)
    rows_once(folder, 60)


def test_where_the_scheduler_is_lost_the_rows_are_kept_and_the_run_says_so(running, suite, tmp_path):
    cluster = running(1)
    folder = tmp_path / "out"
    grid = suite(["planted:behaves"], range(1, 201))
    with bench(grid, "--out", folder, "--scheduler", cluster.address) as process:
        while not (folder / ROWS).exists() or not (folder / ROWS).stat().st_size:
            assert process.poll() is None
            time.sleep(0.001)
        cluster.scheduler.kill()
        _, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert "error: the scheduler is gone; the finished cells are kept, and --resume measures the rest" in err
    assert len(load(folder)) >= 1


def test_workers_of_this_machine_end_with_the_run(suite, tmp_path):
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    folder = tmp_path / "out"
    with bench(suite(["planted:behaves"]), "--out", folder, "--local-workers", "2", DIFFKIT_MARK=mark) as process:
        finished(process)
    rows_once(folder, 12)
    assert marked(mark) == []


def test_workers_of_this_machine_end_with_a_run_that_is_ended(suite, tmp_path):
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    sign = tmp_path / "the cell has begun"
    grid = suite(["planted:sleeps_natively"])
    with bench(grid, "--out", tmp_path / "out", "--local-workers", "2", DIFFKIT_MARK=mark, SIGN=str(sign)) as process:
        while not sign.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    latest = time.monotonic() + 30
    while marked(mark) and time.monotonic() < latest:
        time.sleep(0.05)
    assert marked(mark) == []


def marked(mark):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"DIFFKIT_MARK={mark}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def test_workers_that_offer_no_place_are_named_with_the_cure(running, monkeypatch):
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 5)
    cluster = running(0)
    cluster.worker()
    with pytest.raises(InputError, match=r"offers the resource 'diffkit'; start one: dask worker tcp://.* --resources"):
        Cluster(cluster.address).__enter__()


def test_a_scheduler_that_does_not_answer_is_an_error(monkeypatch):
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 1)
    with pytest.raises(InputError, match=r"no scheduler answers at tcp://127\.0\.0\.1:1"):
        Cluster("tcp://127.0.0.1:1").__enter__()


@pytest.mark.parametrize("arguments", [(None, None), ("tcp://127.0.0.1:1", 2)])
def test_a_scheduler_or_a_number_of_workers(arguments):
    with pytest.raises(InputError, match="name a scheduler or a number of local workers, and not both"):
        Cluster(*arguments)


@pytest.fixture
def seat(monkeypatch):
    """A place in a worker of the cluster, from which the numbers of the processes that measure can be seen."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setattr(clusters, "IDLE_SECONDS", 0.2)
    seat = clusters.Seat()
    yield seat
    seat.leave()


TELLING = Cell("mine", "planted:tells_its_process", "reverse", "numpy", 1, 1)


def test_another_run_gets_another_process(seat):
    found = [seat.measure(TELLING, Limits(), run).reason for run in ("one", "one", "two")]
    assert found[0] == found[1] != found[2]


def test_a_process_that_is_idle_for_long_ends(seat):
    process = int(seat.measure(TELLING, Limits(), "one").reason.split()[-1])
    latest = time.monotonic() + 30
    while Path(f"/proc/{process}").exists() and time.monotonic() < latest:
        time.sleep(0.01)
    assert not Path(f"/proc/{process}").exists()
    assert seat.measure(TELLING, Limits(), "one").reason != f"ArithmeticError: {process}"
