from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, replace

import numpy as np
import pytest

from diffkit.benchmark.drift import steady
from diffkit.benchmark.grid import Cell
from diffkit.benchmark.results import COLUMNS, ROWS, Measurement, append, load, measurement, only_writer, recover
from diffkit.errors import ResultsError

ROW = Measurement("mine", "rosenbrock", "reverse", "numpy", inputs=10, outputs=1)


def test_the_columns_are_those_that_reports_read():
    assert (
        *(
            "suite",
            "problem",
            "method",
            "engine",
            "inputs",
            "outputs",
            "status",
            "reason",
            "error",
            "tolerance",
        ),
        *(
            "prepare_seconds",
            "run_seconds",
            "run_seconds_min",
            "run_seconds_iqr",
            "run_samples",
            "loops",
            "repeats",
        ),
        *("function_seconds", "function_seconds_min", "function_seconds_iqr"),
        *(
            "operations",
            "function_operations",
            "graph_steps",
            "function_calls",
            "peak_memory_bytes",
            "sweeps",
        ),
        *("started", "study", "step_size", "depth"),
        *("bytes", "predicted_seconds", "bound_seconds"),
        *("printed", "cell_seconds", "host", "visit"),
        *("run_seconds_mad", "run_seconds_low", "run_seconds_high"),
        *("function_seconds_mad", "function_seconds_low", "function_seconds_high", "function_samples"),
        *("reference_seconds", "reference_samples", "timed_seconds", "load", "warning", "judge"),
    ) == COLUMNS


def visits(*changes):
    """Visits of one cell, one after another; each with other samples."""
    base = replace(ROW, cell_seconds=2.0, timed_seconds=1.0, prepare_seconds=1.0, load=0.5, repeats=7)
    for number, change in enumerate(changes):
        run = tuple(float(sample) for sample in range(1 + 10 * number, 8 + 10 * number))
        samples = {"run_samples": run, "function_samples": (1.0,) * 7, "reference_samples": (2.0,) * 7}
        yield replace(base, visit=number, **{**samples, **change})


def test_visits_of_a_cell_are_one_row(tmp_path):
    for row in visits({"prepare_seconds": 9.0}, {}, {"load": 1.5}):
        append(tmp_path, row)
    (row,) = load(tmp_path).to_dict("records")
    expected = [*range(1, 8), *range(11, 18), *range(21, 28)]
    assert row["run_samples"] == expected
    assert (row["run_seconds"], row["run_seconds_min"]) == (np.median(expected), 1.0)
    assert row["run_seconds_low"] < row["run_seconds"] < row["run_seconds_high"]
    assert (row["cell_seconds"], row["timed_seconds"], row["repeats"]) == (6.0, 3.0, 21)
    assert (row["prepare_seconds"], row["load"], row["reference_seconds"]) == (1.0, 1.5, 2.0)
    assert row["warning"].startswith("samples spread by 114 %; machine busy: 1.5 programs per core")


def test_a_visit_that_failed_speaks_for_the_cell(tmp_path):
    for row in visits({}, {"status": "failed", "reason": "no"}, {}):
        append(tmp_path, row)
    (row,) = load(tmp_path).to_dict("records")
    assert (row["status"], row["reason"], row["visit"]) == ("failed", "no", 0)


def test_a_visit_in_a_busy_minute_does_not(tmp_path):
    for row in visits({"status": "timed out"}, {}, {"status": "predicted to exceed"}):
        append(tmp_path, row)
    (row,) = load(tmp_path).to_dict("records")
    assert (row["status"], row["run_seconds"]) == ("ok", 14.0)


def test_a_visit_that_was_made_again_counts_once(tmp_path):
    first, second = visits({}, {})
    for row in (first, second, replace(first, run_samples=(5.0,) * 7)):
        append(tmp_path, row)
    (row,) = load(tmp_path).to_dict("records")
    assert row["run_samples"] == [5.0] * 7 + list(second.run_samples)


def test_an_older_run_lacks_columns_and_is_read(tmp_path):
    old = {"suite": "old", "problem": "rosenbrock", "method": "reverse", "engine": "numpy", "inputs": 2, "outputs": 1}
    old |= {"status": "ok", "study": "cells", "run_seconds": 1e-6, "run_samples": [1e-6] * 7}
    (tmp_path / ROWS).write_text(json.dumps(old) + "\n", encoding="utf-8")
    frame = load(tmp_path)
    assert frame["warning"].tolist() == [""]
    assert frame["reference_samples"].tolist() == [()]
    assert steady(frame)["run_seconds"].tolist() == [1e-6]


def test_rows_come_back_in_order_and_unchanged(tmp_path):
    append(tmp_path, ROW)
    full = Measurement(
        "mine", "tanh-map", "symbolic(form=expression)", "numpy", 3, 2, "disagrees", "off by |a| <b>\nµ",
        error=0.1, run_samples=(1e-6, 2e-6), loops=5, operations=12, step_size=1e-300, depth=4, study="swell",
    )  # fmt: skip
    append(tmp_path, full)
    frame = load(tmp_path)
    assert list(frame.columns) == list(COLUMNS)
    assert list(frame["problem"]) == ["rosenbrock", "tanh-map"]
    second = frame.iloc[1]
    assert second["reason"] == "off by |a| <b>\nµ"
    assert (second["error"], second["step_size"], second["run_samples"]) == (0.1, 1e-300, [1e-6, 2e-6])
    assert (second["loops"], second["operations"], second["depth"], second["outputs"]) == (5, 12, 4, 2)


def test_what_is_not_known_is_nan_and_its_column_is_of_numbers(tmp_path):
    append(tmp_path, ROW)
    frame = load(tmp_path)
    assert np.isnan(frame["run_seconds"][0])
    assert {frame[name].dtype.kind for name in ("error", "loops", "operations", "step_size")} == {"f"}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_file_holds_null_and_never_nan(tmp_path, value):
    append(tmp_path, Measurement("mine", "rosenbrock", "reverse", "numpy", 10, 1, error=value))
    text = (tmp_path / ROWS).read_text(encoding="utf-8")
    assert json.loads(text)["error"] is None
    assert "NaN" not in text
    assert "Infinity" not in text


def test_every_row_is_flushed_to_disk(tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    append(tmp_path, ROW)
    append(tmp_path, ROW)
    length = len((tmp_path / ROWS).read_bytes()) // 2
    assert sizes == [length, 2 * length]


OTHER = replace(ROW, inputs=20)


@pytest.mark.parametrize("cut", [1, 20])
def test_a_torn_last_line_is_dropped(tmp_path, cut):
    append(tmp_path, ROW)
    append(tmp_path, OTHER)
    path = tmp_path / ROWS
    path.write_bytes(path.read_bytes()[:-cut])
    assert list(load(tmp_path)["inputs"]) == [10]


@pytest.mark.parametrize("cut", [1, 20])
def test_what_is_recovered_ends_with_a_whole_line(tmp_path, cut):
    append(tmp_path, ROW)
    whole = (tmp_path / ROWS).read_bytes()
    append(tmp_path, OTHER)
    path = tmp_path / ROWS
    path.write_bytes(path.read_bytes()[:-cut])
    assert recover(tmp_path) == [ROW]
    assert path.read_bytes() == whole


def test_of_a_cell_that_was_measured_again_the_last_row_counts(tmp_path):
    for row in (replace(ROW, status="failed"), OTHER, replace(ROW, status="ok")):
        append(tmp_path, row)
    frame = load(tmp_path)
    assert list(zip(frame["inputs"], frame["status"], strict=True)) == [(10, "ok"), (20, "ok")]


def test_a_row_knows_its_cell():
    row = replace(ROW, study="swell", depth=3)
    assert row.cell == Cell("mine", "rosenbrock", "reverse", "numpy", 10, 1, "swell", depth=3)


def test_a_row_of_another_version_is_read_as_far_as_it_is_known():
    row = measurement({**asdict(ROW), "run_samples": [1.0, 2.0], "colour": "red"})
    assert row == replace(ROW, run_samples=(1.0, 2.0))


def test_one_process_writes_at_a_time(tmp_path):
    refused = pytest.raises(ResultsError, match=r"another run writes to .*choose another --out")
    with only_writer(tmp_path), refused, only_writer(tmp_path):
        pass
    with only_writer(tmp_path):
        append(tmp_path, ROW)
    assert len(load(tmp_path)) == 1


def test_a_damaged_line_before_the_last_is_an_error_that_names_it(tmp_path):
    (tmp_path / ROWS).write_text('{"suite": "mine"}\n{"suite": "mi\n{"suite": "mine"}\n', encoding="utf-8")
    with pytest.raises(ResultsError, match=r"line 2 is not a row: '{\"suite\": \"mi'; delete it"):
        load(tmp_path)


def test_a_run_without_rows_is_an_empty_frame(tmp_path):
    (tmp_path / ROWS).write_bytes(b"")
    frame = load(tmp_path)
    assert len(frame) == 0
    assert list(frame.columns) == list(COLUMNS)


def test_a_folder_without_a_run_is_an_error_with_a_cure(tmp_path):
    with pytest.raises(ResultsError, match=r"no run in .*diffkit bench"):
        load(tmp_path)


def test_a_file_that_is_no_text_is_an_error(tmp_path):
    (tmp_path / ROWS).write_bytes(b"\xff\xfe\x00\n")
    with pytest.raises(ResultsError, match="line 1 is not a row"):
        load(tmp_path)
