"""One fit by several algorithms and methods, side by side: what each computed, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from diffkit.errors import TooLargeError, TracingError, UnsupportedError
from diffkit.lab.least_squares.fitting import Fit, fit
from diffkit.lab.least_squares.residuals import TWO_POINT


@dataclass(frozen=True)
class Compared:
    """A fit, or why there is none.

    Attributes
    ----------
    algorithm, method
        By name.
    found
        The fit, or the error with which the method refused.
    seconds
        What it took together: tracing, preparing and fitting.
    """

    algorithm: str
    method: str
    found: Fit | Exception
    seconds: float


class Comparison(tuple[Compared, ...]):
    """Fits side by side; prints as a Markdown table."""

    __slots__ = ()

    def __str__(self) -> str:
        head = ("algorithm", "method", "cost", "\\|J'r\\|", "r computed", "J computed", "seconds", "ended")
        lines = [head, tuple("---" for _ in head), *map(_cells, self)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Compared) -> tuple[str, ...]:
    found, seconds = row.found, f"{row.seconds:.2g}"
    if isinstance(found, Exception):
        return row.algorithm, row.method, *["–"] * 4, seconds, f"{type(found).__name__}: {found}"
    ended = "converged" if found.converged else f"not converged: {found.reason}".replace("|", "\\|")
    counts = (f"{found.residual_evaluations}", f"{found.jacobian_evaluations}")
    return row.algorithm, row.method, f"{found.costs[-1]:.6g}", f"{found.slopes[-1]:.1g}", *counts, seconds, ended


def compare(
    residual: Callable[[Any], Any],
    beta0: Any,
    *,
    algorithms: Sequence[str] = ("gauss-newton", "levenberg-marquardt"),
    methods: Sequence[str] = ("finite-difference", "symbolic", "forward", "reverse", TWO_POINT),
    **options: Any,
) -> Comparison:
    """Which algorithm and which method fit best? Each pair of them, one after the other.

    Parameters
    ----------
    residual, beta0, **options
        As of `fit`.
    algorithms, methods
        By name. "2-point", which is SciPy's own, goes with levenberg-marquardt only.

    Examples
    --------
    >>> from diffkit.lab.least_squares import neuron
    >>> unit = neuron()
    >>> for row in compare(unit.residual, unit.start, methods=("reverse", "2-point"), engine="numpy"):
    ...     print(row.algorithm, row.method, row.found.residual_evaluations)
    gauss-newton reverse 9
    levenberg-marquardt reverse 8
    levenberg-marquardt 2-point 32
    """
    pairs = [
        (algorithm, method)
        for algorithm in algorithms
        for method in methods
        if method != TWO_POINT or algorithm == "levenberg-marquardt"
    ]
    return Comparison(_timed(residual, beta0, algorithm, method, options) for algorithm, method in pairs)


def _timed(
    residual: Callable[[Any], Any], beta0: Any, algorithm: str, method: str, options: dict[str, Any]
) -> Compared:
    start = time.perf_counter()
    found: Fit | Exception
    try:
        found = fit(residual, beta0, algorithm=algorithm, method=method, **options)
    except (TooLargeError, TracingError, UnsupportedError) as error:  # the others have an answer
        found = error
    return Compared(algorithm, method, found, time.perf_counter() - start)
