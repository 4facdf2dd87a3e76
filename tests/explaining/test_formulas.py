"""The grammar against Python's own parser, which reads every formula of the tests that has the same meaning in both."""

from __future__ import annotations

import ast
import math
import operator

import numpy as np
import pytest
import sympy
from hypothesis import event, given, settings
from hypothesis import strategies as st

import diffkit as dk
from diffkit.errors import InputError
from diffkit.explaining.formulas import parse
from diffkit.explaining.grammar import DEEPEST, FUNCTIONS, LONGEST

# ---------------------------------------------------------------- an evaluation of its own, on Python's syntax tree

OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip
MEANINGS = {
    "abs": abs, "arccos": math.acos, "arcsin": math.asin, "arctan": math.atan, "cos": math.cos, "cosh": math.cosh,
    "exp": math.exp, "expm1": math.expm1, "log": math.log, "log10": math.log10, "log1p": math.log1p,
    "log2": math.log2, "max": max, "min": min, "sigmoid": lambda x: 1 / (1 + math.exp(-x)), "sin": math.sin,
    "sinh": math.sinh, "sqrt": math.sqrt, "tan": math.tan, "tanh": math.tanh,
}  # fmt: skip
POINT = {"x": 0.7, "y_1": -1.3, "_z": 2.1}
VALUES = {name: np.float64(value) for name, value in {**POINT, "pi": math.pi, "e": math.e}.items()}


def evaluated(node, seen):
    """The value of a syntax tree; it and all values on the way to it are appended to ``seen``."""
    match node:
        case ast.Constant():
            value = np.float64(node.value)
        case ast.Name():
            value = VALUES[node.id]
        case ast.BinOp():
            value = OPERATORS[type(node.op)](evaluated(node.left, seen), evaluated(node.right, seen))
        case ast.UnaryOp():
            value = OPERATORS[type(node.op)](evaluated(node.operand, seen))
        case ast.Call():
            value = FUNCTIONS[node.func.id][0](*(evaluated(one, seen) for one in node.args))
    seen.append(value)
    return value


def joined(parts):
    return st.tuples(parts, st.sampled_from(["+", "-", " * ", "/", "**", " ^"]), parts).map("".join)


LEAVES = st.sampled_from([*POINT, "pi", "e", "2", "1.5", ".5", "3.", "2e-1"])
ONE = [name for name, (_, operands) in FUNCTIONS.items() if operands == 1]
FORMULAS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        joined(parts),
        parts.map("({})".format),
        st.tuples(st.sampled_from("-+"), parts).map("".join),
        st.tuples(st.sampled_from(ONE), parts).map(lambda pair: f"{pair[0]}( {pair[1]})"),
        st.tuples(st.sampled_from(["max", "min"]), parts, parts).map(lambda three: "{}({},{})".format(*three)),
    ),
    max_leaves=12,
)


def reference(text):
    """Every value on the way, the whole last, by Python's grammar."""
    seen = []
    with np.errstate(all="ignore"):
        evaluated(ast.parse(text.replace("^", "**"), mode="eval").body, seen)
    return seen


@given(FORMULAS.map("x - {}".format))
def test_formulas_mean_what_python_means_by_them(text):
    expected = reference(text)
    if np.all(np.isfinite(expected)):
        formula = parse(text)
        values = [VALUES[name] for name in formula.names]
        formula.check(*values)
        assert formula(*values) == expected[-1]  # to the last bit: only the order of evaluation is in question
    else:
        event("not finite")
        with pytest.raises(InputError, match=r"gives (nan|-?inf) here|is (nan|-?inf) in float64"):
            check(text)


def check(text):
    formula = parse(text)
    formula.check(*(VALUES[name] for name in formula.names))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-x**2", -9.0),
        ("-x^2", -9.0),
        ("2^x^2", 512.0),
        ("2^-x", 0.125),
        ("-2^-x*x", -0.375),
        ("x - 1 - 1", 1.0),
        ("x / 3 / 2", 0.5),
        ("x/3*2", 2.0),
        ("--x", 3.0),
        ("1 - -x", 4.0),
        ("max(x, 4) + min(x, 4)", 7.0),
        ("abs(-x)", 3.0),
        ("x*0 + 2e-3", 0.002),
        ("cos(pi) + 0*x", -1.0),
        ("log(e)*x", 3.0),
        ("sigmoid(x - 3)", 0.5),
        ("x\n+\t1", 4.0),
    ],
)
def test_what_binds_how(text, value):
    assert parse(text)(np.float64(3.0)) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_what_its_name_says(name):
    operands = [0.3, -0.4][: FUNCTIONS[name][1]]
    text = f"{name}({', '.join(['x', 'y'][: len(operands)])})"
    assert parse(text)(*operands) == pytest.approx(MEANINGS[name](*operands), rel=1e-15)


def test_variables_stand_in_the_order_in_which_they_appear():
    formula = parse("z*x + z/_y2")
    assert formula.names == ("z", "x", "_y2")
    assert str(formula.__signature__) == "(z, x, _y2, /)"
    assert formula(2.0, 3.0, 4.0) == 6.5


def test_a_word_of_pythons_is_a_variable_like_others():
    assert parse("lambda * if").names == ("lambda", "if")


def test_its_gradient_is_sympys():
    text = "exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)"
    x, z = symbols = sympy.symbols("x z")
    expression = sympy.exp(x * z) + x * z / sympy.log(x) + sympy.sin(sympy.log(x)) / (x * z)
    expected = [float(sympy.diff(expression, symbol).subs({x: 2, z: 3})) for symbol in symbols]
    for method in ("forward", "reverse", "symbolic"):
        assert np.allclose(dk.grad(parse(text), argnums=(0, 1), method=method)(2.0, 3.0), expected, rtol=1e-13)


# ---------------------------------------------------------------- what is no formula


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("__import__('os').system('x')", "no function '__import__'", 0),
        ("x.real", "FULL STOP", 1),
        ("x[0]", "LEFT SQUARE BRACKET", 1),
        ("x if y else z", "expected an operator or the end, not 'if'", 2),
        ("lambda x: x", "expected an operator or the end, not 'x'", 7),
        ("x = 3", "EQUALS SIGN", 2),
        ("x; y", "SEMICOLON", 1),
        ("'x'", "APOSTROPHE", 0),
        ("sine(x)", "did you mean 'sin'?", 0),
        ("1 + ln(x)", "did you mean 'log'?", 4),
        ("atan(x)", "did you mean 'arctan'?", 0),
        ("sin x", r"write sin(...)", 0),
        ("x*sin", r"write sin(...)", 2),
        ("2x", "'*'", 1),
        ("(x) (y)", "'*'", 4),
        ("pi(x)", "no function 'pi'", 0),
        ("max(x)", "max has 2 operands, not 1", 0),
        ("sin(x, y)", "sin has 1 operand, not 2", 0),
        ("sin()", "expected a number, a name or '(', not ')'", 4),
        ("max(x y)", "expected an operator, ',' or ')', not 'y'", 6),
        ("(x, y)", "expected an operator or ')', not ','", 2),
        ("2*(x", "never closed", 2),
        ("x)", "expected an operator or the end, not ')'", 1),
        ("x +", "not the end", 3),
        ("*x", "not '*'", 0),
        ("x ** ", "not the end", 5),
        ("x * / y", "not '/'", 4),
        ("", "not the end", 0),
        ("1_000*x", "not '_000'", 1),
        ("0x10", "not 'x10'", 1),
        ("\u0445 + 1", "CYRILLIC SMALL LETTER HA", 0),  # looks like x
        ("x \u2212 1", "MINUS SIGN) has no meaning here; write -", 2),
        ("x\u00b2", "write ^2", 1),
        ("\uff11 + x", "FULLWIDTH DIGIT ONE", 0),
        ("\u0663*x", "ARABIC-INDIC DIGIT THREE", 0),
        ("x\x00", "character number 0", 1),
        ("x + \x1b[31m", "cannot be printed", 4),
        ("\x1f", "character number 31", 0),  # white space to str.strip
        ("  \xa0x", "NO-BREAK SPACE", 2),
        ("x +\u2003y", "EM SPACE", 3),
        ("9**9**9**9*x", "inf in float64", 4),
        ("x + 1e999", "inf in float64", 4),
        ("9" * 4000 + "*x", "inf in float64", 0),
        ("1/0 + x", "inf in float64", 1),
        ("x*sqrt(1 - 2)", "nan in float64", 2),
        ("pi + 2*e", "no variable", 8),
    ],
)
def test_what_is_no_formula_is_refused_with_a_caret(text, words, place):
    with pytest.raises(InputError) as caught:
        parse(text)
    message, shown, caret = str(caught.value).split("\n")
    assert words in message
    assert caret.rstrip() == " " * (4 + place) + "^"
    assert shown.isprintable()


def test_what_is_no_text_is_refused():
    with pytest.raises(InputError, match="a formula is text, and None is a NoneType"):
        parse(None)


@pytest.mark.parametrize("text", ["(" * 2000 + "x", "-" * 2000 + "x", "x^" * 2000 + "x", "sin(" * 1000 + "x"])
def test_deep_nesting_has_a_limit(text):
    with pytest.raises(InputError, match=f"more than {DEEPEST} deep"):
        parse(text)


def test_just_within_the_limits():
    deep, wide = "(" * (DEEPEST - 1) + "x" + ")" * (DEEPEST - 1), "x+" * (LONGEST // 2 - 1) + "x"
    assert parse(deep)(2.0) == 2.0
    assert parse(wide)(1.0) == LONGEST // 2


@pytest.mark.parametrize("text", ["(" * 10_000 + "x" + ")" * 10_000, "x+" * 10_000_000 + "x"])
def test_long_text_has_a_limit(text):
    with pytest.raises(InputError, match="5,000 is the limit"):
        parse(text)


def test_a_long_text_is_shown_around_the_place():
    with pytest.raises(InputError) as caught:
        parse("x+" * 500 + "sine(x)" + "+x" * 500)
    _, shown, caret = str(caught.value).split("\n")
    assert len(shown) < 120
    assert shown[caret.index("^") :].startswith("sine(x)")


@settings(max_examples=500)
@given(st.text() | st.text("xe.1()*+-^/, sinmaxlog'_[]\x00\n"))
def test_any_text_is_a_formula_or_an_input_error(text):
    try:
        formula = parse(text)
    except InputError:
        return
    assert formula.names


# ---------------------------------------------------------------- points outside of the domain


@pytest.mark.parametrize(
    ("text", "values", "words", "place"),
    [
        ("1 + log(x)", [-1.0], "'log' gives nan here, at x = -1", 4),
        ("log(x)*y", [0.0, 2.0], "'log' gives -inf here, at x = 0, y = 2", 0),
        ("2/(x - 1)", [1.0], "'/' gives inf", 1),
        ("x^0.5", [-1.0], "'^' gives nan", 1),
        ("exp(exp(x))", [10.0], "'exp' gives inf", 0),
    ],
)
def test_a_point_outside_of_the_domain_is_refused_with_a_caret(text, values, words, place):
    with pytest.raises(InputError) as caught:
        parse(text).check(*values)
    message, _, caret = str(caught.value).split("\n")
    assert words in message
    assert caret == " " * (4 + place) + "^"


def test_a_point_inside_is_not_refused():
    parse("exp(x*z) + x*z/log(x)").check(2.0, 3.0)


# ---------------------------------------------------------------- points as they are typed


@pytest.mark.parametrize("text", ["x=2,z=-1.5e0", " z = -1.5 , x = 2. "])
def test_a_point_has_the_order_of_the_names(text):
    assert parse("z*x").point(text) == [-1.5, 2.0]


@pytest.mark.parametrize("number", ["1_0", "0x10", "\uff12", "\u0663", "--2", "1e400", "inf", "nan", "2 3", "pi"])
def test_a_point_has_the_numbers_that_a_formula_has(number):
    with pytest.raises(InputError, match="is no finite number for x"):
        parse("x").point(f"x={number}")


@given(st.text() | st.text("xz=,.1e- "))
def test_any_text_is_a_point_or_an_input_error(text):
    try:
        point = parse("x*z").point(text)
    except InputError:
        return
    assert np.all(np.isfinite(point))
    assert len(point) == 2


@pytest.mark.parametrize("at", ["\x1b[31m=1", "x=\x1b[31m", "x=1,x=\x1b[31m", "\x1b[31m"])
def test_messages_hold_no_letter_that_a_terminal_obeys(at):
    with pytest.raises(InputError) as caught:
        parse("x*z").point(at)
    assert str(caught.value).isprintable()


def test_long_words_are_cut_in_messages():
    for make in (
        lambda: parse("f" * 4000 + "(x)"),
        lambda: parse("x " + "y" * 4000),
        lambda: parse("x").point("y" * 9999),
    ):
        with pytest.raises(InputError) as caught:
            make()
        assert max(map(len, str(caught.value).split("\n"))) < 250
