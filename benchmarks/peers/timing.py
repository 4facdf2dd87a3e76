"""One row: prepare every way, hold it against the derivative by hand, then time all in interleaved rounds."""

import random
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from timeit import Timer

import numpy as np

from diffkit.errors import DiffkitError
from diffkit.measure import Timing
from peers.rows import Row, warm_ups
from peers.ways import BY_HAND, PLAIN, Way

TOLERANCE = {True: 1e-9, False: 1e-3}
"""Relative to the largest entry, of exact ways and of differences."""

FAILURES = (ArithmeticError, AttributeError, DiffkitError, LookupError, RuntimeError, TypeError, ValueError)
"""What a library raises where it cannot do a row."""

PATIENCE = 10
"""Preparation is interrupted after so many times the seconds it has."""

SLOW = 30
"""Ways that take so many times the fastest are timed apart, in fewer rounds."""


@dataclass(frozen=True)
class Limits:
    """Seconds to prepare in, beyond which larger sizes are left out, and to sample for; samples of each way."""

    preparation: float = 8.0
    sampling: float = 0.1
    repeats: int = 9


@dataclass
class Outcome:
    """What became of one way at one row; `timing` is None, and `reason` says why, where it could not be timed."""

    way: Way
    prepare_seconds: float | None = None
    error: float | None = None
    timing: Timing | None = None
    reason: str = ""


class Study:
    """Times rows, and remembers which ways have become too slow to prepare."""

    def __init__(self, ways, limits):
        self.ways, self.limits = ways, limits
        self.exceeded = {}
        for way in ways:  # what a library does once per process belongs to no row
            for row in warm_ups():
                self.prepare(way, row)

    def row(self, row):
        """Time every way that fits a row."""
        outcomes, calls = [], {}
        for way in self.ways:
            if not way.fits(row) or (row.only_by_hand and way.peer not in ("diffkit", PLAIN, *BY_HAND)):
                continue
            outcome, call = self._tried(way, row)
            outcomes.append(outcome)
            if call is not None:
                calls[len(outcomes) - 1] = call
        self._time(outcomes, calls)
        return outcomes

    def _tried(self, way, row):
        key = way.label, row.problem
        if key in self.exceeded:
            return Outcome(way, reason=f"took {self.exceeded[key]} to prepare at a smaller size"), None
        outcome, call = self.prepare(way, row)
        if (outcome.prepare_seconds or 0.0) > self.limits.preparation:
            self.exceeded[key] = f"{outcome.prepare_seconds:.3g} s"
        return outcome, call

    def prepare(self, way, row):
        """Build, call once, and compare."""
        outcome = Outcome(way)
        if not way.fits(row):
            return outcome, None
        patience = PATIENCE * self.limits.preparation
        start = time.perf_counter()
        try:
            with _alarm(patience), np.errstate(all="ignore"):
                call = way.build(row)
                result = np.array(call(row.point), dtype=float)
            outcome.prepare_seconds = time.perf_counter() - start
        except TimeoutError:
            outcome.prepare_seconds = time.perf_counter() - start
            outcome.reason = f"not ready after {patience:g} s"
            return outcome, None
        except FAILURES as error:
            outcome.reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:150]
            return outcome, None
        if way.peer != PLAIN:
            outcome.error = _error(result, row)
            if not outcome.error <= TOLERANCE[way.exact]:
                outcome.reason = f"disagrees with the derivative by hand: relative error {outcome.error:.1e}"
                return outcome, None
        return outcome, partial(call, row.point)

    def _time(self, outcomes, calls):
        """The fast ones and diffkit in turn; the slow ones apart."""
        once = {place: _once(call) for place, call in calls.items()}
        fastest = min(once.values(), default=0.0)
        slow = {p for p, taken in once.items() if taken > SLOW * fastest and outcomes[p].way.peer != "diffkit"}
        together = [place for place in calls if place not in slow]
        with np.errstate(all="ignore"):
            for place, timing in _in_turn({place: calls[place] for place in together}, once, self.limits).items():
                outcomes[place].timing = timing
            for place in slow:
                short = replace(self.limits, sampling=0.02, repeats=3 if once[place] < 0.5 else 2)
                outcomes[place].timing = _in_turn({place: calls[place]}, once, short)[place]


def _in_turn(calls, once, limits):
    """Sample calls in rounds, each round in another order: else a machine busy at regular intervals hits always one."""
    share = limits.sampling / limits.repeats
    timers = {place: Timer(call) for place, call in calls.items()}
    loops = {place: max(1, round(share / once[place])) for place in calls}
    if limits.repeats > 3:  # the first calls are slower than later ones
        loops = {p: max(1, round(share * loops[p] / timer.timeit(loops[p]))) for p, timer in timers.items()}
    samples = {place: [] for place in calls}
    order = list(calls)
    shuffle = random.Random(0).shuffle  # noqa: S311 - the order of samples is no secret
    for _ in range(limits.repeats):
        shuffle(order)
        for place in order:
            samples[place].append(timers[place].timeit(loops[place]) / loops[place])
    return {place: Timing(tuple(samples[place]), loops[place]) for place in calls}


def _once(call):
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
        if taken[0] > 0.2:
            break
    return min(taken)


def _error(result, row: Row):
    """Largest error over largest entry; infinite where the shape is wrong."""
    wanted = row.by_hand(row.point)
    if result.size != wanted.size:
        return float("inf")
    return float(np.abs(result.reshape(wanted.shape) - wanted).max() / np.abs(wanted).max())


@contextmanager
def _alarm(seconds):
    """Raise TimeoutError after so many seconds, as soon as Python code runs."""

    def ring(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
