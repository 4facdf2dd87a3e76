"""LaTeX: names, fractions without parentheses, and nothing of the user's that LaTeX would obey."""

from __future__ import annotations

import pytest

from diffkit.explaining.notation import LATEX

A, B, C = (LATEX.name(letter) for letter in "abc")


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("x", "x"),
        ("x0", "x_{0}"),
        ("x_1", "x_{1}"),
        ("x[0]", "x_{0}"),
        ("x1[0, 2]", "x_{1, 0, 2}"),
        ("alpha", r"\alpha"),
        ("theta2", r"\theta_{2}"),
        ("rate", r"\mathrm{rate}"),
        ("learning_rate", r"\mathrm{learning\_rate}"),
        (r"\input{x}", r"\mathrm{\backslash input\{x\}}"),
        ("a&b", r"\mathrm{a\&b}"),
        ("50%", r"\mathrm{50\%}"),
        ("p[W]", r"p_{W}"),
        ("a\nb", "\\mathrm{a\nb}"),
    ],
)
def test_names(name, latex):
    assert LATEX.name(name).string == latex


def test_fractions_need_no_parentheses():
    assert LATEX.quotient(LATEX.sum(A, B), LATEX.product(B, C)).string == r"\frac{a + b}{b \, c}"
    assert LATEX.product(LATEX.quotient(A, B), C).string == r"\frac{a}{b} \, c"
    assert LATEX.power(LATEX.quotient(A, B), C).string == r"\left(\frac{a}{b}\right)^{c}"


def test_gradients_are_fractions():
    assert LATEX.gradient("J", "w1").string == r"\frac{dJ}{dw_{1}}"


def test_products_and_powers():
    assert LATEX.product(LATEX.number(2), A).string == "2 a"
    assert LATEX.product(LATEX.number(2), LATEX.number(3)).string == r"2 \cdot 3"
    assert LATEX.product(LATEX.number(1e-7), A).string == r"1 \cdot 10^{-7} \, a"
    assert LATEX.power(A, LATEX.sum(B, C)).string == "a^{b + c}"
    assert LATEX.power(LATEX.special("exp", A), B).string == r"\left(e^{a}\right)^{b}"
