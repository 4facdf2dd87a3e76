from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from diffkit import problems
from diffkit.benchmark.cells import measure_cell
from diffkit.benchmark.grid import Cell, Limits
from diffkit.errors import TooLargeError, TracingError, UnsupportedError

CELL = Cell("mine", "rosenbrock", "reverse", "numpy", inputs=5, outputs=1)
QUICK = Limits(seconds=20.0, budget_seconds=0.002)
RIGHT = problems.get("rosenbrock").at(5).jacobian
TIMES = (
    "run_seconds",
    "run_seconds_min",
    "run_seconds_iqr",
    "function_seconds",
    "peak_memory_bytes",
    "loops",
)


def raising(error):
    def call(*_arguments):
        raise error

    return call


def test_a_cell_that_goes_well_knows_everything(plant):
    plant(RIGHT)
    row = measure_cell(CELL, QUICK)
    assert (row.status, row.reason, row.error, row.tolerance) == ("ok", "", 0.0, 1e-9)
    assert (row.suite, row.problem, row.method, row.engine) == ("mine", "rosenbrock", "reverse", "numpy")
    assert (row.inputs, row.outputs, row.study) == (5, 1, "cells")
    assert (row.operations, row.function_operations, row.graph_steps, row.function_calls) == (12, 5, 3, 0)
    assert row.sweeps == 5 + 10 * 1
    assert len(row.run_samples) == row.repeats == 7
    assert row.run_seconds == np.median(row.run_samples)
    assert row.run_seconds_min == min(row.run_samples)
    assert all(getattr(row, name) > 0 for name in (*TIMES, "prepare_seconds"))
    assert row.started.endswith("+00:00")


@pytest.mark.parametrize("wrong", [lambda x: RIGHT(x) * (1 + 1e-6), lambda x: RIGHT(x) * np.nan, lambda x: RIGHT(x).T])
def test_a_wrong_answer_disagrees_and_is_not_timed(plant, wrong):
    plant(wrong)
    row = measure_cell(CELL, QUICK)
    assert row.status == "disagrees"
    assert row.reason
    assert row.operations == 12
    assert all(getattr(row, name) is None for name in TIMES)
    assert row.run_samples == ()


def test_the_size_of_a_wrong_answer_is_kept(plant):
    plant(lambda x: RIGHT(x) * 1.5)
    row = measure_cell(CELL, QUICK)
    assert row.error == pytest.approx(0.5)
    assert row.reason.startswith("off by 5.0e-01 of the largest entry")


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (TracingError("np.foo cannot be traced"), "failed", "np.foo cannot be traced"),
        (KeyError("lost"), "failed", "KeyError: 'lost'"),
        (TooLargeError("2e9 terms"), "too large", "2e9 terms"),
        (UnsupportedError("take reverse"), "skipped", "take reverse"),
    ],
)
@pytest.mark.parametrize("phase", ["prepare", "run"])
def test_what_a_method_raises_is_the_status_of_its_cell(plant, phase, error, status, reason):
    plant(**{"run": RIGHT, phase: raising(error)})
    row = measure_cell(CELL, QUICK)
    assert (row.status, row.reason) == (status, reason)
    assert row.run_seconds is None
    assert row.operations == (None if phase == "prepare" else 12)


def test_what_is_known_is_told_as_soon_as_it_is_known(plant):
    told = []
    plant(lambda x: RIGHT(x) * 1.5)
    row = measure_cell(CELL, QUICK, lambda facts: told.append(dict(facts)))
    assert row.status == "disagrees"
    assert ["operations" in facts for facts in told] == [False, True]  # a method's answer has not been checked yet
    told.clear()
    plant(RIGHT)
    measure_cell(CELL, QUICK, lambda facts: told.append(dict(facts)))
    assert ["error" in facts for facts in told] == [False, False, True]
    assert not any("run_seconds" in facts for facts in told)


def test_a_jacobian_beyond_the_cap_is_not_tried(plant):
    asked = plant(raising(AssertionError("must not run")))
    cell = Cell("mine", "tanh-map", "reverse", "numpy", inputs=1000, outputs=1001)
    row = measure_cell(cell, replace(QUICK, jacobian_bytes=8_000_000))
    assert row.status == "too large"
    assert row.reason.startswith("a Jacobian of 1001 x 1000 numbers takes 8 MB; this suite allows 8 MB")
    assert asked == []


def test_a_problem_that_cannot_be_made_is_skipped(plant, monkeypatch):
    plant(RIGHT)
    monkeypatch.setattr(problems.Problem, "at", raising(UnsupportedError("install diffkit[data]")))
    row = measure_cell(CELL, QUICK)
    assert (row.status, row.reason) == ("skipped", "install diffkit[data]")


def test_ill_conditioned_problems_allow_for_it(plant):
    instance = problems.get("logistic-map").at(1, depth=25)
    plant(lambda _x: instance.jacobian(instance.point) * (1 + 1e-9 * 2))
    cell = Cell("mine", "logistic-map", "reverse", "numpy", 1, 1, study="swell", depth=25)
    row = measure_cell(cell, QUICK)
    assert row.tolerance == pytest.approx(100 * 2**-52 * instance.conditioning)
    assert row.tolerance > 1e-9


def test_a_step_size_is_handed_on_and_any_error_is_a_finding(plant):
    asked = plant(lambda x: RIGHT(x) * 3, exact=False)
    label = "finite-difference(scheme=forward)"
    row = measure_cell(replace(CELL, method=label, study="step-size", step_size=1e-3), QUICK)
    assert asked[-1] == {"scheme": "forward", "step_size": 1e-3}
    assert (row.status, row.step_size, row.tolerance) == ("ok", 1e-3, math.inf)
    assert row.error == pytest.approx(2.0)
    assert row.run_seconds is None


def test_the_floor_of_the_step_sizes_is_asked_for_no_step(plant):
    asked = plant(RIGHT)
    row = measure_cell(replace(CELL, study="step-size"), QUICK)
    assert asked[-1] == {}
    assert (row.status, row.error, row.step_size) == ("ok", 0.0, None)


def test_swell_is_counted_checked_and_not_timed(plant):
    instance = problems.get("logistic-map").at(1, depth=3)
    plant(lambda _x: instance.jacobian(instance.point))
    cell = Cell("mine", "logistic-map", "symbolic", "numpy", 1, 1, study="swell", depth=3)
    row = measure_cell(cell, QUICK)
    assert (row.status, row.operations, row.depth) == ("ok", 12, 3)
    assert row.run_seconds is None
