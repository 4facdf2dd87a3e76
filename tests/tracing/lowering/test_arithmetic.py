"""Functions applied entry by entry: values, derivatives by every method, dtypes, kinks and special values."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.special as sp

import diffkit as dk
from diffkit.errors import TracingError

X = np.array([[0.31, 0.82, 0.57], [0.73, 0.24, 0.47]])
INF, LIST = np.inf, [1, 2, 3]

FUNCTIONS = {
    # ------------ named in NumPy
    "exp": np.exp,
    "expm1": np.expm1,
    "exp2": np.exp2,
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "cbrt": lambda x: np.cbrt(x - 1),
    "square": np.square,
    "reciprocal": np.reciprocal,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "arctan2": lambda x: np.arctan2(x - 0.5, x[::-1] - 0.6),
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "arcsinh": np.arcsinh,
    "arccosh": lambda x: np.arccosh(1 + x),
    "arctanh": np.arctanh,
    "hypot": lambda x: np.hypot(x, 2 * x[:1]),
    "logaddexp": lambda x: np.logaddexp(x, 3 * x[:, :1]),
    "logaddexp2": lambda x: np.logaddexp2(x, 0.5),
    "absolute": lambda x: np.absolute(x - 0.5),
    "fabs": lambda x: np.fabs(x - 0.5),
    "sign": lambda x: np.sign(x - 0.5) * x,
    "positive": lambda x: np.positive(x) * x,
    "negative": lambda x: np.negative(x) * x,
    "maximum": lambda x: np.maximum(x, x[:, ::-1] ** 2),
    "minimum": lambda x: np.minimum(x, 0.5),
    "fmax": lambda x: np.fmax(x, 0.5),
    "fmin": lambda x: np.fmin(x, x[::-1]),
    "where": lambda x: np.where(x > 0.5, x * x, 3 * x),
    "clip": lambda x: np.clip(x, 0.4, 0.6),
    "clip of one side": lambda x: np.clip(x, None, 0.6) * np.clip(x, a_min=0.4, a_max=None),
    "clip to arrays": lambda x: np.clip(x, x[0], 1.3 * x[:, :1]),
    "floor": lambda x: np.floor(3 * x) * x,
    "ceil": lambda x: np.ceil(3 * x) * x,
    "trunc": lambda x: np.trunc(3 * x) * x,
    "rint": lambda x: np.rint(3 * x) * x,
    "fix": lambda x: np.fix(3 * x) * x,
    "round": lambda x: np.round(x, 1) * x,
    "mod": lambda x: np.mod(5 * x, x[::-1] + 1),
    "fmod": lambda x: np.fmod(5 * x - 2, 0.37),
    "floor_divide": lambda x: np.floor_divide(5 * x, 0.7) * x,
    "heaviside": lambda x: np.heaviside(x - 0.5, 0.5) * x,
    "copysign": lambda x: np.copysign(x * x, x - 0.5),
    "ldexp": lambda x: np.ldexp(x, [1, 2, -1]),
    "deg2rad": lambda x: np.deg2rad(x) * np.rad2deg(x),
    "sinc": np.sinc,
    "nan_to_num": lambda x: np.nan_to_num(x) * x,
    "real": lambda x: np.real(x) * np.conjugate(x),
    "float_power": lambda x: np.float_power(x, 1.5),
    # ------------ power in its many forms
    "power": lambda x: np.power(x, x[::-1]),
    "x**3": lambda x: (x - 0.5) ** 3,
    "x**2": lambda x: (x - 0.5) ** 2,
    "x**1": lambda x: x**1,
    "x**0": lambda x: x**0 * x,
    "x**-1": lambda x: (x - 2) ** -1,
    "x**-2": lambda x: (x - 2) ** -2.0,
    "x**0.5": lambda x: x**0.5,
    "x**2.5": lambda x: x**2.5,
    "integers as exponents": lambda x: (x - 0.5) ** np.array([1, 2, 3]),
    "2**x": lambda x: 2**x,
    "array**x": lambda x: np.array([1.5, 2.0, 3.0]) ** x,
    # ------------ operators, from both sides, with Python numbers, NumPy numbers, arrays and lists
    "x+": lambda x: (x + 2) * (x + 0.5) * (x + np.float64(3)) * (x + LIST),
    "+x": lambda x: (2 + x) * (np.float64(3) + x) * (np.array([1, 2, 3]) + x) * (LIST + x),
    "x-": lambda x: (x - 2) * (x - np.int64(1)) * (x - [1.0, 2.0, 3.0]),
    "-x": lambda x: (2 - x) * (np.float64(3) - x) * (np.arange(3) - x) * ((1, 2, 3) - x) * -x,
    "x*": lambda x: x * 2 * np.float32(0.5) * x * np.arange(3) * [1, 2, 3],
    "*x": lambda x: 2 * x * (np.arange(3) * x) * ([3, 2, 1] * x),
    "x/": lambda x: x / 2 + x / np.float64(3) + x / [1, 2, 3] + x / x[::-1],
    "/x": lambda x: 2 / x + np.float64(3) / x + np.arange(3) / x + [1, 2, 3] / x,
    "x//": lambda x: (5 * x) // 0.7 * x,
    "//x": lambda x: 3 // x * x,
    "x%": lambda x: (5 * x) % 0.7,
    "%x": lambda x: 3 % x + [1, 2, 3] % x,
    "divmod": lambda x: divmod(5 * x, 0.7)[1] * divmod(3, x)[1],
    "abs": lambda x: abs(x - 0.5),
    "+ of one": lambda x: +x * x,
    "comparisons": lambda x: (
        (x > 0.5) * x + (x >= 0.5) * x**2 + (x > 0.4) * 3 * x + (x <= 0.6) * x + (x == 0.3) * x + (x != 0.3) * np.sin(x)
    ),
    "connectives": lambda x: (
        ((x > 0.3) & (x < 0.6)) * x + ((x > 0.7) | ~(x > 0.4)) * x**2 + ((x > 0.5) ^ (x > 0.6)) * np.exp(x)
    ),
    "named comparisons": lambda x: (
        np.logical_and(np.greater(x, 0.3), np.less_equal(x, 0.6)) * x
        + np.isfinite(x) * x**2
        + np.isclose(x, 0.99) * x**3
    ),
    "round of a number": lambda x: round(x[0, 1]) * x[0, 0] + round(x[1, 0], 1) * x[0, 0],
    "in place": lambda x: _in_place(x * 1),
    "outer": lambda x: np.multiply.outer(x[0], x) + np.power.outer(x[1], x) + np.subtract.outer(x[0], x),
    "arctan2.outer": lambda x: np.arctan2.outer(x[0], x[1]),
    "add.at": lambda x: _scattered(np.add, x),
    "subtract.at": lambda x: _scattered(np.subtract, x),
    "lists of numbers": lambda x: (
        np.clip([x[0, 0], x[0, 1] ** 2], 0.4, 0.8)
        * np.arctan2([x[0, 0], x[0, 1]], [x[0, 2], 2.0])
        * np.exp([x[1, 1], x[1, 0]])
    ),
    "out=": lambda x: np.exp(x, out=np.zeros((2, 3))) * x,
}

LISTED = """
exp expm1 log log1p log2 log10 sqrt cbrt square reciprocal power sin cos tan arcsin arccos arctan
arctan2 sinh cosh tanh arcsinh arccosh arctanh hypot logaddexp absolute sign maximum minimum where clip floor ceil
"""


def _in_place(y):
    y += 2
    y *= y[:1]
    y -= 0.5
    y /= 3
    y **= 2
    return y


def _scattered(ufunc, x):
    total = np.zeros((2, 3))
    ufunc.at(total, ([0, 1, 0], [2, 0, 2]), x[0])
    return total * x


def test_every_listed_function_has_a_row():
    assert set(LISTED.split()) <= set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_method_is_right(name, agrees, differences):
    f = FUNCTIONS[name]
    plain = _plain_out if name == "out=" else f
    agrees(f, X, differences(plain, X))


def _plain_out(x):
    return np.exp(x) * x


BINARY = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "arctan2": np.arctan2,
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "mod": np.mod,
    "where": lambda x, y: np.where(np.asarray(x) > 0.5, x, y),
}
SHAPES = [
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((), (2, 2)),
    ((4, 1, 2), (3, 1)),
    ((1,), (2, 3)),
    ((1, 1), ()),
    ((0, 3), (3,)),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("name", BINARY)
def test_both_operands_broadcast(name, shapes, agrees, differences):
    sizes = [int(np.prod(shape)) for shape in shapes]
    x = np.random.default_rng(sum(sizes)).permutation(np.linspace(0.53, 1.9, sum(sizes)))

    def f(x):
        left, right = x[: sizes[0]].reshape(shapes[0]), x[sizes[0] :].reshape(shapes[1])
        return BINARY[name](left, right) if name != "where" else np.where(left > 0.9, left, right)

    agrees(f, x, differences(f, x))


SPECIAL = {
    "expit": (sp.expit, lambda x: 1 / (1 + mpmath.exp(-x))),
    "erf": (sp.erf, mpmath.erf),
    "erfc": (sp.erfc, mpmath.erfc),
    "gammaln": (sp.gammaln, mpmath.loggamma),
    "psi": (sp.psi, mpmath.digamma),
    "digamma": (sp.digamma, mpmath.digamma),
    "logit": (sp.logit, lambda x: mpmath.log(x / (1 - x))),
    "log_expit": (sp.log_expit, lambda x: -mpmath.log(1 + mpmath.exp(-x))),
    "xlogy": (lambda x: sp.xlogy(x, x + 2), lambda x: x * mpmath.log(x + 2)),
    "xlog1py": (lambda x: sp.xlog1py(x - 2, x), lambda x: (x - 2) * mpmath.log(1 + x)),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_functions_of_scipy(name, agrees):
    f, exact = SPECIAL[name]
    agrees(f, X, np.diag([float(mpmath.diff(exact, entry)) for entry in X.flat]))


def test_expit_does_not_overflow():
    x = np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0])
    slope = dk.jvp(sp.expit)(x, np.ones(5))
    expected = [float(mpmath.exp(t) / (1 + mpmath.exp(t)) ** 2) for t in x]
    np.testing.assert_allclose(slope, expected, rtol=1e-12, atol=1e-17)


def test_xlogy_is_zero_at_zero():
    x, y = np.array([0.0, 0.0, 0.0, 2.0]), np.array([0.0, 3.0, INF, 3.0])
    np.testing.assert_array_equal(dk.get("reverse").prepare(sp.xlogy, x, y).value(x, y), sp.xlogy(x, y))
    by_x, by_y = dk.grad(lambda x, y: np.sum(sp.xlogy(x, y)), argnums=(0, 1))(x, y)
    np.testing.assert_allclose(by_x, [0.0, np.log(3), 0.0, np.log(3)], rtol=1e-15)
    np.testing.assert_allclose(by_y, [0.0, 0.0, 0.0, 2 / 3], rtol=1e-15)


@pytest.mark.parametrize("method", ["forward", "reverse"])
def test_xlog1py_keeps_small_numbers_and_is_zero_at_zero(method):
    x, y = np.array([0.0, 0.0, 2.0, 1e-3]), np.array([-1.0, INF, 1e-20, 1e-9])
    plan = dk.get(method).prepare(lambda x, y: np.sum(sp.xlog1py(x, y)), x, y, argnums=(0, 1), product="gradient")
    np.testing.assert_allclose(dk.get(method).prepare(sp.xlog1py, x, y).value(x, y), sp.xlog1py(x, y), rtol=1e-15)
    by_x, by_y = plan.run(x, y)
    np.testing.assert_allclose(by_x, [0.0, 0.0, *map(float, map(mpmath.log1p, y[2:]))], rtol=1e-15)
    np.testing.assert_allclose(by_y, [0.0, 0.0, 2.0, 1e-3 / (1 + 1e-9)], rtol=1e-15)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
@pytest.mark.parametrize(
    "name", [name for name in FUNCTIONS if name not in {"add.at", "subtract.at", "round of a number"}]
)
def test_special_values_come_out_as_in_numpy(name, engine):
    x = np.array([[np.nan, INF, -INF], [0.0, -0.0, 1e300]])
    f = FUNCTIONS[name]
    found = dk.get("reverse", engine=engine).prepare(f, x).value(x)
    np.testing.assert_array_max_ulp(*[np.nan_to_num(v, nan=0.5) for v in (found, f(x.copy()))], maxulp=4)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(f(x.copy())))


SINGLE = [
    "x * 2",
    "x * np.float32(2)",
    "2.5 - x",
    "x * np.float64(2)",
    "x * np.array(2.0)",
    "x * np.int64(3)",
    "x ** 2",
    "x ** np.float64(2)",
    "x ** np.int64(3)",
    "np.maximum(x, 0.5)",
    "np.where(x > 0.5, x, 0.1)",
    "np.where(x > 0.5, x, np.float64(0.1))",
    "np.hypot(x, 1)",
    "x * True",
    "np.clip(x, 0.2, 0.6)",
    "np.fmod(x, 0.3)",
    "np.ldexp(x, 2)",
    "np.nan_to_num(x)",
    "np.sinc(x)",
    "sp.expit(x)",
    "sp.erf(x)",
    "sp.gammaln(x)",
    "sp.psi(x)",
    "sp.xlogy(x, x)",
    "np.exp(x) / (1 + x)",
    "np.float_power(x, 2)",
    "np.logaddexp(x, 1.0)",
]


@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
@pytest.mark.parametrize("method", ["forward", "reverse", "mixed", "symbolic"])
@pytest.mark.parametrize("text", SINGLE)
def test_the_dtype_is_numpys(text, method, engine):
    f = eval(f"lambda x: {text}", {"np": np, "sp": sp})  # noqa: S307 - a row of the table above
    x = X[0].astype(np.float32)
    plan = dk.get(method, engine=engine).prepare(f, x)
    assert plan.value(x).dtype == plan.jacobian(x).dtype == f(x).dtype
    if f(x).dtype == np.float32 and method == "forward":  # nor does anything on the way compute wider
        assert np.dtype(np.float64) not in {step.dtype for step in plan.graph.steps if step.operands}


@pytest.mark.parametrize("layout", ["Fortran", "strided", "reversed"])
def test_the_memory_layout_does_not_matter(layout, agrees):
    wide = np.zeros((4, 9))
    view = {"Fortran": np.asfortranarray(X), "strided": wide[::2, ::3], "reversed": wide[::-2, ::-3]}[layout]
    view[...] = X
    agrees(lambda x: np.exp(x) * x[:, :1] + np.sin(x[0]), view)


def test_what_cannot_be_traced_says_what_to_write_instead():
    with pytest.raises(TracingError, match="reduceat cannot be traced"):
        dk.grad(lambda x: np.sum(np.add.reduceat(x, [0, 2])))(np.ones(3))
