"""From difference quotients at shrinking step sizes to the derivative, and how far to trust it.

Ridders (1982), "Accurate computation of F'(x) and F'(x) F''(x)": the quotients' error is a series in powers of h, so
that two of them give one of higher order. Its estimate of the error is kept; what is added is that a finer step
size can refute a coarser one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from diffkit.checking.around import RATIO, Line

SAFETY = 30.0
"""How many times the estimated error a difference may be; docs/decisions/checking-derivatives.md says why."""
ORDERS = 5


class Estimate(NamedTuple):
    """A derivative by differences, an entry per output.

    Attributes
    ----------
    value
        ``(B,)``; NaN where there is none.
    error
        Of truncation and rounding together; infinite where nothing tells.
    level
        Which step size gave it.
    """

    value: Any
    error: Any
    level: Any


class Sides(NamedTuple):
    """Quotients along a line: two-sided, and one-sided from above and from below, with their rounding errors."""

    central: Any
    above: Any
    below: Any
    rounding: Any


def quotients(line: Line) -> Sides:
    """Difference quotients at each step size, ``(L, B)``."""
    h = line.steps[:, None]
    return Sides(
        (line.ahead - line.behind) / (2 * h),
        (line.ahead - line.here) / h,
        (line.here - line.behind) / h,
        line.noise / h,
    )


def central(line: Line) -> Estimate:
    """The derivative along a line, from both sides."""
    sides = quotients(line)
    return extrapolate(sides.central, sides.rounding, RATIO**2)


def one_sided(line: Line) -> tuple[Estimate, Estimate]:
    """The derivatives along a line from above and from below."""
    sides = quotients(line)
    return extrapolate(sides.above, 2 * sides.rounding, RATIO), extrapolate(sides.below, 2 * sides.rounding, RATIO)


def extrapolate(found: Any, rounding: Any, factor: float) -> Estimate:
    """The limit of quotients ``(L, B)`` as h vanishes; the next step size divides the first error by ``factor``."""
    values, errors = np.array(found), np.full(found.shape, np.inf)
    previous: list[Any] = []
    for level in range(len(found)):
        row = [found[level]]
        for power, older in enumerate(previous[:ORDERS], start=1):
            row.append(row[-1] + (row[-1] - older) / (factor**power - 1.0))
            guess = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - older)) + 1.1 * rounding[level]
            better = guess < errors[level]  # False where either is NaN
            values[level] = np.where(better, row[-1], values[level])
            errors[level] = np.where(better, guess, errors[level])
        previous = row
    return _choose(values, errors)


def _choose(values: Any, errors: Any) -> Estimate:
    """The estimate of least error among those that no finer step size refutes."""
    lows, highs = values - SAFETY * errors, values + SAFETY * errors
    finer_low = np.fmax.accumulate(lows[::-1])[::-1]
    finer_high = np.fmin.accumulate(highs[::-1])[::-1]
    stands = np.isfinite(errors)
    stands[:-1] &= ~((highs[:-1] < finer_low[1:]) | (lows[:-1] > finer_high[1:]))
    judged = np.where(stands, errors, np.inf)
    level = np.argmin(judged, axis=0)
    every = np.arange(values.shape[1])
    error = judged[level, every]
    return Estimate(np.where(np.isfinite(error), values[level, every], np.nan), error, level)
