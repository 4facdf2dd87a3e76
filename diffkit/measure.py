"""How long does a call take, and how much memory? This file knows nothing of derivatives.

A measurement is made as by ``timeit`` and ``pyperf``: a warm-up, a number of *loops* calibrated so that one
sample is long against the clock, then several *repeats*. Samples of the calls that are measured together are
taken in turn, so that a busy moment of the machine falls on all of them and not on one.
"""

from __future__ import annotations

import gc
import statistics
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter, thread_time

try:
    import resource
except ImportError:  # no POSIX system: the clock on the wall is all there is
    resource = None  # type: ignore[assignment]

Call = Callable[[], object]

_THREAD = getattr(resource, "RUSAGE_THREAD", 0)  # of the process, where a system does not tell threads apart

FEWEST_REPEATS = 7
"""Fewer samples say nothing about the spread."""


@dataclass(frozen=True)
class Timing:
    """What one call took: a sample per repeat, in seconds per loop.

    Examples
    --------
    >>> timing = Timing(samples=(3.0, 1.0, 2.0, 5.0, 4.0), loops=10)
    >>> timing.minimum, timing.median, timing.iqr
    (1.0, 3.0, 2.0)
    """

    samples: tuple[float, ...]
    loops: int

    @property
    def minimum(self) -> float:
        """The fastest sample, in seconds."""
        return min(self.samples)

    @property
    def median(self) -> float:
        """The middle sample, in seconds."""
        return statistics.median(self.samples)

    @property
    def iqr(self) -> float:
        """The interquartile range of the samples, in seconds."""
        first, _, third = statistics.quantiles(self.samples, n=4, method="inclusive")
        return third - first


def measure(*calls: Call, budget: float = 0.1, repeats: int = FEWEST_REPEATS) -> tuple[Timing, ...]:
    """How long does each of these calls take?

    Parameters
    ----------
    *calls
        Functions without arguments. They are sampled in turn, one sample each per round.
    budget
        Seconds to spend on the samples of one call. A call slower than its share takes longer: it is never
        sampled fewer than ``repeats`` times.
    repeats
        Samples of each call.

    Returns
    -------
    tuple of Timing
        One per call, in their order.

    Examples
    --------
    >>> quick, slow = measure(lambda: sum(range(10)), lambda: sum(range(10_000)), budget=0.02)
    >>> len(quick.samples), quick.minimum < slow.minimum
    (7, True)
    """
    with _collector_off():
        loops = [_calibrate(call, budget / repeats) for call in calls]
        rounds = [[_seconds(*pair) for pair in zip(calls, loops, strict=True)] for _ in range(repeats)]
    samples = zip(*rounds, strict=True)
    return tuple(Timing(taken, n) for taken, n in zip(samples, loops, strict=True))


def peak_memory(call: Call) -> int:
    """How many bytes does one call hold at most, above what was held before it?

    Memory is traced, which slows the call: never time a call while this runs.

    Examples
    --------
    >>> 1_000_000 <= peak_memory(lambda: bytearray(1_000_000)) < 1_010_000
    True
    """
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _calibrate(call: Call, target: float) -> int:
    """How many loops take about ``target`` seconds? Warms up on the way."""
    call()
    loops = 1
    while (taken := _seconds(call, loops)) * loops < target / 10:
        loops *= 10
    return max(1, round(target / taken))


def _seconds(call: Call, loops: int) -> float:
    """Seconds per loop: one sample, by the clock on the wall; without what other programs took of it.

    Where the system took the core away meanwhile, to let another program run, the time of this thread counts instead:
    with two programs to a core the clock on the wall says twice as long, or four times, by chance.
    """
    interrupted, worked, start = _interruptions(), thread_time(), perf_counter()
    for _ in repeat(None, loops):
        call()
    taken, worked = perf_counter() - start, thread_time() - worked
    return (min(taken, worked) if _interruptions() > interrupted else taken) / loops


def _interruptions() -> int:
    """How often has the system taken the core away from this thread, though it had work to do?"""
    if resource is not None:
        return resource.getrusage(_THREAD).ru_nivcsw
    return 0


@contextmanager
def _collector_off() -> Iterator[None]:
    """Keep the garbage collector from running inside a sample."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
