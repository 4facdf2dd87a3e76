"""Mixed mode: what it saves, counted; the same answers as the chain rule by hand, whatever f and its arguments are."""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit import problems

INTO, OUT = np.linspace(-1, 1, 120).reshape(3, 40), np.linspace(-2, 1, 150).reshape(50, 3)
X = np.linspace(-0.4, 0.9, 40)


def narrow(x):
    """40 to 3 to 50."""
    return OUT @ np.sin(INTO @ x)


def narrow_jacobian(x):
    return OUT @ (np.cos(INTO @ x)[:, None] * INTO)


def prepared(f, *args, **options):
    product = {key: options.pop(key) for key in ("argnums", "has_aux", "product") if key in options}
    return dk.get("mixed", **options).prepare(f, *args, **product)


def operations(method, inputs, outputs):
    instance = problems.get("autoencoder").at(inputs, outputs)
    return dk.get(method).prepare(instance.function, instance.point).operations.total


def test_it_costs_as_many_sweeps_as_the_narrowest_place_has_entries():
    """Of the products with the layers' matrices, 2 n (32 + 32) 5 are left, and 2 n n 5 that join both sides."""
    for n in (100, 200, 400):
        assert operations("mixed", n, n) < 1.2 * (2 * n * 64 * 5 + 2 * n * n * 5 + 4 * n * 32)
        assert operations("forward", n, n) > 2 * n * n * 32 < operations("reverse", n, n)


@pytest.mark.parametrize("shape", [(7, 3), (3, 7)])
def test_without_a_bottleneck_it_is_the_sweep_with_fewer_directions(shape):
    matrix = np.linspace(-1, 1, 21).reshape(shape)
    f, x = (lambda x: np.tanh(matrix @ np.exp(x))), np.linspace(0, 1, shape[1])
    same = dk.get("forward" if shape[1] < shape[0] else "reverse").prepare(f, x)
    assert str(prepared(f, x).graph) == str(same.graph)


@pytest.mark.parametrize("outputs", [30, 50])
def test_one_number_in_the_middle(outputs):
    """One column times one row, laid out along the longer one."""
    weights = np.linspace(1, 2, outputs)
    x = 1 + X / 20
    found = prepared(lambda x: np.sin(weights * np.prod(x)), x).run(x)
    expected = np.outer(np.cos(weights * np.prod(x)) * weights, np.prod(x) / x)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_sums_over_all_ways_around():
    def f(x):
        return OUT @ np.sin(INTO @ x) * x[0] + np.exp(OUT @ x[:3] ** 2)

    def by_hand(x):
        jacobian = narrow_jacobian(x) * x[0]
        jacobian[:, 0] += narrow(x)
        jacobian[:, :3] += np.exp(OUT @ x[:3] ** 2)[:, None] * OUT * 2 * x[:3]
        return jacobian

    np.testing.assert_allclose(prepared(f, X).run(X), by_hand(X), rtol=1e-11, atol=1e-13)


def test_every_product():
    plan = prepared(narrow, X)
    v, w = np.cos(X), np.linspace(0, 1, 50)
    np.testing.assert_allclose(plan.jvp(X, v), narrow_jacobian(X) @ v, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(plan.vjp(X, w), w @ narrow_jacobian(X), rtol=1e-11, atol=1e-13)
    scalar = prepared(lambda x: np.sum(x**3), X, product="gradient")
    np.testing.assert_allclose(scalar.run(X), 3 * X**2, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(scalar.hessian(X), np.diag(6 * X), rtol=1e-11, atol=1e-13)


def test_arguments_in_containers_and_the_one_that_is_asked_for():
    def f(scale, x):
        return {"a": narrow(x["u"]) * scale, "b": np.sum(x["u"]) * x["v"]}

    x = {"u": X, "v": np.array([1.0, 2.0])}
    found = prepared(f, 3.0, x, argnums=1).run(3.0, x)
    expected = np.zeros((52, 42))
    expected[:50, :40] = 3 * narrow_jacobian(X)
    expected[50:, :40] = x["v"][:, None]
    expected[50:, 40:] = np.sum(X) * np.eye(2)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


def test_what_f_returns_besides_is_handed_on():
    jacobian, extra = prepared(lambda x: (narrow(x), INTO @ x), X, has_aux=True).run(X)
    np.testing.assert_allclose(jacobian, narrow_jacobian(X), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(extra, INTO @ X, rtol=1e-11, atol=1e-13)


def test_single_precision_stays():
    into, out, x = (array.astype(np.float32) for array in (INTO, OUT, X))
    found = prepared(lambda x: out @ np.sin(into @ x), x).run(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, narrow_jacobian(X), rtol=1e-4, atol=1e-5)


def test_every_branch_has_a_place_of_its_own():
    def f(x):
        return narrow(x) if x[0] > 0 else np.sin(x)

    jacobian = dk.jacobian(f, method="mixed")
    np.testing.assert_allclose(jacobian(X + 1), narrow_jacobian(X + 1), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(jacobian(X - 1), np.diag(np.cos(X - 1)), rtol=1e-11, atol=1e-13)


def test_inside_a_function_that_is_differentiated():
    found = dk.jacobian(lambda x: np.sum(dk.jacobian(narrow, method="mixed")(x) ** 2), method="mixed")(X)
    inner, slopes = INTO @ X, narrow_jacobian(X)
    by_x = [np.sum(2 * slopes * (OUT @ ((-np.sin(inner) * INTO[:, k])[:, None] * INTO))) for k in range(40)]
    np.testing.assert_allclose(found[0], by_x, rtol=1e-10)


@pytest.mark.parametrize("method", ["forward", "reverse", "mixed"])
def test_a_side_that_is_not_taken_leaves_nothing_behind(method):
    """The root's partial is infinite at 0, behind a select that takes the other side there."""

    def f(x):
        root = np.sqrt(np.sum(x**2))
        return np.where(root > 1.0, root, 0.0) * np.arange(1.0, 6.0)

    found = dk.jacobian(f, method=method)(np.zeros(7))
    np.testing.assert_array_equal(found, np.zeros((5, 7)))


def test_a_number_that_outputs_need_keeps_its_infinite_partial():
    found = prepared(lambda x: np.sqrt(x[0] * x[1]) * np.ones(3), np.ones(2)).run(np.array([0.0, 1.0]))
    assert np.isinf(found[:, 0]).all()


def test_what_does_not_fit_into_memory_is_swept_in_chunks():
    plan = prepared(narrow, X, memory_limit=600)
    assert plan.operations.total > plan.graph.operations.total
    np.testing.assert_allclose(plan.run(X), narrow_jacobian(X), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("limit", [0, -1, "much"])
def test_a_limit_that_is_none_is_refused(limit):
    with pytest.raises(dk.InputError, match="memory_limit"):
        dk.get("mixed", memory_limit=limit)


@pytest.mark.parametrize("engine", ["interpreted", "numpy", "llvm"])
def test_on_every_engine(engine):
    np.testing.assert_allclose(prepared(narrow, X, engine=engine).run(X), narrow_jacobian(X), rtol=1e-11, atol=1e-13)
