from __future__ import annotations

import sys

import numpy as np
import pytest

import diffkit as dk
from diffkit import costs, problems

TALL, WIDE = np.linspace(-1, 1, 600).reshape(200, 3), np.linspace(-1, 1, 600).reshape(3, 200)


def prepared(f, x, product="jacobian", **options):
    return dk.get("auto", **options).prepare(f, x, product=product)


def test_few_inputs_are_swept_forward_and_few_outputs_in_reverse():
    assert prepared(long(TALL), np.ones(3)).method == "forward"
    assert prepared(long(WIDE), np.ones(200)).method == "reverse"


@pytest.mark.parametrize("matrix", [TALL, WIDE])
def test_whatever_is_chosen_the_answer_is_right(matrix):
    x = np.linspace(0, 1, matrix.shape[1])
    expected = (1 - np.tanh(matrix @ x) ** 2)[:, None] * matrix
    np.testing.assert_allclose(prepared(lambda x: np.tanh(matrix @ x), x).run(x), expected, rtol=1e-13)


@pytest.mark.parametrize("outputs", [100, 300])
def test_sweeps_that_simplify_away_do_not_count(outputs):
    """One forward sweep or 300 in reverse: what is left of the 300 is one product with fewer steps."""
    weights = np.linspace(-1, 1, outputs)[:, None]
    f, x = (lambda x: np.tanh(weights @ x)), np.ones(1)
    counted = {name: costs.run_seconds(dk.get(name).prepare(f, x).graph) for name in ("forward", "reverse")}
    assert prepared(f, x).predicted_seconds == min(counted.values())


@pytest.mark.parametrize("product", ["value", "gradient", "value_and_gradient", "vjp", "hvp", "hessian"])
def test_one_return_sweep_where_one_is_enough(product):
    assert prepared(lambda x: np.sum(x**3), np.ones(4), product).method == "reverse"


def test_one_forward_sweep_along_a_direction():
    assert prepared(lambda x: np.sum(x**3), np.ones(4), "jvp").method == "forward"


def narrow(x):
    """Six inputs and five outputs: close in sweeps; the work is done on one number in the middle."""
    return np.exp(np.sin(np.sum(x * x)) * np.arange(1.0, 6.0))


@pytest.mark.parametrize("engine", ["numpy", "interpreted"])
def test_close_calls_are_decided_by_what_both_graphs_cost(engine):
    x = np.linspace(0.1, 0.6, 6)
    plan = prepared(narrow, x, engine=engine)
    priced = {
        name: costs.run_seconds(dk.get(name, engine=engine).prepare(narrow, x).graph, engine)
        for name in ("forward", "reverse", "mixed")
    }
    assert plan.method == min(priced, key=priced.get)
    assert plan.predicted_seconds == min(priced.values())
    s = np.sum(x * x)
    outer = np.arange(1.0, 6.0) * np.exp(np.sin(s) * np.arange(1.0, 6.0)) * np.cos(s)
    np.testing.assert_allclose(plan.run(x), np.outer(outer, 2 * x), rtol=1e-13)


def long(matrix):
    """More steps than are recorded both ways without need."""

    def f(x):
        y = matrix @ x if len(matrix) > len(x) else x
        for _ in range(60):
            y = np.sin(y) + 0.5 * y
        return y if len(matrix) > len(x) else matrix @ y

    return f


@pytest.mark.parametrize(
    ("f", "inputs", "recorded"),
    [
        (narrow, 6, {"forward", "reverse", "mixed"}),
        (lambda x: np.tanh(WIDE @ x), 200, {"forward", "reverse"}),
        (long(np.ones((5, 6))), 6, {"forward", "reverse"}),  # close
        (long(WIDE), 200, {"reverse"}),
        (long(TALL), 3, {"forward"}),
    ],
)
def test_candidates_come_cheapest_first_and_are_recorded_if_f_is_short_or_they_are_close(f, inputs, recorded):
    method = dk.get("auto")
    plan = method.prepare(f, np.ones(inputs))
    found = method.candidates(plan, plan._branches[0], "jacobian")  # noqa: SLF001 - what a method is handed
    assert {candidate.method.name for candidate in found if candidate.graph is not None} == recorded
    assert [candidate.seconds for candidate in found] == sorted(candidate.seconds for candidate in found)
    assert [(c.label, c.sweeps, c.seconds) for c in found] == list(plan.considered)
    assert found[0].method.name == plan.method


def test_where_all_passes_through_few_numbers_sweeps_start_there():
    instance = problems.get("autoencoder").at(300, 200)
    plan = prepared(instance.function, instance.point)
    assert plan.method == "mixed"
    assert {one.label: one.sweeps for one in plan.considered} == {"mixed": 5, "forward": 300, "reverse": 200}
    np.testing.assert_allclose(plan.run(instance.point), instance.jacobian(instance.point), rtol=1e-9, atol=1e-12)


def test_where_few_colours_serve_a_band_is_found_by_them():
    instance = problems.get("reaction-diffusion").at(300, 300)
    plan = prepared(instance.function, instance.point)
    assert plan.method == "sparse"
    assert plan.considered[0][:2] == ("sparse(form=dense)", 21)
    found = plan.run(instance.point)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, instance.jacobian(instance.point), rtol=1e-12, atol=1e-15)


def test_structure_that_simplification_finds_needs_no_colours():
    """Three directions serve for a thousand; but what is left of the thousand is less work than reading three."""
    instance = problems.get("tridiagonal").at(1000, 1000)
    plan = prepared(instance.function, instance.point)
    assert {one.label: one.sweeps for one in plan.considered}["sparse(form=dense)"] == 3
    counted = {m: dk.get(m).prepare(instance.function, instance.point).operations.total for m in ("forward", "sparse")}
    assert plan.operations.total <= counted["forward"] < counted["sparse"] * 10


def test_without_scipy_the_others_are_left(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    instance = problems.get("reaction-diffusion").at(100, 100)
    plan = prepared(instance.function, instance.point)
    assert {one.label for one in plan.considered} == {"forward", "reverse"}
    np.testing.assert_allclose(plan.run(instance.point), instance.jacobian(instance.point), rtol=1e-12, atol=1e-15)


def test_what_does_not_fit_into_memory_is_cut_into_chunks():
    x, matrix = np.linspace(0, 1, 40), np.linspace(-1, 1, 1600).reshape(40, 40)
    plan = prepared(lambda x: np.exp(x) * np.sin(matrix @ np.exp(x)), x, memory_limit=4000)
    assert plan.operations.total > plan.graph.operations.total
    inner = matrix @ np.exp(x)
    expected = np.exp(x) * (np.diag(np.sin(inner)) + (np.exp(x) * np.cos(inner))[:, None] * matrix)
    np.testing.assert_allclose(plan.run(x), expected, rtol=1e-10, atol=1e-12)


def test_few_colours_need_no_chunks():
    x = np.linspace(0, 1, 40)
    plan = prepared(lambda x: np.exp(x) * x[::-1], x, memory_limit=4000)
    assert plan.method == "sparse"
    expected = np.diag(np.exp(x) * x[::-1]) + np.diag(np.exp(x))[:, ::-1]
    np.testing.assert_allclose(plan.run(x), expected, rtol=1e-13)


def test_directions_times_what_is_inside_f_have_to_fit_too():
    inner, outer = np.linspace(-1, 1, 6000).reshape(1000, 6), np.linspace(0, 1, 5000).reshape(5, 1000)
    x = np.linspace(0, 1, 6)
    expected = outer @ (np.cos(inner @ x)[:, None] * inner)
    for limit, cut in ((10**9, False), (30_000, True)):  # six directions of 1,000 doubles take 48,000 bytes
        plan = prepared(lambda x: outer @ np.sin(inner @ x), x, memory_limit=limit)
        assert (plan.operations.total > plan.graph.operations.total) == cut
        np.testing.assert_allclose(plan.run(x), expected, rtol=1e-9, atol=1e-9)


def test_every_branch_has_a_choice_of_its_own():
    def f(x):
        return np.tanh(TALL @ x[:3]) if x[0] > 0 else np.tanh(WIDE @ np.repeat(x, 100)[:200])

    jacobian = dk.jacobian(f, method="auto")
    assert jacobian(np.ones(3)).shape == (200, 3)
    assert jacobian(-np.ones(3)).shape == (3, 3)


@pytest.mark.parametrize(("kind", "method"), [("jvp", "forward"), ("vjp", "reverse")])
def test_who_has_no_rule_for_a_primitive_does_not_stand_for_election(kind, method):
    rules = {"jvp": lambda y, xs, ts: 3 * xs[0] ** 2 * ts[0], "vjp": lambda w, y, xs: (3 * xs[0] ** 2 * w,)}
    cube = dk.primitive(lambda x: x**3, **{kind: rules[kind]})
    x = np.linspace(0, 1, 5)
    plan = prepared(lambda x: np.sin(cube(x)), x)
    assert plan.method == method
    np.testing.assert_allclose(plan.run(x), np.diag(np.cos(x**3) * 3 * x**2), rtol=1e-14)


def test_where_nobody_has_a_rule_the_first_says_so():
    half = dk.primitive(lambda x: x**3, jvp=lambda y, xs, ts: ts[0])
    other = dk.primitive(lambda x: x**3, vjp=lambda w, y, xs: (w,))
    with pytest.raises(dk.TracingError, match="which reverse mode needs"):
        prepared(lambda x: half(x) + other(x), np.ones(3))


def test_sweeps_are_those_of_the_better_one():
    assert dk.get("auto").sweeps(7, 3) == dk.get("auto").sweeps(3, 7) == 3


def test_it_works_inside_a_function_that_is_differentiated():
    hessian = dk.jacobian(dk.jacobian(lambda x: x[0] ** 3 * x[1], method="auto"), method="auto")(np.array([2.0, 5.0]))
    np.testing.assert_allclose(hessian.reshape(2, 2), [[60.0, 12.0], [12.0, 0.0]], rtol=1e-14)
