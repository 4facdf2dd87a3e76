"""The study behind a verdict: differences near the derivative as the step size shrinks, and leave it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit.checking.around import Around
from diffkit.checking.extrapolation import central, quotients

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Study:
    """Central differences of one output along one direction, and a derivative beside them.

    Attributes
    ----------
    steps
        Step sizes h, ``(L,)``, the largest first.
    differences
        ``(f(x + h) - f(x - h)) / (2 h)``, ``(L,)``; NaN where f is not defined on both sides.
    below, above
        The one-sided differences, ``(f(x) - f(x - h)) / h`` and ``(f(x + h) - f(x)) / h``, ``(L,)``.
    rounding
        What rounding makes of each, ``eps |f| / h`` or more where f itself is noisy, ``(L,)``.
    given
        The derivative that is checked.
    estimate, error
        The derivative that the differences lead to, and how far it is known.
    rough
        Whether f has no derivative here, so that the one-sided differences are what there is to see.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> found = dk.check(np.exp, 1.0)
    >>> print(found.study.table(every=5))
    step size h  central difference  away from the given  rounding alone
        2.5e-01    2.74668588169833              2.8e-02         1.6e-15
        2.4e-04    2.71828185546292              2.7e-08         1.2e-12
        2.4e-07    2.71828182879835              3.4e-10         1.3e-09
        2.3e-10    2.71828174591064              8.3e-08         1.3e-06
        2.3e-13             2.71875              4.7e-04         1.3e-03
    """

    steps: Any
    differences: Any
    below: Any
    above: Any
    rounding: Any
    given: float
    estimate: float
    error: float
    rough: bool

    @property
    def distances(self) -> Any:
        """How far each difference is from the given derivative, ``(L,)``."""
        return np.abs(self.differences - self.given)

    def table(self, every: int = 1) -> str:
        """The study as text, one step size in so many."""
        columns = {"step size h": self.steps, "central difference": self.differences}
        if self.rough:
            columns |= {"from below": self.below, "from above": self.above}
        else:
            columns |= {"away from the given": self.distances, "rounding alone": self.rounding}
        formats = [".1e", ".15g", *([".9g", ".9g"] if self.rough else [".1e", ".1e"])]
        texts = [
            [name, *(format(number, form) for number in column[::every])]
            for (name, column), form in zip(columns.items(), formats, strict=True)
        ]
        widths = [max(map(len, column)) for column in texts]
        rows = zip(*texts, strict=True)
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)

    def plot(self, axes: Axes) -> Axes:
        """Draw the study on axes of matplotlib: distance from the given derivative against step size."""
        axes.loglog(self.steps, self.distances, "o-", label="|central difference − given|")
        axes.loglog(self.steps, self.rounding, ":", color="0.45", label="rounding, eps |f| / h")
        axes.set_xlabel("step size h")
        axes.set_ylabel("distance from the given derivative")
        return axes


def study(f: Around, v: Any, output: int, given: float, *, rough: bool) -> Study:
    """Evaluate f along a direction, and set a derivative beside its differences."""
    line = f.line(v)
    sides, found = quotients(line), central(line)
    return Study(
        steps=line.steps,
        differences=sides.central[:, output],
        below=sides.below[:, output],
        above=sides.above[:, output],
        rounding=sides.rounding[:, output],
        given=given,
        estimate=float(found.value[output]),
        error=float(found.error[output]),
        rough=rough,
    )
