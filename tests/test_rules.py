"""A user's own rules for black boxes, and values held constant."""

from __future__ import annotations

import math

import numpy as np
import pytest

import diffkit as dk

X = np.array([0.7, 1.9, 2.5])


square = dk.primitive(
    lambda x: np.array([float(t) ** 2 for t in x]),
    jvp=lambda result, operands, tangents: 2 * operands[0] * tangents[0],
    vjp=lambda cotangent, result, operands: (2 * operands[0] * cotangent,),
)
product = dk.primitive(
    lambda x, y: np.array([float(a) * float(b) for a, b in zip(x, y, strict=True)]),
    jvp=lambda result, ops, ts: (0 if ts[0] is None else ts[0] * ops[1]) + (0 if ts[1] is None else ops[0] * ts[1]),
    vjp=lambda w, result, ops: (w * ops[1], ops[0] * w),
)
total = dk.primitive(
    lambda x: np.array(math.fsum(x)),
    jvp=lambda result, ops, ts: np.sum(ts[0]),
    vjp=lambda w, result, ops: np.broadcast_to(w, ops[0].shape),
    like=lambda x: ((), float),
)


@pytest.mark.parametrize("method", ["forward", "reverse"])
@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
def test_a_black_box_with_a_rule_is_differentiated(method: str, engine: str) -> None:
    f = lambda x: square(np.sin(x)) * x  # noqa: E731
    expected = np.diag(2 * np.sin(X) * np.cos(X) * X + np.sin(X) ** 2)
    np.testing.assert_allclose(dk.jacobian(f, method=method, engine=engine)(X), expected, rtol=1e-14)
    g = lambda x: total(product(x, x[::-1]) + product(x, np.ones(3)))  # noqa: E731
    np.testing.assert_allclose(dk.grad(g, method=method, engine=engine)(X), 2 * X[::-1] + 1, rtol=1e-14)


def test_rules_may_be_differentiated_again() -> None:
    np.testing.assert_allclose(dk.hessian(lambda x: np.sum(square(x) * x))(X), np.diag(6 * X), rtol=1e-14)


def test_outside_of_a_derivative_it_is_the_black_box_itself() -> None:
    assert square(X).tolist() == [0.7**2, 1.9**2, 2.5**2]


def test_differences_need_no_rule() -> None:
    found = dk.grad(lambda x: np.sum(square(x)), method="finite-difference")(X)
    np.testing.assert_allclose(found, 2 * X, rtol=1e-8)


@pytest.mark.parametrize(
    ("given", "missing", "method", "other"),
    [("jvp", "vjp", "reverse", "forward"), ("vjp", "jvp", "forward", "reverse")],
)
def test_a_missing_rule_is_named(given: str, missing: str, method: str, other: str) -> None:
    half = dk.primitive(lambda x: x, **{given: lambda *_: None})
    with pytest.raises(dk.TracingError, match=f"no {missing}, which {method} mode needs; .* method='{other}'"):
        dk.jacobian(half, method=method)(X)


def test_symbolic_has_no_meaning_for_a_black_box() -> None:
    with pytest.raises(dk.UnsupportedError, match="no meaning in SymPy; use method='forward' or 'reverse'"):
        dk.jacobian(square, method="symbolic")(X)


def test_a_rule_there_must_be() -> None:
    with pytest.raises(dk.InputError, match="jvp=, vjp=, or both"):
        dk.primitive(math.gamma)


def test_as_many_cotangents_as_operands() -> None:
    wrong = dk.primitive(lambda x, y: x * y, vjp=lambda w, result, ops: (w,))
    with pytest.raises(dk.InputError, match=r"vjp of .* gave 1 cotangent.* 2 operands"):
        dk.grad(lambda x: np.sum(wrong(x, x)))(X)


@pytest.mark.parametrize(("method", "rule"), [("forward", "jvp"), ("reverse", "vjp")])
@pytest.mark.parametrize(
    ("made", "message"),
    [
        (None, "is None"),
        ("text", "is a str"),
        (np.ones(7), r"has shape \(7,\); it must have shape \(2,\)"),
        (1.0, r"has shape \(\); it must have shape \(2,\)"),
        (np.ones(2) * 1j, "is complex"),
    ],
)
def test_a_rule_that_gives_no_array_of_that_shape_is_named(made, message, method: str, rule: str) -> None:
    wrong = dk.primitive(np.sin, jvp=lambda *_: made, vjp=lambda *_: made)
    with pytest.raises(dk.InputError, match=f"the {rule} of sin {message}"):
        dk.jacobian(wrong, method=method)(np.ones(2))


@pytest.mark.parametrize("what", ["g", "jvp", "vjp", "like"])
def test_what_is_no_function_is_no_rule(what: str) -> None:
    given = {"g": np.sin, "jvp": np.sin, "vjp": np.sin, what: 3}
    with pytest.raises(dk.InputError, match=f"{what}=3 is no function"):
        dk.primitive(given.pop("g"), **given)


@pytest.mark.parametrize("method", ["symbolic", "forward", "reverse"])
def test_a_constant_stops_the_derivative(method: str) -> None:
    f = lambda x: np.sum(x * dk.constant(x**2))  # noqa: E731
    np.testing.assert_allclose(dk.grad(f, method=method)(X), X**2, rtol=1e-14)
    assert dk.constant(3.0) == 3.0
    held = dk.constant({"a": X, "b": [1]})
    assert held["a"] is X
    assert held["b"] == [1]
