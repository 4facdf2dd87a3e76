"""Derivatives in matrix form, against SymPy's own matrix calculus, textbooks, and SymPy entry by entry."""

# ruff: noqa: PLW0108 - the parameter of a lambda is the name that is written

import numpy as np
import pytest
import scipy.special
import sympy

import diffkit as dk
from diffkit.errors import CheckError, InputError, TracingError, UnknownNameError, UnsupportedError
from diffkit.lab import matrix_calculus as mc
from diffkit.lab.matrix_calculus import formulas

RNG = np.random.default_rng(3)

# f, the shapes of its arguments, the derivative by the first one in denominator layout, and in numerator layout.
# Petersen and Pedersen (2012), "The Matrix Cookbook", sections 2.1 to 2.6.
TEXTBOOK = [
    (lambda x, B: x @ B, (3, (3, 4)), "B", "B'"),
    (lambda x, B: B @ x, (3, (4, 3)), "B'", "B"),
    (lambda x, b: x @ b, (3, 3), "b", "b'"),
    (lambda x, b: b @ x, (3, 3), "b", "b'"),
    (lambda x: x @ x, (3,), "2x", "2x'"),
    (lambda x: np.sum(x**2), (3,), "2x", "2x'"),
    (lambda x: np.sqrt(x @ x), (3,), "x / sqrt(x'x)", "x' / sqrt(x'x)"),
    (lambda x, B: x @ B @ x, (3, (3, 3)), "(B + B')x", "x'(B + B')"),
    (lambda x, B, b: x @ B @ b, (3, (3, 4), 4), "Bb", "b'B'"),
    (lambda b, X, y: np.sum((X @ b - y) ** 2), (3, (5, 3), 5), "2X'(Xb - y)", "2(b'X' - y')X"),
    (lambda X, a, b: a @ X @ b, ((3, 4), 3, 4), "ab'", "ba'"),
    (lambda X, a, b: a @ X.T @ b, ((3, 4), 4, 3), "ba'", "ab'"),
    (lambda X: np.trace(X), ((3, 3),), "I", "I"),
    (lambda X, B: np.trace(B @ X), ((3, 4), (4, 3)), "B'", "B"),
    (lambda X: np.trace(X.T @ X), ((4, 3),), "2X", "2X'"),
    (lambda X: np.sum(X * X), ((4, 3),), "2X", "2X'"),
    (lambda X, B: np.trace(X.T @ B @ X), ((4, 3), (4, 4)), "(B + B')X", "X'(B + B')"),
    (lambda X: np.linalg.slogdet(X)[1], ((3, 3),), "X^-T", "X^-1"),
    (lambda X: np.linalg.det(X), ((5, 5),), "det(X) X^-T", "det(X) X^-1"),
    (lambda X, a, b: a @ np.linalg.inv(X) @ b, ((3, 3), 3, 3), "-X^-T ab' X^-T", "-X^-1 ba' X^-1"),
    (lambda X, a, b: a @ np.linalg.solve(X, b), ((3, 3), 3, 3), "-X^-T ab' X^-T", "-X^-1 ba' X^-1"),
    (lambda x: np.tanh(x), (3,), "diag(1 - tanh(x) ∘ tanh(x))", "diag(1 - tanh(x) ∘ tanh(x))"),
    (lambda x: 2 * x, (3,), "2I", "2I"),
    (lambda x, y: (x @ y) * x, (3, 3), "yx' + (x'y)I", "xy' + (x'y)I"),
    (
        lambda z: np.exp(z) / np.sum(np.exp(z)),
        (3,),
        "diag(exp(z) / (1' exp(z))) - exp(z) exp(z)' / (1' exp(z))^2",
        "diag(exp(z) / (1' exp(z))) - exp(z) exp(z)' / (1' exp(z))^2",
    ),
    (lambda x: np.abs(x).sum(), (3,), "sign(x)", "sign(x)'"),
    (lambda a, b: np.trace(np.outer(a, b)), (3, 3), "b", "b'"),
    (lambda x, A, t: x @ (A + t * np.eye(3)) @ x, (3, (3, 3), ()), "(A + A' + 2tI)x", "x'(A + A' + 2tI)"),
    (lambda x, S: x @ np.linalg.inv(S) @ x, (3, (3, 3)), "(S^-1 + S^-T)x", "x'(S^-1 + S^-T)"),
    (lambda X: X.sum(axis=0).sum(), ((2, 3),), "1 1'", "1 1'"),
    (
        lambda b, W, Y: np.sum((W + b[:, None] - Y) ** 2) / 2,
        (4, (4, 3), (4, 3)),
        "(W - Y) 1 + 3b",
        "1' (W' - Y') + 3b'",
    ),
    (lambda x, y: x / (y @ y) + y / 2, (3, 3), "I / (y'y)", "I / (y'y)"),
    (lambda t: t**3, ((),), "3 t^2", "3 t^2"),
    (lambda t, b: t * b, ((), 3), "b'", "b"),
]


@pytest.mark.parametrize(("f", "shapes", "denominator", "numerator"), TEXTBOOK)
def test_textbook_derivatives_come_out_as_textbooks_write_them(f, shapes, denominator, numerator):
    assert mc.derive(f, *shapes).text == denominator
    assert mc.derive(f, *shapes, layout="numerator").text == numerator


@pytest.mark.parametrize("layout", ["denominator", "numerator"])
@pytest.mark.parametrize(("f", "shapes"), [case[:2] for case in TEXTBOOK])
def test_their_numbers_are_those_of_complex_or_central_differences(f, shapes, layout):
    """At a point of the test's own, by quotients written here."""
    arguments = [
        RNG.normal(size=shape) + (3 * np.eye(shape[0]) if np.size(shape) == 2 and shape[0] == shape[1] else 0)
        for shape in shapes
    ]
    formula = mc.derive(f, *shapes, layout=layout)
    found = formula(*arguments)
    x = np.asarray(arguments[0], float)
    columns = []
    for k in range(x.size):
        h = np.zeros(x.size)
        h[k] = 1e-6
        step = h.reshape(x.shape)
        columns.append(np.ravel(f(x + step, *arguments[1:]) - f(x - step, *arguments[1:])) / 2e-6)
    jacobian = np.array(columns).T  # (B, A)
    if x.ndim == 2:
        jacobian = jacobian.reshape(x.shape).T
    expected = jacobian if layout == "numerator" else jacobian.T
    assert found.shape == formula.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * np.max(np.abs(expected)))


x, b, y = (sympy.MatrixSymbol(name, size, 1) for name, size in [("x", 3), ("b", 3), ("y", 4)])
A, B, X = sympy.MatrixSymbol("A", 4, 3), sympy.MatrixSymbol("B", 3, 3), sympy.MatrixSymbol("X", 3, 3)


@pytest.mark.parametrize(
    ("f", "names", "expression", "by"),
    [
        (lambda x, B: x @ B @ x, "xB", x.T * B * x, x),
        (lambda x, b: x @ b, "xb", x.T * b, x),
        (lambda x: x @ x, "x", x.T * x, x),
        (lambda x, A: A @ x, "xA", A * x, x),
        (lambda x, A: np.sum((A @ x) ** 2), "xA", (A * x).T * (A * x), x),
        (lambda x, A, y: y @ A @ x, "xAy", y.T * A * x, x),
        (lambda B, x: x @ B @ x, "Bx", x.T * B * x, B),
        (lambda X, B: np.trace(B @ X), "XB", sympy.Trace(B * X), X),
        (lambda X, B: np.trace(X.T @ B @ X), "XB", sympy.Trace(X.T * B * X), X),
        (lambda X, b, x: b @ np.linalg.inv(X) @ x, "Xbx", b.T * X.I * x, X),
    ],
)
def test_sympy_differentiates_matrix_symbols_to_the_same_numbers(f, names, expression, by):
    symbols = {"x": x, "b": b, "y": y, "A": A, "B": B, "X": X}
    arguments = {name: RNG.integers(-4, 5, symbols[name].shape) for name in names}
    if "X" in arguments:
        arguments["X"] = arguments["X"] + 20 * np.eye(3, dtype=int)
    derived = expression.diff(by).subs({symbols[name]: sympy.Matrix(number) for name, number in arguments.items()})
    expected = np.array(derived.doit().as_explicit().tolist(), dtype=float)
    given = [number[:, 0] if number.shape[1] == 1 else number for number in arguments.values()]
    formula = mc.derive(f, *(number.shape for number in given))
    np.testing.assert_allclose(formula(*map(np.float64, given)), expected, rtol=1e-12)


def _entries(name, rows, columns=1):
    return sympy.Matrix(rows, columns, lambda i, j: sympy.Symbol(f"{name}{i}{j}", positive=True))


@pytest.mark.parametrize(
    ("f", "expression", "size"),
    [
        (lambda X: np.linalg.slogdet(X)[1], lambda X: sympy.log(X.det()), (3, 3)),
        (lambda X: np.linalg.det(X), lambda X: X.det(), (4, 4)),
        (lambda x: np.sqrt(x @ x), lambda x: sympy.sqrt(x.dot(x)), (3, 1)),
        (lambda x: 1 / (x @ x), lambda x: 1 / x.dot(x), (3, 1)),
        (lambda x: np.exp(-(x @ x) / 2), lambda x: sympy.exp(-x.dot(x) / 2), (3, 1)),
        (lambda X: np.sum(np.log(X)), lambda X: sum(sympy.log(entry) for entry in X), (2, 3)),
        (lambda X: np.sum(X @ X.T), lambda X: sum(X * X.T), (2, 3)),
        (lambda X: np.trace(np.linalg.inv(X)), lambda X: X.inv().trace(), (2, 2)),
    ],
)
def test_sympy_entry_by_entry(f, expression, size):
    entries = _entries("z", *size)
    point = RNG.uniform(1, 2, size) + (3 * np.eye(size[0]) if size[0] == size[1] else 0)
    values = dict(zip(entries, point.ravel(), strict=True))
    expected = [float(expression(entries).diff(entry).subs(values)) for entry in entries]
    given = point if size[1] > 1 else point[:, 0]
    found = mc.derive(f, given.shape)(given)
    np.testing.assert_allclose(found, np.reshape(expected, size), rtol=1e-10)


def test_symmetric_matrices_make_shorter_formulas():
    f = lambda x, B: x @ B @ x  # noqa: E731 - its parameters are the point
    assert str(mc.derive(f, 3, (3, 3))) == "d(x'Bx)/dx = (B + B')x"
    assert str(mc.derive(f, 3, (3, 3), symmetric="B")) == "d(x'Bx)/dx = 2Bx"
    assert str(mc.derive(f, 3, (3, 3), symmetric=["B"], layout="numerator")) == "d(x'Bx)/dx = 2x'B"
    S = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 1.0]])
    v = np.array([1.0, -2.0, 0.5])
    both = mc.derive(f, 3, (3, 3)), mc.derive(f, 3, (3, 3), symmetric="B")
    np.testing.assert_allclose(both[0](v, S), both[1](v, S), rtol=1e-14)
    N = S + np.triu(np.ones((3, 3)), 1)  # not symmetric: only the longer one holds
    np.testing.assert_allclose(both[0](v, N)[:, 0], (N + N.T) @ v, rtol=1e-14)
    assert not np.allclose(both[1](v, N), both[0](v, N))


def test_powers_and_functions_of_symmetric_matrices_are_symmetric():
    assert mc.derive(lambda x, S: x @ S**1.5 @ x, 3, (3, 3), symmetric="S").text == "2 S^∘1.5 x"
    assert mc.derive(lambda x, S: x @ np.hypot(S, 1) @ x, 3, (3, 3), symmetric="S").text == "2 hypot(S, 1) x"


def test_the_argument_is_chosen_by_name():
    found = mc.derive(lambda x, B: x @ B @ x, 3, (3, 3), by="B")
    assert (found.by, found.text, found.shape) == ("B", "xx'", (3, 3))


@pytest.mark.parametrize(
    ("f", "shapes", "text"),
    [
        (lambda X: np.linalg.inv(X), ((3, 3),), "-X^-1 dX X^-1"),
        (lambda X: X.T @ X, ((4, 3),), "X' dX + dX' X"),
        (lambda X, A, B: A @ X @ B, ((3, 4), (5, 3), (4, 2)), "A dX B"),
        (lambda x: np.outer(x, x), (3,), "dx x' + x dx'"),
        (lambda X: np.linalg.slogdet(X)[1], ((3, 3),), "trace(dX X^-1)"),
        (lambda x, B: x @ B @ x, (3, (3, 3)), "dx' Bx + x'B dx"),
    ],
)
def test_differentials(f, shapes, text):
    found = mc.differential(f, *shapes)
    assert found.text == text
    assert found.error < 1e-9


def test_a_differential_takes_its_direction_last():
    X, dX = RNG.normal(size=(3, 3)) + 4 * np.eye(3), RNG.normal(size=(3, 3))
    found = mc.differential(lambda X: np.linalg.inv(X), (3, 3))(X, dX)
    inverse = np.linalg.inv(X)
    np.testing.assert_allclose(found, -inverse @ dX @ inverse, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "told"),
    [
        ((3,), {}, InputError, "f takes x, B, and 1 shapes were given"),
        ((3, (3, 1)), {}, InputError, "size of 1"),
        ((3, "3x3"), {}, InputError, "B has shape"),
        ((np.ones(3), (3, 3)), {}, InputError, r"x is given as an array of shape \(3,\); give a shape"),
        ((3, np.array([3, 3])), {}, InputError, "B is given as an array"),
        ((3, (3, 3, 3)), {}, InputError, "B has shape"),
        ((3, (3, 4)), {"symmetric": "B"}, InputError, "cannot be symmetric"),
        ((3, (3, 3)), {"symmetric": "C"}, UnknownNameError, "argument 'C'"),
        ((3, (3, 3)), {"by": "y"}, UnknownNameError, "argument 'y'"),
        ((3, (3, 3)), {"layout": "row"}, UnknownNameError, "layout"),
    ],
)
def test_wrong_input_is_told(arguments, options, error, told):
    with pytest.raises(error, match=told):
        mc.derive(lambda x, B: x @ B @ x, *arguments, **options)


def test_the_gradient_of_a_gradient_is_the_hessian_in_matrix_form():
    assert str(mc.derive(lambda x, B: dk.grad(lambda x: x @ B @ x)(x), 3, (3, 3))) == "d((B + B')x)/dx = B + B'"
    squares = mc.derive(lambda b, X, y: dk.grad(lambda b: np.sum((X @ b - y) ** 2) / 2)(b), 3, (5, 3), 5)
    assert str(squares) == "d(X'(Xb - y))/db = X'X"


def test_one_summand_needs_no_bracket():
    assert mc.derive(lambda x, A, t: x @ (A + t * np.eye(3)) @ x, 3, (3, 3), ()).function == "x'(A + tI) x"


def test_arguments_may_have_the_names_of_functions():
    assert mc.derive(lambda x, diag: x @ diag @ np.ones(3), 3, (3, 3)).text == "diag 1"
    assert mc.derive(lambda inv, x: x @ inv @ np.linalg.inv(inv) @ inv @ x, (3, 3), 3).text == "xx'"
    assert mc.derive(lambda product, group: product * group, (), ()).text == "group"
    assert mc.derive(lambda x, trace, times: x @ trace @ times, 3, (3, 3), 3).text == "trace times"


def test_functions_of_numpy_have_names_too():
    assert str(mc.derive(np.exp, 3)) == "d(exp(x))/dx = diag(exp(x))"
    assert str(mc.derive(np.trace, (3, 3))) == "d(trace(a))/da = I"
    with pytest.raises(InputError, match="no names of parameters"):
        mc.derive(max, 3)


def test_what_has_no_matrix_form_is_told():
    closed = np.arange(9.0).reshape(3, 3)
    with pytest.raises(UnsupportedError, match="array of numbers"):
        mc.derive(lambda x: x @ closed @ x, 3)
    with pytest.raises(UnsupportedError, match="the step argsort"):
        mc.derive(lambda x: np.sum(np.sort(x)), 3)
    with pytest.raises(UnsupportedError, match=r"no matrix: it has 3 axes.*differential"):
        mc.derive(lambda x: np.outer(x, x), 3)
    with pytest.raises(InputError, match="the formula takes 2: x, B"):
        mc.derive(lambda x, B: x @ B, 3, (3, 4))(np.ones(3))
    with pytest.raises(InputError, match=r"x has shape \(4,\); the formula was derived for \(3,\)"):
        mc.derive(lambda x: x @ x, 3)(np.ones(4))


def test_a_formula_that_is_not_the_derivative_is_never_handed_out(monkeypatch):
    monkeypatch.setattr(formulas, "read", lambda graph, arguments: arguments[0])
    with pytest.raises(CheckError, match="x is off by"):
        mc.derive(lambda x: x @ x, 3)


def test_determinants_and_norms_are_read_by_their_names_whatever_their_size():
    for n in (2, 3, 4):
        assert str(mc.derive(lambda X: np.linalg.det(X), (n, n))) == "d(det(X))/dX = det(X) X^-T"
    assert mc.derive(lambda x: np.linalg.norm(x), 3).text == "x / sqrt(x'x)"
    steps = [step.op.name for step in dk.get("reverse").prepare(np.linalg.det, np.eye(3), product="value").graph.steps]
    assert "det" not in steps  # other graphs are as they were: polynomials, which are right at singular matrices


def test_the_second_derivative_of_a_determinant_along_a_matrix():
    """Magnus and Neudecker (2019), section 8.4: d adj(X)' = det(X) (trace(X^-1 dX) X^-T - X^-T dX' X^-T)."""
    found = mc.differential(lambda X: dk.grad(np.linalg.det)(X), (3, 3))
    assert str(found) == "d(det(X) X^-T) = det(X) (trace(dX X^-1) I - X^-T dX') X^-T"
    X, dX = RNG.normal(size=(2, 3, 3))
    cofactors = lambda X: np.linalg.det(X) * np.linalg.inv(X).T  # noqa: E731 - said once
    np.testing.assert_allclose(found(X, dX), (cofactors(X + 1e-6 * dX) - cofactors(X - 1e-6 * dX)) / 2e-6, rtol=1e-6)


def test_the_inverse_of_a_product_has_a_bracket():
    """Without one, the inverse would be that of the last factor."""
    found = mc.derive(lambda X, A, B: np.linalg.det(A @ X @ B), (5, 6), (4, 5), (6, 4))
    assert found.text == "det(AXB) A' (AXB)^-T B'"


@pytest.mark.parametrize(
    ("f", "shapes", "text"),
    [
        (lambda W, x: np.sum(np.maximum(W @ x, 0)), ((4, 3), 3), "d(1' max(Wx, 0))/dW = [Wx > 0]x'"),
        (lambda x, W: np.maximum(W @ x, 0), (3, (4, 3)), "d(max(Wx, 0))/dx = W' diag([Wx > 0])"),
        (lambda x, y: np.sum(np.minimum(x, y)), (3, 3), "d(1' min(x, y))/dx = [y > x]"),
        (lambda x: np.sum(np.where(x > 0, x, 0)), (3,), "d(1' ([x > 0] ∘ x))/dx = [x > 0]"),
        (lambda t, x: np.where(t > 0, x @ x, t), ((), 3), "d([t > 0](x'x) + t[t ≤ 0])/dt = [t ≤ 0]"),
        (
            lambda x: np.sum(np.where((x > 0) & (x < 1), x, 0)),
            (3,),
            "d(1' ([x < 1] ∘ [x > 0] ∘ x))/dx = [x < 1] ∘ [x > 0]",
        ),
        (lambda X: np.log(np.abs(np.linalg.det(X))), ((3, 3),), "d(log(abs(det(X))))/dX = X^-T"),
        (lambda t: np.log(np.abs(t)), ((),), "d(log(abs(t)))/dt = 1 / t"),
        (lambda x: np.linalg.norm(x, 1), (3,), "d(1' abs(x))/dx = sign(x)"),
        (
            lambda x: np.std(x),
            (2,),
            "d(sqrt(0.5 x'x - 0.25 (1' x)^2))/dx = (0.5 x - 0.25 (1' x) 1) / sqrt(0.5 x'x - 0.25 (1' x)^2)",
        ),
        (lambda x: x[0], (3,), "d(e₀'x)/dx = e₀"),
        (lambda x: x[0] * x[-1], (3,), "d((e₀'x)(e₂'x))/dx = (e₂'x)e₀ + (e₀'x)e₂"),
        (lambda X, b: X[0] @ b, ((3, 4), 4), "d(e₀'Xb)/dX = e₀b'"),
        (lambda X, b: X[:, 1] @ b, ((3, 4), 3), "d(b'Xe₁)/dX = be₁'"),
        (lambda x, B: (B @ x)[2], (3, (4, 3)), "d(e₂'Bx)/dx = B'e₂"),
        (lambda x: 3 * x[0] - x[1], (3,), "d((3e₀' - e₁')x)/dx = 3e₀ - e₁"),
        (lambda x, B: B @ x * x[0], (3, (3, 3)), "d((e₀'x)Bx)/dx = (e₀x' + (e₀'x)I)B'"),
        (lambda x: np.sum(x**3), (3,), "d((x ∘ x)'x)/dx = 3(x ∘ x)"),
        (lambda p: np.sum(p * np.log(p)), (3,), "d(log(p)' p)/dp = 1 + log(p)"),
        (
            lambda x, a: np.sqrt((x - a) @ (x - a)),
            (3, 3),
            "d(sqrt(a'a - 2 a'x + x'x))/dx = (x - a) / sqrt(a'a - 2 a'x + x'x)",
        ),
    ],
)
def test_selects_and_single_entries(f, shapes, text):
    assert str(mc.derive(f, *shapes)) == text


@pytest.mark.parametrize(
    ("f", "shapes", "text"),
    [
        (
            lambda b, X, y: np.sum(np.logaddexp(0, X @ b) - y * (X @ b)),
            (3, (5, 3), 5),
            "d(1' softplus(Xb) - y'Xb)/db = X'(sigmoid(Xb) - y)",
        ),
        (
            lambda b, X, y: X.T @ (scipy.special.expit(X @ b) - y),
            (3, (5, 3), 5),
            "d(X'(sigmoid(Xb) - y))/db = X' diag(sigmoid(-Xb) ∘ sigmoid(Xb)) X",
        ),
        (lambda x: np.sum(np.logaddexp(x, np.zeros(3))), (3,), "d(1' softplus(x))/dx = sigmoid(x)"),
        (lambda t: np.logaddexp(0, t), ((),), "d(softplus(t))/dt = sigmoid(t)"),
        (lambda x, y: np.sum(np.logaddexp(y, x)), (3, 3), "d(1' logaddexp(x, y))/dx = sigmoid(x - y)"),
        (lambda x, y: np.sum(np.hypot(y, x)), (3, 3), "d(1' hypot(x, y))/dx = reciprocal(hypot(x, y)) ∘ x"),
        (lambda x: np.sum(np.arcsinh(x)), (3,), "d(1' arcsinh(x))/dx = reciprocal(hypot(x, 1))"),
        (lambda x: np.sum(scipy.special.gammaln(x)), (3,), "d(1' gammaln(x))/dx = psi(x)"),
        (lambda x: np.sum(x**1.5), (3,), "d(1' x^∘1.5)/dx = 1.5 sqrt(x)"),
        (lambda x: np.sum(x**2.5), (3,), "d(1' x^∘2.5)/dx = 2.5 x^∘1.5"),
        (lambda x: np.sum(x**5), (3,), "d(1' x^∘5)/dx = 5(x ∘ x ∘ x ∘ x)"),
        (lambda x: np.sum(x**0 + x**1), (3,), "d(3 + 1' x)/dx = 1"),
        (lambda x: np.sum(x**0.5), (3,), "d(1' sqrt(x))/dx = 0.5 reciprocal(sqrt(x))"),
        (lambda x: np.sum(x**-1), (3,), "d(1' reciprocal(x))/dx = -reciprocal(x) ∘ reciprocal(x)"),
        (lambda x: np.sum(x ** np.array(0.5)), (3,), "d(1' x^∘0.5)/dx = 0.5 x^∘-0.5"),
        (lambda x: np.sum(x**-2), (3,), "d(1' x^∘-2)/dx = -2 reciprocal(x ∘ x ∘ x)"),
        (lambda b, X: np.sum((X @ b) ** 6), (3, (5, 3)), "d(1' (Xb)^∘6)/db = 6X' (Xb)^∘5"),
        (lambda X, a, b: a @ (X**6).T @ b, ((3, 4), 4, 3), "d(b' X^∘6 a)/dX = 6(ba' ∘ X^∘5)"),
    ],
)
def test_functions_and_powers_entry_by_entry(f, shapes, text):
    assert str(mc.derive(f, *shapes)) == text


def test_an_indicator_that_is_zero_wins_over_nan():
    """Off a mask there may be no logarithm: the formula has 0 there, as np.where has."""
    found = mc.derive(lambda x: np.sum(np.where(x > 0, x * np.log(x), 0)), 3)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found(np.array([2.0, -1.0, 1.0]))[:, 0], [1 + np.log(2), 0, 1])


def test_a_number_that_does_not_exist_stays_in_its_entry():
    with np.errstate(invalid="ignore"):
        found = mc.derive(lambda x: np.sum(np.log(x) ** 2), 3)(np.array([1.0, -1.0, np.e]))
    np.testing.assert_allclose(found[:, 0], [0, np.nan, 2 / np.e])


def test_a_division_by_zero_is_numpys():
    found = mc.derive(lambda x: np.linalg.norm(x), 3)
    with pytest.warns(RuntimeWarning):
        assert np.all(np.isnan(found(np.zeros(3))))


def test_a_root_of_a_product_is_not_the_product_of_roots():
    """Both may be negative."""
    found = mc.derive(lambda s, t: np.sqrt(s * t), (), ())
    np.testing.assert_allclose(found(-2.0, -8.0), -1.0)


def test_a_derivative_that_is_zero_is_one():
    """trace((X'CX)^-1 X'BX) is trace(C^-1 B) for a square X; differences find zero up to rounding."""
    found = mc.derive(lambda X, B, C: np.trace(np.linalg.inv(X.T @ C @ X) @ X.T @ B @ X), (3, 3), (3, 3), (3, 3))
    assert found.text == "0"


@pytest.mark.parametrize(
    ("f", "shapes", "told"),
    [
        (lambda x, I: x @ I @ x, (3, (3, 3)), "f takes I, which is the identity"),  # noqa: E741 - that is the point
        (lambda x, A, B, AB: x @ A @ B @ x + x @ AB @ x, (3, *[(3, 3)] * 3), "f takes AB, and A, B, whose product"),
        (lambda x: np.sum(np.log(-x)), (3,), "derivative is not finite at the random point"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_formulas_that_could_not_be_read_or_checked_are_refused(f, shapes, told):
    with pytest.raises(InputError, match=told):
        mc.derive(f, *shapes)


def test_the_direction_of_a_differential_has_a_name_of_its_own():
    with pytest.raises(InputError, match="f takes dX, the name of the direction"):
        mc.differential(lambda X, dX: X @ dX, (3, 3), (3, 3))


def test_a_branch_is_refused_since_a_formula_holds_everywhere():
    with pytest.raises(UnsupportedError, match="takes a branch that depends on numbers"):
        mc.derive(lambda x: x @ x if np.sum(x) > 0 else 2 * x @ x, 3)


def test_random_numbers_in_f_are_found():
    rng = np.random.default_rng(0)
    with pytest.raises(TracingError, match="twice"):
        mc.derive(lambda x: x @ x * rng.normal(), 3)


def test_a_formula_must_hold_where_entries_have_both_signs(monkeypatch):
    """At positive numbers |x| is x, and max(x, 0) too."""
    monkeypatch.setattr(formulas, "read", lambda graph, arguments: arguments[0])
    with pytest.raises(CheckError, match="x is off by"):
        mc.derive(lambda x: x @ np.abs(x) / 2, 3)
