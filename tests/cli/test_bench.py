from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import diffkit as dk
from diffkit import cli, problems
from diffkit.benchmark.results import ROWS, load
from diffkit.benchmark.workers import Worker

SUITE = """
[limits]
visits = 1
budget_seconds = 0.001
[[grid]]
problems = ["rosenbrock"]
methods = ["forward", "reverse"]
inputs = [2, 3, 4, 5]
"""
COMMAND = [sys.executable, "-c", "from diffkit.cli import main; main()"]


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(SUITE, encoding="utf-8")
    return str(path)


def call(*arguments):
    """Run the command line here; hands back its exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(map(str, arguments)))
    return ended.value.code


def test_version(capsys):
    assert call("--version") == 0
    assert capsys.readouterr().out.startswith("diffkit ")


def test_help_names_every_command(capsys):
    assert call("--help") == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("bench", "plot", "methods", "problems"))


def test_methods_are_listed_by_name(capsys):
    assert call("methods") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(dk.names())
    assert all(len(line.split()) > 3 for line in lines)


def test_problems_are_listed_one_a_line(capsys):
    assert call("problems") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == problems.names()
    assert problems.get("rosenbrock").summary in lines[problems.names().index("rosenbrock")]


def test_bench_writes_rows_environment_and_report(suite, tmp_path, capsys):
    folder = tmp_path / "out"
    assert call("bench", suite, "--out", folder) == 0
    frame = load(folder)
    assert list(frame["status"]) == ["ok"] * 8
    assert json.loads((folder / "environment.json").read_text(encoding="utf-8"))["finished"]
    shown = capsys.readouterr().out
    assert "8 cells: 8 ok" in shown
    for page in ("report.md", "report.html"):
        assert (folder / page).exists()
        assert str(folder / page) in shown.replace("\n", "")


def test_bench_writes_to_reports_by_the_name_of_the_suite(suite, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("bench", suite) == 0
    assert len(load(tmp_path / "reports" / "own")) == 8


def test_plot_draws_again_without_measuring(suite, tmp_path):
    folder = tmp_path / "out"
    assert call("bench", suite, "--out", folder) == 0
    rows = (folder / ROWS).read_bytes()
    for page in ("report.md", "report.html"):
        (folder / page).unlink()
    assert call("plot", folder) == 0
    assert (folder / "report.md").exists()
    assert (folder / "report.html").exists()
    assert (folder / ROWS).read_bytes() == rows


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bench", "quik"], "no suite 'quik'; did you mean 'quick'?"),
        (["bench", "nowhere.toml"], "cannot read the suite nowhere.toml"),
        (["bench", "quick", "--repeat", "filed"], "no status 'filed'; did you mean 'failed'?"),
        (
            ["bench", "quick", "--scheduler", "a", "--local-workers", "2"],
            "name a scheduler or a number of local workers",
        ),
        (["plot", "nowhere"], "no run in nowhere"),
        (["compare", "nowhere", "nowhere"], "no run in nowhere"),
        (["compare", "nowhere", "nowhere", "--fail-above", "0.9"], "a change beyond 0.9 x; give a factor above 1"),
        (["bench"], "name a suite, or a function of your own with --problem"),
        (["bench", "quick", "--problem", "rosenbrock"], "name a suite, or a function of your own with --problem"),
        (["bench", "quick", "--inputs", "3"], "--inputs belongs to --problem"),
        (["bench", "--problem", "rosenbrok"], "no problem 'rosenbrok'; did you mean 'rosenbrock'?"),
    ],
)
def test_an_error_of_the_users_is_one_line_and_exit_code_2(arguments, words, capsys):
    assert call(*arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"error: {words}")
    assert len(shown.err.splitlines()) == 1
    assert "Traceback" not in shown.err + shown.out


def test_markup_in_a_message_is_shown_as_it_is(capsys):
    assert call("bench", "[bold]x[/bold]") == 2
    assert "'[bold]x[/bold]'" in capsys.readouterr().err


def test_control_c_says_where_the_finished_cells_are_and_how_to_go_on(suite, tmp_path, monkeypatch, capsys):
    original = Worker.measure

    def measure(self, cell, limits):
        if cell.inputs == 4:
            raise KeyboardInterrupt
        return original(self, cell, limits)

    monkeypatch.setattr(Worker, "measure", measure)
    folder = tmp_path / "out"
    assert call("bench", suite, "--out", folder) == 130
    assert len(load(folder)) == 4
    shown = capsys.readouterr().out.replace("\n", "")
    assert f"the finished cells are in {folder}" in shown
    assert f"diffkit plot {folder}" in shown
    monkeypatch.undo()
    assert call("bench", suite, "--out", folder, "--resume") == 0
    assert len((folder / ROWS).read_text(encoding="utf-8").splitlines()) == len(load(folder)) == 8


def test_two_runs_are_compared_and_a_regression_is_exit_code_1(suite, tmp_path, capsys):
    before, after = tmp_path / "before", tmp_path / "after"
    assert call("bench", suite, "--out", before, "--quiet") == 0
    shutil.copytree(before, after)
    assert call("compare", before, after) == 0
    assert "8 cells: 8 no change; geometric mean of after / before 1 over 8 timed" in capsys.readouterr().out
    rows = [json.loads(line) for line in (after / ROWS).read_text(encoding="utf-8").splitlines()]
    rows[0]["run_samples"] = [1.5 * sample for sample in rows[0]["run_samples"]]
    rows[1]["status"], rows[1]["reason"] = "failed", "ValueError: [no]"
    (after / ROWS).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert call("compare", before, after, "--json") == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["counts"]["broken"] == 1
    assert facts["changes"][0]["factor"] == pytest.approx(1.5)
    assert facts["changes"][1]["note"] == "ok -> failed: ValueError: [no]"
    assert call("compare", before, after) == 1
    assert "1 broken; geometric mean of after / before" in capsys.readouterr().out
    rows[1]["status"] = "ok"
    (after / ROWS).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert call("compare", before, after, "--fail-above", "2") == 0


def test_another_processor_is_said_when_runs_are_compared(suite, tmp_path, capsys):
    before, after = tmp_path / "before", tmp_path / "after"
    assert call("bench", suite, "--out", before, "--quiet") == 0
    shutil.copytree(before, after)
    facts = json.loads((after / "environment.json").read_text(encoding="utf-8"))
    (after / "environment.json").write_text(json.dumps(facts | {"cpu": "Another One"}), encoding="utf-8")
    assert call("compare", before, after) == 0
    assert "Another One" in capsys.readouterr().out


def test_a_dry_run_shows_the_grid_and_measures_nothing(suite, tmp_path, capsys):
    assert call("bench", suite, "--out", tmp_path / "out", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "8 cells, about 0:00:00 on one machine: all by counted work" in shown
    assert [line.split()[3:6] for line in shown.splitlines() if line.split()[0] == "rosenbrock"] == [
        ["4", "2", "to"]
    ] * 2
    assert not (tmp_path / "out").exists()


def test_a_function_of_ones_own_is_measured_from_the_command_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "my_own_functions.py").write_text("def product(x):\n    return x[:2] * x[1]\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    arguments = ["--problem", "my_own_functions:product", "--inputs", "2,3", "--methods", "forward,reverse"]
    assert call("bench", *arguments) == 0
    frame = load(tmp_path / "reports" / "product")
    assert set(zip(frame["method"], frame["status"], frame["judge"], frame["outputs"], strict=True)) == {
        ("forward", "ok", "reverse", 2), ("reverse", "ok", "forward", 2),
    }  # fmt: skip
    page = (tmp_path / "reports" / "product" / "report.md").read_text(encoding="utf-8")
    assert "has no independent reference" in page
    assert "4 cells: 4 ok" in capsys.readouterr().out


def test_what_is_no_terminal_gets_a_line_per_cell(suite, tmp_path, capsys):
    assert call("bench", suite, "--out", tmp_path / "out") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:8]] == [f"{n}/8" for n in range(1, 9)]


def test_quiet_shows_nothing(suite, tmp_path, capsys):
    assert call("bench", suite, "--out", tmp_path / "out", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "out" / "report.md").exists()


def test_json_is_one_object_per_cell_and_nothing_else(suite, tmp_path, capsys):
    folder = tmp_path / "out"
    assert call("bench", suite, "--out", folder, "--json") == 0
    assert capsys.readouterr().out == (folder / ROWS).read_text(encoding="utf-8")


def test_cells_that_ended_badly_are_measured_again_on_request(suite, tmp_path, capsys):
    folder = tmp_path / "out"
    assert call("bench", suite, "--out", folder) == 0
    path = folder / ROWS
    path.write_text(
        path.read_text(encoding="utf-8").replace('"status": "ok"', '"status": "failed"', 3), encoding="utf-8"
    )
    assert call("bench", suite, "--out", folder, "--repeat", "failed,timed-out", "--json") == 0
    assert list(load(folder)["status"]) == ["ok"] * 8
    assert len(path.read_text(encoding="utf-8").splitlines()) == 11


@pytest.mark.skipif(os.name != "posix", reason="a process is interrupted by a POSIX signal")
def test_a_real_interrupt_ends_a_real_run(tmp_path):
    path = tmp_path / "long.toml"
    path.write_text(SUITE.replace("0.001", "0.1").replace("[2, 3, 4, 5]", str(list(range(2, 2000)))), encoding="utf-8")
    folder = tmp_path / "out"
    # A shell without job control starts what runs in its background with SIGINT ignored, and children inherit that.
    heard = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", heard, *COMMAND, "bench", str(path), "--out", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not ((folder / ROWS).exists() and (folder / ROWS).stat().st_size) and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert len(load(folder)) >= 1
    assert "finished cells" in out
    assert "Traceback" not in err
