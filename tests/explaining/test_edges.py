"""Edges: [local gradient] x [its gradient], against differences of SymPy's own functions in 60 digits."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import diffkit as dk
from diffkit import primitives as p
from diffkit.explaining.edges import written
from diffkit.explaining.notation import LATEX, TEXT
from diffkit.tracing import Trace

# What NumPy and SciPy mean by their names, in SymPy's; nothing here comes from the op table.
ONE = {
    "negative": lambda x: -x, "square": lambda x: x**2, "reciprocal": lambda x: 1 / x, "absolute": sympy.Abs,
    "sqrt": sympy.sqrt, "cbrt": lambda x: sympy.sign(x) * sympy.cbrt(abs(x)),
    "exp": sympy.exp, "exp2": lambda x: 2**x, "expm1": lambda x: sympy.exp(x) - 1,
    "log": sympy.log, "log2": lambda x: sympy.log(x, 2), "log10": lambda x: sympy.log(x, 10),
    "log1p": lambda x: sympy.log(1 + x), "expit": lambda x: 1 / (1 + sympy.exp(-x)),
    "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan,
    "arcsin": sympy.asin, "arccos": sympy.acos, "arctan": sympy.atan,
    "sinh": sympy.sinh, "cosh": sympy.cosh, "tanh": sympy.tanh,
    "arcsinh": sympy.asinh, "arccosh": sympy.acosh, "arctanh": sympy.atanh,
    "erf": sympy.erf, "erfc": sympy.erfc, "gammaln": sympy.loggamma, "psi": sympy.digamma,
}  # fmt: skip
TWO = {
    "add": lambda x, y: x + y, "subtract": lambda x, y: x - y, "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y, "power": lambda x, y: x**y, "remainder": lambda x, y: x - y * sympy.floor(x / y),
    "logaddexp": lambda x, y: sympy.log(sympy.exp(x) + sympy.exp(y)), "hypot": lambda x, y: sympy.sqrt(x**2 + y**2),
    "arctan2": sympy.atan2, "maximum": sympy.Max, "minimum": sympy.Min,
}  # fmt: skip
MEANING = {**ONE, **TWO}
WEIGHTS, RATE = np.ones((3, 2)), np.array([0.5])
STEP = sympy.Rational(1, 10**20)


def explained(name):
    """An op, and something after it, so that its gradient is not 1."""
    op = p.TABLE[name]
    if name in TWO:
        return dk.explain(lambda x, y: 1.5 * op(x, y), 1.6, 0.7)
    return dk.explain(lambda x: 1.5 * op(x), 1.6 if name == "arccosh" else 0.6)


def slope(name, point, argument):
    """The derivative of a meaning by one of its arguments: a central difference in 60 digits."""
    sides = ([sympy.Rational(v) + sign * STEP * int(k == argument) for k, v in enumerate(point)] for sign in (1, -1))
    above, below = (sympy.N(MEANING[name](*side), 60) for side in sides)
    return float((above - below) / (2 * STEP))


def test_every_op_that_acts_on_entries_has_a_meaning():
    assert set(MEANING) == {name for name, op in p.TABLE.items() if op.family == "elementwise"} - {"zeta"}


@pytest.mark.parametrize("name", MEANING)
def test_local_gradients_are_the_derivatives_of_the_op(name):
    explanation = explained(name)
    edges = {edge.source.name: edge for edge in explanation.edges if edge.source.kind == "input"}
    names = ["x", "y"] if name in TWO else ["x"]
    assert sorted(edges) == names
    point = [float(explanation.values[argument]) for argument in names]
    for argument, edge in enumerate(map(edges.get, names)):
        expected = slope(name, point, argument)
        assert float(edge.local) == pytest.approx(expected, rel=1e-13, abs=1e-15)
        assert float(edge.gradient) == 1.5
        assert float(edge.value) == pytest.approx(1.5 * expected, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("name", [name for name in MEANING if name not in {"remainder", "psi", "gammaln"}])
def test_local_gradients_read_as_what_they_are(name, read):
    explanation = explained(name)
    for edge in explanation.edges:
        assert read(edge.local_text, explanation.values) == pytest.approx(float(edge.local), rel=1e-5, abs=1e-9)
        gradients = {f"dJ/d{name}": value for name, value in explanation.gradients.items()}
        assert read(edge.text, {**explanation.values, **gradients}) == pytest.approx(
            float(edge.value), rel=1e-5, abs=1e-9
        )


@pytest.mark.parametrize(
    ("f", "point", "expected"),
    [
        (lambda x: 2 * np.exp(x), 0.3, "dJ/dt t"),
        (lambda x: 2 * np.sin(x), 0.3, "dJ/dt cos(x)"),
        (lambda x: 2 * np.cos(x), 0.3, "-dJ/dt sin(x)"),
        (lambda x: 2 * x**2, 0.3, "dJ/dt 2x"),
        (lambda x: 2 * x**3, 0.3, "dJ/dt 3x^2"),
        (lambda x: 2 * np.log(x), 0.3, "dJ/dt 1/x"),
        (lambda x: 2 * np.tanh(x), 0.3, "dJ/dt (1 - t^2)"),
        (lambda x: 2 * (-x), 0.3, "-dJ/dt"),
        (lambda x: 2 * (x + 1), 0.3, "dJ/dt"),
        (lambda x: 2 * (x / 4), 0.3, "0.25 dJ/dt"),
        (lambda x: 2 * (4 / x), 0.3, "-dJ/dt t/x"),
        (lambda x: 2 * np.sqrt(x), 0.3, "dJ/dt 0.5/t"),
        (lambda x: 2 * np.maximum(x, 0.0), 0.3, "dJ/dt"),
        (lambda x: 2 * np.maximum(x, 0.0), -0.3, "0"),
        (lambda x: 2 * np.where(x > 0, x, 0.0), 0.3, "dJ/du"),
        (lambda x: 2 * np.abs(x), 0.3, "dJ/dt sign(x)"),
        (lambda x: np.sum(2 * x), np.ones(2), "2 dJ/dt"),
        (lambda x: np.sum(np.sin(x)), np.ones(2), "dJ/dt ⊙ cos(x)"),
        (lambda x: np.sum(x * RATE), np.ones(2), "dJ/dt RATE"),
        (lambda x: 2 * np.sum(x), np.ones(2), "dJ/dt"),
        (lambda x: np.sum(np.sin(x + WEIGHTS)), np.ones(2), "sum(dJ/dt, axis=-2)"),
        (lambda x: np.sum((WEIGHTS @ x) ** 2), np.ones(2), "WEIGHTSᵀ dJ/dt"),
        (lambda x: np.sum(np.linalg.inv(x)), np.eye(2), "-tᵀ dJ/dt tᵀ"),
    ],
)
def test_contributions_read_as_mathematics(f, point, expected):
    edges = [edge for edge in dk.explain(f, point).edges if edge.source.name == "x"]
    assert expected in [edge.text for edge in edges]


def test_a_matrix_product_has_no_local_gradient_but_a_formula():
    weights, x = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -0.5])
    edges = {edge.source.name: edge for edge in dk.explain(lambda W, x: np.sum((W @ x) ** 2), weights, x).edges}
    back = 2 * weights @ x
    assert (edges["W"].text, edges["x"].text) == ("dJ/dt xᵀ", "Wᵀ dJ/dt")
    assert (edges["W"].local, edges["W"].local_text, edges["W"].local_latex) == (None, "", "")
    np.testing.assert_allclose(edges["W"].value, np.outer(back, x), rtol=1e-14)
    np.testing.assert_allclose(edges["x"].value, weights.T @ back, rtol=1e-14)


def test_an_edge_says_what_it_multiplies():
    edges = dk.explain(lambda x: 3 * np.sin(x), 0.0).edges
    assert [str(edge) for edge in edges] == [
        "t -> J: [3] x [dJ/dJ] = 3 x 1 = 3",
        "x -> t: [cos(x)] x [dJ/dt] = 1 x 3 = 3",
    ]
    assert (edges[1].gradient_text, edges[1].gradient_latex) == ("dJ/dt", r"\frac{dJ}{dt}")
    assert (edges[1].local_text, edges[1].local_latex) == ("cos(x)", r"\cos\left(x\right)")
    assert edges[1].latex == r"\frac{dJ}{dt} \, \cos\left(x\right)"
    assert str(dk.explain(lambda x: np.sum(x) * 2, np.ones(2)).edges[1]) == "x -> t: dJ/dt = (2,) [2, 2]"


def test_rules_of_the_user_are_read_like_any_other():
    cube = dk.primitive(lambda x: x**3, vjp=lambda w, y, operands: (3 * operands[0] ** 2 * w,))
    edge = dk.explain(lambda x: 2 * cube(x), 2.0).edges[-1]
    assert (edge.local_text, edge.text, float(edge.local), float(edge.value)) == ("3x^2", "dJ/dt 3x^2", 12.0, 24.0)


def test_a_variable_read_twice_by_one_line_has_one_edge():
    (edge,) = dk.explain(lambda x: x * x, 3.0).edges
    assert (edge.text, float(edge.value), edge.target.operands) == ("2x", 6.0, (0, 0))


@pytest.mark.parametrize("version", ["A", "B"])
def test_contributions_add_up_to_the_gradient(instance, version):
    explanation = dk.explain(instance.function, instance.point, version=version)
    for line in explanation.lines:
        sent = [edge.value for edge in explanation.edges if edge.source.name == line.name]
        if sent and line.kind != "loss":
            np.testing.assert_allclose(sum(sent), explanation.gradients[line.name], rtol=1e-9, atol=1e-12)


# ---------------------------------------------------------------- views, read as NumPy reads them

NUMPY = {name: getattr(np, name) for name in ("sum", "sin", "cos", "exp", "reshape", "where", "logical_not")} | {
    "broadcast": np.broadcast_to,
    "max": np.maximum,
}


def test_an_entry_that_is_read_elsewhere_has_no_local_gradient():
    x, weights = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    *_, edge = dk.explain(lambda x: np.sum(np.sin(x.T) * weights), x).edges
    assert str(edge).startswith("x -> t: (dJ/dt ⊙ cos(xᵀ))ᵀ = (2, 2) [[")
    np.testing.assert_allclose(edge.value, weights.T * np.cos(x), rtol=1e-14)


def in_numpy(text, values):
    text = re.sub(r"dJ/d(\w)", r"d\1", text.replace("⊙", "*").replace("^", "**").replace("ᵀ", ".T"))
    text = re.sub(r"(?<=\w) (?=\w)|(?<=\d)(?=[a-z])", "*", text)
    return eval(text, NUMPY, values)  # noqa: S307  # text of our own


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.diag(x) ** 2) + np.sum(x.reshape(9)[::4]),
        lambda x: np.sum(np.broadcast_to(x[0], (2, 3)).T * x[:, :2]),
        lambda x: np.sum(np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True) * np.arange(3.0)),
        lambda x: np.sum(np.sin(x[0][:, None] + x)),
        lambda x: np.sum(x[0][:, None] * x),
        lambda x: np.sum(np.sin(x[:, :, None] * x[:, None, :])),
        lambda x: np.sum(np.sin(np.sum(x.reshape(1, 9)[:, 1:].reshape(4, 2), axis=0))),
        lambda x: np.sum(np.repeat(x[0], 2) ** 2),
        lambda x: np.sum(np.sin(np.reshape(x[:1], 3)[1:])),
        lambda x: np.sum(np.sin(np.maximum(x[:, :1], np.reshape(x[:, :1], 3)))),
        lambda x: np.sum(np.where(x[0] < np.reshape(x[0], (1, 3)).T, x, 2 * x)),
        lambda x: np.sum(np.exp(np.sum(x[0][:, None], axis=0)) + np.sum(x[1][None, :], axis=0)),
        lambda x: np.sum(np.sin(x.T) * np.arange(3.0)),
        lambda x: np.sum(x.T**2 * np.exp(x)),
        lambda x: np.sum(np.where((x[0] > -0.2)[:, None], x, 2 * x)),
        lambda x: np.sum(np.where(np.reshape(x[0], (3, 1)) > -0.2, np.reshape(x[0], (3, 1)), x)),
        lambda x: np.sum(np.reshape(x[0], (3, 1)) * x[:, :1]),
    ],
)
def test_a_formula_says_where_numpy_would_read_another_shape(f):
    x = np.arange(9.0).reshape(3, 3) / 7 - 0.3
    explanation = dk.explain(f, x, version="A")
    numbers = {"x": x, "c1": np.arange(3.0), **explanation.values}
    for line in explanation.lines:
        if line.text:
            found = in_numpy(line.text, numbers)
            assert found.shape == line.shape
            np.testing.assert_allclose(found, numbers[line.name], rtol=1e-12, atol=1e-15)
    numbers |= {f"d{name}": gradient for name, gradient in explanation.gradients.items()}
    for edge in explanation.edges:
        if "scatter" not in edge.text:
            found = np.asarray(in_numpy(edge.text, numbers))
            found = found.reshape(edge.value.shape) if found.size == edge.value.size else found  # a column for a vector
            found = np.broadcast_to(found, edge.value.shape)
            np.testing.assert_allclose(found, edge.value, rtol=1e-12, atol=1e-15)


# ---------------------------------------------------------------- parentheses

UNARY = (np.negative, np.square, np.sin, np.exp, np.reciprocal, np.abs)
PAIRS = (np.add, np.subtract, np.multiply, np.divide, np.power)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=4, max_size=14))
def test_nested_formulas_have_the_parentheses_that_they_need(read, choices):
    values = {"x": 1.25, "y": 0.5, "z": 2.0}
    trace = Trace(frozen=True)
    with trace.recording(), np.errstate(all="ignore"):
        made = [trace.input(np.float64(value)) for value in values.values()] + [trace.constant(np.float64(3.0))]
        for choice in choices:
            op = (UNARY + PAIRS)[choice % 11]
            first, second = made[choice // 11 % len(made)], made[choice // 131 % len(made)]
            made.append(op(first) if op in UNARY else op(first, second))
        graph = trace.graph([made[-1]])
        (expected,) = graph.evaluate(*map(np.float64, values.values()))
    if not math.isfinite(expected) or abs(expected) > 1e6:
        return
    text = written(
        TEXT, graph, {position: TEXT.name(name) for position, name in zip(graph.inputs, values, strict=True)}
    )
    assert read(text.string, values) == pytest.approx(float(expected), rel=1e-9, abs=1e-12)
    latex = written(
        LATEX, graph, {position: LATEX.name(name) for position, name in zip(graph.inputs, values, strict=True)}
    )
    assert latex.string.count("{") == latex.string.count("}")
