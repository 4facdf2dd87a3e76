"""Maps with a dense, a diagonal and a banded Jacobian, and functions that are Python loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.errors import check_whole
from diffkit.problems.base import Array, Parts, Problem, fixed, free, scalar, square


def tanh_map(inputs: int, outputs: int) -> Parts:
    """Compute tanh(Wx): one dense layer, whose Jacobian is full at every A and B.

    Examples
    --------
    >>> f, x, jacobian, _ = tanh_map(3, 2)
    >>> f(x).shape, jacobian(x).shape
    ((2,), (2, 3))
    """
    rng = np.random.default_rng(0)
    W = rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)

    def function(x: Array) -> Any:
        return np.tanh(W @ x)

    def jacobian(x: Array) -> Array:
        J: Array = W / np.cosh(W @ x)[:, np.newaxis] ** 2
        return J

    return function, rng.normal(size=inputs), jacobian, 1.0


WIDTH, LAYERS = 16, 12


def deep_map(inputs: int, outputs: int) -> Parts:
    """Compute c (s.z), where z = tanh(Vz) twelve times over, from z = tanh(a (r.x)): most work lies in the middle.

    f costs nearly the same at every A and B, and no structure of a first or last layer spares a method its sweeps.

    Examples
    --------
    >>> f, x, jacobian, _ = deep_map(3, 2)
    >>> f(x).shape, jacobian(x).shape
    ((2,), (2, 3))
    """
    rng = np.random.default_rng(0)
    r, c = rng.normal(size=inputs) / np.sqrt(inputs), rng.normal(size=outputs)
    a, s = rng.normal(size=(2, WIDTH))
    middle = rng.normal(size=(LAYERS, WIDTH, WIDTH)) / np.sqrt(WIDTH)

    def function(x: Array) -> Any:
        z = np.tanh(a * (r @ x))
        for V in middle:
            z = np.tanh(V @ z)
        return c * (s @ z)

    def jacobian(x: Array) -> Array:
        z = np.tanh(a * (r @ x))
        slope = (1 - z**2) * a
        for V in middle:
            z = np.tanh(V @ z)
            slope = (1 - z**2) * (V @ slope)
        return np.outer(c * (s @ slope), r)

    return function, rng.normal(size=inputs), jacobian, float(LAYERS)


def elementwise(inputs: int) -> Parts:
    """Compute sin(x) exp(-x^2) entry by entry: the Jacobian is diagonal.

    Examples
    --------
    >>> _, _, jacobian, _ = elementwise(2)
    >>> jacobian(np.zeros(2))
    array([[1., 0.],
           [0., 1.]])
    """

    def function(x: Array) -> Any:
        return np.sin(x) * np.exp(-(x**2))

    def jacobian(x: Array) -> Array:
        return np.diag((np.cos(x) - 2 * x * np.sin(x)) * np.exp(-(x**2)))

    return function, np.random.default_rng(0).normal(size=inputs), jacobian, 1.0


def broyden_tridiagonal(inputs: int) -> Parts:
    """Compute (3 - 2 x[i]) x[i] - x[i-1] - 2 x[i+1] + 1, with 0 beyond the ends: three diagonals.

    Moré, Garbow and Hillstrom, Testing unconstrained optimization software, ACM TOMS 7 (1981), problem 30.

    Examples
    --------
    >>> f, _, jacobian, _ = broyden_tridiagonal(3)
    >>> jacobian(np.zeros(3))
    array([[ 3., -2.,  0.],
           [-1.,  3., -2.],
           [ 0., -1.,  3.]])
    """

    def function(x: Array) -> Any:
        padded = np.pad(x, 1)
        return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1

    def jacobian(x: Array) -> Array:
        J, i = np.diag(3 - 4 * x), np.arange(inputs)
        J[i[1:], i[:-1]] = -1
        J[i[:-1], i[1:]] = -2
        return J

    return function, np.random.default_rng(0).uniform(-1.5, -0.5, inputs), jacobian, 1.0


SPREAD, GROWTH = 0.2, 0.1


def reaction_diffusion(inputs: int, rounds: int = 10) -> Parts:
    """Let u spread to its neighbours and grow, ten times: u += 0.2 (u[i-1] - 2 u[i] + u[i+1]) + 0.1 u (1 - u).

    Explicit steps of the equation of Fisher (1937), with 0 beyond the ends: each adds a diagonal on either side.

    Raises
    ------
    InputError
        ``rounds`` is less than 1.

    Examples
    --------
    >>> _, _, jacobian, _ = reaction_diffusion(3, rounds=1)
    >>> jacobian(np.full(3, 0.5))
    array([[0.6, 0.2, 0. ],
           [0.2, 0.6, 0.2],
           [0. , 0.2, 0.6]])
    """
    check_whole(rounds, "rounds")

    def function(u: Array) -> Any:
        for _ in range(rounds):
            padded = np.pad(u, 1)
            u = u + SPREAD * (padded[:-2] - 2 * u + padded[2:]) + GROWTH * u * (1 - u)
        return u

    def jacobian(u: Array) -> Array:
        J = np.eye(inputs)
        for _ in range(rounds):
            padded = np.pad(J, ((1, 1), (0, 0)))
            own = 1 - 2 * SPREAD + GROWTH * (1 - 2 * u)
            J = own[:, np.newaxis] * J + SPREAD * (padded[:-2] + padded[2:])
            beside = np.pad(u, 1)
            u = u + SPREAD * (beside[:-2] - 2 * u + beside[2:]) + GROWTH * u * (1 - u)
        return J

    return function, np.random.default_rng(0).uniform(0.1, 0.9, inputs), jacobian, 1.0


def scalar_loop(rounds: int = 100) -> Parts:
    """Repeat y = sin(y) x0 + x1, starting at y = x0: many steps on two inputs.

    Raises
    ------
    InputError
        ``rounds`` is less than 1.

    Examples
    --------
    >>> f, _, _, _ = scalar_loop(rounds=2)
    >>> f(np.array([0.0, 3.0]))
    np.float64(3.0)
    """
    check_whole(rounds, "rounds")

    def function(x: Array) -> Any:
        y = x[0]
        for _ in range(rounds):
            y = np.sin(y) * x[0] + x[1]
        return y

    def jacobian(x: Array) -> Array:
        y, partials = x[0], np.array([1.0, 0.0])
        for _ in range(rounds):
            partials = np.cos(y) * x[0] * partials + [np.sin(y), 1.0]
            y = np.sin(y) * x[0] + x[1]
        return partials[np.newaxis]

    return function, np.array([0.9, 0.3]), jacobian, 1.0


def scalar_reads(inputs: int) -> Parts:
    """Sum x[i] sin(x[i-1]) in a Python loop, going round at the ends: two scalar reads per input.

    Examples
    --------
    >>> f, x, _, _ = scalar_reads(2)
    >>> f(np.array([0.0, np.pi / 2]))
    np.float64(0.0)
    """

    def function(x: Array) -> Any:
        total = 0.0
        for i in range(len(x)):
            total = total + x[i] * np.sin(x[i - 1])
        return total

    def jacobian(x: Array) -> Array:
        return (np.sin(np.roll(x, 1)) + np.roll(x, -1) * np.cos(x))[np.newaxis]

    return function, np.random.default_rng(0).normal(size=inputs), jacobian, 1.0


PROBLEMS = (
    Problem(
        "tanh-map",
        "tanh(Wx), a dense layer.",
        "Goodfellow, Bengio and Courville (2016), Deep Learning, chapter 6",
        free(),
        tanh_map,
    ),
    Problem(
        "deep-map",
        "c (s.z), z = tanh(Vz) twelve times over, from z = tanh(a (r.x)): many layers between few ends.",
        "written for diffkit",
        free(),
        deep_map,
    ),
    Problem("elementwise", "sin(x) exp(-x^2), entry by entry.", "written for diffkit", square(), elementwise),
    Problem(
        "tridiagonal",
        "(3 - 2 x[i]) x[i] - x[i-1] - 2 x[i+1] + 1, Broyden's tridiagonal map.",
        "Moré, Garbow and Hillstrom (1981), ACM TOMS 7, problem 30",
        square(),
        broyden_tridiagonal,
    ),
    Problem(
        "reaction-diffusion",
        "u spreads to its neighbours and grows, `rounds` times: a band that every round widens.",
        "R. A. Fisher (1937), The wave of advance of advantageous genes",
        square(),
        reaction_diffusion,
    ),
    Problem(
        "scalar-loop",
        "y = sin(y) x0 + x1, repeated `rounds` times.",
        "written for diffkit",
        fixed(2),
        scalar_loop,
    ),
    Problem(
        "scalar-reads",
        "Sum of x[i] sin(x[i-1]), in a Python loop over entries.",
        "written for diffkit",
        scalar(),
        scalar_reads,
    ),
)
