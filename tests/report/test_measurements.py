from __future__ import annotations

import math
from dataclasses import fields

import pandas as pd
import pytest

from diffkit.benchmark.results import Measurement
from diffkit.report.measurements import COLUMNS, LAST, LEFT_OUT, measurements


def column(frame, name):
    return next(column for column in measurements(frame) if column.name == name)


def test_every_column_of_a_run_is_shown_or_left_out_on_purpose():
    known = {*COLUMNS, *LEFT_OUT, *LAST} - {"relative_cost"}
    assert {field.name for field in fields(Measurement)} <= known


def test_numbers_are_shown_in_the_unit_of_their_heading(run):
    shown = column(run, "run_seconds")
    assert (shown.heading, shown.unit) == ("one run", "µs")
    for text, value, seconds in zip(shown.texts, shown.numbers, run["run_seconds"], strict=True):
        if math.isnan(seconds):
            assert (text, value) == ("", None)
        else:
            assert value == pytest.approx(seconds * 1e6)
            assert float(text.replace(",", "")) == pytest.approx(seconds * 1e6, rel=5e-3)


def test_cost_is_time_over_that_of_f():
    frame = pd.DataFrame({"run_seconds": [6e-6, 1.0], "function_seconds": [2e-6, None]})
    assert column(frame, "relative_cost").texts == ("3", "")


def test_rows_stay_in_their_order(run):
    assert list(column(run, "problem").texts) == list(run["problem"])
    assert {len(shown.texts) for shown in measurements(run)} == {len(run)}


def test_choices_are_what_the_column_shows(run):
    assert set(column(run, "method").choices) == set(column(run, "method").texts)
    assert "symbolic (expression)" in column(run, "method").choices
    assert column(run, "inputs").choices == ()


def test_one_value_is_no_choice():
    assert column(pd.DataFrame({"engine": ["numpy", "numpy"]}), "engine").choices == ()


def test_a_missing_column_is_no_error(run):
    names = [shown.name for shown in measurements(run[["problem", "status"]])]
    assert names == ["problem", "status"]


def test_a_column_without_values_is_not_shown(run):
    assert "peak_memory_bytes" not in [shown.name for shown in measurements(run)]  # the law measures no memory


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (["noisy", "", None], ("noisy", "", "")),
        ([["noisy", "slow"], [], None], ("noisy; slow", "", "")),
        ([float("nan"), "noisy", pd.NA], ("", "noisy", "")),
        ([True, False, True], ("True", "False", "True")),
    ],
)
def test_a_new_column_of_words_is_shown_under_its_name(values, texts):
    frame = pd.DataFrame({"reason": ["a", "b", "c"], "timing_warning": values})
    shown = measurements(frame)
    assert (shown[0].heading, shown[0].texts) == ("timing warning", texts)
    assert shown[-1].name == "reason"


def test_a_new_column_of_numbers_sorts_as_numbers():
    shown = column(pd.DataFrame({"new": [1234.5, float("inf"), 0.0]}), "new")
    assert shown.numbers == (1234.5, None, 0.0)
    assert shown.texts == ("1,234", "", "0")


def test_no_rows_are_no_columns(run):
    assert measurements(run.iloc[:0]) == []
