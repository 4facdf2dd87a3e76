"""The Matrix Cookbook, section 2: what is printed, read as mathematics and computed, against the book and differences.

Petersen and Pedersen (2012), "The Matrix Cookbook", version of November 15, 2012; the numbers are those of its
equations. The reader of formulas below knows nothing of diffkit.
"""

# ruff: noqa: PLW0108 - the parameter of a lambda is the name that is written

import inspect
import random
import re

import numpy as np
import pytest
from scipy.special import expit

import diffkit as dk
from diffkit.errors import DiffkitError, UnsupportedError
from diffkit.lab import matrix_calculus as mc

N = 4  # all vectors and matrices: what is 1 x 1 is a number then
trace, det, inv, power = np.trace, np.linalg.det, np.linalg.inv, np.linalg.matrix_power

TOKEN = re.compile(r"\s*(log\|det\||[a-z]{2,}[0-9p]*(?=\()|[A-Za-z][₀-₉]*|\d+(?:\.\d+)?|\^-T|\^∘?-?\d+(?:\.\d+)?|.)")
FUNCTIONS = {
    "log|det|": lambda x: np.linalg.slogdet(x)[1],
    "det": det,
    "trace": trace,
    "max": np.maximum,
    "min": np.minimum,
    "abs": np.abs,
    "diag": lambda x: np.diag(x[:, 0]),
    "diagonal": lambda x: np.diagonal(x)[:, None],
    "reciprocal": lambda x: 1 / x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log(1 + np.exp(x)),
}
COMPARISONS = {">": np.greater, "<": np.less, "≥": np.greater_equal, "≤": np.less_equal}


class Reader:
    """The numbers of a printed formula: sums of terms, products entry by entry of products, one divisor each."""

    def __init__(self, text, names):
        self.tokens, self.names = [*TOKEN.findall(text), ""], names

    def take(self, *wanted):
        return self.tokens.pop(0) if self.tokens[0] in wanted else None

    def sum(self):
        sign = self.take("-")
        total = -self.term() if sign else self.term()
        while sign := self.take("+", "-"):
            total = total + self.term() if sign == "+" else total - self.term()
        return total

    def term(self):
        made = self.product()
        while self.take("∘"):
            made = made * self.product()
        return made / self.factor() if self.take("/") else made

    def product(self):
        alone = self.tokens[0] == "1" and self.tokens[1] in {"", "+", "-", ")", "]", ",", "∘", "/", *COMPARISONS}
        made = float(self.tokens.pop(0)) if alone else self.factor(first=True)
        while self.tokens[0] not in {"", "+", "-", ")", "]", ",", "∘", "/", *COMPARISONS}:
            other = self.factor()
            made = made * other if 1 in (np.size(made), np.size(other)) else made @ other
        return made

    def factor(self, *, first=False):
        made = self.atom(first=first)
        if self.take("'"):
            made = made.T
        if self.tokens[0].startswith("^"):
            exponent = self.tokens.pop(0)[1:]
            if exponent.startswith("∘"):
                return made ** float(exponent[1:])
            if np.size(made) > 1:
                return inv(made).T if exponent == "-T" else power(made, int(exponent))
            return made ** float(exponent)
        return made

    def atom(self, *, first):
        word = self.tokens.pop(0)
        if word == "(":
            return self.closed(")", self.sum())
        if word == "[":
            left = self.sum()
            compare = COMPARISONS[self.tokens.pop(0)]
            return self.closed("]", compare(left, self.sum()) * 1.0)
        if word in self.names:
            return self.names[word]
        if word[0].isdigit():
            return float(word) if first and word != "1" else np.ones((N, 1))
        if word[0] == "e" and len(word) == 2 and word[1] in "₀₁₂₃":
            return np.eye(N)[:, ["₀₁₂₃".index(word[1])]]
        assert self.take("("), f"{word} is neither a name nor a function"
        given = [self.sum()]
        while self.take(","):
            given.append(self.sum())
        return self.closed(")", (FUNCTIONS.get(word) or getattr(np, word))(*given))

    def closed(self, bracket, made):
        assert self.take(bracket)
        return made


def _shape(name):
    return () if name == "t" else (N, N) if name.isupper() else N


def _point(f, symmetric):
    rng = np.random.default_rng(11)
    point = {}
    for name in inspect.signature(f).parameters:
        drawn = rng.normal(size=_shape(name)) + (N * np.eye(N) if name.isupper() else 0)
        point[name] = (drawn + drawn.T) / 2 if name in symmetric else drawn
    return point


def _derivative(f, arguments):
    """Central differences of fourth order, in denominator layout."""
    x, others, columns, h = np.asarray(arguments[0]), arguments[1:], [], 1e-3
    for k in range(x.size):
        step = (np.arange(x.size) == k).reshape(x.shape) * h
        near, far = (f(x + s * step, *others) - f(x - s * step, *others) for s in (1, 2))
        columns.append(np.ravel(8 * near - far) / (12 * h))
    made = np.array(columns)
    return made.reshape(x.shape) if x.ndim == 2 else made


def _read(text, point, shape):
    names = {"I": np.eye(N)} | {name: x if np.ndim(x) != 1 else x[:, None] for name, x in point.items()}
    reader = Reader(text, names)
    made = reader.sum()
    assert reader.tokens == [""], f"{text} ends before {reader.tokens}"
    return np.broadcast_to(np.asarray(made).item() if np.size(made) == 1 else made, shape)


BOOK = [
    ("43", lambda t, A, B: np.linalg.slogdet(A + t * B)[1], "", "trace((A + tB)^-1 B)"),
    ("41", lambda t, A, B: det(A + t * B), "", "det(A + tB) trace((A + tB)^-1 B)"),
    ("49", lambda X: det(X), "", "det(X) X^-T"),
    ("51", lambda X, A, B: det(A @ X @ B), "", "det(AXB) X^-T"),
    ("52", lambda X, A: det(X.T @ A @ X), "", "2 det(X'AX) X^-T"),
    ("53", lambda X, A: det(X.T @ A @ X), "A", "2 det(X'AX) AX (X'AX)^-1"),
    ("54", lambda X, A: det(X.T @ A @ X), "", "det(X'AX)(AX(X'AX)^-1 + A'X(X'A'X)^-1)"),
    ("55", lambda X: np.linalg.slogdet(X.T @ X)[1], "", "2X(X'X)^-1"),
    ("57", lambda X: np.log(np.abs(det(X))), "", "X^-T"),
    ("58", lambda X: det(power(X, 3)), "", "3 det(X^3) X^-T"),
    ("61", lambda X, a, b: a @ inv(X) @ b, "", "-X^-T ab' X^-T"),
    ("62", lambda X: det(inv(X)), "", "-det(X^-1) X^-T"),
    ("63", lambda X, A, B: trace(A @ inv(X) @ B), "", "-(X^-1 BA X^-1)'"),
    ("64", lambda X, A: trace(inv(X + A)), "", "-((X + A)^-1 (X + A)^-1)'"),
    ("69", lambda x, a: x @ a, "", "a"),
    ("70", lambda X, a, b: a @ X @ b, "", "ab'"),
    ("71", lambda X, a, b: a @ X.T @ b, "", "ba'"),
    ("72", lambda X, a: a @ X.T @ a, "", "aa'"),
    ("73", lambda X: X[1, 2], "", "e₁e₂'"),
    ("74", lambda X, A: (X @ A)[1, 2], "", "e₁e₂'A'"),
    ("75", lambda X, A: (X.T @ A)[1, 2], "", "Ae₂e₁'"),
    ("76", lambda X: np.sum(X) ** 2, "", "2(1' X 1) 1 1'"),
    ("77", lambda X, b, c: b @ X.T @ X @ c, "", "X(bc' + cb')"),
    ("78", lambda x, B, b, C, D, d: (B @ x + b) @ C @ (D @ x + d), "", "B'C(Dx + d) + D'C'(Bx + b)"),
    ("81", lambda x, B: x @ B @ x, "", "(B + B')x"),
    ("82", lambda X, b, c, D: b @ X.T @ D @ X @ c, "", "D'Xbc' + DXcb'"),
    ("83", lambda X, b, c, D: (X @ b + c) @ D @ (X @ b + c), "", "(D + D')(Xb + c)b'"),
    ("84", lambda s, x, A, W: (x - A @ s) @ W @ (x - A @ s), "W", "-2A'W(x - As)"),
    ("85", lambda x, s, W: (x - s) @ W @ (x - s), "W", "2W(x - s)"),
    ("86", lambda s, x, W: (x - s) @ W @ (x - s), "W", "-2W(x - s)"),
    ("87", lambda x, s, A, W: (x - A @ s) @ W @ (x - A @ s), "W", "2W(x - As)"),
    ("88", lambda A, x, s, W: (x - A @ s) @ W @ (x - A @ s), "W", "-2W(x - As)s'"),
    ("91", lambda X, a, b: a @ power(X, 3) @ b, "", "ab'X'X' + X'ab'X' + X'X'ab'"),
    (
        "92",
        lambda X, a, b: a @ power(X, 2).T @ power(X, 2) @ b,
        "",
        "XXba'X' + X'XXba' + XXab'X' + X'XXab'",
    ),
    ("97", lambda x, A, b: x @ A @ x + b @ x, "", "(A + A')x + b"),
    ("98", lambda x, A, b: dk.grad(lambda x: x @ A @ x + b @ x)(x), "", "A + A'"),
    ("99", lambda X: trace(X), "", "I"),
    ("100", lambda X, A: trace(X @ A), "", "A'"),
    ("101", lambda X, A, B: trace(A @ X @ B), "", "A'B'"),
    ("102", lambda X, A, B: trace(A @ X.T @ B), "", "BA"),
    ("103", lambda X, A: trace(X.T @ A), "", "A"),
    ("106", lambda X: trace(X @ X), "", "2X'"),
    ("107", lambda X, B: trace(X @ X @ B), "", "(XB + BX)'"),
    ("108", lambda X, B: trace(X.T @ B @ X), "", "BX + B'X"),
    ("111", lambda X, B: trace(X @ B @ X.T), "", "XB' + XB"),
    ("114", lambda X, A, B: trace(A @ X @ B @ X), "", "A'X'B' + B'X'A'"),
    ("115", lambda X: trace(X.T @ X), "", "2X"),
    ("116", lambda X, B, C: trace(B.T @ X.T @ C @ X @ B), "", "C'XBB' + CXBB'"),
    ("117", lambda X, B, C: trace(X.T @ B @ X @ C), "", "BXC + B'XC'"),
    ("118", lambda X, A, B, C: trace(A @ X @ B @ X.T @ C), "", "A'C'XB' + CAXB"),
    ("119", lambda X, A, B, C: trace((A @ X @ B + C) @ (A @ X @ B + C).T), "", "2A'(AXB + C)B'"),
    ("121", lambda X: trace(power(X, 4)), "", "4(X^3)'"),
    ("122", lambda X, A: trace(A @ power(X, 3)), "", "(AX^2 + XAX + X^2A)'"),
    (
        "123",
        lambda X, B, C: trace(B.T @ X.T @ C @ X @ X.T @ C @ X @ B),
        "",
        "CXX'CXBB' + C'XBB'X'C'X + CXBB'X'CX + C'XX'C'XBB'",
    ),
    ("124", lambda X, A, B: trace(A @ inv(X) @ B), "", "-X^-T A'B' X^-T"),
    ("125", lambda X, A, C: trace(inv(X.T @ C @ X) @ A), "C", "-CX(X'CX)^-1(A + A')(X'CX)^-1"),
    (
        "126",
        lambda X, B, C: trace(inv(X.T @ C @ X) @ (X.T @ B @ X)),
        "BC",
        "-2CX(X'CX)^-1 X'BX (X'CX)^-1 + 2BX(X'CX)^-1",
    ),
    (
        "127",
        lambda X, A, B, C: trace(inv(A + X.T @ C @ X) @ (X.T @ B @ X)),
        "ABC",
        "-2CX(A + X'CX)^-1 X'BX (A + X'CX)^-1 + 2BX(A + X'CX)^-1",
    ),
    ("129", lambda x, a: np.linalg.norm(x - a), "", "(x - a) / sqrt((x - a)'(x - a))"),
    (
        "130",
        lambda x, a: (x - a) / np.linalg.norm(x - a),
        "",
        "I / sqrt((x - a)'(x - a)) - (x - a)(x - a)' / ((x - a)'(x - a))^1.5",
    ),
    ("131", lambda x: np.linalg.norm(x) ** 2, "", "2x"),
    ("132", lambda X: np.linalg.norm(X) ** 2, "", "2X"),
    ("scaled", lambda x, A, B: np.linalg.norm((x @ x) * (A + B)), "", "2 sqrt(trace((A + B)'(A + B))) x"),
    # symmetric and diagonal matrices: the derivative by each entry by itself, which (137) then turns round
    ("138", lambda X, A: trace(A @ X), "X", "A'"),
    ("139", lambda X: det(X), "X", "det(X) X^-1"),
    ("141", lambda x, A: trace(A @ np.diag(x)), "", "diagonal(A)"),
    # maxima, as textbooks on networks have them
    ("max", lambda W, x: np.sum(np.maximum(W @ x, 0)), "", "[Wx > 0]x'"),
    ("max by x", lambda x, W: np.maximum(W @ x, 0), "", "W' diag([Wx > 0])"),
    ("max of XY", lambda W, X, V: np.sum(V * np.maximum(W @ X, 0)), "", "(V ∘ [WX > 0])X'"),
    ("hinge", lambda w, X, y: np.sum(np.maximum(1 - y * (X @ w), 0)), "", "-X'(y ∘ [1 - y ∘ Xw > 0])"),
    ("leaky", lambda x: np.sum(np.where(x > 0, x, 0.1 * x)), "", "[x > 0] + 0.1 [x ≤ 0]"),
    ("Huber", lambda r: np.sum(np.where(np.abs(r) < 1, r**2 / 2, np.abs(r) - 0.5)), "", "min(max(r, -1), 1)"),
    ("logistic", lambda b, X, y: np.sum(np.logaddexp(0, X @ b) - y * (X @ b)), "", "X'(sigmoid(Xb) - y)"),
    (
        "logistic Hessian",
        lambda b, X, y: dk.grad(lambda b: np.sum(np.logaddexp(0, X @ b) - y * (X @ b)))(b),
        "",
        "X' diag(sigmoid(Xb) ∘ (1 - sigmoid(Xb))) X",
    ),
    ("sigmoid", lambda x, W: np.sum(expit(W @ x)), "", "W'(sigmoid(Wx) ∘ (1 - sigmoid(Wx)))"),
    ("softplus", lambda x, W: np.logaddexp(W @ x, 0), "", "W' diag(sigmoid(Wx))"),
    ("logaddexp", lambda x, y: np.sum(np.logaddexp(x, y)), "", "exp(x) ∘ reciprocal(exp(x) + exp(y))"),
    ("hypot", lambda X, y: np.sum(np.hypot(X, y)), "", "X ∘ reciprocal(sqrt(X ∘ X + 1 (y ∘ y)'))"),
    ("hypot by rows", lambda y, X: np.sum(np.hypot(X, y)), "", "y ∘ (reciprocal(hypot(X, 1 y'))' 1)"),
    ("arcsinh", lambda x, W: np.arcsinh(W @ x), "", "W' diag(reciprocal(sqrt(1 + Wx ∘ Wx)))"),
    ("arctan2", lambda x, y: np.sum(np.arctan2(x, y)), "", "y ∘ reciprocal(x ∘ x + y ∘ y)"),
    ("x^1.5", lambda x: np.sum(np.abs(x) ** 1.5), "", "1.5 sign(x) ∘ sqrt(abs(x))"),
    ("x^2.5", lambda x, W: np.abs(W @ x) ** 2.5, "", "2.5 W' diag(sign(Wx) ∘ abs(Wx)^∘1.5)"),
    ("x^5", lambda X, a, b: a @ X.T**5 @ b, "", "5(ba' ∘ X ∘ X ∘ X ∘ X)"),
    ("x^-3", lambda x, y: y @ (1 + x * x) ** -3, "", "-6 y ∘ x ∘ (1 + x ∘ x)^∘-4"),
    ("lasso", lambda b, X, y: np.sum((X @ b - y) ** 2) / 2 + np.sum(np.abs(b)), "", "X'(Xb - y) + sign(b)"),
]


@pytest.mark.parametrize("layout", ["denominator", "numerator"])
@pytest.mark.parametrize(("f", "symmetric", "book"), [case[1:] for case in BOOK], ids=[case[0] for case in BOOK])
def test_what_is_printed_is_the_derivative_and_what_the_book_has(f, symmetric, book, layout):
    formula = mc.derive(f, *map(_shape, inspect.signature(f).parameters), symmetric=list(symmetric), layout=layout)
    point = _point(f, symmetric)
    expected = _derivative(f, list(point.values()))
    accuracy = {"rtol": 1e-7, "atol": 1e-8 * np.max(np.abs(expected), initial=1.0)}
    written = _read(book, point, expected.shape)
    np.testing.assert_allclose(written, expected, **accuracy, err_msg="the book as it stands here")
    expected = expected.T if layout == "numerator" else expected
    np.testing.assert_allclose(_read(formula.text, point, formula.shape), expected, **accuracy, err_msg=formula.text)
    np.testing.assert_allclose(formula(*point.values()), expected, **accuracy)
    value = np.asarray(f(*point.values()))
    shape = (N, 1) if value.ndim == 1 else value.shape
    np.testing.assert_allclose(_read(formula.function, point, shape), value.reshape(shape), rtol=1e-10)


@pytest.mark.parametrize(
    ("f", "told"),
    [
        (lambda X: np.linalg.eigvalsh(X)[0], "eigvalsh"),  # (67): it has a matrix form, with eigenvectors
        (lambda X, A: trace(np.kron(A, X)), "the step reshape"),  # (105)
        (lambda x: np.max(x), "the step max"),
        (lambda x: np.sum(x[:2] * x[2:]), "the step index"),
        (lambda x: np.cumsum(x), "array of numbers"),
        (lambda x, t: np.sum(x**t), "the step power"),
        (lambda x: x @ dk.constant(x), "the step stop"),
        (lambda x: np.sum(np.where(np.isnan(x), 0, x)), "the step isnan"),
        (lambda A, x: np.where(A[0, 0] > 0, trace(A * x), 0), "has no matrix form"),
        (lambda x: x @ x if np.sum(x) > 0 else -x @ x, "takes a branch"),
    ],
)
def test_what_is_refused_is_named(f, told):
    with pytest.raises(DiffkitError, match=told):
        mc.derive(f, *map(_shape, inspect.signature(f).parameters))


GRAMMAR = {
    kind: rules.split(" | ")
    for kind, rules in {
        "S": "t | t | (V) @ (V) | np.sum(V) | np.trace(M) | (V)[1] | (M)[0, 2] | np.linalg.norm(V) | (S) * (S)"
        " | (S) + (S) | np.where((S) > 0, S, S) | np.exp(-(S) / 50) | np.linalg.norm(M)",
        "V": "x | y | (M) @ (V) | (V) + (V) | (V) - (V) | (V) * (V) | (S) * (V) | np.tanh(V) | np.abs(V) | (V)**3"
        " | np.maximum(V, 0.5) | np.where((V) > 0, V, 0)"
        " | expit(V) | np.logaddexp(V, V) | np.abs(V)**2.5 | (M)[3] | (M)[:, 0] | np.diag(M) | (V) / (S + 9)",
        "M": "A | B | (M) @ (M) | (M).T | (M) + (M) | (M) * (M) | np.outer(V, V) | np.maximum(M, 0.1) | np.diag(V)"
        " | (S) * (M) | inv(A) | (M) * (V) | (M) * (V)[:, None] | np.where((V) > 0, M, 0) | np.hypot(M, V)"
        " | np.logaddexp(0, M) | ((M)**2 + 1)**-1.5",
    }.items()
}
"""Numbers, vectors and matrices, made of each other."""


def _grown(rng, kind, depth):
    """A random expression: a number, a vector or a matrix."""
    rule = rng.choice(GRAMMAR[kind][:2] if depth == 0 else GRAMMAR[kind])
    return re.sub("[SVM]", lambda found: _grown(rng, found[0], depth - 1), rule)


@pytest.mark.parametrize("seed", range(80))
def test_random_formulas_print_their_derivatives(seed):
    rng = random.Random(seed)  # noqa: S311 - no secret
    body, by = _grown(rng, rng.choice("SV"), 3), rng.choice("xyt")
    f = eval(f"lambda x, y, A, B, t: {body}", {"np": np, "inv": inv, "expit": expit})  # noqa: S307 - grown here
    try:
        formula = mc.derive(f, *map(_shape, "xyABt"), by=by)
    except UnsupportedError:
        return  # what has no form may be refused
    point = _point(f, "")
    expected = _derivative(lambda value: f(**{**point, by: value}), [point[by]])
    accuracy = {"rtol": 1e-5, "atol": 1e-7 * np.max(np.abs(expected), initial=1.0), "err_msg": f"{body} by {by}"}
    np.testing.assert_allclose(_read(formula.text, point, formula.shape), expected.reshape(formula.shape), **accuracy)
    np.testing.assert_allclose(formula(*point.values()), expected.reshape(formula.shape), **accuracy)
