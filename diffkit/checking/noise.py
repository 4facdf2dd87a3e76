"""How far does rounding move f's value? From differences of high order, in which only rounding is left.

More and Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33(3): algorithm ECnoise, after
Hamming (1971), "Introduction to applied numerical analysis". The k-th differences of a smooth f at close points vanish;
those of its rounding errors do not, and have variance ``(2 k)! / (k!)^2`` times that of one error.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit.checking.around import Around

POINTS = 9
ORDERS = (4, 5, 6)  # of the differences: high enough for what is smooth, with points left to average over
GOLDEN = 1.618  # far from every simple fraction
WIDENINGS = 6  # of the spacing, by 32 each, while f does not react to it


def estimate_noise(f: Around) -> Any:
    """Estimate how far rounding moves each output of f at x, as a standard deviation ``(B,)``.

    Where f returns one value at half of the points or more, it was computed in fewer digits than it has, and the points
    move apart.
    """
    generator = np.random.default_rng(0)
    direction = generator.choice([-1.0, 1.0], f.x.size) * generator.uniform(0.5, 1.0, f.x.size)
    direction *= np.where(f.x != 0, np.abs(f.x), np.max(np.abs(f.x), initial=0.0) or 1.0)
    spacing, found = f.epsilon ** (2 / 3), np.zeros(f.here.shape)
    pending, still = np.isfinite(f.here), np.zeros(f.here.shape, bool)
    for _ in range(WIDENINGS):
        # A grid can hide one spacing, hence the larger of two; a kink near x spoils one side, hence the lesser of two.
        spreads = [[_deviation(f, sign * part * spacing * direction) for part in (1.0, GOLDEN)] for sign in (1, -1)]
        spread = np.fmin(*[np.fmax(*side) for side in spreads])
        found = np.where(pending, np.fmax(found, np.nan_to_num(spread)), found)
        pending &= np.isnan(spread) | still  # what stood still is looked at once more, where steps of a grid are small
        still = np.isnan(spread)
        if not pending.any():
            break
        spacing *= 32
    return found


def _deviation(f: Around, move: Any) -> Any:
    """The least of the estimates from differences of each order; NaN where f stands still at half of the points."""
    values = np.stack([f(f.x + step * move) for step in range(1, POINTS + 1)])
    size = np.fmax(np.max(np.abs(values), axis=0), np.finfo(float).tiny)  # squares of huge numbers overflow
    estimates = []
    for order in ORDERS:
        variance = np.mean(np.diff(values / size, order, axis=0) ** 2, axis=0)
        estimates.append(size * np.sqrt(variance / math.comb(2 * order, order)))
    still = np.mean(np.diff(values, axis=0) == 0, axis=0) >= 0.5
    return np.where(still, np.nan, np.min(estimates, axis=0))
