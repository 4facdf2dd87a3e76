"""How cost grows with size: least squares in logarithms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from diffkit.report import rows
from diffkit.report.words import number

FEWEST_SIZES = 4
"""A slope through fewer points has no standard error worth stating."""

SMALLEST_SPAN = 8
"""Largest over smallest size, below which a slope says little about growth."""

ENOUGH = f"{FEWEST_SIZES} values or more, a factor of {SMALLEST_SPAN} apart,"
"""The same in words."""

COSTS = {
    "counted operations": ("operations", "function_operations"),
    "time": ("run_seconds", "function_seconds"),
}
"""What cost is measured by: the column of the derivative, and that of f itself in the same cell."""


@dataclass(frozen=True)
class Fit:
    """A power law ``cost = c * size**exponent``: the exponent, its standard error, the sizes it rests on."""

    exponent: float
    error: float
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, sizes: ArrayLike, costs: ArrayLike) -> Self | None:
        """Fit the larger half of the sizes, at least four; None when there are fewer or they span too little.

        The larger half, because at small sizes the constant cost of a call hides how the rest grows.
        Ordinary least squares of log(cost) on log(size).

        Examples
        --------
        >>> sizes = [1, 10, 100, 1000]
        >>> print(Fit.of(sizes, [3 * size**2 for size in sizes]))
        2.00 ± 0.00
        >>> Fit.of([1, 2], [1, 4]) is None
        True
        """
        size, cost = np.asarray(sizes, dtype=float), np.asarray(costs, dtype=float)
        usable = np.isfinite(cost) & (cost > 0)
        order = np.argsort(size[usable])[-max(FEWEST_SIZES, math.ceil(usable.sum() / 2)) :]
        size, cost = size[usable][order], cost[usable][order]
        if len(size) < FEWEST_SIZES or size[-1] < SMALLEST_SPAN * size[0]:
            return None
        (exponent, _), covariance = np.polyfit(np.log(size), np.log(cost), 1, cov=True)
        return cls(float(exponent), float(np.sqrt(covariance[0, 0])), tuple(int(n) for n in size))

    @property
    def grows(self) -> bool | None:
        """Is the exponent nearer to 1 than to 0? None within one standard error of the middle.

        From either end, that is a margin of the standard error plus one half.
        """
        return None if abs(self.exponent - 0.5) <= self.error else self.exponent > 0.5

    @property
    def span(self) -> str:
        """The sizes in words."""
        return f"{number(self.sizes[0])} to {number(self.sizes[-1])}"

    def __str__(self) -> str:
        return f"{round(self.exponent, 2) + 0:.2f} ± {self.error:.2f}"  # + 0 turns -0.0 into 0.0


@dataclass(frozen=True)
class Growth:
    """How the cost of one method grows along one line of a run.

    Attributes
    ----------
    problem, method
        Whose cost.
    axis, fixed
        The size that grows, and the value of the other one.
    measured_by
        A key of `COSTS`.
    cost, relative
        The fit of the cost, and that of the cost in evaluations of f.
    """

    problem: str
    method: str
    axis: rows.Axis
    fixed: int
    measured_by: str
    cost: Fit
    relative: Fit

    @property
    def place(self) -> str:
        """Where this was measured, in words."""
        letter, other = rows.LETTER[self.axis], rows.LETTER[rows.OTHER[self.axis]]
        return f"{self.problem}, {other} = {self.fixed:,}, {letter} = {self.relative.span}"


def growths(frame: pd.DataFrame) -> list[Growth]:
    """Fit every method on every line of a run, the longest line first, by counted operations and by time."""
    return [growth for axis in rows.OTHER for line in rows.lines(frame, axis) for growth in _growths(line, axis)]


def _growths(line: pd.DataFrame, axis: rows.Axis) -> Iterator[Growth]:
    problem, fixed = str(line["problem"].iloc[0]), int(line[rows.OTHER[axis]].iloc[0])
    for method in rows.methods(line):
        part = rows.timed(line[line["method"] == method])
        for measured_by, (column, baseline) in COSTS.items():
            cost = Fit.of(part[axis], part[column])
            relative = Fit.of(part[axis], part[column] / part[baseline])
            if cost and relative:
                yield Growth(problem, method, axis, fixed, measured_by, cost, relative)


def growth_with_depth(depths: ArrayLike, counts: ArrayLike) -> tuple[bool, float] | None:
    """Decide whether counts grow exponentially with depth or like a power of it.

    Two straight lines are fitted to log(count), one against depth and one against log(depth); the smaller sum
    of squared residuals says which it is. Growth below a tenth per step is never called exponential.

    Returns
    -------
    (exponential, rate) or None
        The factor per step of depth, or the exponent of depth; None with fewer than four depths.

    Examples
    --------
    >>> growth_with_depth([1, 2, 3, 4, 5], [2, 4, 8, 16, 32])
    (True, 2.0)
    >>> growth_with_depth([1, 2, 3, 4, 5], [5, 10, 15, 20, 25])
    (False, 1.0)
    """
    depth, count = np.asarray(depths, dtype=float), np.log(np.asarray(counts, dtype=float))
    if len(depth) < FEWEST_SIZES:
        return None
    (rate, _), (exponential_residual, *_), *_ = np.polyfit(depth, count, 1, full=True)
    (power, _), (power_residual, *_), *_ = np.polyfit(np.log(depth), count, 1, full=True)
    factor = float(np.exp(rate))
    if factor > 1.1 and exponential_residual < power_residual:
        return True, factor
    return False, float(power)
