"""The functions on which the literature of automatic differentiation compares its methods."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.errors import InputError, check_whole
from diffkit.problems.base import Array, Parts, Problem, Sizes, fixed, scalar

HELMHOLTZ_LIMIT = 5_000  # its matrix is dense: 200 MB there


def rosenbrock(inputs: int) -> Parts:
    """Sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2, the curved valley of optimisation.

    H. H. Rosenbrock, An automatic method for finding the greatest or least value of a function, The Computer
    Journal 3 (1960), in the extension to A inputs that SciPy has too.

    Examples
    --------
    >>> f, _, jacobian, _ = rosenbrock(3)
    >>> f(np.ones(3)), jacobian(np.array([0.0, 1.0, 0.0]))
    (np.float64(0.0), array([[ -2., 600., -200.]]))
    """

    def function(x: Array) -> Any:
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    def jacobian(x: Array) -> Array:
        rise = x[1:] - x[:-1] ** 2
        gradient = np.zeros((1, inputs))
        gradient[0, :-1] = -400 * x[:-1] * rise - 2 * (1 - x[:-1])
        gradient[0, 1:] += 200 * rise
        return gradient

    return function, np.random.default_rng(0).uniform(-1.5, 1.5, inputs), jacobian, 1.0


def speelpenning(inputs: int) -> Parts:
    """Product of all inputs, whose gradient shares almost all of its work.

    B. Speelpenning, Compiling fast partial derivatives of functions given by algorithms, thesis, 1980;
    Griewank and Walther, Evaluating Derivatives, 2008, section 3.3.

    Examples
    --------
    >>> f, _, jacobian, _ = speelpenning(3)
    >>> f(np.array([2.0, 3.0, 4.0])), jacobian(np.array([2.0, 0.0, 4.0]))
    (np.float64(24.0), array([[0., 8., 0.]]))
    """

    def function(x: Array) -> Any:
        return np.prod(x)

    def jacobian(x: Array) -> Array:
        # All before times all after: right where an input is 0, unlike the product over x[i].
        before = np.cumprod(np.concatenate([[1.0], x[:-1]]))
        after = np.cumprod(np.concatenate([[1.0], x[:0:-1]]))[::-1]
        return (before * after)[np.newaxis]

    # A relative error in any of the other A - 1 factors is one of the partial: kappa = A - 1.
    return function, np.random.default_rng(0).uniform(0.9, 1.1, inputs), jacobian, max(1.0, inputs - 1.0)


def helmholtz(inputs: int, fill: float = 0.3) -> Parts:
    """Helmholtz free energy of a mixture of A fluids by the Peng-Robinson equation of state.

    In units where R = T = 1, and with u = b.x, p = 1 + sqrt 2 and m = 1 - sqrt 2, it is
    sum(x log(x / (1 - u))) - x.Mx / (sqrt(8) u) log((1 + p u) / (1 + m u)), for x > 0 and u < 1 only.
    M is symmetric with entries from (0, 1) / A, and b > 0. Griewank, On automatic differentiation, 1989;
    Baydin, Pearlmutter, Radul and Siskind, Automatic differentiation in machine learning: a survey, JMLR 18,
    2018.

    Parameters
    ----------
    inputs
        Number of fluids.
    fill
        b.x at the point, between 0 and 1; towards 1 lies the edge of the domain.

    Raises
    ------
    InputError
        ``fill`` is not between 0 and 1.

    Examples
    --------
    >>> f, x, jacobian, _ = helmholtz(2)
    >>> f(x), jacobian(x).shape
    (np.float64(0.120271), (1, 2))
    """
    if not 0 < fill < 1:
        raise InputError(f"fill = {fill!r} is not in the domain of the Helmholtz energy; choose 0 < fill < 1")
    rng = np.random.default_rng(0)
    M = rng.uniform(size=(inputs, inputs)) / inputs
    M = (M + M.T) / 2
    x = rng.uniform(0.1, 1, inputs)
    b = rng.uniform(0.1, 1, inputs)
    b *= fill / (b @ x)
    plus, minus, root = 1 + np.sqrt(2), 1 - np.sqrt(2), np.sqrt(8)

    def function(x: Array) -> Any:
        u = b @ x
        attraction = (x @ M @ x) / (root * u) * np.log((1 + plus * u) / (1 + minus * u))
        return np.sum(x * np.log(x / (1 - u))) - attraction

    def jacobian(x: Array) -> Array:
        u, Mx = b @ x, M @ x
        log = np.log((1 + plus * u) / (1 + minus * u))
        slope = plus / (1 + plus * u) - minus / (1 + minus * u) - log / u  # of log / u, times u
        ideal = np.log(x / (1 - u)) + 1 + b * np.sum(x) / (1 - u)
        gradient: Array = ideal - (2 * Mx * log + b * (x @ Mx) * slope) / (root * u)
        return gradient[np.newaxis]

    # 1 - u cancels towards the edge, and enters as b / (1 - u): kappa = 1 / (1 - u), confirmed in mpmath.
    return function, x, jacobian, 1 / (1 - fill)


def logistic_map(depth: int = 4) -> Parts:
    """Apply l -> 4 l (1 - l) that often: the function whose written-out derivative swells exponentially.

    With x = sin(t)^2 and N = 2^depth it gives sin(N t)^2, whose derivative is N sin(2 N t) / sin(2 t). The
    reference is that in mpmath, with the digits that the depth costs, for 0 < x < 1.
    Baydin, Pearlmutter, Radul and Siskind, Automatic differentiation in machine learning: a survey, JMLR 18,
    2018, table 1, whose l_n has depth n - 1.

    Parameters
    ----------
    depth
        How often the map is applied. Beyond 45 no digit of a derivative in float64 is right.

    Raises
    ------
    InputError
        ``depth`` is less than 1.

    Examples
    --------
    >>> f, _, jacobian, _ = logistic_map(1)
    >>> f(np.array([0.25])), jacobian(np.array([0.25]))
    (np.float64(0.75), array([[2.]]))
    """
    check_whole(depth, "depth")
    N = 2**depth

    def function(x: Array) -> Any:
        value = x[0]
        for _ in range(depth):
            value = 4 * value * (1 - value)
        return value

    def jacobian(x: Array) -> Array:
        import mpmath

        with mpmath.workprec(depth + 80):
            t = mpmath.asin(mpmath.sqrt(mpmath.mpf(float(x[0]))))
            return np.array([[float(N * mpmath.sin(2 * N * t) / mpmath.sin(2 * t))]])

    point = np.array([0.3])
    return function, point, jacobian, _logistic_conditioning(float(point[0]), depth)


def _logistic_conditioning(x: float, depth: int) -> float:
    """How much do relative errors of the values l_i change the derivative, the product of 4 (1 - 2 l_i)?

    Its logarithm has the sensitivity s_i = 4 (1 - 2 l_i) s_(i+1) - 2 / (1 - 2 l_i) to l_i, and kappa is the
    sum of all |l_i s_i|. In mpmath, because in float64 the values of a deep map are themselves wrong.
    """
    import mpmath

    with mpmath.workprec(depth + 80):
        values = [mpmath.mpf(x)]
        for _ in range(depth - 1):
            values.append(4 * values[-1] * (1 - values[-1]))
        kappa = sensitivity = mpmath.mpf(0)
        for value in reversed(values):
            sensitivity = 4 * (1 - 2 * value) * sensitivity - 2 / (1 - 2 * value)
            kappa += abs(value * sensitivity)
        return max(1.0, float(kappa))


_SURVEY = "Baydin, Pearlmutter, Radul and Siskind (2018), Automatic differentiation in machine learning: a survey"

PROBLEMS = (
    Problem(
        "rosenbrock",
        "Sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2.",
        "Rosenbrock (1960), The Computer Journal 3",
        scalar(least=2),
        rosenbrock,
    ),
    Problem(
        "speelpenning",
        "Product of all inputs.",
        "Speelpenning (1980), thesis; Griewank and Walther (2008), section 3.3",
        scalar(),
        speelpenning,
    ),
    Problem(
        "helmholtz",
        "Helmholtz free energy of a mixture of A fluids.",
        _SURVEY,
        Sizes(
            f"1 <= A <= {HELMHOLTZ_LIMIT}, B = 1",
            lambda A, B: 1 <= A <= HELMHOLTZ_LIMIT and B == 1,
            scales_inputs=True,
        ),
        helmholtz,
    ),
    Problem(
        "logistic-map",
        "l -> 4 l (1 - l), applied `depth` times.",
        f"{_SURVEY}, table 1",
        fixed(1),
        logistic_map,
    ),
)
