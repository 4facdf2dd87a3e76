"""Three ways to take steps: Gauss-Newton, Levenberg-Marquardt (SciPy's), and gradient descent.

Nocedal and Wright (2006), "Numerical Optimization", 2nd edition: section 10.3 (Gauss-Newton, Levenberg-Marquardt) and
section 3.1 (step halving with the condition of Armijo).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from diffkit.errors import needing
from diffkit.lab.least_squares.residuals import TWO_POINT, Array, Residual, half_square

DECREASE = 1e-4
"""The share of the predicted decrease that a step must bring (Nocedal and Wright, equation 3.4)."""
EPSILON = float(np.finfo(np.float64).eps)
SLACK = 1e-10
"""What a step may add to the cost, relative to it: closer to the least cost, rounding in r hides what a step does."""
SINGULAR = "use levenberg-marquardt, or fewer parameters"


class Ended(NamedTuple):
    """Where an algorithm ended, and why; J where it was formed there."""

    beta: Array
    reason: str
    converged: bool
    J: Array | None = None


class Direction(NamedTuple):
    """Where to go from a point: the step, its slope ``p'J'r``, and why to end here, and whether that is well."""

    step: Any
    slope: float
    end: tuple[str, bool] | None
    J: Array | None = None


def gauss_newton(residual: Residual, beta: Array, max_iterations: int, tolerance: float) -> Ended:
    """Steps p that minimise ``|r + J p|``, halved until the cost falls; ends where J'J is singular, and says so."""

    def direction(beta: Array, r: Array) -> Direction:
        J = residual.jacobian(beta)
        step, _, rank, _ = np.linalg.lstsq(J, -r, rcond=None)
        gain, norm = float(np.linalg.norm(J @ step)), float(np.linalg.norm(r))
        end: tuple[str, bool] | None = None
        if rank < len(beta):
            end = f"J'J is singular: J has rank {rank} of {len(beta)}, which leaves the step open; {SINGULAR}", False
        elif gain <= tolerance * norm:
            end = f"a step could take {gain / norm if norm else 0.0:.1g} of |r| away", True
        elif np.linalg.norm(step) <= tolerance * (tolerance + np.linalg.norm(beta)):
            end = f"the step is {np.linalg.norm(step):.1g}, {tolerance:g} of beta or less", True
        return Direction(step, float(r @ (J @ step)), end, J)

    return _descend(residual, beta, direction, max_iterations)


def gradient_descent(residual: Residual, beta: Array, max_iterations: int, tolerance: float) -> Ended:
    """Steps -J'r, halved until the cost falls; J is never formed."""
    first: list[float] = []

    def direction(beta: Array, r: Array) -> Direction:
        gradient = residual.gradient(beta)
        first.append(residual.slopes[-1])
        end = (f"|J'r| is {first[-1]:.1g}", True) if first[-1] <= tolerance * first[0] else None
        return Direction(-gradient, -float(gradient @ gradient), end)

    return _descend(residual, beta, direction, max_iterations)


def _descend(
    residual: Residual, beta: Array, direction: Callable[[Array, Array], Direction], max_iterations: int
) -> Ended:
    r, steepest = residual.first(beta), np.inf
    for iteration in range(max_iterations + 1):
        found = direction(beta, r)
        if found.end is not None:
            return Ended(beta, *found.end, found.J)
        if iteration == max_iterations:
            break
        taken = _halved(residual, beta, half_square(r), found)
        if taken is None or (half_square(taken[1]) >= half_square(r) and -found.slope >= steepest):
            return Ended(beta, "the cost falls no further, as far as rounding shows", converged=False, J=found.J)
        steepest = -found.slope
        beta, r = taken
    return Ended(beta, f"{max_iterations} iterations are over", converged=False, J=found.J)


def _halved(residual: Residual, beta: Array, cost: float, found: Direction) -> tuple[Array, Array] | None:
    """The first step of p, p/2, p/4, ... that lowers the cost enough; p itself where rounding hides what they do."""
    share, whole = 1.0, None
    while share == 1.0 or -share * found.slope > EPSILON * cost:
        trial = beta + share * found.step
        r = residual(trial)
        with np.errstate(all="ignore"):
            reached = half_square(r)
        if reached <= cost + DECREASE * share * found.slope:  # never for nan
            return trial, r
        if share == 1.0 and reached <= cost * (1 + SLACK):
            whole = trial, r
        share /= 2
    return whole


def levenberg_marquardt(residual: Residual, beta: Array, max_iterations: int, tolerance: float) -> Ended:
    """SciPy's: MINPACK's "lm" where there are as many residuals as parameters, else its trust regions, "trf"."""
    with needing("levenberg-marquardt", extra="scipy", instead="take gauss-newton"):
        from scipy import __version__
        from scipy.optimize import least_squares
    rows = len(residual.first(beta))
    own = residual.method == TWO_POINT
    kind = "lm" if rows >= len(beta) else "trf"
    counts = tuple(map(int, __version__.split(".")[:2])) < (1, 16)  # "lm" counted its differences, too
    differences = len(beta) if own and kind == "lm" and counts else 0
    made: Any = least_squares(
        residual.at,
        beta,
        jac=TWO_POINT if own else residual.jacobian,
        method=kind,
        **dict.fromkeys(("ftol", "xtol", "gtol"), max(tolerance, EPSILON)),
        max_nfev=(max_iterations + 1) * (1 + differences),  # the first is at the start
    )
    if own:
        residual.visited(made.fun, made.grad)
    return Ended(made.x, str(made.message).replace("`", "").rstrip("."), bool(made.success), made.jac)


ALGORITHMS: dict[str, Callable[[Residual, Array, int, float], Ended]] = {
    "gauss-newton": gauss_newton,
    "levenberg-marquardt": levenberg_marquardt,
    "gradient-descent": gradient_descent,
}
