"""How fast is the machine just now? A fixed piece of work that every round of every cell is set beside.

On a shared machine there are seconds in which everything takes 1.3 to 1.9 times as long, code that is mostly Python
more than long loops of native code. The work here is a third of each kind, so that what it loses is what most code
loses. It must never change: runs that were made with another one cannot be compared.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from diffkit.benchmark.statistics import spread

if TYPE_CHECKING:
    import pandas as pd

WIDE = 0.1
"""Samples whose middle half spreads over more than this share of their median deserve a warning."""

_SHORT = np.linspace(0.1, 1.0, 10)
_LONG = np.linspace(0.1, 1.0, 1000)
_SQUARE = np.outer(_LONG[:64], _LONG[:64])


def reference() -> float:
    """Do the fixed piece of work: Python's own arithmetic, NumPy on few numbers, NumPy on many."""
    total = 0.0
    for number in range(200):
        total += number * 0.5
    short = _SHORT
    for _ in range(12):
        short = short * _SHORT
    many = np.sin(_LONG)
    return total + float(short[0]) + float((many * _LONG).sum()) + float((_SQUARE @ many[:64])[0])


def busy() -> float:
    """How many programs want to run per core, averaged over the last minute? NaN where the system does not tell."""
    try:
        return os.getloadavg()[0] / (os.cpu_count() or 1)
    except (AttributeError, OSError):  # no POSIX system
        return float("nan")


def warning(run: Sequence[float], references: Sequence[float], load: float | None) -> str:
    """Why should the times of a cell be doubted? Nothing where there is no reason.

    Examples
    --------
    >>> warning([1.0] * 7, [1.0] * 7, load=0.5)
    ''
    >>> warning([1.0, 1.0, 1.0, 1.0, 1.5, 1.5, 1.6], [1.0] * 7, load=1.5)
    'samples spread by 50 %; machine busy: 1.5 programs per core'
    """
    reasons = []
    if len(run) > 1 and (wide := spread(run)) > WIDE:
        reasons.append(f"samples spread by {wide:.0%}".replace("%", " %"))
    if load is not None and load > 1.0:
        reasons.append(f"machine busy: {load:.1f} programs per core")
    if len(references) > 1 and (wide := spread(references)) > WIDE:
        reasons.append(f"the reference swings by {wide:.0%}".replace("%", " %"))
    return "; ".join(reasons)


def at_best(frame: pd.DataFrame) -> float:
    """What does the reference take when nothing disturbs it, in seconds? NaN where a run has none.

    A low quantile instead of the least of all samples, which a coarse clock may have made too small.
    """
    samples = [sample for row in frame["reference_samples"] for sample in row]
    return float(np.quantile(samples, 0.02)) if samples else float("nan")


def steady(frame: pd.DataFrame) -> pd.DataFrame:
    """Rewrite the times of a run as they would be on the machine at its best.

    Each sample counts by its ratio to the reference of its own round; the median of these, times what the reference
    takes at best on that machine, stands for ``run_seconds`` and ``function_seconds``. Preparation is scaled by the
    reference of its cell. Rows without reference samples stay as they are.
    """
    import pandas as pd

    parts = [_steady(part) for _, part in frame.groupby("host", sort=False)]
    return pd.concat(parts).loc[frame.index] if parts else frame


def _steady(frame: pd.DataFrame) -> pd.DataFrame:
    best, frame = at_best(frame), frame.copy()
    known = frame.index[frame["reference_samples"].map(len) > 0]
    references = frame.loc[known, "reference_samples"]
    for name in ("run", "function"):
        pairs = zip(frame.loc[known, f"{name}_samples"], references, strict=True)
        frame.loc[known, f"{name}_seconds"] = np.array([best * np.median(np.divide(*pair)) for pair in pairs])
    frame.loc[known, "prepare_seconds"] *= best / np.array([np.median(samples) for samples in references])
    return frame
