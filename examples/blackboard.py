"""Backpropagation through a function of your own, as a blackboard shows it; and a check of a gradient by hand."""

import numpy as np

import diffkit as dk


def loss(w, b):
    """Squared error of one tanh unit on three samples."""
    x, y = np.array([-1.0, 0.5, 2.0]), np.array([-0.5, 0.3, 0.9])
    return np.sum((np.tanh(w * x + b) - y) ** 2)


explained = dk.explain(loss, 0.7, 0.1)
print(explained)
for edge in explained.edges:
    print(edge)


def by_hand(p):
    """The same gradient, with a mistake: the derivative of tanh is missing in one place."""
    x, y = np.array([-1.0, 0.5, 2.0]), np.array([-0.5, 0.3, 0.9])
    a = np.tanh(p["w"] * x + p["b"])
    return {"w": np.sum(2 * (a - y) * (1 - a**2) * x), "b": np.sum(2 * (a - y))}


print(dk.check(lambda p: loss(p["w"], p["b"]), {"w": 0.7, "b": 0.1}, by_hand, raises=False).summary)
