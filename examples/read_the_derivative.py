"""What does a derivative consist of? Its graph, its program, its formula."""

import numpy as np

import diffkit as dk


def f(x):
    """The neuron of the textbooks."""
    return 1.0 / (1.0 + np.exp(-(x[0] * 2.0 + x[1])))


x = np.array([0.5, -0.3])
plan = dk.get("reverse").prepare(f, x, product="gradient")
print(plan.graph, "\n")
print(plan.source)
print(f"{plan.operations.total} operations, {plan.function_operations.total} of f itself\n")
print(dk.get("symbolic", form="expression").prepare(f, x).expressions)
