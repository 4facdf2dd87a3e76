"""Graphs as the blackboard draws them: the four worked examples, and a network with a hidden layer."""

from __future__ import annotations

from functools import partial
from typing import cast

import numpy as np
from matplotlib.figure import Figure

from diffkit import problems
from diffkit.differentiators import get
from diffkit.explaining import explain
from diffkit.explaining.drawing import draw
from diffkit.graph import Graph
from diffkit.lab.figures import LabFigure
from diffkit.lab.networks import Network

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


def hidden_layer() -> Figure:
    """The cost of a network with one hidden layer, on four examples: one node for each array."""
    network, X, Y = Network((2, 5, 1)), np.array([[0.0, 0, 1, 1], [0, 1, 0, 1]]), np.array([[0.0, 1, 1, 0]])
    return draw(network.cost, network.named(network.initial()), X, Y).figure()


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
