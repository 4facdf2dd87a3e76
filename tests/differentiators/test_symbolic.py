"""Symbolic differentiation: both forms, what they look like, parameters, decisions, limits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sympy

import diffkit as dk

FORMS = ("shared", "expression")
X = np.array([1.3, -0.7])
x0, x1 = sympy.symbols("x0 x1", real=True)


def prepared(f: Any, form: str = "expression", x: Any = X, **options: Any) -> Any:
    return dk.get("symbolic", form=form).prepare(f, x, **options)


def matrix_of(plan: Any) -> sympy.Matrix:
    """The Jacobian with its named subexpressions put back."""
    made = plan.expressions
    whole = made.matrix
    for symbol, expression in reversed(made.definitions):
        whole = whole.subs(symbol, expression)
    return whole


FUNCTIONS = {
    "polynomial": (lambda x: x[0] ** 3 * x[1] - x[1], x0**3 * x1 - x1),
    "quotient": (lambda x: x[0] / (1 + x[1] ** 2), x0 / (1 + x1**2)),
    "nested": (lambda x: np.cos(np.sin(x[0] ** 2) + 3 * x[0] ** 2), sympy.cos(sympy.sin(x0**2) + 3 * x0**2)),
    "sum": (lambda x: np.sum(np.exp(-(x**2))), sympy.exp(-(x0**2)) + sympy.exp(-(x1**2))),
    "power": (lambda x: x[0] ** x[1], x0**x1),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_expressions_are_the_derivatives_that_sympy_finds(name: str, form: str) -> None:
    f, expression = FUNCTIONS[name]
    expected = sympy.Matrix([[expression.diff(x0), expression.diff(x1)]])
    assert sympy.simplify(matrix_of(prepared(f, form)) - expected) == sympy.zeros(1, 2)


@pytest.mark.parametrize(
    ("f", "latex"),
    [
        (
            lambda x: x[0] * np.sin(x[1]),
            r"\left[\begin{matrix}\sin{\left(x_{1} \right)} & x_{0} \cos{\left(x_{1} \right)}\end{matrix}\right]",
        ),
        (lambda x: np.sqrt(x[0]) / 2, r"\left[\begin{matrix}\frac{1}{4 \sqrt{x_{0}}} & 0\end{matrix}\right]"),
        (lambda x: abs(x[1]), r"\left[\begin{matrix}0 & \operatorname{sign}{\left(x_{1} \right)}\end{matrix}\right]"),
    ],
)  # fmt: skip
def test_latex_reads_as_on_the_blackboard(f: Any, latex: str) -> None:
    assert prepared(f).latex() == latex


def test_arguments_keep_their_names() -> None:
    plan = dk.get("symbolic", form="expression").prepare(
        lambda mass, speed: mass * speed**2 / 2, 2.0, 3.0, argnums=(0, 1)
    )
    assert (
        str(plan.expressions.matrix) == "Matrix([[speed_**2/2, mass_*speed_]])"
        or str(plan.expressions.matrix) == "Matrix([[speed**2/2, mass*speed]])"
    )


def test_shared_names_what_is_used_twice() -> None:
    def f(x: Any) -> Any:
        inner = np.exp(x[0] * x[1])
        return inner * inner + np.sin(inner)

    plan = prepared(f, "shared")
    assert [str(expression) for _, expression in plan.expressions.definitions][:1] == ["exp(x0*x1)"]
    assert r"\begin{aligned}" in plan.latex()
    assert prepared(f).expressions.definitions == []
    inner = np.exp(X[0] * X[1])
    slope = 2 * inner**2 + np.cos(inner) * inner
    np.testing.assert_allclose(plan.run(X), [[slope * X[1], slope * X[0]]], rtol=1e-14)


# ---------------------------------------------------------------- functions that SymPy would write out


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.logaddexp(0, x[0] * x[1]), "[x1*expit(x0*x1), x0*expit(x0*x1)]"),
        (lambda x: np.hypot(x[0], x[1]), "[x0/hypot(x0, x1), x1/hypot(x0, x1)]"),
        (lambda x: np.expm1(x[0]) * np.log1p(x[1]), "[log1p(x1)*exp(x0), expm1(x0)/(x1 + 1)]"),
        (lambda x: np.cbrt(x[0]), "[1/(3*cbrt(x0)**2), 0]"),
        (lambda x: x[0] % x[1], "[1, -floor_divide(x0, x1)]"),
        (lambda x: np.rint(x[0]) * x[1], "[0, rint(x0)]"),
    ],
)  # fmt: skip
def test_what_sympy_would_write_out_stays_one_function(f: Any, expected: str) -> None:
    assert str(prepared(f).expressions.matrix) == f"Matrix([{expected}])"


def test_functions_kept_whole_have_numbers_and_print_upright() -> None:
    plan = prepared(lambda x: np.expm1(x[0]) ** 2 + x[0] // x[1] * x[1])
    slope, steps = plan.expressions.matrix
    assert float(slope.subs(x0, 1e-20)) == 2e-20
    assert steps.subs({x0: 7, x1: 2}) == 3
    assert sympy.latex(slope) == r"2 \operatorname{expm1}{\left(x_{0} \right)} e^{x_{0}}"
    assert sympy.latex(steps**2) == r"\operatorname{floor\_divide}^{2}{\left(x_{0}, x_{1} \right)}"


@pytest.mark.parametrize("form", FORMS)
def test_steps_are_those_of_numpy(form: str) -> None:
    """SymPy's floor(x + 1/2) rounds halves up, and x - y*floor(x/y) has no digits of a large x left."""
    plan = prepared(lambda x: np.rint(x[0]) * x[0] + np.sin(x[1] % 0.7), form, product="gradient")
    for x in ([0.5, 1e15 / 3], [2.5, -0.25], [-1.5, 7.0], [np.nextafter(0.5, 0), 0.125]):
        np.testing.assert_allclose(plan.run(np.array(x)), [round(x[0]), np.cos(math.fmod(x[1], 0.7) % 0.7)], rtol=1e-14)


# ---------------------------------------------------------------- functions with kinks, steps and pieces


KINKED = {
    "maximum": (lambda x: np.maximum(x[0], x[1]) * x[0], lambda x: [2 * x[0], 0] if x[0] > x[1] else [x[1], x[0]]),
    "minimum": (lambda x: np.minimum(x[0], x[1]) * x[0], lambda x: [2 * x[0], 0] if x[0] < x[1] else [x[1], x[0]]),
    "abs": (lambda x: np.sum(np.abs(x)), np.sign),
    "sign": (lambda x: np.sum(np.sign(x) * x**2), lambda x: 2 * np.abs(x)),
    "floor": (lambda x: np.sum(np.floor(x) * x), np.floor),
    "where": (lambda x: np.sum(np.where(x > 0, x**2, -x)), lambda x: np.where(x > 0, 2 * x, -1)),
    "clip": (lambda x: np.sum(np.clip(x, -0.5, 1.0) ** 2), lambda x: np.where((x > -0.5) & (x < 1.0), 2 * x, 0)),
    "max of all": (lambda x: np.max(x) ** 2, lambda x: np.where(x == x.max(), 2 * x, 0)),
    "sort": (lambda x: np.sort(x)[0] ** 2, lambda x: np.where(x == x.min(), 2 * x, 0)),
    "branch": (
        lambda x: x[0] ** 2 if x[0] > x[1] else x[1] ** 3,
        lambda x: [2 * x[0], 0] if x[0] > x[1] else [0, 3 * x[1] ** 2],
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", KINKED)
def test_one_plan_is_right_on_both_sides_of_a_kink(name: str, form: str) -> None:
    f, gradient = KINKED[name]
    plan = prepared(f, form, product="gradient")
    for point in ([1.3, -0.7], [-0.7, 1.3], [0.2, 0.4], [0.4, 0.2], [-2.5, -1.5]):
        np.testing.assert_allclose(plan.run(np.array(point)), gradient(np.array(point)), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("f", "expected"), [(lambda x: np.maximum(x[0], x[1]), [0.5, 0.5]), (lambda x: np.abs(x[0] - x[1]), [0, 0])]
)
def test_a_kink_itself_gives_the_mean_of_both_sides(f: Any, expected: Any) -> None:
    np.testing.assert_array_equal(prepared(f, "shared", product="gradient").run(np.array([2.0, 2.0])), expected)


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize("form", FORMS)
def test_arrays_closed_over_stay_parameters(form: str) -> None:
    weights = np.array([2.0, 3.0])
    plan = prepared(lambda x: np.tanh(weights @ x), form)
    free = {str(symbol) for _, expression in plan.expressions.definitions for symbol in expression.free_symbols}
    free |= {str(symbol) for symbol in plan.expressions.matrix.free_symbols}
    assert len([name for name in free if name.startswith("p")]) == 2
    for weights[0] in (2.0, -1.0):
        np.testing.assert_allclose(plan.run(X), (1 - np.tanh(weights @ X) ** 2) * weights[None], rtol=1e-14)


# ---------------------------------------------------------------- products and shapes


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
def test_every_product(form: str, engine: str) -> None:
    plan = dk.get("symbolic", form=form, engine=engine).prepare(lambda x: x[0] ** 2 * np.exp(x[1]), X)
    a, b = X
    gradient = np.array([2 * a, a**2]) * np.exp(b)
    hessian = np.array([[2, 2 * a], [2 * a, a**2]]) * np.exp(b)
    v = np.array([0.5, 2.0])
    for found, expected in [
        (plan.value(X), a**2 * np.exp(b)), (plan.gradient(X), gradient), (plan.jacobian(X), gradient[None]),
        (plan.jvp(X, v), gradient @ v), (plan.vjp(X, 3.0), 3 * gradient), (plan.hessian(X), hessian),
        (plan.hvp(X, v), hessian @ v),
        (plan.value_and_gradient(X)[1], gradient),
    ]:  # fmt: skip
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x, np.ones((2, 2))), (lambda x: x * 2, np.ones(0)), (lambda x: x[:0], np.ones(2)),
        (lambda x: 3.0, np.ones(2)),
        (lambda x: np.outer(x, x), np.ones(3)), (lambda x: x**2, np.array(3.0)),
    ],
)  # fmt: skip
def test_shapes_agree_with_reverse_mode(f: Any, x: Any, form: str) -> None:
    np.testing.assert_array_equal(prepared(f, form, x).run(x), dk.jacobian(f)(x))


# ---------------------------------------------------------------- limits


def loop(x: Any, rounds: int = 1000) -> Any:
    y = x[0]
    for _ in range(rounds):
        y = np.sin(y) * x[1]
    return y


def test_a_thousand_rounds_are_shared_without_recursion() -> None:
    x = np.array([1.0, 0.99])
    y, by0, by1 = x[0], 1.0, 0.0
    for _ in range(1000):
        slope = np.cos(y) * x[1]
        y, by0, by1 = np.sin(y) * x[1], slope * by0, slope * by1 + np.sin(y)
    plan = prepared(loop, "shared", x)
    np.testing.assert_allclose(plan.run(x), [[by0, by1]], rtol=1e-9)
    assert plan.operations.total < 20 * plan.function_operations.total


def test_a_thousand_rounds_in_one_expression_are_refused_by_name() -> None:
    with pytest.raises(dk.TooLargeError, match="nested deeper than SymPy can recurse; use form='shared'"):
        prepared(loop)


@pytest.mark.parametrize(
    ("f", "x", "limit", "message"),
    [
        (np.sum, np.ones(11), 10, "11 symbols are more than the limit of 10"),
        (lambda x: np.outer(x, x), np.ones(4), 10, "more entries than the limit of 10"),
        (lambda x: np.array([*x]), np.ones(4), 10, "4 x 4 expressions are more than the limit of 10"),
        (lambda x: loop(x, 30), np.ones(2), 10, "more than 10 named subexpressions"),
    ],
)  # fmt: skip
def test_stated_limits(f: Any, x: Any, limit: int, message: str) -> None:
    with pytest.raises(dk.TooLargeError, match=message):
        dk.get("symbolic", limit=limit).prepare(f, x)


def test_an_expression_that_swells_is_refused() -> None:
    def swelling(x: Any) -> Any:
        y = x[0]
        for _ in range(9):
            y = 4 * y * (1 - y)
        return y

    with pytest.raises(dk.TooLargeError, match=r"operations written out .* use form='shared'"):
        dk.get("symbolic", form="expression", limit=100).prepare(swelling, X)
    assert dk.get("symbolic", limit=100).prepare(swelling, X).run(X).shape == (1, 2)


@pytest.mark.parametrize("n", [2, 3])
def test_small_matrices_are_eliminated_on_symbols(n: int) -> None:
    m = np.eye(n) * 3 + np.arange(n * n).reshape(n, n) / 10
    found = dk.grad(np.linalg.det, method="symbolic")(m)
    np.testing.assert_allclose(found, np.linalg.det(m) * np.linalg.inv(m).T, rtol=1e-12)


def test_large_matrices_are_refused() -> None:
    with pytest.raises((dk.TooLargeError, dk.UnsupportedError)):
        dk.grad(np.linalg.det, method="symbolic")(np.eye(6))


def test_a_second_derivative_gives_no_name_twice() -> None:
    """Two layers of twelve: names that are counted start anew in the second derivative."""
    rng = np.random.default_rng(0)
    first, second, last = rng.normal(size=(12, 3)), rng.normal(size=(12, 12)), rng.normal(size=12)

    def gradient(x: Any) -> Any:
        y = np.tanh(first @ x)
        z = np.tanh(second @ y)
        return ((last * (1 - z**2)) @ second * (1 - y**2)) @ first

    x, h = np.array([0.1, -0.2, 0.3]), 1e-5
    plan = dk.get("symbolic").prepare(lambda x: last @ np.tanh(second @ np.tanh(first @ x)), x, product="hessian")
    names = [symbol for symbol, _ in plan.expressions.definitions]
    assert len(set(names)) == len(names)
    rows = [(gradient(x + h * unit) - gradient(x - h * unit)) / (2 * h) for unit in np.eye(3)]
    np.testing.assert_allclose(plan.run(x), rows, rtol=1e-7, atol=1e-8)
