"""Functions with branches: right at every point, a plan per branch, and traced again where a new one is taken."""
# ruff: noqa: E501, PLW2901 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import warnings

import numpy as np
import pytest

import diffkit as dk
from diffkit.engines import engine_names
from diffkit.errors import TracingError

METHODS = ["finite-difference", "symbolic", "forward", "reverse", "mixed"]


def if_else(x):
    if x > 0:
        return x**2
    return -3 * x


def elif_chain(x):
    if x < -1:
        y = x
    elif x < 1:
        y = x**3
    elif x == 2:
        y = 0.0 * x
    else:
        y = np.exp(x)
    return y


def conditional_expression(x):
    return np.sin(x) if not x < 0.5 else x * x


def while_loop(x):
    y = x
    while y < 10:
        y = y * 2 + 3.1
    return y


def while_with_break(x):
    steps = 0
    y = x
    while True:
        y = np.sqrt(y * y + 1)
        steps += 1
        if y > 2:
            break
    return y * steps


def and_or(x):
    if (x > -1 and x < 1) or x > 2:
        return x**2
    return x


def operand_of_or(x):
    return x * ((x > 0) or 5)  # Python's `or` gives the operand itself


def chained_comparison(x):
    return x**2 if -1 < x <= 1 else x**3


def python_max_and_min(x):
    return max(x, x**2) + min(x, -0.5) + abs(x - 1)


def python_sorted(x):
    low, _, high = sorted([x, x**2, 0.5 * x + 0.25])
    return high - 2 * low


def int_of_it(x):
    return x * int(x)


def range_of_it(x):
    y = x
    for k in range(int(abs(x) * 2)):
        y = y + x**k
    return y


def rounded(x):
    return x * round(x) + x * int(np.floor(x))


def membership(x):
    return x**2 if x in [0.25, 0.75, 2.5] else x


def index_by_it(x):
    table = np.array([1.0, 10.0, 100.0, 1000.0])
    return x * table[int(abs(x))]


def any_and_all(x):
    v = np.array([x, x - 1, x + 1])
    if (v > 0).all():
        return v.sum() ** 2
    return v.prod() if np.any(v > 0) else x


def nested_helper(x):
    return if_else(if_else(x) - 1)


def recursion(x):
    return x if x < 1 else x * recursion(x - 1)


def truth_of_a_number(x):
    return x**2 if x - 0.25 else x


def newton(x):
    root = x * x + 1
    for _ in range(50):
        new = (root + (x * x + 1) / root) / 2
        if abs(new - root) < 1e-13:
            break
        root = new
    return root


BRANCHING = [
    if_else, elif_chain, conditional_expression, while_loop, while_with_break, and_or, operand_of_or, chained_comparison,
    python_max_and_min, python_sorted, int_of_it, range_of_it, rounded, membership, index_by_it, any_and_all,
    nested_helper, recursion, truth_of_a_number,
]  # fmt: skip
POINTS = (-2.3, -0.7, 0.25, 0.6, 1.3, 2.4)


def slope(f, x):
    """The derivative by differences of plain NumPy, so narrow that they stay within one branch, at 4th order."""
    h = 1e-3 * 2.0**-4
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("f", BRANCHING, ids=lambda f: f.__name__)
def test_one_plan_is_right_on_every_branch(f, method):
    plan = dk.get(method).prepare(f, 0.6, product="gradient")
    for x in (*POINTS, *POINTS[::-1]):
        assert plan.value(x) == pytest.approx(f(np.float64(x)), rel=1e-14)
        if f in (membership, truth_of_a_number) and x == 0.25:
            continue  # no derivative by differences there: f is something else beside the point
        assert plan.run(x) == pytest.approx(slope(f, x), rel=1e-6 if method == METHODS[0] else 1e-8, abs=1e-10)


@pytest.mark.parametrize("method", METHODS[1:])
def test_equality_holds_at_the_point_only(method):
    plan = dk.get(method).prepare(membership, 0.6, product="gradient")
    assert [plan.run(x) for x in (0.25, 0.26, 0.75, 2.5)] == [0.5, 1.0, 1.5, 5.0]


@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
def test_second_derivatives_follow_the_branch_too(engine):
    plan = dk.get("reverse", engine=engine).prepare(elif_chain, 0.5, product="hessian")
    assert plan.run(-2.0) == 0
    assert plan.run(0.5) == pytest.approx(3.0)
    assert plan.run(3.0) == pytest.approx(np.exp(3.0))


def test_an_iteration_until_convergence():
    for x in (0.1, 1.0, 7.0):  # it solves y^2 = x^2 + 1
        assert dk.grad(newton)(x) == pytest.approx(x / np.hypot(x, 1), rel=1e-12)


# ---------------------------------------------------------------- masks


def masked_sum(x):
    return np.sum(x[x > 0] ** 2) - np.sum(x[~(x > 0)])


def positions_of_a_mask(x):
    (spots,) = np.nonzero(x > 0)
    return np.sum(x[spots] ** 3) + np.sum(np.where(x < 0)[0]) * x[0]


def largest(x):
    return x[np.argmax(x)] ** 2 + x[np.argsort(x)[0]]


def written_by_mask(x):
    y = x.copy()
    y[y < 0] *= 0.1
    return np.sum(y**2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("f", [masked_sum, positions_of_a_mask, largest, written_by_mask], ids=lambda f: f.__name__)
def test_masks_and_positions_that_depend_on_values(f, method):
    plan = dk.get(method).prepare(f, np.array([1.0, -2.0, 0.5]), product="gradient")
    for x in ([1.0, -2.0, 0.5], [-1.0, 2.0, 0.25], [-3.0, -2.0, -0.5], [0.1, 0.2, 0.3]):
        x = np.array(x)
        expected = [slope(lambda t, k=k, x=x: f(np.where(np.arange(3) == k, t, x)), x[k]) for k in range(3)]
        np.testing.assert_allclose(plan.value(x), f(x), rtol=1e-14)
        np.testing.assert_allclose(plan.run(x), expected, rtol=1e-6, atol=1e-8)


def test_the_shape_of_a_result_may_depend_on_a_branch():
    jacobian = dk.jacobian(lambda x: x[x > 0] ** 2)
    np.testing.assert_array_equal(jacobian(np.array([1.0, -1.0, 3.0])), [[2, 0, 0], [0, 0, 6]])
    np.testing.assert_array_equal(jacobian(np.array([-1.0, 2.0, -3.0])), [[0, 4, 0]])
    assert jacobian(np.array([-1.0, -2.0, -3.0])).shape == (0, 3)


# ---------------------------------------------------------------- what is kept


def counting(f):
    calls = []

    def counted(x):
        calls.append(x)
        return f(x)

    return counted, calls


def test_f_runs_once_per_branch():
    f, calls = counting(if_else)
    plan = dk.get("reverse").prepare(f, 1.0, product="gradient")
    for x in (1.0, 2.0, -1.0, -2.0, 3.0, -3.0):
        plan.run(x)
    assert len(calls) == 2


def staircase(x):
    return x * int(x)


def test_eight_branches_are_kept_and_beyond_that_one_warning_says_so():
    f, calls = counting(staircase)
    plan = dk.get("forward").prepare(f, 0.5, product="gradient")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in range(8):
            assert plan.run(x + 0.5) == x
        assert len(calls) == 8
        for x in range(8):
            assert plan.run(x + 0.25) == x
        assert len(calls) == 8
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for x in range(8, 40):
            assert plan.run(x + 0.5) == x
    assert len(caught) == 1
    assert "more than 8" in str(caught[0].message)
    assert len(calls) == 40


def test_the_branch_used_least_recently_goes_first():
    f, calls = counting(staircase)
    plan = dk.get("forward").prepare(f, 0.5, product="gradient")
    for x in range(1, 8):
        plan.run(x + 0.5)
    plan.run(0.5)  # so that 1 is now the one not used for longest
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plan.run(8.5)
    assert len(calls) == 9
    plan.run(0.5)
    assert len(calls) == 9


def test_decisions_on_what_does_not_depend_on_x_are_no_guards():
    def f(x):
        n = np.zeros(3)
        n[1] = 2.0
        return x * n[1] if n[1] > 1 else x

    assert dk.get("reverse").prepare(f, 1.0).function_graph.guards == ()


def test_decisions_on_an_array_of_the_user_are_checked_again():
    scale = np.array([1.0])

    def f(x):
        return x**2 if scale[0] > 0 else x

    gradient = dk.grad(f)
    assert gradient(3.0) == 6.0
    scale[0] = -1.0
    assert gradient(3.0) == 1.0


@pytest.mark.parametrize("engine", engine_names())
def test_a_number_made_from_an_array_of_the_user_is_not_rounded_into_another_branch(engine):
    data = np.random.default_rng(0).normal(size=1000)

    def f(x):
        return x * float(np.sum(np.sin(data)))  # engines add in an order of their own

    plan = dk.get("reverse", engine=engine).prepare(f, 2.0, product="gradient")
    assert plan.run(3.0) == np.sum(np.sin(data))
    assert [step.op.name for step in plan.graph.steps].count("sin") == 0
    data[0] += 1.0
    assert plan.run(3.0) == np.sum(np.sin(data))


def test_comparisons_with_nan_take_the_branch_that_numpy_takes():
    gradient = dk.grad(if_else)
    assert gradient(2.0) == 4.0
    assert gradient(np.nan) == -3.0


def test_a_function_that_decides_by_chance_is_told_so():
    coin = np.random.default_rng(0)

    def f(x):
        return x if x > coin.normal() * 1e3 else 2 * x

    plan = dk.get("reverse").prepare(f, 0.0, product="gradient")
    assert plan.run(0.0) in (1.0, 2.0)
    with pytest.raises(TracingError, match="random numbers or keeps state"):
        dk.get("reverse").prepare(lambda x: x * coin.normal(), 1.0, verify=True)


def test_the_truth_of_an_array_is_refused_with_the_cure():
    def f(x):
        return x.sum() if x > 0 else x.sum() ** 2

    with pytest.raises(TracingError, match=r"truth of a traced array of shape \(3,\) .* np\.where"):
        dk.grad(f)(np.ones(3))
