"""The stand-in for an array: Python's operators, and the attributes and methods of NumPy's arrays."""
# ruff: noqa: PLW0108, SIM300, FURB163 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import copy
import math
import operator

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TracingError

X = np.array([0.3, -1.2, 2.4, 0.7])
M = np.linspace(0.2, 1.4, 6).reshape(2, 3)
W = np.array([1.5, 2.4, 0.5, 3.0])
NAMES = ["add", "sub", "mul", "truediv", "pow"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "other",
    [3, 2.4, np.float64(1.5), np.int64(2), W, [1.5, 2.4, 0.5, 3.0], np.array(2.0)],
    ids=lambda o: type(o).__name__,
)
def test_operators_with_other_kinds_of_operands(name, other, agrees):
    op = getattr(operator, name)
    agrees(lambda x: op(x, other), np.abs(X))
    agrees(lambda x: op(other, x), np.abs(X))


@pytest.mark.parametrize("name", NAMES)
def test_operators_in_place(name, agrees):
    op = getattr(operator, "i" + name)

    def f(x):
        out = x * 1.0
        return op(op(out, W), x * x)

    agrees(f, np.abs(X) + 1)


SIMPLE = {
    "negative": lambda x: -x,
    "positive": lambda x: +x * x,
    "power with a modulus left out": lambda x: pow(x, 3),
    "matmul": lambda x: x @ x + W @ x + x @ W,
    "T": lambda x: x.reshape(2, 2).T,
    "real": lambda x: x.real * 0 + x**2,
    "conj": lambda x: x.conj() if not np.iscomplexobj(x) else x,
    "copy": lambda x: copy.deepcopy(x) + copy.copy(x) * x.copy(),
    "astype": lambda x: x.astype(x.dtype) ** 2,
    "sizes": lambda x: x**2 * x.size * x.ndim * len(x) * x.shape[0],
    "bytes": lambda x: x**2 * (x.nbytes // x.itemsize),
    "method sum": lambda x: (x**2).sum(),
    "method sum of axes": lambda x: (x**2).reshape(2, 2).sum(axis=0, keepdims=True),
    "method mean": lambda x: (x**2).mean(),
    "method prod": lambda x: x.prod(),
    "method cumsum": lambda x: (x**2).cumsum(),
    "method cumprod": lambda x: x.cumprod(),
    "method dot": lambda x: x.dot(W),
    "method trace": lambda x: (x**2).reshape(2, 2).trace(),
    "method diagonal": lambda x: (x**2).reshape(2, 2).diagonal(),
    "method reshape": lambda x: (x**2).reshape(2, -1),
    "method transpose": lambda x: (x**2).reshape(1, 2, 2).transpose(2, 0, 1),
    "method swapaxes": lambda x: (x**2).reshape(2, 2).swapaxes(0, 1),
    "method squeeze": lambda x: (x**2)[None].squeeze(0),
    "method ravel": lambda x: (x**2).reshape(2, 2).ravel(),
    "method flatten": lambda x: (x**2).reshape(2, 2).flatten(),
    "method repeat": lambda x: (x**2).repeat(2),
    "method take": lambda x: (x**2).take([1, 1, 0]),
    "method compress": lambda x: (x**2).compress([True, False, True, True]),
    "method item": lambda x: x.item(1) * x[0].item(),
    "method tolist": lambda x: np.array(x.tolist()) ** 2,
    "Python's sum": lambda x: sum(x * x),
    "a sum from an array": lambda x: sum(x, np.zeros(2)),
}


@pytest.mark.parametrize("f", SIMPLE.values(), ids=SIMPLE)
def test_attributes_and_methods_are_those_of_arrays(f, agrees):
    agrees(f, X)


KINKED = {
    "abs": (lambda x: abs(x), np.sign(X)),
    "mod": (lambda x: x % 0.8, np.ones(4)),
    "mod reflected": (lambda x: 5.0 % x, -np.floor(5.0 / X)),
    "floordiv": (lambda x: x // 0.75 * x, X // 0.75),
    "divmod": (lambda x: divmod(x, 0.8)[1] + 0 * divmod(2.0, x)[0], np.ones(4)),
    "method max": (lambda x: x.max() * x, None),
    "method min": (lambda x: x.min() + 0 * x, None),
    "method std": (lambda x: x.std() + 0 * x, None),
    "method clip": (lambda x: x.clip(-1, 1), [1, 0, 0, 1]),
    "method round": (lambda x: x.round() * x, X.round()),
    "comparisons": (lambda x: x * ((x > 0) & (x <= 0.7) | (x == 2.4)) + x * ~(x >= 0), [1, 1, 1, 1]),
    "reflected comparisons": (lambda x: x * (0 < x) + x * (1 >= x) + x * (W != x), [3, 2, 2, 3]),
    "exclusive or": (lambda x: x * ((x > 0) ^ (x > 1)), [1, 0, 0, 1]),
    "any and all": (lambda x: x * (x > 0).any() + x * (x > 0).all(), np.ones(4)),
    "argmax": (lambda x: x * x.argmax() + x.argmin(), np.full(4, 2.0)),
}


@pytest.mark.parametrize("name", KINKED)
def test_operators_with_kinks(name):
    f, slope = KINKED[name]
    expected = np.diag(slope) if slope is not None else dk.jacobian(f, method=dk.get("finite-difference"))(X)
    for method in ("symbolic", "forward", "reverse"):
        plan = dk.get(method).prepare(f, X)
        np.testing.assert_allclose(plan.value(X), f(X), rtol=1e-14)
        np.testing.assert_allclose(plan.jacobian(X), expected, rtol=1e-7, atol=1e-7)


def test_methods_that_order_in_place(agrees):
    def f(x):
        out = x**2
        out.sort()
        return out

    agrees(f, X, jacobian=np.diag(2 * X)[np.argsort(X**2)])


MATH = {
    "sin": 0.3, "cos": 0.3, "tan": 0.3, "asin": 0.3, "acos": 0.3, "atan": 0.3, "sinh": 0.3, "cosh": 0.3, "tanh": 0.3,
    "asinh": 0.3, "acosh": 1.3, "atanh": 0.3, "exp": 0.3, "expm1": 0.3, "log": 0.3, "log1p": 0.3, "log2": 0.3,
    "log10": 0.3, "sqrt": 0.3, "cbrt": 0.3, "fabs": -0.3, "degrees": 0.3, "radians": 0.3, "erf": 0.3, "erfc": 0.3,
    "lgamma": 1.3,
}  # fmt: skip


@pytest.mark.parametrize("name", MATH)
def test_functions_of_the_math_module(name):
    call = getattr(math, name)
    x, h = MATH[name], 1e-3
    expected = (8 * (call(x + h) - call(x - h)) - call(x + 2 * h) + call(x - 2 * h)) / (12 * h)
    for method in ("forward", "reverse"):
        plan = dk.get(method).prepare(lambda x: getattr(math, name)(x), x, product="gradient")
        assert plan.value(x) == pytest.approx(call(x), rel=1e-14)
        assert plan.run(x) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: math.pow(x[0], 3.0), [3 * 0.3**2, 0, 0, 0]),
        (lambda x: math.atan2(x[0], x[2]), [2.4 / (0.09 + 5.76), 0, -0.3 / (0.09 + 5.76), 0]),
        (lambda x: math.hypot(x[0], x[2], x[3]), np.array([0.3, 0, 2.4, 0.7]) / math.hypot(0.3, 2.4, 0.7)),
        (lambda x: math.dist(x, [0.0] * 4), X / math.hypot(*X)),
        (lambda x: math.log(x[2], 2), [0, 0, 1 / (2.4 * math.log(2)), 0]),
        (lambda x: math.fsum(x * x), 2 * X),
        (lambda x: math.prod(x), math.prod(X) / X),
        (lambda x: math.copysign(x[0], x[1]), [-1, 0, 0, 0]),
        (lambda x: x[0] * math.floor(x[2]) + x[1] * math.ceil(x[2]) + x[3] * math.trunc(x[1]), [2, 3, 0, -1]),
        (lambda x: x[math.floor(x[2])] + x[round(x[3])], [0, 1, 1, 0]),
        (lambda x: x[0] if math.isclose(x[0], 0.3) and not math.isnan(x[1]) else x[1], [1, 0, 0, 0]),
        (lambda x: round(x[2]) * x[0] + round(x[2], 1) * x[1], [2, 2.4, 0, 0]),
    ],
    ids=[
        "pow",
        "atan2",
        "hypot",
        "dist",
        "log of base",
        "fsum",
        "prod",
        "copysign",
        "floor",
        "index",
        "isclose",
        "round",
    ],
)
def test_functions_of_the_math_module_with_their_own_way(f, expected):
    for method in ("symbolic", "forward", "reverse"):
        np.testing.assert_allclose(dk.grad(f, method=method)(X), expected, rtol=1e-12)


REFUSED = {
    "float": (lambda x: float(x[0]), r"plain number, by float\(\)"),
    "complex": (lambda x: complex(x[0]), "cannot become complex"),
    "a dictionary's key": (lambda x: {x[0]: 1}[x[0]] * x[0], "cannot be a key of a dict"),
    "a set": (lambda x: sum({x[0], x[1]}), "member of a set"),
    "range": (lambda x: sum(range(x[2])) * x[0], r"cannot be an index; use int\(\.\.\.\)"),
    "a library": (lambda x: math.gamma(x[2]), "a library, or storing"),
    "truth of an array": (lambda x: x if x > 0 else -x, "ambiguous; use np.where"),
    "item of many": (lambda x: x.item(), r"item\(\) needs one entry"),
    "numbers have no axes": (lambda x: x @ 3.0, "matmul needs arrays with at least one axis"),
}


@pytest.mark.parametrize(("f", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_traced_is_said_in_one_sentence(f, message):
    if "range" in message or f is REFUSED["range"][0]:
        with pytest.raises((TracingError, TypeError), match=message):
            dk.grad(f)(X)
        return
    with pytest.raises(TracingError, match=message) as caught:
        dk.grad(f)(X)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda x: x[0] + "a", TypeError),
        (lambda x: x[0] + None, TypeError),
        (lambda x: x[0][0], (IndexError, TypeError)),
        (lambda x: len(x[0]), TypeError),
        (lambda x: list(x[0]), TypeError),
        (lambda x: x.no_such_attribute, AttributeError),
    ],
    ids=["a string", "None", "an entry of a number", "its length", "its entries", "an unknown attribute"],
)
def test_what_is_wrong_in_plain_numpy_too_raises_the_same_error(f, error):
    with pytest.raises(error):
        f(X)
    with pytest.raises(error):
        dk.grad(f)(X)


def test_printing_says_what_it_is_and_does_no_harm(capsys):
    def f(x):
        print(f"{x[0]:.3f} {x} {x!r}")  # noqa: T201 - what is tested
        return np.sum(x**2)

    np.testing.assert_array_equal(dk.grad(f)(X), 2 * X)
    assert capsys.readouterr().out.startswith("<traced float64 ()> <traced float64 (4,)> <traced float64 (4,)>")


def test_membership_compares_entries():
    def f(x):
        return x.sum() if 0.3 in x and 9.0 not in x else x.prod()

    np.testing.assert_array_equal(dk.grad(f)(X), np.ones(4))


def test_numbers_and_arrays_are_told_apart_by_numpy():
    kinds = []

    def f(x):
        kinds.append((np.asarray([x[0], 1.0]).shape, np.array([[x[0]], [x[1]]]).shape, np.array([x, x]).shape))
        return np.sum(x)

    dk.grad(f)(X)
    assert kinds == [((2,), (2, 1), (2, 4))]
