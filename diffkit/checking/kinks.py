"""Where f has no derivative: kinks, jumps, poles, and edges of its domain, told from the values of f on a line."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from diffkit.checking.around import RATIO, Line
from diffkit.checking.extrapolation import SAFETY, Estimate, one_sided, quotients

ROUGH = ("kink", "jump", "pole")
"""Kinds of points where f has no derivative."""
LEAST = 5  # step sizes over which a quotient must grow
SHRINKS = 0.9  # what converges has increments that shrink faster than this
JUMP = RATIO**0.9  # by which a quotient grows where f itself jumps


class Behaviour(NamedTuple):
    """How f behaves at x along a line, an entry per output.

    Attributes
    ----------
    kind
        ``(B,)``: "smooth", "kink", "jump", "pole", "edge" (f is there on one side only) or "unknown".
    above, below
        One-sided derivatives: infinite where they grow without bound, NaN where f is not there.
    """

    kind: Any
    above: Estimate
    below: Estimate


def behaviour(line: Line) -> Behaviour:
    """Say how f behaves at x along a line.

    A quotient that keeps growing as h shrinks has no limit: by `RATIO` from one step size to the next where f jumps,
    by less where f is only infinitely steep. Two limits that differ by more than their errors make a kink.
    """
    sides = quotients(line)
    growth = [_growth(side, sides.rounding) for side in (sides.above, sides.below)]
    above, below = (_limit(side, grown) for side, grown in zip(one_sided(line), growth, strict=True))
    fastest = np.fmax(*np.abs(growth))
    bounded = (_growth(line.ahead, line.noise) == 0) & (_growth(line.behind, line.noise) == 0)
    there = [np.isfinite(side.value) for side in (above, below)]
    gap = np.abs(above.value - below.value) > SAFETY * (above.error + below.error)
    kind = np.select(
        [
            ~np.isfinite(line.here),
            (fastest > JUMP) & bounded,
            fastest > 0,
            ~(there[0] | there[1]),
            ~(there[0] & there[1]),
            gap,
        ],
        ["pole", "jump", "pole", "unknown", "edge", "kink"],
        "smooth",
    )
    return Behaviour(kind, above, below)


def _limit(side: Estimate, growth: Any) -> Estimate:
    grows = growth != 0
    return Estimate(
        np.where(grows, np.copysign(np.inf, growth), side.value), np.where(grows, 0.0, side.error), side.level
    )


def _growth(quotient: Any, rounding: Any) -> Any:
    """By how much quotients grow without end from one step size to the next, with their sign; 0 where they do not."""
    change, unsure = np.diff(quotient, axis=0), SAFETY * (rounding[1:] + rounding[:-1])
    levels = len(change)
    seen = np.abs(change) > unsure  # NaN is not seen
    last = levels - 1 - np.argmax(seen[::-1], axis=0)
    rows = last - np.arange(LEAST)[::-1, None]
    steps = np.take_along_axis(change, np.maximum(rows, 0), axis=0)
    after = np.take_along_axis(np.vstack([unsure, np.full_like(unsure[:1], np.inf)]), last[None] + 1, axis=0)[0]
    ratios = steps[1:] / steps[:-1]
    hidden = ~(after < SHRINKS * np.abs(steps[-1]))  # rounding would hide further growth
    grows = seen.any(axis=0) & (rows[0] >= 0) & hidden & np.all(ratios >= SHRINKS, axis=0)
    return np.where(grows, np.sign(steps[-1]) * np.median(ratios, axis=0), 0.0)
