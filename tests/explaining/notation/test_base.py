"""Signs and parentheses, which all notations share."""

from __future__ import annotations

import pytest

from diffkit.explaining.notation import LATEX, TEXT

A, B, C = (TEXT.name(letter) for letter in "abc")
MINUS = TEXT.negative(A)


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        (TEXT.negative(MINUS), "a"),
        (TEXT.negative(TEXT.sum(A, B)), "-(a + b)"),
        (TEXT.negative(TEXT.product(A, B)), "-a b"),
        (TEXT.sum(A, MINUS), "a - a"),
        (TEXT.sum(A, TEXT.number(0)), "a"),
        (TEXT.sum(TEXT.number(0), MINUS), "-a"),
        (TEXT.sum(TEXT.comparison(A, ">", B), MINUS), "(a > b) - a"),
        (TEXT.difference(A, MINUS), "a + a"),
        (TEXT.difference(A, TEXT.sum(B, C)), "a - (b + c)"),
        (TEXT.difference(A, TEXT.difference(B, C)), "a - (b - c)"),
        (TEXT.sum(A, TEXT.difference(B, C)), "a + b - c"),
        (TEXT.product(MINUS, B), "-a b"),
        (TEXT.product(MINUS, TEXT.negative(B)), "a b"),
        (TEXT.product(A, A), "a^2"),
        (TEXT.product(A, TEXT.power(A, TEXT.number(2))), "a^3"),
        (TEXT.product(TEXT.power(A, TEXT.number(2)), B), "a^2 b"),
        (TEXT.product(TEXT.power(A, B), TEXT.power(A, C)), "a^b a^c"),
        (TEXT.product(A, TEXT.number(1)), "a"),
        (TEXT.product(TEXT.number(-1), A), "-a"),
        (TEXT.product(A, TEXT.number(0)), "0"),
        (TEXT.product(A, TEXT.number(2)), "2a"),
        (TEXT.product(TEXT.number(2), TEXT.call("sin", [A])), "2 sin(a)"),
        (TEXT.product(TEXT.number(2), TEXT.number(3)), "2·3"),
        (TEXT.product(TEXT.number(2), TEXT.name("e")), "2e"),
        (TEXT.product(TEXT.number(2), TEXT.name("e1")), "2 e1"),  # 2e1 is 20
        (TEXT.product(TEXT.number(2), TEXT.power(TEXT.name("E2"), TEXT.number(3))), "2 E2^3"),
        (TEXT.product(TEXT.sum(A, B), C), "(a + b) c"),
        (TEXT.product(TEXT.quotient(A, B), C), "(a/b) c"),
        (TEXT.product(C, TEXT.quotient(A, B)), "c a/b"),
        (TEXT.quotient(A, TEXT.product(B, C)), "a/(b c)"),
        (TEXT.quotient(A, TEXT.quotient(B, C)), "a / (b/c)"),
        (TEXT.quotient(MINUS, B), "-a/b"),
        (TEXT.quotient(TEXT.sum(A, B), C), "(a + b)/c"),
        (TEXT.quotient(TEXT.gradient("J", "u"), C), "dJ/du / c"),
        (TEXT.power(TEXT.power(A, B), C), "(a^b)^c"),
        (TEXT.power(TEXT.power(A, TEXT.number(2)), TEXT.number(3)), "a^6"),
        (TEXT.power(TEXT.power(A, TEXT.number(2)), TEXT.number(0.5)), "(a^2)^0.5"),
        (TEXT.power(A, TEXT.power(B, C)), "a^(b^c)"),
        (TEXT.power(MINUS, TEXT.number(2)), "(-a)^2"),
        (TEXT.power(A, TEXT.number(1)), "a"),
        (TEXT.entrywise_product(TEXT.sum(A, B), MINUS), "-(a + b) ⊙ a"),
        (TEXT.transpose(TEXT.transpose(A)), "a"),
        (TEXT.transpose(TEXT.product(A, B)), "(a b)ᵀ"),
        (TEXT.comparison(TEXT.sum(A, B), ">", C), "a + b > c"),
        (TEXT.product(TEXT.comparison(A, ">", B), C), "(a > b) c"),
    ],
)
def test_parentheses_stand_where_they_are_needed_and_nowhere_else(piece, text):
    assert piece.string == text


@pytest.mark.parametrize(
    ("value", "text", "latex"),
    [
        (2.0, "2", "2"),
        (-0.5, "-0.5", "-0.5"),
        (0.0, "0", "0"),
        (-0.0, "0", "0"),
        (1 / 3, "0.333333", "0.333333"),
        (1e-7, "1e-07", r"1 \cdot 10^{-7}"),
        (-2.5e12, "-2.5e+12", r"-2.5 \cdot 10^{12}"),
        (float("inf"), "inf", r"\infty"),
        (float("nan"), "nan", r"\mathrm{nan}"),
    ],
)
def test_numbers_have_six_digits(value, text, latex):
    assert TEXT.number(value).string == text
    assert LATEX.number(value).string == latex
