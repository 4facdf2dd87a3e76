"""Fits, against certified values, linear least squares in closed form, and SciPy with its own differences."""

import numpy as np
import pytest
import scipy.optimize

import diffkit as dk
from diffkit.errors import InputError, UnknownNameError
from diffkit.lab import least_squares as ls

METHODS = ("finite-difference", "symbolic", "forward", "reverse", "mixed", "auto")
OWN = ("gauss-newton", "levenberg-marquardt")


# NIST/ITL Statistical Reference Datasets, nonlinear regression: https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml
def _misra1a():
    """Misra (1978), dental research, monomolecular adsorption: lower level of difficulty."""
    y = np.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78])
    x = np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0])
    return (
        lambda b: b[0] * (1 - np.exp(-b[1] * x)) - y,
        [[500, 0.0001], [250, 0.0005]],
        [2.3894212918e02, 5.5015643181e-04],
        [2.7070075241e00, 7.2668688436e-06],
        1.2455138894e-01,
    )


def _mgh10():
    """Meyer (1970), in More, Garbow and Hillstrom (1981): higher level of difficulty."""
    y = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
    x = np.arange(50.0, 126.0, 5.0)
    return (
        lambda b: b[0] * np.exp(b[1] / (x + b[2])) - np.array(y, float),
        [[0.02, 4000, 250]],
        [5.6096364710e-03, 6.1813463463e03, 3.4522363462e02],
        [1.5687892471e-04, 2.3309021107e01, 7.8486103508e-01],
        8.7945855171e01,
    )


def _boxbod():
    """Box, Hunter and Hunter (1978), biochemical oxygen demand: higher level of difficulty."""
    x, y = np.array([1.0, 2, 3, 5, 7, 10]), np.array([109.0, 149, 149, 191, 213, 224])
    return (
        lambda b: b[0] * (1 - np.exp(-b[1] * x)) - y,
        [[1, 1], [100, 0.75]],
        [2.1380940889e02, 5.4723748542e-01],
        [1.2354515176e01, 1.0455993237e-01],
        1.1680088766e03,
    )


def _rat42():
    """Ratkowsky (1983), pasture yield, a sigmoidal growth: higher level of difficulty."""
    x = np.array([9.0, 14, 21, 28, 42, 57, 63, 70, 79])
    y = np.array([8.93, 10.8, 18.59, 22.33, 39.35, 56.11, 61.73, 64.62, 67.08])
    return (
        lambda b: b[0] / (1 + np.exp(b[1] - b[2] * x)) - y,
        [[100, 1, 0.1], [75, 2.5, 0.07]],
        [7.2462237576e01, 2.6180768402e00, 6.7359200066e-02],
        [1.7340283401e00, 8.8295217536e-02, 3.4465663377e-03],
        8.0565229338e00,
    )


def _mgh09():
    """Kowalik and Osborne (1968), in More, Garbow and Hillstrom (1981): higher level of difficulty."""
    x = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
    y = np.array([0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
    return (
        lambda b: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]) - y,
        [[25, 39, 41.5, 39], [0.25, 0.39, 0.415, 0.39]],
        [1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01],
        [1.1435312227e-02, 1.9633220911e-01, 8.0842031232e-02, 9.0025542308e-02],
        3.0750560385e-04,
    )


@pytest.mark.parametrize("algorithm", OWN)
@pytest.mark.parametrize(("data", "start"), [(_boxbod, 1), (_rat42, 0), (_rat42, 1), (_mgh09, 1)])
def test_certified_values_of_higher_difficulty(data, start, algorithm):
    residual, starts, certified, errors, squares = data()
    found = ls.fit(residual, np.array(starts[start], float), algorithm=algorithm, max_iterations=2000, tolerance=1e-11)
    np.testing.assert_allclose(found.parameters, certified, rtol=1e-5)
    np.testing.assert_allclose(found.standard_errors, errors, rtol=1e-5)
    np.testing.assert_allclose(2 * found.costs[-1], squares, rtol=1e-9)


def test_from_far_one_algorithm_may_come_there_where_the_other_does_not():
    residual, starts, certified, _, squares = _mgh09()
    newton, damped = (ls.fit(residual, np.array(starts[0]), algorithm=one, max_iterations=1000) for one in OWN)
    assert not newton.converged
    assert 2 * newton.costs[-1] > 100 * squares
    np.testing.assert_allclose(damped.parameters, certified, rtol=1e-3)
    residual, starts, certified, _, _ = _boxbod()
    newton, damped = (ls.fit(residual, np.array(starts[0], float), algorithm=one) for one in OWN)
    np.testing.assert_allclose(newton.parameters, certified, rtol=1e-6)
    assert damped.parameters[1] > 10 * certified[1]  # exp(-b1 x) is 0 there, and J has lost a column
    assert damped.standard_errors is None


@pytest.mark.parametrize("weights", [None, 0.05 * (1 + np.linspace(0, 4, 50))])
def test_standard_errors_are_those_of_curve_fit(weights):
    """Weights belong to the residual: what was measured is divided by its standard deviation."""
    x = np.linspace(0, 4, 50)
    y = 2.5 * np.exp(-1.3 * x) + 0.5 + 0.05 * np.random.default_rng(0).normal(size=50)

    def model(x, a, b, c):
        return a * np.exp(-b * x) + c

    parameters, covariance = scipy.optimize.curve_fit(model, x, y, sigma=weights)
    found = ls.fit(lambda beta: (model(x, *beta) - y) / (1 if weights is None else weights), np.ones(3))
    np.testing.assert_allclose(found.parameters, parameters, rtol=1e-6)
    np.testing.assert_allclose(found.standard_errors, np.sqrt(np.diag(covariance)), rtol=1e-5)


@pytest.mark.parametrize("algorithm", OWN)
@pytest.mark.parametrize(("data", "start"), [(_misra1a, 0), (_misra1a, 1), (_mgh10, 0)])
def test_certified_values_of_nist(data, start, algorithm):
    residual, starts, certified, errors, squares = data()
    found = ls.fit(residual, np.array(starts[start], float), algorithm=algorithm, max_iterations=2000, tolerance=1e-11)
    np.testing.assert_allclose(found.parameters, certified, rtol=1e-8)
    np.testing.assert_allclose(found.standard_errors, errors, rtol=1e-7)
    np.testing.assert_allclose(2 * found.costs[-1], squares, rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("algorithm", OWN)
def test_every_method_comes_to_the_certified_values(algorithm, method):
    residual, starts, certified, _, _ = _misra1a()
    found = ls.fit(residual, np.array(starts[1]), algorithm=algorithm, method=method)
    np.testing.assert_allclose(found.parameters, certified, rtol=1e-6 if method == "finite-difference" else 1e-8)
    assert found.method == method


def _linear(rows=12, columns=4):
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(rows, columns)), rng.normal(size=rows)
    return X, y, lambda beta: X @ beta - y


@pytest.mark.parametrize("algorithm", OWN)
def test_linear_least_squares_in_closed_form(algorithm):
    X, y, residual = _linear()
    found = ls.fit(residual, np.zeros(4), algorithm=algorithm)
    expected, squares, *_ = np.linalg.lstsq(X, y, rcond=None)
    np.testing.assert_allclose(found.parameters, expected, rtol=1e-9)
    covariance = squares / (12 - 4) * np.linalg.inv(X.T @ X)
    np.testing.assert_allclose(found.standard_errors, np.sqrt(np.diag(covariance)), rtol=1e-9)


def test_gauss_newton_solves_a_linear_problem_in_one_step():
    _, _, residual = _linear()
    found = ls.fit(residual, np.zeros(4), algorithm="gauss-newton")
    assert found.converged
    assert (len(found.costs), found.residual_evaluations, found.jacobian_evaluations) == (2, 2, 2)


def test_gradient_descent_goes_the_same_way_slower():
    X, y, residual = _linear()
    found = ls.fit(residual, np.zeros(4), algorithm="gradient-descent", max_iterations=2000, tolerance=1e-6)
    np.testing.assert_allclose(found.parameters, np.linalg.lstsq(X, y, rcond=None)[0], rtol=1e-4)
    assert found.converged
    assert len(found.costs) > 10
    assert found.jacobian_evaluations == 0
    assert found.standard_errors is None


@pytest.mark.parametrize("algorithm", ls.ALGORITHMS)
@pytest.mark.parametrize("example", [ls.neuron(), ls.network()], ids=["neuron", "network"])
def test_the_cost_never_rises(example, algorithm):
    found = ls.fit(*example[:2], algorithm=algorithm, max_iterations=60)
    assert np.all(np.diff(found.costs) <= 1e-10 * found.costs[:-1])
    assert found.costs[0] == pytest.approx(0.5 * np.sum(example.residual(example.start) ** 2))
    assert found.costs[-1] == pytest.approx(0.5 * np.sum(example.residual(found.parameters) ** 2), rel=1e-12)
    assert len(found.slopes) == len(found.costs)


@pytest.mark.parametrize("algorithm", OWN)
def test_the_neuron_as_scipy_fits_it_with_a_jacobian_by_hand(algorithm, by_hand):
    example = ls.neuron()
    expected = scipy.optimize.least_squares(example.residual, example.start, jac=by_hand, method="lm")
    found = ls.fit(*example[:2], algorithm=algorithm)
    np.testing.assert_allclose(found.parameters, expected.x, rtol=1e-6)
    np.testing.assert_allclose(found.costs[-1], expected.cost, rtol=1e-12)
    assert found.slopes[-1] < 1e-6
    assert np.all(np.abs(found.parameters - example.true) < 4 * found.standard_errors)


@pytest.mark.parametrize("method", ["finite-difference", "forward", "reverse", "mixed", "auto"])
def test_the_network_as_scipy_fits_it_with_its_own_differences(method):
    example = ls.network()
    numerical = scipy.optimize.least_squares(*example[:2], jac="2-point", method="lm")
    found = ls.fit(*example[:2], method=method)
    assert found.converged
    np.testing.assert_allclose(found.costs[-1], numerical.cost, rtol=1e-8)
    np.testing.assert_allclose(found.parameters, numerical.x, rtol=1e-3, atol=1e-4)


def test_symbolic_fits_a_small_network():
    example = ls.network(examples=10)
    assert ls.fit(*example[:2], method="symbolic").costs[-1] < 1e-6
    assert ls.fit(*example[:2], method="symbolic").standard_errors is None  # fewer residuals than parameters


def test_an_exact_jacobian_saves_calls():
    """SciPy's own differences call r once more for each of the 37 parameters, each time that they make J."""
    example = ls.network()
    points = []

    def called(beta):
        points.append(np.array([float(number) for number in beta]))  # no trace passes here: to evaluate r is to call it
        return example.residual(points[-1])

    ruled = dk.primitive(
        called,
        jvp=lambda _, operands, tangents: dk.jvp(example.residual)(operands[0], tangents[0]),
        like=lambda _: (example.residual(example.start).shape, float),
    )
    exact = ls.fit(ruled, example.start, method="forward")
    assert len(points) == exact.residual_evaluations < 20
    points.clear()
    own = ls.fit(called, example.start, method="2-point")
    assert len(points) == own.residual_evaluations + 1  # the first one shows what r gives
    assert len(points) > 20 * exact.jacobian_evaluations
    assert own.jacobian_evaluations == 0


@pytest.mark.parametrize("method", ["reverse", "2-point"])
def test_levenberg_marquardt_tries_as_many_steps_as_it_may(method):
    example = ls.neuron()
    found = [ls.fit(*example[:2], method=method, max_iterations=count) for count in (1, 2)]
    assert [fit.converged for fit in found] == [False, False]
    with_differences = 3 if method == "2-point" else 0
    for count, fit in zip((1, 2), found, strict=True):
        assert fit.costs[-1] < 0.5 * np.sum(example.residual(example.start) ** 2)
        assert fit.residual_evaluations <= (1 + count) * (1 + with_differences)
        assert len(fit.costs) == (1 if method == "2-point" else 1 + count)  # all of these lower the cost, and are taken


def test_a_step_that_was_not_taken_has_no_cost():
    """The one step of this is refused, and the end is the start."""
    x, y = np.arange(4.0), np.array([2.1, 3.3, 5.4, 8.9])
    found = ls.fit(lambda b: b[0] * np.exp(b[1] * x) - y, np.array([1.0, 0.1]), max_iterations=1)
    np.testing.assert_array_equal(found.parameters, [1.0, 0.1])
    assert len(found.costs) == len(found.slopes) == 1


@pytest.mark.parametrize("algorithm", OWN)
def test_a_sparse_jacobian_is_a_jacobian(algorithm):
    found = ls.fit(lambda beta: beta**2 - np.arange(1.0, 5), np.ones(4), method="sparse", algorithm=algorithm)
    np.testing.assert_allclose(found.parameters, np.sqrt(np.arange(1.0, 5)), rtol=1e-8)


def test_what_differences_call_is_counted():
    example = ls.neuron()
    found = ls.fit(*example[:2], method="finite-difference", scheme="central", algorithm="gauss-newton")
    exact = ls.fit(*example[:2], algorithm="gauss-newton")
    assert found.residual_evaluations == exact.residual_evaluations + 2 * 3 * found.jacobian_evaluations


def _dependent(beta):
    """Only the sum of the two parameters is seen."""
    return np.array([1.0, 2.0, 3.0]) * (beta[0] + beta[1]) - np.array([1.0, 1.0, 5.0])


def test_a_singular_matrix_is_told_by_gauss_newton_and_survived_by_levenberg_marquardt():
    found = ls.fit(_dependent, np.zeros(2), algorithm="gauss-newton")
    assert not found.converged
    assert "J'J is singular: J has rank 1 of 2" in found.reason
    assert found.standard_errors is None
    survived = ls.fit(_dependent, np.zeros(2))
    assert survived.converged
    assert survived.parameters.sum() == pytest.approx(18 / 14)  # in closed form
    assert survived.standard_errors is None


def test_far_from_the_data_the_network_loses_rank():
    example = ls.network(distance=0.3)
    newton = ls.fit(*example[:2], algorithm="gauss-newton")
    assert "J'J is singular" in newton.reason
    assert ls.fit(*example[:2]).costs[-1] < 1e-2 < newton.costs[-1]


def test_fewer_residuals_than_parameters():
    found = ls.fit(lambda beta: beta[:1] * beta[1:] - 2, np.ones(2))
    assert np.prod(found.parameters) == pytest.approx(2)
    assert found.standard_errors is None


@pytest.mark.parametrize("algorithm", OWN)
def test_parameters_may_be_containers(algorithm):
    x, y = np.arange(4.0), np.array([1.0, 3.0, 5.0, 7.1])
    found = ls.fit(lambda p: p["a"] * x + p["b"][0] - y, {"a": 0, "b": [0.0]}, algorithm=algorithm)
    slope, intercept = np.polyfit(x, y, 1)
    assert found.parameters["a"] == pytest.approx(slope)
    assert found.parameters["b"][0] == pytest.approx(intercept)
    assert found.standard_errors["a"].shape == ()


def test_a_residual_of_several_arrays():
    found = ls.fit(lambda b: (b[0] - np.ones((2, 2)), {"more": b[1] - 3.0}), np.zeros(2))
    np.testing.assert_allclose(found.parameters, [1, 3])


def test_a_black_box_is_fitted_by_differences():
    def residual(beta):
        return np.array([float(beta[0]) ** 2 - 2.0, float(beta[1]) - 1])

    for method in ("finite-difference", "2-point"):
        np.testing.assert_allclose(ls.fit(residual, np.ones(2), method=method).parameters, [np.sqrt(2), 1], rtol=1e-6)


def test_iterations_run_out():
    found = ls.fit(*ls.network()[:2], algorithm="gradient-descent", max_iterations=3)
    assert (found.converged, found.reason, len(found.costs)) == (False, "3 iterations are over", 4)
    assert str(found).startswith("gradient-descent with reverse, not converged: 3 iterations are over\ncost ")


def test_step_halving_saves_newton_from_a_long_step():
    """arctan(beta) = 0 from 3: whole Gauss-Newton steps are those of Newton, and run away (|beta| > 1.39)."""
    whole = 3 - np.arctan(3.0) * (1 + 9)
    assert abs(whole) > 3
    found = ls.fit(np.arctan, np.array([3.0]), algorithm="gauss-newton")
    assert abs(found.parameters[0]) < 1e-8
    assert found.residual_evaluations > len(found.costs)


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"algorithm": "gauss-newtn"}, UnknownNameError, "did you mean 'gauss-newton'"),
        ({"method": "revers"}, UnknownNameError, "did you mean 'reverse'"),
        ({"method": "2-point", "algorithm": "gauss-newton"}, InputError, "use method='finite-difference'"),
        ({"max_iterations": 0}, InputError, "max_iterations=0"),
        ({"max_iterations": 2.5}, InputError, "max_iterations=2.5"),
        ({"tolerance": -1.0}, InputError, "tolerance=-1.0"),
    ],
)
def test_wrong_input_is_told(options, error, told):
    with pytest.raises(error, match=told):
        ls.fit(_dependent, np.zeros(2), **options)


@pytest.mark.parametrize("algorithm", ls.ALGORITHMS)
def test_a_fit_needs_finite_numbers(algorithm):
    with pytest.raises(InputError, match=r"r\(beta0\) is -inf in entry 0"):
        ls.fit(np.log, np.zeros(2), algorithm=algorithm)
    with pytest.raises(InputError, match="derivative of r is not finite at beta"):
        ls.fit(lambda beta: np.sqrt(beta) - 1, np.zeros(2), algorithm=algorithm)


@pytest.mark.parametrize("algorithm", ls.ALGORITHMS)
def test_a_residual_whose_square_overflows_is_no_start(algorithm):
    """inf <= inf would be convergence."""
    with pytest.raises(InputError, match=r"r\(beta0\) is up to 1e\+260, too large to be squared"):
        ls.fit(lambda beta: np.exp(beta) * 1e260, np.zeros(2), algorithm=algorithm)


def test_nothing_to_fit_is_told():
    with pytest.raises(InputError, match="has no entries"):
        ls.fit(lambda beta: beta[:0], np.ones(2))
    with pytest.raises(InputError, match="beta0 holds no numbers"):
        ls.fit(lambda beta: np.ones(3), np.ones(0))


def test_a_tolerance_below_rounding_is_that_of_rounding():
    assert ls.fit(*ls.neuron()[:2], tolerance=1e-20).slopes[-1] < 1e-9


def test_what_is_no_function_is_refused():
    with pytest.raises(InputError, match="f is a str, not a function"):
        ls.fit("r", np.zeros(2))


@pytest.mark.parametrize("example", [ls.neuron, ls.network])
def test_examples_are_counted(example):
    with pytest.raises(InputError, match=r"examples=2\.5; it must be a whole number from 1"):
        example(examples=2.5)
    with pytest.raises(InputError, match="seed=-1; it must be a whole number from 0"):
        example(seed=-1)
