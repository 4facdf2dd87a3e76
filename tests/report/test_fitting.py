from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from diffkit.report.fitting import Fit, growth_with_depth, growths

SIZES = [1, 3, 10, 30, 100, 300, 1000, 3000]


@pytest.mark.parametrize("exponent", [-0.5, 0.0, 0.5, 1.0, 2.0, 3.0])
def test_a_planted_exponent_is_recovered(exponent):
    fit = Fit.of(SIZES, [7e-9 * size**exponent for size in SIZES])
    assert fit is not None
    assert fit.exponent == pytest.approx(exponent, abs=1e-12)
    assert fit.error == pytest.approx(0, abs=1e-7)


def test_slope_and_standard_error_are_those_of_linear_regression_on_the_larger_half():
    costs = np.array([2.0 * size**1.3 for size in SIZES]) * np.random.default_rng(1).lognormal(sigma=0.2, size=8)
    fit = Fit.of(SIZES, costs)
    reference = stats.linregress(np.log(SIZES[4:]), np.log(costs[4:]))
    assert fit is not None
    assert fit.sizes == tuple(SIZES[4:])
    assert fit.span == "100 to 3,000"
    assert fit.exponent == pytest.approx(reference.slope, rel=1e-10)
    assert fit.error == pytest.approx(reference.stderr, rel=1e-10)


def test_order_of_the_sizes_does_not_matter():
    costs = [size**2 + 5 * size for size in SIZES]
    assert Fit.of(SIZES[::-1], costs[::-1]).exponent == pytest.approx(Fit.of(SIZES, costs).exponent, rel=1e-12)


def test_what_was_not_measured_is_left_out():
    costs = [np.nan, 0.0, *(size**2 for size in SIZES[2:])]
    assert Fit.of(SIZES, costs).exponent == pytest.approx(2)


@pytest.mark.parametrize(
    ("sizes", "costs"),
    [
        ([], []),
        ([10, 100, 1000], [1, 2, 3]),
        ([1, 10, 100, 1000], [1, 2, 3, np.nan]),
        ([10, 12, 14, 16], [1, 2, 3, 4]),
    ],
    ids=["none", "three", "three measured", "too narrow"],
)
def test_too_few_or_too_narrow_sizes_give_no_fit(sizes, costs):
    assert Fit.of(sizes, costs) is None


@pytest.mark.parametrize(
    ("exponent", "error", "grows"),
    [
        (1.0, 0.1, True),
        (0.6, 0.2, None),
        (0.4, 0.2, None),
        (0.0, 0.1, False),
        (-1.0, 0.1, False),
        (1.6, 0.6, True),
        (2.0, 1.9, None),
    ],
)
def test_an_exponent_is_nearer_to_one_only_beyond_a_standard_error_of_the_middle(exponent, error, grows):
    assert Fit(exponent, error, (1, 10)).grows is grows


def test_a_fit_prints_no_negative_zero():
    assert str(Fit(-0.001, 0.0, (1, 10))) == "0.00 ± 0.00"


@pytest.mark.parametrize(
    ("count", "exponential", "rate"),
    [
        (lambda n: 2**n, True, 2.0),
        (lambda n: 7 * 1.5**n, True, 1.5),
        (lambda n: 2**n + 20, True, None),
        (lambda n: 5 * n, False, 1.0),
        (lambda n: 5 * n + 30, False, None),
        (lambda n: 3 * n**2, False, 2.0),
        (lambda n: 40 + 0 * n, False, 0.0),
    ],
)
def test_exponential_growth_is_told_from_powers(count, exponential, rate):
    depths = np.arange(1, 13)
    found = growth_with_depth(depths, count(depths.astype(float)))
    assert found is not None
    assert found[0] is exponential
    if rate is not None:
        assert found[1] == pytest.approx(rate, abs=1e-9)


def test_three_depths_say_nothing():
    assert growth_with_depth([1, 2, 3], [2, 4, 8]) is None


@pytest.mark.parametrize(
    "planted", [{"reverse": (3.5, 0.0, 1.0)}, {"reverse": (3.5, 0.7, 0.3), "forward": (2.0, 1.5, -0.2)}]
)
def test_planted_exponents_of_a_run_are_recovered(law, planted):
    made = law(overhead=0, noise=0)
    made.powers |= planted
    found = growths(made.frame())
    assert {growth.measured_by for growth in found} == {"counted operations", "time"}
    for growth in found:
        if growth.method in ("forward", "reverse"):
            _, power_a, power_b = made.powers[growth.method]
            assert growth.relative.exponent == pytest.approx(power_a if growth.axis == "inputs" else power_b, abs=0.01)


def test_noise_moves_exponents_within_their_error(law):
    found = growths(law(overhead=0, noise=0.1).frame())
    time = [growth for growth in found if growth.measured_by == "time" and growth.method == "reverse"]
    assert [(growth.problem, growth.axis) for growth in time] == [
        ("tanh-map", "inputs"),
        ("rosenbrock", "inputs"),
        ("tanh-map", "outputs"),
    ]
    for growth in time:
        planted = 1.0 if growth.axis == "outputs" else 0.0
        assert 0 < growth.relative.error < 0.2
        assert abs(growth.cost.exponent - planted - 1) < 5 * growth.cost.error


def test_a_growth_says_where_it_was_measured(run):
    assert growths(run)[0].place == "tanh-map, B = 1, A = 30 to 1,000"
