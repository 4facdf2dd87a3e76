from __future__ import annotations

import math

import numpy as np
import pytest

from diffkit.benchmark.drift import at_best, busy, reference, steady, warning
from diffkit.benchmark.results import to_frame

CALM = [1.0] * 7
SWINGING = [1.0, 1.0, 1.0, 1.3, 1.3, 1.3, 1.3]


def test_the_reference_is_the_same_work_every_time():
    once = reference()
    assert math.isfinite(once)
    assert reference() == once


def test_the_load_is_that_of_the_system():
    assert busy() >= 0


@pytest.mark.parametrize(
    ("run", "references", "load", "expected"),
    [
        (CALM, CALM, 0.9, ""),
        (CALM, CALM, None, ""),
        (CALM, CALM, math.nan, ""),
        (SWINGING, CALM, 0.0, "samples spread by 23 %"),
        (CALM, SWINGING, 0.0, "the reference swings by 23 %"),
        (CALM, CALM, 1.26, "machine busy: 1.3 programs per core"),
        ([1.0] * 6 + [100.0], CALM, 0.0, ""),  # one wild sample is no spread
    ],
)
def test_times_that_may_be_doubted_say_why(run, references, load, expected):
    assert warning(run, references, load) == expected


def frame(*rows):
    base = {"suite": "s", "problem": "p", "method": "m", "engine": "e", "inputs": 1, "outputs": 1, "status": "ok"}
    return to_frame([{**base, **row} for row in rows])


def samples(run, function, references):
    return {"run_samples": run, "function_samples": function, "reference_samples": references}


def test_times_are_written_as_on_the_machine_at_its_best():
    burst = np.array([1.0, 1.9, 1.9, 1.9, 1.0, 1.9, 1.9])
    calm = {**samples([4.0] * 7, [2.0] * 7, [1.0] * 7), "run_seconds": 4.0, "prepare_seconds": 8.0}
    loud = {**samples(4.0 * burst, 2.0 * burst, burst), "run_seconds": 7.6, "prepare_seconds": 19.0}
    found = steady(frame(calm, loud))
    assert found["run_seconds"].tolist() == pytest.approx([4.0, 4.0])
    assert found["function_seconds"].tolist() == pytest.approx([2.0, 2.0])
    assert found["prepare_seconds"].tolist() == pytest.approx([8.0, 10.0])


def test_each_machine_of_a_cluster_has_its_own_best():
    slow = {**samples([8.0] * 7, [4.0] * 7, [2.0] * 7), "host": "slow", "run_seconds": 8.0}
    quick = {**samples([4.0] * 7, [2.0] * 7, [1.0] * 7), "host": "quick", "run_seconds": 4.0}
    assert steady(frame(slow, quick, slow))["run_seconds"].tolist() == pytest.approx([8.0, 4.0, 8.0])


def test_what_was_not_timed_stays():
    found = steady(frame({"status": "failed"}, {"run_seconds": 3.0}))
    assert np.isnan(found["run_seconds"][0])
    assert found["run_seconds"][1] == 3.0
    assert math.isnan(at_best(found))
    assert steady(frame()).empty
