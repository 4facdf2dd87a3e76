import mpmath
import numpy as np
import pytest
import scipy.optimize

from diffkit import problems
from diffkit.errors import InputError
from diffkit.problems import logistic_map

EPS = np.finfo(float).eps


@pytest.mark.parametrize("inputs", [2, 3, 50])
def test_rosenbrock_is_that_of_scipy(inputs):
    instance = problems.get("rosenbrock").at(inputs)
    np.testing.assert_allclose(instance.function(instance.point), scipy.optimize.rosen(instance.point), rtol=1e-14)
    expected = scipy.optimize.rosen_der(instance.point)
    np.testing.assert_allclose(instance.jacobian(instance.point)[0], expected, rtol=1e-13, atol=1e-11)


@pytest.mark.parametrize("zeros", [[], [0], [4], [1, 3], [0, 2, 4]])
def test_partials_of_the_product_are_right_with_zeros(zeros):
    instance = problems.get("speelpenning").at(5)
    x = instance.point.copy()
    x[zeros] = 0
    expected = [np.prod(np.delete(x, i)) for i in range(5)]
    np.testing.assert_allclose(instance.jacobian(x)[0], expected, rtol=1e-15)


def test_the_product_of_many_inputs_stays_in_range():
    instance = problems.get("speelpenning").at(100_000)
    assert 1e-200 < instance.function(instance.point) < 1e200
    assert instance.jacobian(instance.point).min() > 1e-200


def test_helmholtz_has_its_point_where_it_is_asked_for():
    # At b.x = fill the ideal part of the gradient in one fluid is log(x / (1 - fill)) + 1 / (1 - fill).
    instance = problems.get("helmholtz").at(1, fill=0.5)
    x = instance.point[0]
    M = np.random.default_rng(0).uniform()
    p, m = 1 + np.sqrt(2), 1 - np.sqrt(2)
    attraction = M * x / (np.sqrt(8) * 0.5) * x * np.log((1 + p * 0.5) / (1 + m * 0.5))
    assert instance.function(instance.point) == pytest.approx(x * np.log(x / 0.5) - attraction, rel=1e-13)


@pytest.mark.parametrize("fill", [0, 1, 1.5, -0.1, float("nan")])
def test_helmholtz_outside_its_domain_is_refused(fill):
    with pytest.raises(InputError, match="choose 0 < fill < 1"):
        problems.get("helmholtz").at(3, fill=fill)


def test_helmholtz_ends_where_its_dense_matrix_grows_too_large():
    helmholtz = problems.get("helmholtz")
    assert helmholtz.fits(5_000)
    assert not helmholtz.fits(5_001)


def orbit(depth):
    values = [mpmath.mpf(0.3)]
    for _ in range(depth - 1):
        values.append(4 * values[-1] * (1 - values[-1]))
    return values


def slope(values):
    return mpmath.fprod(4 * (1 - 2 * value) for value in values)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 8, 16, 30, 45])
def test_the_logistic_map_has_the_derivative_of_its_recurrence(depth):
    function, point, jacobian, _ = logistic_map(depth)
    with mpmath.workdps(100):
        exact = slope(orbit(depth))
        assert abs(mpmath.mpf(float(jacobian(point)[0, 0])) - exact) < 2 * EPS * abs(exact)
        value = 4 * orbit(depth)[-1] * (1 - orbit(depth)[-1])
        assert abs(function(point) - value) < 10 * EPS * 4**depth


@pytest.mark.parametrize("depth", [1, 4, 12, 30])
def test_conditioning_of_the_logistic_map_is_the_effect_of_an_error_in_each_value(depth):
    *_, kappa = logistic_map(depth)
    relative = mpmath.mpf(10) ** -40
    with mpmath.workdps(120):
        effect = mpmath.mpf(0)
        values = orbit(depth)
        for i in range(depth):
            changed = [*values[:i], values[i] * (1 + relative)]
            while len(changed) < depth:
                changed.append(4 * changed[-1] * (1 - changed[-1]))
            effect += abs(slope(changed) / slope(values) - 1) / relative
        assert abs(kappa / effect - 1) < 1e-12


def test_conditioning_of_the_logistic_map_is_what_rounding_costs():
    # The recurrence in float64, as any exact method evaluates it, is never worse and not far better.
    costs = []
    for depth in range(1, 41):
        _, point, jacobian, kappa = logistic_map(depth)
        value, derivative = point[0], 1.0
        for _ in range(depth):
            value, derivative = 4 * value * (1 - value), derivative * 4 * (1 - 2 * value)
        exact = jacobian(point)[0, 0]
        costs.append(abs(derivative / exact - 1) / (EPS * kappa))
    assert max(costs) < 2
    assert max(costs[20:]) > 1e-3


def test_the_problem_is_the_map_at_the_depth_asked_for():
    instance = problems.get("logistic-map").at(1, depth=3)
    function, point, jacobian, kappa = logistic_map(3)
    assert instance.function(point) == function(point)
    assert instance.conditioning == kappa
    assert np.array_equal(instance.jacobian(point), jacobian(point))
    # l_4 of the survey's table 1, and its derivative
    x = point[0]
    assert function(point) == pytest.approx(64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x**2) ** 2)


@pytest.mark.parametrize("depth", [0, -1, 2.5])
def test_a_depth_that_counts_nothing_is_refused(depth):
    with pytest.raises(InputError, match=f"depth={depth}"):
        logistic_map(depth)
