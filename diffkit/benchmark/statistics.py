"""What samples say: their middle, their spread, and whether two sets of them differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Samples = Sequence[float] | npt.NDArray[np.float64]

RESAMPLES = 2000
"""Of the bootstrap: the ends of its interval are then right to about a tenth of its width."""

EXACT_UP_TO = 25
"""Samples a side up to which the ranks are counted exactly, in 64 bits; beyond, they are normal to four digits."""


def summary(samples: Samples) -> dict[str, float]:
    """What is typical of these samples, and how far do they scatter?

    Returns
    -------
    dict
        By what follows ``seconds`` in the name of a column: the median, ``_min``, ``_iqr`` (interquartile range),
        ``_mad`` (median of the distances from the median), and ``_low`` and ``_high``, the 95 % interval of the median.

    Examples
    --------
    >>> found = summary([3.0, 1.0, 2.0, 5.0, 4.0, 7.0, 6.0])
    >>> found[""], found["_min"], found["_iqr"], found["_mad"]
    (4.0, 1.0, 3.0, 2.0)
    """
    taken = np.asarray(samples, dtype=float)
    first, middle, third = np.quantile(taken, [0.25, 0.5, 0.75])
    low, high = interval(taken)
    return {
        "": float(middle),
        "_min": float(taken.min()),
        "_iqr": float(third - first),
        "_mad": float(np.median(np.abs(taken - middle))),
        "_low": low,
        "_high": high,
    }


def interval(samples: Samples, seed: int = 0) -> tuple[float, float]:
    """Between which values does the median lie, with 95 % confidence?

    The bootstrap: medians of as many samples, drawn from these with replacement (B. Efron, R. J. Tibshirani, *An
    Introduction to the Bootstrap*, 1993, chapter 13). Equal samples and seeds give equal answers.

    Examples
    --------
    >>> interval([1.0] * 7)
    (1.0, 1.0)
    """
    taken = np.asarray(samples, dtype=float)
    drawn = np.random.default_rng(seed).integers(len(taken), size=(RESAMPLES, len(taken)))
    low, high = np.quantile(np.median(taken[drawn], axis=1), [0.025, 0.975])
    return float(low), float(high)


def spread(samples: Samples) -> float:
    """How wide is the middle half of the samples, relative to their median?

    Examples
    --------
    >>> spread([1.0, 2.0, 3.0, 4.0, 5.0])
    0.6666666666666666
    """
    first, middle, third = np.quantile(np.asarray(samples, dtype=float), [0.25, 0.5, 0.75])
    return float((third - first) / middle)


def rank_test(first: Samples, second: Samples) -> float:
    """How likely are samples that lie so far apart, or farther, if both are of one kind? Two-sided.

    The test of H. B. Mann and D. R. Whitney (*Annals of Mathematical Statistics* 18, 1947, 50-60): it reads ranks only,
    so a single wild sample counts no more than any other. Exact up to `EXACT_UP_TO` samples a side.

    Examples
    --------
    >>> round(rank_test(range(7), range(10, 17)), 6)
    0.000583
    >>> rank_test([1, 2, 3], [1, 2, 3])
    1.0
    """
    one, other = (np.asarray(samples, dtype=float) for samples in (first, second))
    pairs = len(one) * len(other)
    above = float(np.sum(one[:, None] > other) + 0.5 * np.sum(one[:, None] == other))
    fewest = min(above, pairs - above)
    if max(len(one), len(other)) <= EXACT_UP_TO:
        ways = _ways(len(one), len(other))
        return min(1.0, 2.0 * float(ways[: math.floor(fewest) + 1].sum()) / math.comb(len(one) + len(other), len(one)))
    deviation = math.sqrt(pairs * (len(one) + len(other) + 1) / 12)
    return min(1.0, math.erfc((pairs / 2 - fewest - 0.5) / deviation / math.sqrt(2)))


def _ways(first: int, second: int) -> npt.NDArray[np.int64]:
    """In how many orders does a sample of the first kind lie above one of the second 0, 1, 2, ... times?

    The coefficients of the Gaussian binomial, one factor (1 - q**(second + k)) / (1 - q**k) at a time.
    """
    ways = np.zeros(first * second + 1, dtype=np.int64)
    ways[0] = 1
    for k in range(1, first + 1):
        ways[second + k :] -= ways[: -(second + k)].copy()
        for start in range(k):
            ways[start::k] = np.cumsum(ways[start::k])
    return ways
