from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit import costs
from diffkit.roofline import Roofline


def f(x):
    return np.sum(np.sin(x[1:]) * x[:-1])


@pytest.mark.parametrize(
    "product", ["value", "gradient", "value_and_gradient", "jacobian", "hessian", "jvp", "vjp", "hvp"]
)
def test_every_product_has_a_roofline(product):
    plan = dk.get("reverse").prepare(f, np.ones(5), product=product)
    found = plan.roofline()
    assert isinstance(found, Roofline)
    assert found.seconds > 0
    assert found.bound > 0


@pytest.mark.parametrize("method", ["finite-difference", "symbolic", "forward", "reverse", "auto"])
def test_every_method_has_a_prediction(method):
    plan = dk.get(method).prepare(f, np.ones(5))
    assert plan.predicted_seconds > 0
    assert plan.roofline(seconds=1.0).share == plan.roofline(seconds=1.0).bound


def test_finite_differences_cost_their_calls():
    plan = dk.get("finite-difference").prepare(f, np.ones(50))
    assert plan.calls == 100
    assert plan.predicted_seconds == pytest.approx(100 * costs.run_seconds(plan.function_graph), rel=1e-12)


def test_chunks_cost_their_number():
    def g(x):
        return np.exp(np.outer(x, x)).sum(axis=0)

    x = np.linspace(0, 1, 30)
    plan = dk.get("forward", memory_limit=30_000).prepare(g, x)
    chunks = plan.operations.total / plan.graph.operations.total
    assert chunks == round(chunks) > 1
    assert plan.predicted_seconds == pytest.approx(chunks * costs.run_seconds(plan.graph), rel=1e-12)


def test_a_black_box_has_no_prediction_and_no_roofline():
    plan = dk.get("finite-difference").prepare(lambda x: float(x[0]) ** 2, np.ones(2))
    assert plan.predicted_seconds is None
    with pytest.raises(dk.UnsupportedError, match="only a traced f has a roofline"):
        plan.roofline()


def test_a_method_names_itself():
    assert dk.get("symbolic").prepare(f, np.ones(3)).method == "symbolic"
