from __future__ import annotations

import gc

import numpy as np
import pytest

from diffkit import measure as module
from diffkit.measure import FEWEST_REPEATS, Timing, measure, peak_memory


class Clock:
    """Time passes only when a call says so."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(module, "perf_counter", lambda: self.now)
        monkeypatch.setattr(module, "_interruptions", lambda: 0)

    def call(self, seconds, log=None):
        def call():
            self.now += seconds
            if log is not None:
                log.append(seconds)

        return call


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_samples_are_seconds_per_loop(clock):
    (timing,) = measure(clock.call(0.25e-3), budget=0.07)
    assert timing.samples == pytest.approx([0.25e-3] * 7, rel=1e-9)


@pytest.mark.parametrize(("seconds", "loops"), [(1e-5, 1000), (1e-3, 10), (0.01, 1), (2.0, 1)])
def test_loops_fill_the_share_of_one_sample_and_are_never_zero(clock, seconds, loops):
    (timing,) = measure(clock.call(seconds), budget=0.07, repeats=7)
    assert timing.loops == loops


def test_a_slow_call_is_sampled_as_often_as_a_quick_one(clock):
    log = []
    (timing,) = measure(clock.call(5.0, log), budget=0.01)
    assert len(timing.samples) == FEWEST_REPEATS
    assert len(log) == 1 + 1 + FEWEST_REPEATS  # warm-up, calibration, samples


def test_the_first_call_is_in_no_sample(clock):
    durations = iter([100.0])

    def warming():
        clock.now += next(durations, 1.0)

    (timing,) = measure(warming, budget=0.1)
    assert timing.samples == (1.0,) * 7


def test_calls_are_sampled_in_turn(clock):
    log = []
    measure(clock.call(1.0, log), clock.call(2.0, log), budget=0.1, repeats=7)
    assert log[-14:] == [1.0, 2.0] * 7


def test_what_other_programs_took_of_a_sample_is_not_counted(clock, monkeypatch):
    taken_away, worked = [0], [0.0]
    monkeypatch.setattr(module, "_interruptions", lambda: taken_away[0])
    monkeypatch.setattr(module, "thread_time", lambda: worked[0])

    def call():
        clock.now += 1.0
        worked[0] += 0.25

    (quiet,) = measure(call)
    assert quiet.samples == (1.0,) * 7  # it waited for something of its own

    def interrupted():
        call()
        taken_away[0] += 1

    (busy,) = measure(interrupted)
    assert busy.samples == (0.25,) * 7


def test_statistics_are_those_of_numpy():
    samples = tuple(np.random.default_rng(1).exponential(size=11))
    timing = Timing(samples, loops=3)
    low, middle, high = np.percentile(samples, [25, 50, 75])
    assert timing.minimum == np.min(samples)
    assert timing.median == pytest.approx(middle, rel=1e-15)
    assert timing.iqr == pytest.approx(high - low, rel=1e-12)


@pytest.mark.parametrize("was_on", [True, False])
def test_the_garbage_collector_rests_while_timing_and_is_left_as_it_was(was_on):
    seen = set()
    (gc.enable if was_on else gc.disable)()
    try:
        measure(lambda: seen.add(gc.isenabled()), budget=1e-4)
        assert seen == {False}
        assert gc.isenabled() == was_on
    finally:
        gc.enable()


def test_the_garbage_collector_returns_after_an_error():
    with pytest.raises(ZeroDivisionError):
        measure(lambda: 1 / 0)
    assert gc.isenabled()


def test_peak_memory_sees_what_numpy_allocates_and_frees():
    def call():
        return np.ones(125_000).sum() + np.ones(250_000).sum()

    assert 2_000_000 <= peak_memory(call) < 2_050_000


def test_peak_memory_stops_tracing_after_an_error():
    with pytest.raises(ZeroDivisionError):
        peak_memory(lambda: 1 / 0)
    assert peak_memory(lambda: bytearray(10_000)) < 20_000
