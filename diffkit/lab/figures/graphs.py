"""Graphs as the blackboard draws them: the four worked examples, and a network with a hidden layer."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import numpy as np
from matplotlib.figure import Figure

from diffkit import problems
from diffkit.differentiators import get
from diffkit.explaining import explain
from diffkit.explaining.drawing import draw
from diffkit.graph import Graph
from diffkit.lab.figures import LabFigure

EXAMPLES = {
    "worked-example": "x z",
    "composition": "x",
    "product-of-sum": "x y z",
    "sigmoid-neuron": "w0 x0 w1 x1 w2",
}
"""The problems that a course works through by hand, and what it calls their inputs."""


def example(name: str) -> Figure:
    """A worked example with the value at each node, and the derivative of the result by it."""
    names = EXAMPLES[name]
    problem = problems.get(name).at(len(names.split()))
    return draw(explain(problem.function, problem.point, names=names), values=True).figure()


def network(W1: Any, b1: Any, W2: Any, b2: Any, x: Any) -> Any:
    """The sum of a network's squared outputs, with one hidden layer."""
    return np.sum((W2 @ np.tanh(W1 @ x + b1) + b2) ** 2)


def hidden_layer() -> Figure:
    """A network on vectors: one node for each array."""
    arrays = [np.full((5, 2), 0.3), np.zeros(5), np.full((1, 5), -0.2), np.ones(1), np.array([1.0, 2.0])]
    return draw(network, *arrays).figure()


def derivative() -> Figure:
    """The graph that reverse mode makes of a worked example."""
    plan = get("reverse").prepare(lambda x: np.cos(np.sin(x**2) + 3 * x**2), 0.7, product="gradient")
    return draw(cast("Graph", plan.graph)).figure()  # None is for black boxes


FIGURES = (
    *(
        LabFigure(f"graph-{name}", f"What does the graph of the problem {name} look like?", partial(example, name))
        for name in EXAMPLES
    ),
    LabFigure("graph-network", "What does the graph of a network with one hidden layer look like?", hidden_layer),
    LabFigure("graph-derivative", "What does the graph of a derivative look like?", derivative),
)
