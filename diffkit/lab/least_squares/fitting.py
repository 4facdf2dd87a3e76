"""`fit`: a least-squares fit by an algorithm, a method and an engine of one's choice, each by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.differentiators import Differentiator
from diffkit.errors import InputError, check_name, check_positive, check_whole
from diffkit.lab.least_squares.algorithms import ALGORITHMS
from diffkit.lab.least_squares.residuals import TWO_POINT, Array, Residual, flattened
from diffkit.operators import DEFAULT


@dataclass(frozen=True)
class Fit:
    """What a fit found, and what it took.

    Attributes
    ----------
    algorithm, method
        Who took the steps, and who differentiated.
    parameters
        Where it ended, built like the start.
    costs, slopes
        ``1/2 |r|^2`` and ``|J'r|`` at the start and after each step; with "2-point", after the last one only.
    residual_evaluations, jacobian_evaluations
        How often r and J were computed. What finite differences call r for is counted among the former; with "2-point",
        that is all there is.
    converged
        Whether it ended because the tolerance was reached.
    reason
        Why it ended.
    standard_errors
        Of the parameters, built like them: square roots of the diagonal of ``s^2 (J'J)^-1``, ``s^2 = |r|^2 / (B - A)``.
        None where B <= A, where J'J is singular, and where J was not formed.
    """

    algorithm: str
    method: str
    parameters: Any
    costs: Array
    slopes: Array
    residual_evaluations: int
    jacobian_evaluations: int
    converged: bool
    reason: str
    standard_errors: Any

    def __str__(self) -> str:
        ended = "converged" if self.converged else "not converged"
        return (
            f"{self.algorithm} with {self.method}, {ended}: {self.reason}\n"
            f"cost {self.costs[-1]:.6g}, |J'r| {self.slopes[-1]:.1g}; "
            f"r computed {self.residual_evaluations} times, J {self.jacobian_evaluations} times"
        )


def fit(
    residual: Callable[[Any], Any],
    beta0: Any,
    *,
    algorithm: str = "levenberg-marquardt",
    method: str | Differentiator = DEFAULT,
    max_iterations: int = 200,
    tolerance: float = 1e-8,
    **options: Any,
) -> Fit:
    """Which parameters make ``1/2 |r(beta)|^2`` least, near where one starts?

    Parameters
    ----------
    residual
        r, a plain-NumPy function of beta: what a model says less what was measured, B numbers.
    beta0
        The start, A numbers: an array, or containers of arrays.
    algorithm
        "gauss-newton", with step halving; "levenberg-marquardt", by ``scipy.optimize.least_squares``;
        "gradient-descent", with step halving, to compare with.
    method
        Who makes J, or J'r where that is enough: a name (see `diffkit.names`), a `Differentiator`, or "2-point" for
        SciPy's own differences under levenberg-marquardt.
    max_iterations
        Steps; for levenberg-marquardt also those that it tried and did not take.
    tolerance
        Relative. Gauss-Newton ends where no step takes more than this share of r away (Bates and Watts, 1981), or where
        the step is this share of beta; gradient descent where J'r has become this share of what it was;
        levenberg-marquardt where SciPy's ``ftol``, ``xtol`` or ``gtol`` is reached.
    **options
        Options of the method, such as ``engine=``.

    Raises
    ------
    UnknownNameError
        An algorithm or a method that nobody has.
    InputError
        r(beta0), its square or a derivative is not finite, there are no parameters or no residuals, ``max_iterations``
        or ``tolerance`` is not positive, or "2-point" is asked of another algorithm than levenberg-marquardt.
    UnsupportedError
        SciPy is not installed.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> y = np.array([2.1, 3.3, 5.4, 8.9])
    >>> found = fit(lambda beta: beta[0] * np.exp(beta[1] * x) - y, np.array([1.0, 0.1]), algorithm="gauss-newton")
    >>> found.parameters.round(3), found.converged
    (array([2.037, 0.491]), True)
    """
    check_name(algorithm, ALGORITHMS, kind="algorithm")
    check_whole(max_iterations, "max_iterations")
    check_positive(tolerance, "tolerance", ", relative")
    if method == TWO_POINT and algorithm != "levenberg-marquardt":
        raise InputError(f"method='2-point' is SciPy's and {algorithm} is not; use method='finite-difference'")
    flat, beta, built = flattened(residual, beta0)
    counted = Residual(flat, beta, method, **options)
    ended = ALGORITHMS[algorithm](counted, beta, max_iterations, tolerance)
    errors = _standard_errors(ended.J, counted.costs[-1])
    return Fit(
        algorithm,
        counted.method,
        built(ended.beta),
        np.array(counted.costs),
        np.array(counted.slopes),
        counted.residuals,
        counted.jacobians,
        ended.converged,
        ended.reason,
        None if errors is None else built(errors),
    )


def _standard_errors(J: Array | None, cost: float) -> Array | None:
    """``s^2 (J'J)^-1`` from the singular values of J, which J'J would square."""
    if J is None or J.shape[0] <= J.shape[1]:
        return None
    _, values, directions = np.linalg.svd(J, full_matrices=False)
    if values[-1] <= max(J.shape) * np.finfo(J.dtype).eps * values[0]:
        return None
    variance = 2 * cost / (J.shape[0] - J.shape[1])
    return np.sqrt(variance * np.sum((directions.T / values) ** 2, axis=1))
