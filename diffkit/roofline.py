"""How close to the machine's limits does a program run? Memory traffic and flops, each with a limit of its own.

No program that moves so many bytes and does so many flops can be faster than the slower of the two allows.
Williams, Waterman and Patterson (2009), "Roofline: an insightful visual performance model", CACM 52(4).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from diffkit.graph import Graph
from diffkit.measure import measure

COPIED = (2**14, 2**18, 2**22, 2**26)
"""Bytes of the arrays that are copied: within the first, second and third cache of today's processors, and beyond."""

ROWS = 512
"""Rows of the matrices whose product gives the peak: large enough for BLAS to be busy, small enough to take 10 ms."""


@dataclass(frozen=True)
class Machine:
    """What a machine can do at most, as measured.

    Attributes
    ----------
    copies
        Pairs: bytes that a copy goes through (read and written), and its bytes per second; the smallest first.
    flops
        Floating-point operations per second, of a matrix product.
    """

    copies: tuple[tuple[int, float], ...]
    flops: float

    def bandwidth(self, traffic: int) -> float:
        """Bytes per second of the fastest copy of at least this traffic: smaller ones may stay in a nearer cache."""
        rates = [rate for size, rate in self.copies if size >= traffic]
        return max(rates, default=self.copies[-1][1])


@functools.cache
def machine() -> Machine:
    """Measure this machine's limits, once per process; takes about a third of a second.

    As with STREAM, the fastest sample counts: a limit is what is possible. Linear algebra uses as many threads here as
    everywhere in the process.

    Examples
    --------
    >>> machine() is machine()
    True
    >>> machine().flops > 1e8
    True
    """
    a = np.ones((ROWS, ROWS))
    (product,) = measure(lambda: a @ a, budget=0.05)
    return Machine(
        tuple((2 * size, 2 * size / _copy_seconds(size)) for size in COPIED),
        2 * ROWS**3 / product.minimum,
    )


def _copy_seconds(size: int) -> float:
    source, target = np.ones(size // 8), np.zeros(size // 8)
    (timing,) = measure(lambda: np.copyto(target, source), budget=0.02)
    return timing.minimum


@dataclass(frozen=True)
class Roofline:
    """Measured time of a run beside what the machine allows.

    Attributes
    ----------
    seconds
        Measured: the median of one run.
    memory_seconds
        What its memory traffic takes, each step's at the speed of a copy of that size.
    arithmetic_seconds
        What its operations take at the speed of a matrix product, each function (exp, sin) counted as one.

    Examples
    --------
    >>> found = Roofline(seconds=8e-6, memory_seconds=2e-6, arithmetic_seconds=1e-6)
    >>> found.bound, found.share, found.limit
    (2e-06, 0.25, 'memory')
    >>> print(found)
    8 µs, 25 % of what the memory allows (2 µs)
    """

    seconds: float
    memory_seconds: float
    arithmetic_seconds: float

    @property
    def bound(self) -> float:
        """Seconds that a run takes at least: the longer of the two."""
        return max(self.memory_seconds, self.arithmetic_seconds)

    @property
    def share(self) -> float:
        """How much of the limit is reached: 1 is the limit.

        More than 1 says that less was moved than is counted: an engine that fuses steps keeps values in registers.
        """
        return self.bound / self.seconds

    @property
    def limit(self) -> str:
        """Which limit binds: "memory" or "arithmetic"."""
        return "memory" if self.memory_seconds >= self.arithmetic_seconds else "arithmetic"

    def __str__(self) -> str:
        return (
            f"{self.seconds * 1e6:,.3g} µs, {self.share:.0%} of what the {self.limit} allows "
            f"({self.bound * 1e6:,.3g} µs)"
        ).replace("%", " %")


def roofline(seconds: float, graph: Graph, times: float = 1.0) -> Roofline:
    """Set a measured time beside this machine's limits.

    Parameters
    ----------
    seconds
        What one run takes.
    graph
        What it evaluates. Every step's traffic goes at most at the speed of a copy of that size.
    times
        How often a run evaluates the graph.
    """
    limits = machine()
    memory = sum(traffic / limits.bandwidth(traffic) for traffic in graph.traffic())
    done = graph.operations
    return Roofline(seconds, times * memory, times * (done.flops + done.transcendental) / limits.flops)
