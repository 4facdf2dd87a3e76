"""SymPy expressions as functions of all methods; counting; writing expressions with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from sympy.codegen import cfunctions

import diffkit as dk
from diffkit.expressions import Assignments, as_callable, as_function, differentiate, operations

METHODS = ("finite-difference", "symbolic", "forward", "reverse")
a, b, c = sympy.symbols("a b c", real=True)
POINT = {a: sympy.Rational(7, 10), b: sympy.Rational(13, 10), c: sympy.Rational(-2, 5)}
X = np.array([0.7, 1.3, -0.4])


EXPRESSIONS = [
    a * b * c, a + b - c, a / b, -a / (b * c), a**3, a**b, b ** sympy.Rational(1, 2), 1 / sympy.sqrt(b), b**-3,
    b ** sympy.Rational(2, 3),
    sympy.exp(a * c), sympy.log(b), sympy.sin(a), sympy.cos(a), sympy.tan(a), sympy.asin(c), sympy.acos(c),
    sympy.atan(b),
    sympy.atan2(a, c), sympy.sinh(a), sympy.cosh(a), sympy.tanh(a), sympy.asinh(a), sympy.acosh(b), sympy.atanh(c),
    sympy.sec(a), sympy.csc(a), sympy.cot(a), sympy.sech(a), sympy.csch(a), sympy.coth(a), sympy.erf(a), sympy.erfc(a),
    sympy.loggamma(b), sympy.digamma(b), sympy.polygamma(1, b), sympy.polygamma(2, b), sympy.zeta(3, b),
    sympy.Abs(c) * a, sympy.sign(c) * a, sympy.floor(b) * a, sympy.ceiling(b) * a, sympy.Max(a, b, c),
    sympy.Min(a, b, c),
    cfunctions.expm1(c), cfunctions.log1p(c), cfunctions.hypot(a, b), a * sympy.exp(2 * b) / (1 + sympy.exp(b)) ** 3,
    a**3 / b**2, a / (b * b), 2 / b**3, a * b * c / (a + b) ** 3, -a / 2 + b, a**2 * b**2 / (a + c) ** 3, 3 / b,
    sympy.Max(a, 1) * c, sympy.Mod(b, a), sympy.Heaviside(c) + a, sympy.Piecewise((a**2, a > b), (c * b, True)),
    sympy.Piecewise((a**2, sympy.And(a < b, c < 0)), (b, True)),
    sympy.Piecewise((c**2, sympy.Or(a > b, c > 0)), (a * b, True)),
    sympy.Piecewise((1, sympy.Eq(a, b)), (2 * c, sympy.Ne(a, b))),
    sympy.pi * a + sympy.E * b + sympy.Rational(1, 3) * c,
    sympy.Integer(3) + 0 * a,
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_an_expression_as_a_function_is_worth_what_sympy_says(expression: Any) -> None:
    f = as_function(expression, [a, b, c])
    assert float(f(X)) == pytest.approx(float(expression.subs(POINT).evalf(30)), rel=1e-13)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "expression",
    [
        a * sympy.sin(b) + c**2,
        sympy.exp(a / b) * c,
        sympy.Piecewise((a**2, a > b), (c * b, True)),
        sympy.Max(a, b) * c,
        a * b,
    ],
    ids=str,
)
def test_every_method_takes_expressions(expression: Any, method: str) -> None:
    order = sorted(expression.free_symbols, key=str)
    x = np.array([float(POINT[symbol]) for symbol in order])
    expected = [float(expression.diff(symbol).subs(POINT).evalf(30)) for symbol in order]
    np.testing.assert_allclose(dk.grad(expression, method=method)(x), expected, rtol=1e-8)
    np.testing.assert_allclose(dk.get(method).prepare(expression, x).run(x), [expected], rtol=1e-8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "many", [[a * b, a + c], (a * b, a + c), sympy.Matrix([a * b, a + c]), [a * b, sympy.Integer(2)]]
)
def test_lists_and_matrices_of_expressions_are_vectors(many: Any, method: str) -> None:
    entries = list(many)
    order = sorted(set().union(*(entry.free_symbols for entry in entries)), key=str)
    x = np.array([float(POINT[symbol]) for symbol in order])
    expected = [[float(entry.diff(symbol).subs(POINT).evalf(30)) for symbol in order] for entry in entries]
    np.testing.assert_allclose(dk.jacobian(many, method=method)(x), expected, rtol=1e-8, atol=1e-9)


def test_a_function_without_a_meaning_in_numpy_is_named() -> None:
    with pytest.raises(dk.UnsupportedError, match="besselj"):
        as_function(sympy.besselj(0, a))(X)


@pytest.mark.parametrize("f", [3, [1, 2], [a, 2], "sin", None, []])
def test_what_is_neither_a_function_nor_expressions(f: Any) -> None:
    with pytest.raises(dk.InputError, match="not a function; give the function itself"):
        as_callable(f)


def test_a_function_is_taken_as_it_is() -> None:
    assert as_callable(np.sin) is np.sin


# ---------------------------------------------------------------- counting and differentiating


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        (a, 0),
        (sympy.Integer(2), 0),
        (a + b, 1),
        (a + b + c, 2),
        (a * b * c, 2),
        (sympy.sin(a), 1),
        (sympy.sin(a * b) + a, 3),
    ],
)
def test_operations_are_counted(expression: Any, count: int) -> None:
    assert operations(expression, {}) == count


def test_a_tree_is_counted_as_written_in_linear_time() -> None:
    expression = a
    for _ in range(40):  # written out, 2^40 - 1 sums
        expression = sympy.Add(sympy.sin(expression), sympy.cos(expression), evaluate=False)
    assert operations(expression, {}) == 3 * (2**40 - 1)


def test_named_subexpressions_count_once() -> None:
    s = sympy.Symbol("s", real=True)
    made = Assignments([(s, sympy.sin(a * b))], np.array([s * c + s, s], dtype=object))
    assert made.count() == 2 + 2  # sin and a product; a product and a sum


def test_the_chain_rule_over_definitions_is_the_derivative_of_the_whole() -> None:
    s, t = sympy.symbols("s t", real=True)
    made = differentiate(
        Assignments([(s, a * b), (t, sympy.sin(s) * a)], np.array([t * s + b], dtype=object)), [a, b], 100
    )
    whole = sympy.sin(a * b) * a * a * b + b
    found = made.matrix
    for symbol, expression in reversed(made.definitions):
        found = found.subs(symbol, expression)
    assert sympy.simplify(found - sympy.Matrix([[whole.diff(a), whole.diff(b)]])) == sympy.zeros(1, 2)


@pytest.mark.parametrize(
    "expression", [sympy.Abs(sympy.Abs(a) * a), sympy.sign(a) * a, sympy.floor(a) * a, sympy.Max(a, 0) ** 2]
)
def test_no_delta_functions_come_out(expression: Any) -> None:
    first = differentiate(Assignments([], np.array([expression], dtype=object)), [a], 100)
    second = differentiate(Assignments([], first.results[0]), [a], 100)
    for found in (first, second):
        assert not found.matrix.has(sympy.DiracDelta, sympy.Derivative, sympy.Subs)
