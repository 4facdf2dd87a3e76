from __future__ import annotations

import math
import signal
import threading
import time
from contextlib import suppress

import numpy as np
import pytest

from diffkit import measure
from diffkit.benchmark import trial
from diffkit.benchmark.grid import Limits
from diffkit.benchmark.methods import Method
from diffkit.benchmark.trial import OutOfTime, Trial, attempt, relative_error, time_limit, tolerance, warm_up
from diffkit.errors import CheckError, InputError, TooLargeError, TracingError, UnsupportedError


def test_the_error_is_relative_to_the_largest_entry_of_the_reference():
    reference = np.array([[1.0, -4.0], [0.0, 2.0]])
    wrong = reference + np.array([[0.0, 0.0], [0.5, -1.0]])
    assert relative_error(wrong, reference) == 0.25


def test_a_derivative_of_nothing_is_right():
    assert relative_error(np.empty((0, 3)), np.empty((0, 3))) == 0.0


def test_zero_is_right_where_the_reference_is_zero_and_anything_else_is_not():
    zero = np.zeros((1, 2))
    assert relative_error(zero, zero) == 0.0
    assert relative_error(zero + 1e-12, zero) == 1e-12  # a difference at a minimum is right to its own precision
    assert relative_error(zero + 100.0, zero) == 100.0


@pytest.mark.parametrize("entry", [np.nan, np.inf])
def test_what_is_no_number_disagrees(entry):
    assert not relative_error(np.array([[entry, 1.0]]), np.array([[1.0, 1.0]])) <= 1e300


def test_a_jacobian_of_another_shape_is_an_error():
    with pytest.raises(CheckError, match=r"shape \(2, 3\); the reference has shape \(3, 2\)"):
        relative_error(np.ones((2, 3)), np.ones((3, 2)))


@pytest.mark.parametrize(
    ("answer", "reference", "words"),
    [
        (1.5, 1.0, r"off by 5.0e-01 of the largest entry \(1.0e\+00\); 1e-09 is allowed"),
        (100.0, 0.0, r"off by 1.0e\+02 of the largest entry \(0.0e\+00\)"),
        (1.0, np.nan, "off by nan of the largest entry"),
        (np.nan, 1.0, "the answer holds an entry that is NaN or infinite"),
        (np.inf, np.inf, "the answer holds an entry that is NaN or infinite"),
    ],
)
def test_what_is_off_by_too_much_says_by_how_much(planted, answer, reference, words):
    one = Trial(planted(lambda _x: np.array([[answer]])), np.sum, np.zeros(1))
    one.prepare()
    with pytest.raises(CheckError, match=words):
        one.agree(np.array([[reference]]), tolerance=1e-9)


@pytest.mark.parametrize(
    ("label", "exact", "expected"),
    [
        ("reverse", True, 1e-9),
        ("symbolic(form=expression)", True, 1e-9),
        ("finite-difference", False, 1e-6),
        ("finite-difference(scheme=central)", False, 1e-6),
        ("finite-difference(scheme=richardson)", False, 1e-6),
        ("finite-difference(scheme=forward)", False, 1e-3),
        ("finite-difference(scheme=complex-step)", False, 1e-12),
    ],
)
def test_every_method_is_held_to_what_it_promises(label, exact, expected):
    assert tolerance(Method.parse(label), exact=exact) == expected


def test_nobody_is_held_to_more_than_the_conditioning_allows():
    assert tolerance(Method("reverse"), exact=True, conditioning=1e9) == pytest.approx(100 * 2**-52 * 1e9)


@pytest.fixture
def tick(monkeypatch):
    """Make functions that let time pass; otherwise it stands still."""
    now = [0.0]
    monkeypatch.setattr(measure, "perf_counter", lambda: now[0])
    monkeypatch.setattr(measure, "_interruptions", lambda: 0)
    monkeypatch.setattr(trial, "perf_counter", lambda: now[0])

    def tick(seconds, answer=None, log=None):
        def call(*_arguments):
            now[0] += seconds
            if log is not None:
                log.append(seconds)
            return answer

        return call

    monkeypatch.setattr(trial, "reference", tick(0.0625))
    return tick


JACOBIAN = np.array([[1.0, 2.0]])


def test_run_function_and_preparation_are_timed_apart(planted, tick):
    differentiator = planted(tick(0.5, JACOBIAN), prepare=tick(0.125))
    one = Trial(differentiator, tick(0.25), np.zeros(2))
    one.prepare()
    one.agree(JACOBIAN, tolerance=0.0)
    one.measure(Limits(budget_seconds=0.2))
    assert one.facts["run_seconds"] == one.facts["run_seconds_min"] == 0.5
    assert one.facts["function_seconds"] == one.facts["function_seconds_min"] == 0.25
    assert one.facts["prepare_seconds"] == 0.125
    assert one.facts["run_seconds_iqr"] == one.facts["function_seconds_iqr"] == 0.0
    assert one.facts["run_samples"] == (0.5,) * 7
    assert one.facts["function_samples"] == (0.25,) * 7
    assert one.facts["reference_samples"] == (0.0625,) * 7
    assert one.facts["run_seconds_mad"] == 0.0
    assert one.facts["run_seconds_low"] == one.facts["run_seconds_high"] == 0.5


@pytest.mark.parametrize(("steps", "known"), [(3, True), (trial.TRACED_STEPS + 1, False)])
def test_the_memory_of_a_very_long_program_is_not_traced(planted, tick, steps, known):
    one = Trial(planted(tick(0.5, JACOBIAN), prepare=tick(0.5)), tick(0.5), np.zeros(2))
    one.prepare()
    one.facts["graph_steps"] = steps
    one.measure(Limits(budget_seconds=0.2))
    assert ("peak_memory_bytes" in one.facts) == known


@pytest.mark.parametrize(("seconds", "preparations"), [(0.25, 1), (0.125, 1 + 1 + 1 + 7)])
def test_a_preparation_is_repeated_unless_it_exceeds_the_budget(planted, tick, seconds, preparations):
    log = []
    one = Trial(planted(tick(0.5, JACOBIAN), prepare=tick(seconds, log=log)), tick(0.5), np.zeros(2))
    one.prepare()
    one.measure(Limits(budget_seconds=0.2))
    assert len(log) == preparations  # the first; then warm-up, calibration and seven samples
    assert one.facts["prepare_seconds"] == seconds


def test_warming_up_happens_once_for_each_method_and_engine(planted, monkeypatch):
    prepared = []
    warm = planted(lambda _x: JACOBIAN, prepare=lambda: prepared.append(1))
    monkeypatch.setattr(Method, "differentiator", lambda _self, _engine: warm)
    for engine in ("one", "two", "one", "two"):
        warm_up("planted by a test", engine)
    assert len(prepared) == 2


def raising(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (CheckError("off"), "disagrees", "off"),
        (TooLargeError("1 TB"), "too large", "1 TB"),
        (MemoryError("no more"), "out of memory", "MemoryError: no more"),
        (UnsupportedError("use reverse"), "skipped", "use reverse"),
        (TracingError("np.foo"), "failed", "np.foo"),
        (InputError("x is None"), "failed", "x is None"),
        (ZeroDivisionError("by zero"), "failed", "ZeroDivisionError: by zero"),
        (RecursionError("too deep"), "failed", "RecursionError: too deep"),
        (ValueError("two\n  lines"), "failed", "ValueError: two lines"),
        (OutOfTime(), "timed out", "not finished within 5 s"),
    ],
)
def test_what_goes_wrong_has_a_name_and_a_reason(error, status, reason):
    assert attempt(raising(error), seconds=5.0) == (status, reason)


def test_a_reason_is_no_novel():
    _, reason = attempt(raising(ValueError("word " * 1000)), seconds=1.0)
    assert len(reason) <= 300


def test_control_c_gets_out():
    with pytest.raises(KeyboardInterrupt):
        attempt(raising(KeyboardInterrupt()), seconds=1.0)


def spin():
    while True:
        pass


def sleep():
    time.sleep(3600)


def stubborn():
    while True:
        with suppress(Exception):
            time.sleep(0.001)


def test_without_a_limit_no_alarm_is_set():
    with time_limit(math.inf):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize("endless", [spin, sleep, stubborn])
def test_what_never_ends_is_ended(endless):
    assert attempt(endless, seconds=0.05) == ("timed out", "not finished within 0.05 s")


def test_a_time_limit_leaves_no_alarm_behind():
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(1000.0):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    with pytest.raises(ZeroDivisionError), time_limit(1000.0):
        _ = 1 / 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_outside_the_main_thread_there_is_no_limit_and_no_error():
    results = []
    thread = threading.Thread(target=lambda: results.append(attempt(lambda: time.sleep(0.05), seconds=0.01)))
    thread.start()
    thread.join()
    assert results == [("ok", "")]
