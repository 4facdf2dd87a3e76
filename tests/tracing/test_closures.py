"""What f reads besides its arguments: arrays by reference, names bound anew noticed, helpers of the project traced."""

from __future__ import annotations

import functools
import textwrap
import types

import numpy as np
import pytest

import diffkit as dk

METHODS = ["finite-difference", "symbolic", "forward", "reverse"]
every_method = pytest.mark.parametrize("method", METHODS)
X = np.array([1.0, 2.0, 3.0])
WEIGHTS = np.array([1.0, 10.0, 100.0])
TABLE = np.arange(6.0).reshape(2, 3)
RATE = 2.0


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.fixture(autouse=True)
def as_they_were():
    before = WEIGHTS.copy(), TABLE.copy(), RATE
    yield
    WEIGHTS[:], TABLE[:] = before[:2]
    globals()["RATE"] = before[2]


# ---------------------------------------------------------------- arrays changed in place


def in_a_global(x):
    return np.sum(WEIGHTS * x**2)


def in_a_default(x, weights=WEIGHTS):
    return np.sum(weights * x**2)


def in_a_keyword_default(x, *, weights=WEIGHTS):
    return np.sum(weights * x**2)


def in_a_view(x):
    return np.sum(WEIGHTS[::-1][::-1] * x**2)


def computed_before_it_meets_x(x):
    weights = np.cbrt(WEIGHTS**3) + 0.0 * TABLE.sum()
    return np.sum(weights * x**2)


def computed_from_entries(x):
    total = 0.0
    for k in range(3):
        weight = WEIGHTS[k] * 1.0
        total = total + weight * x[k] ** 2
    return total


def computed_by_a_method(x):
    return np.sum(WEIGHTS.copy().reshape(3, 1).T[0] * x**2) + 0.0 * TABLE.mean()


def by_a_product(x):
    return (WEIGHTS * x) @ x


def by_a_helper(x):
    return in_a_global(x)


def _weights():
    return WEIGHTS * 1.0


def by_a_helper_that_is_not_given_x(x):
    return np.sum(_weights() * x**2)


def in_a_closure():
    weights = WEIGHTS

    def f(x):
        return np.sum(weights * x**2)

    return f


def in_a_nested_closure():
    weights = WEIGHTS

    def f(x):
        def inner(t):
            return np.sum(weights * t**2)

        return inner(x)

    return f


def in_a_partial():
    return functools.partial(in_a_default, weights=WEIGHTS)


def in_a_positional_partial():
    return functools.partial(lambda weights, x: np.sum(weights * x**2), WEIGHTS)


class Model:
    def __init__(self):
        self.weights = WEIGHTS

    def method(self, x):
        return np.sum(self.weights * x**2)

    def __call__(self, x):
        return self.method(x)

    @staticmethod
    def static(x):
        return np.sum(WEIGHTS * x**2)


class Settings:
    weights = WEIGHTS


def in_an_attribute(x):
    return np.sum(Settings.weights * x**2)


def in_a_dictionary(x, options={"weights": WEIGHTS}):  # noqa: B006 - the default is what is tested
    return np.sum(options["weights"] * x**2)


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return 1.0 * function(*args, **kwargs)

    return wrapper


READING = {
    "global": in_a_global,
    "default": in_a_default,
    "keyword default": in_a_keyword_default,
    "view": in_a_view,
    "computed before": computed_before_it_meets_x,
    "computed from entries": computed_from_entries,
    "computed by a method": computed_by_a_method,
    "product": by_a_product,
    "helper": by_a_helper,
    "helper without x": by_a_helper_that_is_not_given_x,
    "closure": in_a_closure(),
    "nested closure": in_a_nested_closure(),
    "partial": in_a_partial(),
    "positional partial": in_a_positional_partial(),
    "bound method": Model().method,
    "callable object": Model(),
    "static method": Model.static,
    "attribute": in_an_attribute,
    "dictionary": in_a_dictionary,
    "lambda": lambda x: np.sum(WEIGHTS * x**2),
    "decorator": decorated(in_a_global),
}


@every_method
@pytest.mark.parametrize("f", READING.values(), ids=READING)
def test_arrays_changed_in_place_count_at_the_next_call(f, method):
    plan = dk.get(method).prepare(f, X, product="gradient")
    close(plan.run(X), 2 * WEIGHTS * X)
    WEIGHTS[1] = -7.0
    close(plan.run(X), [2.0, -28.0, 600.0])
    close(plan.value(X), np.sum(WEIGHTS * X**2))


@every_method
def test_second_derivatives_see_the_change_too(method):
    plan = dk.get(method).prepare(in_a_global, X, product="hessian")
    WEIGHTS[2] = 5.0
    np.testing.assert_allclose(plan.run(X), np.diag([2.0, 20.0, 10.0]), atol=1e-3, rtol=1e-4)


# ---------------------------------------------------------------- names bound anew


def uses_rate(x):
    return x**2 * RATE


@every_method
def test_a_global_bound_anew_is_noticed(method):
    global RATE
    plan = dk.get(method).prepare(uses_rate, 3.0, product="gradient")
    close(plan.run(3.0), 12.0)
    RATE = 5.0
    close(plan.run(3.0), 30.0)


@every_method
def test_a_closure_cell_bound_anew_is_noticed(method):
    rate, weights = 2.0, np.array([1.0, 2.0])

    def f(x):
        return np.sum(weights * x) * rate

    plan = dk.get(method).prepare(f, np.ones(2), product="gradient")
    close(plan.run(np.ones(2)), [2.0, 4.0])
    rate = 3.0
    close(plan.run(np.ones(2)), [3.0, 6.0])
    weights = np.array([5.0, 6.0])
    close(plan.run(np.ones(2)), [15.0, 18.0])


@every_method
def test_a_default_bound_anew_is_noticed(method):
    def f(x, rate=2.0, *, power=2):
        return rate * x**power

    plan = dk.get(method).prepare(f, 3.0, product="gradient")
    close(plan.run(3.0), 12.0)
    f.__defaults__ = (10.0,)
    close(plan.run(3.0), 60.0)
    f.__kwdefaults__ = {"power": 3}
    close(plan.run(3.0), 270.0)


@every_method
def test_a_helper_bound_anew_is_noticed(method, monkeypatch):
    plan = dk.get(method).prepare(by_a_helper, X, product="gradient")
    close(plan.run(X), 2 * WEIGHTS * X)
    monkeypatch.setitem(globals(), "in_a_global", lambda x: np.sum(x))
    close(plan.run(X), np.ones(3))


def test_a_global_that_a_helper_reads_is_noticed_too():
    global RATE

    def f(x):
        return uses_rate(x) + 1.0

    plan = dk.get("reverse").prepare(f, 3.0, product="gradient")
    RATE = 5.0
    close(plan.run(3.0), 30.0)


def test_what_did_not_change_is_not_traced_again():
    calls = []

    def f(x):
        calls.append(1)
        return np.sum(WEIGHTS * x) * RATE

    plan = dk.get("reverse").prepare(f, X, product="gradient")
    for _ in range(3):
        plan.run(X)
    assert len(calls) == 1


def test_retrace_cures_what_cannot_be_noticed():
    state = {"rate": 2.0}

    def f(x):
        return x * state["rate"]

    plan = dk.get("reverse").prepare(f, 1.0, product="gradient")
    state["rate"] = 3.0
    assert plan.run(1.0) == 2.0  # a number inside a container is a constant of the plan
    plan.retrace()
    assert plan.run(1.0) == 3.0


def test_what_plain_numpy_computes_from_an_attribute_is_a_constant_until_retraced():
    model = types.SimpleNamespace(weights=np.ones(3))

    def f(x):
        return np.sum(x * (model.weights * 2.0))  # computed before it meets x, out of sight

    plan = dk.get("reverse").prepare(f, X, product="gradient")
    model.weights[:] = 5.0
    close(plan.run(X), [2.0, 2.0, 2.0])
    plan.retrace()
    close(plan.run(X), [10.0, 10.0, 10.0])


# ---------------------------------------------------------------- kinds of functions


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
    f = project(
        "an_example", "def f(x): return helper.fill(x).sum() * helper.weights[0]", helper=helper
    ).f
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
