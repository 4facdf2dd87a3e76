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
ORDERS = range(4, POINTS)  # of the differences
GOLDEN = 1.618  # far from every simple fraction
WIDENINGS = 6  # of the spacing, by 32 each, while f does not react to it


def estimate_noise(f: Around) -> Any:
    """Estimate how far rounding moves each output of f at x, as a standard deviation ``(B,)``.

    Where f returns one value at half of the points or more, it was computed in fewer digits than it has, and the points
    move apart. They lie on both sides of x, each side for itself, because f may have a kink there; and at two spacings,
    because rounding to a grid leaves no trace at points that fall in with the grid.
    """
    generator = np.random.default_rng(0)
    direction = generator.choice([-1.0, 1.0], f.x.size) * generator.uniform(0.5, 1.0, f.x.size)
    direction *= np.where(f.x != 0, np.abs(f.x), np.max(np.abs(f.x), initial=0.0) or 1.0)
    spacing, found = f.epsilon ** (2 / 3), np.zeros(f.here.shape)
    pending = np.isfinite(f.here)
    for _ in range(WIDENINGS):
        sides = [_values(f, factor * spacing * direction) for factor in (1.0, -1.0, GOLDEN, -GOLDEN)]
        stuck = np.all([np.mean(np.diff(side, axis=0) == 0, axis=0) >= 0.5 for side in sides], axis=0)
        near = [np.fmin(_deviation(one), _deviation(other)) for one, other in (sides[:2], sides[2:])]
        found = np.where(pending & ~stuck, np.nan_to_num(np.fmax(*near)), found)
        pending &= stuck
        if not pending.any():
            break
        spacing *= 32
    return found


def _values(f: Around, move: Any) -> Any:
    return np.stack([f(f.x + step * move) for step in range(1, POINTS + 1)])


def _deviation(values: Any) -> Any:
    """The least of the estimates from differences of each order; what is smooth makes the low ones too large."""
    estimates = []
    for order in ORDERS:
        variance = np.mean(np.diff(values, order, axis=0) ** 2, axis=0)
        estimates.append(np.sqrt(variance / math.comb(2 * order, order)))
    return np.min(estimates, axis=0)
