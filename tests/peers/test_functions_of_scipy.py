"""The functions that the tests of scipy.differentiate use, by our four methods, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import scipy.stats
from scipy import optimize

import diffkit as dk

METHODS = {"finite-difference": 2e-6, "symbolic": 1e-12, "forward": 1e-13, "reverse": 1e-13}
GRID = np.linspace(-0.05, 1.05, 12)


def density(x):
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


ENTRYWISE = {
    "normal distribution": (lambda x: (1 + scipy.special.erf(x / np.sqrt(2))) / 2, density, lambda x: -x * density(x)),
    "upper tail": (lambda x: scipy.special.erfc(x / np.sqrt(2)) / 2, lambda x: -density(x), lambda x: x * density(x)),
    "logistic distribution": (
        scipy.special.expit,
        lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
        lambda x: -np.exp(-x) * (1 - np.exp(-x)) / (1 + np.exp(-x)) ** 3,
    ),
    "Cauchy distribution": (
        lambda x: 0.5 + np.arctan(x) / np.pi,
        lambda x: 1 / (np.pi * (1 + x**2)),
        lambda x: -2 * x / (np.pi * (1 + x**2) ** 2),
    ),
    "Gumbel distribution": (
        lambda x: np.exp(-np.exp(-x)),
        lambda x: np.exp(-x - np.exp(-x)),
        lambda x: (np.exp(-x) - 1) * np.exp(-x - np.exp(-x)),
    ),
    "exponential": (np.exp, np.exp, np.exp),
    "a line": (lambda x: x - 2.5, np.ones_like, np.zeros_like),
    "a high power": (
        lambda x: (x + 1) ** 99 / 1e20,
        lambda x: 99 * (x + 1) ** 98 / 1e20,
        lambda x: 99 * 98 * (x + 1) ** 97 / 1e20,
    ),
    "a saddle": (lambda x: (x - 1) ** 3, lambda x: 3 * (x - 1) ** 2, lambda x: 6 * (x - 1)),
    "a saddle of two parts": (
        lambda x: np.where(x > 1, (x - 1) ** 5, (x - 1) ** 3),
        lambda x: np.where(x > 1, 5 * (x - 1) ** 4, 3 * (x - 1) ** 2),
        lambda x: np.where(x > 1, 20 * (x - 1) ** 3, 6 * (x - 1)),
    ),
    "oscillating": (lambda x: x + np.sin(10 * x), lambda x: 1 + 10 * np.cos(10 * x), lambda x: -100 * np.sin(10 * x)),
    "oscillating with a zero": (
        lambda x: np.sin(20 * x) * (x - 1) ** 2,
        lambda x: 20 * np.cos(20 * x) * (x - 1) ** 2 + 2 * np.sin(20 * x) * (x - 1),
        lambda x: -400 * np.sin(20 * x) * (x - 1) ** 2 + 80 * np.cos(20 * x) * (x - 1) + 2 * np.sin(20 * x),
    ),
}

VECTORS = {
    "polynomial and sine": (
        lambda z: np.stack([z[0] ** 2 * z[1], 5 * z[0] + np.sin(z[1])]),
        lambda z: [[2 * z[0] * z[1], z[0] ** 2], [5.0, np.cos(z[1])]],
        2,
    ),
    "polar coordinates": (
        lambda z: np.stack([z[0] * np.cos(z[1]), z[0] * np.sin(z[1])]),
        lambda z: [[np.cos(z[1]), -z[0] * np.sin(z[1])], [np.sin(z[1]), z[0] * np.cos(z[1])]],
        2,
    ),
    "spherical coordinates": (lambda z: _spherical(*z), lambda z: _spherical_slope(*z), 3),
    "three to four": (
        lambda z: np.stack([z[0], 5 * z[2], 4 * z[1] ** 2 - 2 * z[2], z[2] * np.sin(z[0])]),
        lambda z: [[1, 0, 0], [0, 0, 5], [0, 8 * z[1], -2], [z[2] * np.cos(z[0]), 0, np.sin(z[0])]],
        3,
    ),
    "three to three": (
        lambda z: np.stack([5 * z[1], 4 * z[0] ** 2 - 2 * np.sin(z[1] * z[2]), z[1] * z[2]]),
        lambda z: [
            [0, 5, 0],
            [8 * z[0], -2 * z[2] * np.cos(z[1] * z[2]), -2 * z[1] * np.cos(z[1] * z[2])],
            [0, z[2], z[1]],
        ],
        3,
    ),
}


def _spherical(r, phi, theta):
    return np.stack([r * np.sin(phi) * np.cos(theta), r * np.sin(phi) * np.sin(theta), r * np.cos(phi)])


def _spherical_slope(r, phi, theta):
    s, c, t, u = np.sin(phi), np.cos(phi), np.sin(theta), np.cos(theta)
    return [[s * u, r * c * u, -r * s * t], [s * t, r * c * t, r * s * u], [c, -r * s, 0.0]]


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def close(found, expected, tolerance):
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ENTRYWISE)
def test_derivative(name, method):
    f, first, second = ENTRYWISE[name]
    tolerance = METHODS[method]
    close(np.diag(dk.jacobian(f, method=method)(GRID)), first(GRID), tolerance)
    close(dk.grad(f, method=method)(0.6), first(0.6), tolerance)
    if method != "finite-difference":
        close(np.diag(dk.hessian(lambda x: np.sum(f(x)), method=method)(GRID)), second(GRID), 100 * tolerance)


@pytest.mark.parametrize("shape", [(), (12,), (3, 4), (3, 2, 2)])
def test_derivative_keeps_the_shape(shape):
    x = GRID.reshape(shape) if shape else np.float64(0.6)
    np.testing.assert_allclose(dk.derivative(ENTRYWISE["normal distribution"][0])(x), density(x), rtol=1e-13)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("seed", range(3))
def test_jacobian(name, method, seed):
    f, slope, inputs = VECTORS[name]
    x = np.random.default_rng(seed).random(inputs)
    close(dk.jacobian(f, method=method)(x), np.array(slope(x), dtype=float), METHODS[method])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("f", [rosenbrock, optimize.rosen], ids=["ours", "scipy's"])
@pytest.mark.parametrize("inputs", [2, 3, 5])
def test_rosenbrock(f, method, inputs):
    """Also SciPy's own function, which converts its argument first."""
    x = np.random.default_rng(inputs).random(inputs)
    close(dk.grad(f, method=method)(x), optimize.rosen_der(x), METHODS[method])
    tolerance = 1e-4 if method == "finite-difference" else 1e-12
    close(dk.hessian(f, method=method)(x), optimize.rosen_hess(x), tolerance)


@pytest.mark.parametrize("method", METHODS)
def test_float32(method):
    x = np.random.default_rng(0).random(3).astype(np.float32)
    found = dk.jacobian(VECTORS["three to three"][0], method=method)(x)
    assert found.dtype == np.float32
    close(
        found,
        np.array(VECTORS["three to three"][1](x.astype(float)), dtype=float),
        1e-2 if method == "finite-difference" else 1e-6,
    )


def test_further_arguments_are_constants():
    found = dk.grad(lambda x, c: c * x - 1)(2.0, 3)
    assert float(found) == 3.0


DISTRIBUTIONS = [
    "norm",
    "logistic",
    "cauchy",
    "gumbel_r",
    "gumbel_l",
    "laplace",
    "rayleigh",
    "expon",
    "halfnorm",
    "maxwell",
    "hypsecant",
    "semicircular",
]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions_as_black_boxes(name):
    """SciPy's distributions check their arguments and cannot be traced: differences call them as they are."""
    distribution = getattr(scipy.stats, name)()
    x = float(distribution.median()) + 0.1
    richardson = dk.get("finite-difference", scheme="richardson").prepare(distribution.cdf, x)
    assert float(richardson.jacobian(x)[0, 0]) == pytest.approx(float(distribution.pdf(x)), abs=1e-9)
    assert float(dk.grad(distribution.cdf, method="finite-difference")(x)) == pytest.approx(
        float(distribution.pdf(x)), rel=1e-6
    )


def test_a_side_outside_the_domain():
    """An exponential that is NaN outside [0, 2], at both ends: scipy.differentiate needs to be told the direction."""

    def f(x):
        y = np.exp(x)
        return np.where((x < 0) | (x > 2), np.nan, y)

    x = np.linspace(0, 2, 10)
    for method in ("forward", "reverse", "symbolic"):
        np.testing.assert_allclose(np.diag(dk.jacobian(f, method=method)(x)), np.exp(x), rtol=1e-13)
    with pytest.warns(dk.DomainWarning):
        found = np.diag(dk.jacobian(f, method="finite-difference")(x))
    np.testing.assert_allclose(found, np.exp(x), rtol=1e-5)
