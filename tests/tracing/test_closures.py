"""What f reads besides its arguments: arrays by reference, names bound anew noticed, helpers of the project traced."""
# ruff: noqa: PLW0108, PLW0603 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import functools
import types

import numpy as np
import pytest

import diffkit as dk

METHODS = ["finite-difference", "symbolic", "forward", "reverse", "mixed"]
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
