"""All methods agree with the hand-derived derivative of every problem; costs grow as the textbooks say, counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk
from diffkit import problems
from diffkit.problems import Instance

EPSILON = np.finfo(float).eps
EXACT, CENTRAL, FORWARD, COMPLEX = 1e-9, 1e-6, 1e-3, 1e-12

SIZES = [(1, 1), (2, 1), (3, 1), (5, 1), (2, 2), (3, 3), (2, 4), (5, 3), (11, 1), (13, 1), (19, 1), (20, 1)]
SIZES += [(30, 1), (35, 1), (65, 1)]
CASES = [
    (name, inputs, outputs)
    for name in problems.names()
    for inputs, outputs in SIZES
    if problems.get(name).fits(inputs, outputs) and (inputs <= 5 or not problems.get(name).fits(5, outputs))
]
LONG = ("logistic-digits", "scalar-loop", "deep-map", "autoencoder", "reaction-diffusion")  # written out
METHODS = {
    "central": ("finite-difference", {"scheme": "central"}, CENTRAL),
    "forward differences": ("finite-difference", {"scheme": "forward"}, FORWARD),
    "richardson": ("finite-difference", {"scheme": "richardson"}, CENTRAL),
    "complex-step": ("finite-difference", {"scheme": "complex-step"}, COMPLEX),
    "symbolic": ("symbolic", {}, EXACT),
    "forward": ("forward", {}, EXACT),
    "reverse": ("reverse", {}, EXACT),
    "mixed": ("mixed", {}, EXACT),
    "mixed, interpreted": ("mixed", {"engine": "interpreted"}, EXACT),
    "sparse, dense": ("sparse", {"form": "dense"}, EXACT),
    "auto": ("auto", {}, EXACT),
    "reverse, interpreted": ("reverse", {"engine": "interpreted"}, EXACT),
}


def error(found: Any, instance: Instance) -> float:
    expected = instance.jacobian(instance.point)
    assert found.shape == expected.shape == (instance.outputs, instance.inputs)
    return float(np.max(np.abs(found - expected)) / max(np.max(np.abs(expected)), np.finfo(float).tiny))


def test_every_problem_has_a_case() -> None:
    assert {name for name, _, _ in CASES} == set(problems.names())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("name", "inputs", "outputs"), CASES)
def test_every_method_agrees_with_the_reference(name: str, inputs: int, outputs: int, method: str) -> None:
    problem = problems.get(name)
    if method == "complex-step" and not problem.analytic:
        pytest.skip("not analytic, and says so")
    if method == "symbolic" and name == "logistic-digits":
        pytest.skip("116,805 parameters: see below")
    instance = problem.at(inputs, outputs)
    kind, options, tolerance = METHODS[method]
    found = dk.jacobian(instance.function, method=kind, **options)(instance.point)
    assert error(found, instance) <= max(tolerance, 100 * EPSILON * instance.conditioning)


def test_symbols_have_a_stated_limit() -> None:
    instance = problems.get("logistic-digits").at(65)
    with pytest.raises(dk.TooLargeError, match="116805 symbols are more than the limit of 20000"):
        dk.jacobian(instance.function, method="symbolic")(instance.point)


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [case for case in CASES if case[1] <= 3 and case[0] not in LONG],
)
def test_the_closed_expression_agrees_too(name: str, inputs: int, outputs: int) -> None:
    instance = problems.get(name).at(inputs, outputs)
    found = dk.jacobian(instance.function, method="symbolic", form="expression")(instance.point)
    assert error(found, instance) <= max(EXACT, 100 * EPSILON * instance.conditioning)


@pytest.mark.parametrize("name", ["deep-map", "reaction-diffusion"])
def test_many_layers_written_out_are_refused_while_they_are_read(name: str) -> None:
    instance = problems.get(name).at(3, 3)
    with pytest.raises(dk.TooLargeError, match=r"operations written out, and more to come .* use form='shared'"):
        dk.jacobian(instance.function, method="symbolic", form="expression")(instance.point)


@pytest.mark.parametrize(
    "name", [name for name in problems.names() if problems.get(name).twice and problems.get(name).fits(3, 1)]
)
def test_hessians_agree_with_differences_of_the_reference_gradient(name: str) -> None:
    instance = problems.get(name).at(3)
    x, h = instance.point, 1e-5
    rows = [(instance.jacobian(x + h * unit)[0] - instance.jacobian(x - h * unit)[0]) / (2 * h) for unit in np.eye(3)]
    for method in ("reverse", "forward", "mixed", "auto", "symbolic"):
        if method == "symbolic" and name == "deep-map":
            with pytest.raises(dk.TooLargeError, match="more than 20000 named subexpressions"):
                dk.hessian(instance.function, method=method)(x)
            continue
        found = dk.hessian(instance.function, method=method)(x)
        np.testing.assert_allclose(found, rows, rtol=1e-6, atol=1e-6 * np.max(np.abs(rows)))


# ---------------------------------------------------------------- counted claims


SCALAR = [
    (name, inputs)
    for name in problems.names()
    for inputs in (1, 2, 3, 5, 10, 11, 13, 19, 20, 30, 35, 65, 100, 1000)
    if problems.get(name).fits(inputs)
]


@pytest.mark.parametrize(("name", "inputs"), SCALAR)
def test_a_gradient_costs_at_most_five_times_f(name: str, inputs: int) -> None:
    instance = problems.get(name).at(inputs)
    plan = dk.get("reverse").prepare(instance.function, instance.point, product="gradient")
    gradient, function = plan.operations, plan.function_operations
    assert gradient is not None
    assert function is not None
    assert gradient.total <= 5 * function.total


def test_four_thousand_scalar_reads_cost_no_more() -> None:
    instance = problems.get("scalar-reads").at(4000)
    plan = dk.get("reverse").prepare(instance.function, instance.point, product="gradient")
    assert plan.operations.total <= 5 * plan.function_operations.total
    assert plan.run(instance.point).shape == (4000,)


def bottleneck(inputs: int, outputs: int) -> Any:
    """A to 5 to B: nearly all work is between, so that f costs about the same at every A and B."""
    into, out = np.ones((5, inputs)) / inputs, np.linspace(0.5, 1.5, outputs * 5).reshape(outputs, 5)

    def f(x: Any) -> Any:
        y = into @ x
        for _ in range(200):
            y = np.sin(y) * y + 1.0
        return out @ y

    return f


def operations(method: str, inputs: int, outputs: int, product: str = "jacobian") -> int:
    plan = dk.get(method).prepare(bottleneck(inputs, outputs), np.ones(inputs), product=product)
    return plan.operations.total


GROWTH = {  # method -> exponents of its operations in A (at B = 1) and in B (at A = 1)
    "forward": (1.0, 0.0),
    "reverse": (0.0, 1.0),
}


@pytest.mark.parametrize("method", GROWTH)
def test_operations_of_a_jacobian_grow_as_the_slide_says(method: str) -> None:
    sizes = [4, 8, 16, 32]
    for place, expected in enumerate(GROWTH[method]):
        counts = [operations(method, *((size, 1) if place == 0 else (1, size))) for size in sizes]
        cost = [operations(method, *((size, 1) if place == 0 else (1, size)), "value") for size in sizes]
        exponent = np.polyfit(np.log(sizes), np.log(np.divide(counts, cost)), 1)[0]
        assert abs(exponent - expected) < 0.15


def _logistic(method: str, depth: int, **options: str) -> int:
    instance = problems.get("logistic-map").at(1, depth=depth)
    return dk.get(method, **options).prepare(instance.function, instance.point).operations.total


@pytest.mark.parametrize("method", ["symbolic", "forward", "reverse"])
def test_shared_expressions_grow_linearly_with_depth(method: str) -> None:
    counts = [_logistic(method, depth) for depth in (10, 20, 30, 40)]
    assert np.ptp(np.diff(counts)) <= 1  # the same number of operations for every ten rounds, but for a last one


def test_closed_expressions_grow_exponentially_with_depth() -> None:
    counts = [_logistic("symbolic", depth, form="expression") for depth in range(1, 9)]
    ratios = np.divide(counts[1:], counts[:-1])
    assert ratios.min() >= 2
    assert counts[-1] > 50 * _logistic("symbolic", 8)
