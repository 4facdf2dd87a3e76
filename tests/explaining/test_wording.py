"""Wordings: every row of the table has one, in text and in LaTeX; products of arrays say which they are."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import diffkit as dk
from diffkit import primitives as p
from diffkit.explaining.notation import LATEX, TEXT
from diffkit.explaining.wording import formula, label, matrix_product, place_text
from diffkit.graph import Step
from diffkit.ops import Span, Static
from diffkit.primitives.contracting import Spec

SHAPES = {"inv": (2, 2), "det": (2, 2), "cholesky": (2, 2), "solve": (2, 2), "cofactor": (2, 2), "logabsdet": (2, 2)}
SHAPES |= {"detsign": (2, 2), "cofactor_slope": (2, 2), "transpose": (2, 2)}
FIRST = (Span(0, 1, 1, 1),)
PARAMS = {
    "sum": {"axis": (-1,)}, "cumsum": {"axis": -1}, "max": {"axis": (-1,)}, "min": {"axis": (-1,)},
    "all": {"axis": (-1,)}, "any": {"axis": (-1,)}, "argmax": {"axis": -1}, "argmin": {"axis": -1},
    "argsort": {"axis": -1}, "reshape": {"shape": (2,)}, "transpose": {"axes": (-1, -2)},
    "broadcast": {"shape": (3, 2)}, "index": {"place": (1,)}, "convert": {"dtype": np.dtype(float)},
    "gather": {"place": Static(np.array([0, 1])), "shape": (2,)}, "take_along": {"axis": -1},
    "put_along": {"axis": -1, "length": 2}, "scatter": {"shape": (2,), "places": (FIRST,)},
    "contract": {"spec": Spec("a", "a", "")},
}  # fmt: skip
SECOND = {"subtract", "multiply", "divide", "power", "remainder", "logaddexp", "arctan2", "hypot", "maximum", "minimum"}
SECOND |= {
    "add",
    "zeta",
    "floor_divide",
    "heaviside",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "equal",
    "solve",
}
SECOND |= {
    "not_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "take_along",
    "put_along",
    "contract",
    "cofactor_slope",
}


def leaf(shape):
    return Step(p.sin, (0,), {}, shape, np.dtype(float))


def said(name, notation):
    """An op on operands called a, b and c."""
    count = 3 if name == "where" else 2 if name in SECOND else 1
    operands = [leaf(SHAPES.get(name, (2,)))] * count
    step = Step(p.TABLE[name], tuple(range(count)), PARAMS.get(name, {}), (2,), np.dtype(float))
    pieces = [notation.name(letter) for letter in "abc"[:count]]
    return formula(notation, step, operands, pieces).string, label(step, operands, pieces)


@pytest.mark.parametrize("name", p.TABLE)
def test_every_op_has_a_wording(name):
    text, rectangle = said(name, TEXT)
    assert "a" in text
    assert rectangle
    assert "lambda" not in text
    latex, _ = said(name, LATEX)
    MathTextParser("path").parse(f"${latex}$")


@pytest.mark.parametrize(
    ("name", "text", "latex", "rectangle"),
    [
        ("add", "a + b", "a + b", "+"),
        ("power", "a^b", "a^{b}", "^"),
        ("square", "a^2", "a^{2}", "^2"),
        ("reciprocal", "1/a", r"\frac{1}{a}", "1/x"),
        ("multiply", "a ⊙ b", r"a \odot b", "×"),
        ("exp", "exp(a)", "e^{a}", "exp"),
        ("sqrt", "sqrt(a)", r"\sqrt{a}", "sqrt"),
        ("absolute", "|a|", r"\left|a\right|", "|x|"),
        ("expit", "sigmoid(a)", r"\sigma\left(a\right)", "sigmoid"),
        ("log", "log(a)", r"\log\left(a\right)", "log"),
        ("arctanh", "arctanh(a)", r"\operatorname{arctanh}\left(a\right)", "arctanh"),
        ("maximum", "max(a, b)", r"\max\left(a, b\right)", "max"),
        ("greater_equal", "a >= b", r"a \geq b", ">="),
        ("inv", "inv(a)", "a^{-1}", "inv"),
        ("transpose", "aᵀ", r"a^{\top}", "transpose"),
        ("sum", "sum(a)", r"\operatorname{sum}\left(a\right)", "sum"),
        ("index", "a[1]", "{a}_{1}", "index"),
        ("gather", "a[[0, 1]]", "{a}_{[0, 1]}", "gather"),
        ("scatter", "scatter(a at [:1])", r"\operatorname{scatter}\left(a\text{ at [:1]}\right)", "scatter"),
        ("contract", "aᵀ b", r"a^{\top} \, b", "matmul"),
        ("where", "where(a, b, c)", r"\operatorname{where}\left(a, b, c\right)", "where"),
    ],
)
def test_wordings(name, text, latex, rectangle):
    assert said(name, TEXT) == (text, rectangle)
    assert said(name, LATEX)[0] == latex


def product(left, right, out):
    """What a contraction is written as, and what that means in NumPy."""
    sizes = {"i": 2, "j": 3, "k": 4}
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=[sizes[letter] for letter in letters]) for letters in (left, right))
    turns = matrix_product(Spec(left, right, out))
    assert turns is not None
    exchanged, turn_left, turn_right = turns
    first, second = (b, a) if exchanged else (a, b)
    return (first.T if turn_left else first) @ (second.T if turn_right else second), np.einsum(
        f"{left},{right}->{out}", a, b
    )


@pytest.mark.parametrize(
    "spec",
    ["ij,jk->ik", "ij,jk->ki", "ji,jk->ik", "ij,kj->ik", "ji,kj->ik", "ji,jk->ki", "ij,j->i", "ji,j->i", "j,ij->i",
     "j,ji->i", "j,j->", "ij,kj->ki"],
)  # fmt: skip
def test_matrix_products_are_written_as_what_they_are(spec):
    left, right, out = spec.replace("->", ",").split(",")
    found, expected = product(left, right, out)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("spec", ["ijk,k->ij", "ij,ij->", "ij,ij->i", "i,j->ij"])
def test_other_contractions_are_no_matrix_products(spec):
    left, right, out = spec.replace("->", ",").split(",")
    assert matrix_product(Spec(left, right, out)) is None


def test_products_of_arrays_say_which_they_are():
    def text(f, *args):
        return dk.explain(f, *args).lines[-2].text

    v, m = np.ones(3), np.ones((2, 3))
    assert text(lambda x, y: np.sum(x * y), v, v) == "x ⊙ y"
    assert text(lambda x, y: np.sum(x * y), v, 2.0) == "x y"
    assert text(lambda x, y: np.sum(x @ y), m, v) == "x y"
    assert text(lambda x, y: np.sum(np.outer(x, y)), np.ones(2), v) == "x yᵀ"
    assert text(lambda x, y: np.sum(x * y), np.ones((2, 1)), np.ones((1, 3))) == "x y"
    assert text(lambda x, y: np.sum(y[:, None] * x), np.ones(2), v) == "y xᵀ"
    assert text(lambda x, y: np.sum(np.einsum("ijk,k->ij", x, y)), np.ones((2, 2, 3)), v) == "einsum('abc,c->ab', x, y)"


def test_a_product_is_turned_factor_by_factor():
    x, w = np.ones((3, 2)), np.ones((2, 3))
    (edge,) = [e for e in dk.explain(lambda x, w: np.sum((x @ w).T @ x), x, w).edges if e.source.name == "t"]
    assert (edge.text, edge.latex) == ("x dJ/duᵀ", r"x \, \frac{dJ}{du}^{\top}")


def test_places_are_written_as_python_writes_them():
    assert place_text((1, Span(0, None, 1, 3))) == "1"
    assert place_text((Span(0, None, 1, 3), 1)) == ":, 1"
    assert place_text((Span(0, None, 1, 3),)) == ""
    assert place_text((Span(1, None, 2, 3),)) == "1::2"
    assert place_text(Static(np.arange(20))) == "..."


def test_the_user_s_own_ops_go_by_the_name_of_their_function():
    def my_square(x):
        return x * x

    square = dk.primitive(my_square, vjp=lambda w, y, operands: (2 * operands[0] * w,))
    assert "t = my_square(x) " in str(dk.explain(lambda x: 2 * square(x), 3.0))
    assert r"\operatorname{my\_square}" in dk.explain(lambda x: 2 * square(x), 3.0).latex()
