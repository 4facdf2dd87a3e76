"""Every kind of function, and of helper that it calls."""
# ruff: noqa: PLW0108, PLW0603, C417, PLC3002 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import functools
import textwrap
import types

import numpy as np
import pytest

import diffkit as dk

METHODS = ["finite-difference", "symbolic", "forward", "reverse", "mixed"]
every_method = pytest.mark.parametrize("method", METHODS)
X = np.array([1.0, 2.0, 3.0])
WEIGHTS = np.array([1.0, 10.0, 100.0])
RATE = 2.0


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def uses_rate(x):
    return x**2 * RATE


def in_a_default(x, weights=WEIGHTS):
    return np.sum(weights * x**2)


def fills(n):
    out = np.zeros(n)
    out[0] = 1.0
    return out


def helper_that_makes_an_array(x):
    out = fills(3)
    out[1] = x[0] ** 2
    return np.sum(out)


def power(x, n):
    return 1.0 if n == 0 else x * power(x, n - 1)


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


def generator(x):
    yield from (entry**2 for entry in x)


@every_method
@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (helper_that_makes_an_array, X[:1], [2.0]),
        (lambda x: power(x, 4), 2.0, 32.0),
        (lambda x: x**2 if even(4) else x, 3.0, 6.0),
        (lambda x: sum(generator(x)), X, 2 * X),
        (lambda x: sum(map(lambda t: t * t, x)), X, 2 * X),
        (lambda x: functools.reduce(lambda a, b: a * b, x), X, [6.0, 3.0, 2.0]),
        (lambda x: (lambda y: y * y)(x), 3.0, 6.0),
        (lambda x: {"a": x**2, "b": x}["a"], 3.0, 6.0),
        (lambda x: np.sum(np.array([[f(x) for f in (np.sin, np.cos)]]) ** 2), 1.0, 0.0),
        (functools.partial(np.multiply, 3.0), 2.0, 3.0),
        (np.square, 3.0, 6.0),
        (np.sum, X, np.ones(3)),
        (functools.lru_cache(maxsize=None)(uses_rate).__wrapped__, 3.0, 12.0),
    ],
    ids=[
        "helper makes an array", "recursion", "mutual recursion", "generator", "map", "reduce", "lambda in place",
        "dictionary", "list of ufuncs", "partial of a ufunc", "ufunc", "function of NumPy", "wrapped",
    ],
)  # fmt: skip
def test_every_kind_of_function(f, x, expected, method):
    close(dk.grad(f, method=method)(x), expected)


def project(name, source, **names):
    """A module of a user's own."""
    module = types.ModuleType(name)
    module.__dict__.update(names)
    exec(textwrap.dedent(source), module.__dict__)  # noqa: S102 - as import would
    return module


def test_numpy_under_any_name():
    f = project(
        "an_example",
        """
        import numpy
        import numpy as xp
        import numpy.linalg as la
        from numpy import zeros, array, sin

        def f(x):
            out = zeros(2)
            out[0] = sin(x[0])
            more = numpy.ones(1)
            more[0] = x[1]
            return out[0] * la.norm(array([x[0], x[1]])) + xp.sum(more)
        """,
    ).f
    expected = [np.cos(0.3) * 0.5 + np.sin(0.3) * 0.3 / 0.5, np.sin(0.3) * 0.4 / 0.5 + 1.0]
    close(dk.grad(f)(np.array([0.3, 0.4])), expected)


def test_modules_of_the_same_project_are_followed():
    helper = project(
        "an_example.helper",
        """
        import numpy as np
        weights = np.ones(2)

        def fill(x):
            out = np.zeros(2)
            out[0] = x
            return out * weights
        """,
    )
    f = project("an_example", "def f(x): return helper.fill(x).sum() * helper.weights[0]", helper=helper).f
    gradient = dk.grad(f)
    assert gradient(2.0) == 1.0
    helper.weights[0] = 3.0
    assert gradient(2.0) == 9.0
    helper.weights = np.full(2, 5.0)
    assert gradient(2.0) == 25.0


def test_f_may_assign_a_global():
    def f(x):
        global SEEN
        SEEN = 2.0
        return x * SEEN

    assert dk.grad(f)(1.0) == 2.0


def test_the_function_itself_is_never_changed():
    before = in_a_default.__globals__, in_a_default.__defaults__, np.zeros
    dk.grad(in_a_default)(X)
    assert in_a_default.__globals__ is before[0]
    assert in_a_default.__defaults__ is before[1]
    assert np.zeros is before[2]
    assert type(np.zeros(2)) is np.ndarray
    assert type(WEIGHTS) is np.ndarray


def test_errors_of_f_name_the_line_of_f():
    def f(x):
        return undefined_name * x  # noqa: F821 - what is tested

    with pytest.raises(NameError, match="undefined_name"):
        dk.grad(f)(1.0)
