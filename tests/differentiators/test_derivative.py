"""`Derivative`: one f, one signature; branches, names bound anew, threads, what it is made of."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
import pytest

import diffkit as dk

METHODS = ("finite-difference", "symbolic", "forward", "reverse")
GRAPHS = ("symbolic", "forward", "reverse")
X = np.array([1.0, 2.0])


# ---------------------------------------------------------------- branches


def pieces(x: Any) -> Any:
    if x[0] > 10:
        return x[0] ** 3
    if x[0] > 0:
        return x[0] ** 2 * x[1]
    return -x[1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
def test_every_branch_has_its_own_derivative(method: str, engine: str) -> None:
    plan = dk.get(method, engine=engine).prepare(pieces, X, product="gradient")
    for point, expected in [
        ((20.0, 1.0), (1200.0, 0.0)), ((3.0, 5.0), (30.0, 9.0)), ((-1.0, 5.0), (0.0, -1.0)),
        ((30.0, 1.0), (2700.0, 0.0)),
        ((-2.0, 5.0), (0.0, -1.0)), ((4.0, 5.0), (40.0, 16.0)), ((4.0, 6.0), (48.0, 16.0)),
    ]:  # fmt: skip
        np.testing.assert_allclose(plan.run(np.array(point)), expected, rtol=1e-8, atol=1e-7)


def test_too_many_branches_are_told_once_and_stay_right() -> None:
    def rounds(x: Any) -> Any:
        y = x[0]
        while y < 100.0:
            y = y * 2.0
        return y

    differentiate = dk.grad(rounds)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            for k in range(1, 20):
                assert differentiate(np.array([0.9 * 2.0**-k]))[0] == 2.0 ** (k + 7)
    assert [each.category for each in caught] == [UserWarning]
    assert "more than 8 are not kept" in str(caught[0].message)


# ---------------------------------------------------------------- names that f reads

SCALE = 2.0


def scaled(x: Any) -> Any:
    return SCALE * np.sum(x)


@pytest.mark.parametrize("method", METHODS)
def test_a_global_that_is_bound_anew_is_noticed(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = dk.get(method).prepare(scaled, X, product="gradient")
    np.testing.assert_allclose(plan.run(X), [2, 2], rtol=1e-8)
    monkeypatch.setitem(scaled.__globals__, "SCALE", 3.0)
    np.testing.assert_allclose(plan.run(X), [3, 3], rtol=1e-8)


class Model:
    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __call__(self, x: Any) -> Any:
        return self.scale * np.sum(x**2)

    def loss(self, x: Any) -> Any:
        return self.scale * x[0]


@pytest.mark.parametrize("method", METHODS)
def test_an_attribute_that_is_set_anew_is_noticed(method: str) -> None:
    model = Model(2.0)
    whole, part = dk.grad(model, method=method), dk.grad(model.loss, method=method)
    outer = dk.grad(lambda x: model(x) + 0.0, method=method)
    for scale in (2.0, 5.0, 2.0):
        model.scale = scale
        np.testing.assert_allclose(whole(X), 2 * scale * X, rtol=1e-8)
        np.testing.assert_allclose(part(X), [scale, 0], rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(outer(X), 2 * scale * X, rtol=1e-8)


def test_a_name_that_only_another_branch_reads_is_noticed_there() -> None:
    left, right = 2.0, 3.0

    def f(x: Any) -> Any:
        return left * x[0] if x[0] < 0 else right * x[0]

    differentiate = dk.grad(f)
    negative, positive = np.array([-1.0]), np.array([1.0])
    assert (differentiate(negative)[0], differentiate(positive)[0]) == (2.0, 3.0)
    left = 7.0
    assert (differentiate(positive)[0], differentiate(negative)[0]) == (3.0, 7.0)
    right = 8.0
    assert (differentiate(negative)[0], differentiate(positive)[0]) == (7.0, 8.0)


@pytest.mark.parametrize("method", METHODS)
def test_arrays_changed_in_place_count(method: str) -> None:
    weights = np.array([1.0, 2.0])
    plan = dk.get(method).prepare(lambda x: np.sin(weights @ x), X, product="gradient")
    for first in (1.0, 0.5):
        weights[0] = first
        np.testing.assert_allclose(plan.run(X), np.cos(weights @ X) * weights, rtol=1e-8)


def test_what_cannot_be_noticed_is_cured_by_tracing_again() -> None:
    settings = {"scale": 2.0}
    plan = dk.get("reverse").prepare(lambda x: settings["scale"] * x[0], X, product="gradient")
    settings["scale"] = 5.0
    plan.retrace()
    assert plan.graph is not None  # what was known is still there to be looked at
    np.testing.assert_array_equal(plan.run(X), [5, 0])


# ---------------------------------------------------------------- signatures


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.ones(3), r"prepared for float64 \(2,\), but called with float64 \(3,\)"),
        (np.ones(2, np.float32), r"called with float32 \(2,\)"),
        ([1.0, 2.0], r"called with float64 \(\), float64 \(\) in containers"),
    ],
)
def test_a_plan_serves_one_signature(given: Any, words: str) -> None:
    with pytest.raises(dk.InputError, match=words):
        dk.get("reverse").prepare(np.sum, X).jacobian(given)


def test_a_plan_serves_one_value_of_what_is_no_array() -> None:
    plan = dk.get("reverse").prepare(lambda x, kind: np.sum(x), X, "a")
    with pytest.raises(dk.InputError, match=r"prepared for float64 \(2,\), 'a', but called with float64 \(2,\), 'b'"):
        plan.run(X, "b")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "x",
    [X[::-1], np.array([5.0, 1.0, 6.0, 2.0])[1::2], np.array([1, 2]), np.array([1.0, 2.0], ">f8")],
)
def test_memory_layout_does_not_matter(x: Any, method: str) -> None:
    plan = dk.get(method).prepare(lambda x: np.sum(x**3), X, product="gradient")
    np.testing.assert_allclose(plan.run(x), 3 * np.asarray(x, float) ** 2, rtol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_results_belong_to_the_caller(method: str) -> None:
    plan = dk.get(method).prepare(lambda x: 1.0 * x, X)
    value, jacobian = plan.value(X), plan.run(X)
    value[:], jacobian[:] = -1, -1
    np.testing.assert_array_equal(X, [1, 2])
    np.testing.assert_allclose(plan.value(X), X, rtol=1e-15)
    np.testing.assert_allclose(plan.run(X), np.eye(2), rtol=1e-8)


# ---------------------------------------------------------------- threads


@pytest.mark.parametrize("method", METHODS)
def test_eight_threads_on_one_plan_give_the_serial_answers(method: str, in_threads) -> None:
    plan = dk.get(method).prepare(pieces, X, product="gradient")
    points = np.random.default_rng(0).uniform(-20, 20, (200, 2))
    serial = [dk.grad(pieces, method=method)(point) for point in points]
    found: dict[int, list[Any]] = {}
    ready = threading.Barrier(8)

    def work(number: int) -> None:
        ready.wait()
        order = np.random.default_rng(number).permutation(len(points))
        answers: list[Any] = [None] * len(points)
        for spot in order:
            answers[spot] = plan.run(points[spot])
            if spot % 50 == 0:
                plan.retrace()
        found[number] = answers

    in_threads(work, range(8))
    assert sorted(found) == list(range(8))
    for answers in found.values():
        np.testing.assert_array_equal(answers, serial)


# ---------------------------------------------------------------- what it is made of


@pytest.mark.parametrize("method", GRAPHS)
@pytest.mark.parametrize(
    "product", ["value", "gradient", "value_and_gradient", "jacobian", "jvp", "vjp", "hessian", "hvp"]
)
def test_a_program_is_there_to_be_read(method: str, product: str) -> None:
    plan = dk.get(method).prepare(lambda x: np.sum(np.sin(x) * x), X, product=product)
    plan.graph.check()
    assert plan.source.startswith("def plan(")
    assert plan.operations == plan.graph.operations
    assert plan.calls == 0
    assert (plan.inputs, plan.outputs) == (2, 1)
    assert str(plan.function_graph).startswith("v0 = input")
    assert dk.get(method, engine="interpreted").prepare(np.sum, X).source == ""


def test_a_black_box_has_no_graph() -> None:
    plan = dk.get("finite-difference").prepare(lambda x: float(x[0]), X)
    assert plan.graph is None
    assert plan.function_graph is None
    assert plan.operations is None
    assert plan.function_operations is None
    assert plan.source == ""


def test_only_symbolic_has_expressions() -> None:
    with pytest.raises(dk.UnsupportedError, match="use method='symbolic'"):
        _ = dk.get("reverse").prepare(np.sum, X).expressions


# ---------------------------------------------------------------- doing the same twice


def random_sum(x: Any) -> Any:
    return np.sum(x) * np.random.default_rng().uniform()


class Counter:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return np.sum(x) * self.calls


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("f", [random_sum, Counter(), lambda x: float(x[0]) * np.random.default_rng().uniform()])
def test_verify_finds_random_numbers_and_state(f: Any, method: str) -> None:
    with pytest.raises(dk.TracingError, match=r"random numbers or keeps state|plain number"):
        dk.get(method).prepare(f, X, verify=True)


def test_verify_is_silent_where_f_is_a_function() -> None:
    np.testing.assert_array_equal(dk.get("reverse").prepare(pieces, X, verify=True).run(X), [[4, 1]])
