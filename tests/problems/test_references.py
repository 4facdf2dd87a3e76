"""Every problem's reference derivative, against derivatives of its function that diffkit has no part in."""

from functools import partialmethod
from itertools import product

import mpmath
import numpy as np
import pytest

from diffkit import problems

EPS = np.finfo(float).eps
PROBLEMS = [problems.get(name) for name in problems.names()]
ANALYTIC = [problem for problem in PROBLEMS if problem.analytic]


def cells(chosen, sizes):
    found = [(problem, A, B) for problem in chosen for A, B in sizes if problem.fits(A, B)]
    return pytest.mark.parametrize(
        ("problem", "inputs", "outputs"), found, ids=[f"{problem.name}-{A}-{B}" for problem, A, B in found]
    )


SMALL = [*product((1, 2, 3, 5, 11, 13), (1, 4)), (3, 3), (6, 6)]
NETWORKS = [(20, 1), (30, 1), (35, 1)]
LARGE = [(A, B) for A, B in product((50, 65, 99, 115, 995, 1000, 1015, 9883, 10_000), (1, 1000)) if A * B < 2e6]


def arbitrary_precision():
    """A context of mpmath whose numbers NumPy's functions accept, as entries of object arrays."""
    context = mpmath.MPContext()
    context.dps = 60
    for name in ("exp", "log", "sin", "cos", "tanh"):
        setattr(context.mpf, name, partialmethod(lambda number, call: call(number), getattr(context, name)))
    return context


MP = arbitrary_precision()


def exactly(x):
    return np.array([MP.mpf(entry) for entry in x.tolist()])


def differences(function, x, step):
    """The Jacobian by central differences, which 60 digits make exact in all digits of a float."""
    columns = []
    for j in range(len(x)):
        shift = np.array([MP.mpf(0)] * len(x))
        shift[j] = MP.mpf(step)
        columns.append(np.ravel(function(x + shift) - function(x - shift)) / (2 * MP.mpf(step)))
    return np.stack(columns, axis=1)


def relative_error(found, expected):
    return np.max(np.abs(found - expected)) / np.max(np.abs(expected))


@cells(ANALYTIC, [*SMALL, *NETWORKS])
def test_reference_is_the_derivative_in_60_digits(problem, inputs, outputs):
    instance = problem.at(inputs, outputs)
    exact = differences(instance.function, exactly(instance.point), step="1e-20").astype(float)
    errors = 20 if problem.name == "deep-map" else 2  # its layers cancel; how much depends on the BLAS's order of sums
    allowed = max(2e-15, errors * np.finfo(float).eps * instance.conditioning)
    assert relative_error(instance.jacobian(instance.point), exact) < allowed


@cells(ANALYTIC, [*NETWORKS, *LARGE])
def test_complex_step_finds_the_reference_within_the_tolerance_that_it_is_held_to(problem, inputs, outputs):
    instance = problem.at(inputs, outputs)
    reference = instance.jacobian(instance.point)
    columns = np.random.default_rng(3).permutation(inputs)[:12]
    found = np.empty((outputs, len(columns)))
    for k, j in enumerate(columns):
        x = instance.point.astype(complex)
        x[j] += 1e-100j
        found[:, k] = np.imag(instance.function(x)) / 1e-100
    error = np.max(np.abs(found - reference[:, columns])) / np.max(np.abs(reference))
    assert error <= max(1e-12, 100 * EPS * instance.conditioning)


@cells(PROBLEMS, [*SMALL, *NETWORKS, *LARGE[:8]])
def test_central_differences_find_the_reference_within_the_tolerance_that_they_are_held_to(problem, inputs, outputs):
    instance = problem.at(inputs, outputs)
    reference = instance.jacobian(instance.point)
    found = np.empty_like(reference)
    for j, entry in enumerate(instance.point):
        step = EPS ** (1 / 3) * max(1.0, abs(entry))
        above, below = instance.point.copy(), instance.point.copy()
        above[j] += step
        below[j] -= step
        found[:, j] = np.ravel(instance.function(above) - instance.function(below)) / (above[j] - below[j])
    assert relative_error(found, reference) < 1e-6


def input_conditioning(instance):
    """How much do relative errors of the inputs change the derivative, relative to its largest entry?"""
    x = exactly(instance.point)
    second = differences(lambda y: differences(instance.function, y, step="1e-20"), x, step="1e-15")
    reference = instance.jacobian(instance.point)
    changes = np.abs(second.reshape(-1, len(x)) * x).sum(axis=1)
    return float(changes.max()) / np.max(np.abs(reference))


@cells(ANALYTIC, SMALL)
def test_conditioning_covers_what_mpmath_estimates_and_not_much_more(problem, inputs, outputs):
    # The tolerance is 100 eps kappa: a factor of 20 leaves 5 rounding errors to the arithmetic.
    instance = problem.at(inputs, outputs)
    estimate = input_conditioning(instance)
    assert estimate <= 20 * instance.conditioning
    assert instance.conditioning <= 20 * max(1.0, estimate)


@pytest.mark.parametrize("inputs", [2, 5, 13])
def test_conditioning_of_the_product_is_the_number_of_other_factors(inputs):
    instance = problems.get("speelpenning").at(inputs)
    assert instance.conditioning == pytest.approx(input_conditioning(instance), rel=1e-12)


@pytest.mark.parametrize("fill", [0.1, 0.9, 0.99, 0.9999])
def test_conditioning_of_the_helmholtz_energy_grows_towards_the_edge_of_its_domain(fill):
    instance = problems.get("helmholtz").at(3, fill=fill)
    estimate = input_conditioning(instance)
    assert estimate / 5 < instance.conditioning < estimate * 5
    exact = differences(instance.function, exactly(instance.point), step="1e-20").astype(float)
    assert relative_error(instance.jacobian(instance.point), exact) < 20 * EPS * instance.conditioning
