"""Classifying networks with 1, 2 and L hidden layers, as functions of all parameters; an autoencoder, of its input."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from diffkit.problems.base import Array, Parts, Problem, Sizes, free

FEATURES, CLASSES, DEEP_WIDTH = 4, 3, 4
HIDDEN, CODE = 32, 5


def network(widths: Sequence[int], samples: int = 8) -> Parts:
    """Mean cross-entropy of a network of tanh layers, as a function of its parameters in one vector.

    Layer l turns the examples, rows of a, into tanh(aW + b), with W of shape ``(widths[l], widths[l + 1])``;
    the last layer has a softmax instead. The parameters are W and b of each layer in turn, flattened.
    The reference is backpropagation by hand: Goodfellow, Bengio and Courville, Deep Learning (2016),
    algorithm 6.4.

    Parameters
    ----------
    widths
        Features, units of each hidden layer, classes.
    samples
        Number of examples, whose features and classes are drawn at random.

    Examples
    --------
    >>> loss, parameters, jacobian, _ = network([4, 5, 3])
    >>> parameters.shape, loss(np.zeros(43))  # log 3
    ((43,), np.float64(1.098612))
    """
    rng = np.random.default_rng(0)
    features = rng.normal(size=(samples, widths[0]))
    classes = rng.integers(widths[-1], size=samples)
    rows = np.arange(samples)

    def layers(parameters: Array) -> list[tuple[Array, Array]]:
        split, start = [], 0
        for fan_in, fan_out in pairwise(widths):
            middle = start + fan_in * fan_out
            weights = parameters[start:middle].reshape(fan_in, fan_out)
            start = middle + fan_out
            split.append((weights, parameters[middle:start]))
        return split

    def loss(parameters: Array) -> Any:
        *hidden, (weights, biases) = layers(parameters)
        a = features
        for W, b in hidden:
            a = np.tanh(a @ W + b)
        z = a @ weights + biases
        z = z - z.max(axis=1, keepdims=True)  # exp must not overflow
        return np.mean(np.log(np.sum(np.exp(z), axis=1)) - z[rows, classes])

    def jacobian(parameters: Array) -> Array:
        activations, split = [features], layers(parameters)
        for W, b in split[:-1]:
            activations.append(np.tanh(activations[-1] @ W + b))
        z = activations[-1] @ split[-1][0] + split[-1][1]
        delta = np.exp(z - z.max(axis=1, keepdims=True))
        delta /= delta.sum(axis=1, keepdims=True)
        delta[rows, classes] -= 1
        delta /= samples
        gradients: list[Array] = []
        for a, (W, _) in zip(reversed(activations), reversed(split), strict=True):
            gradients[:0] = (a.T @ delta).ravel(), delta.sum(axis=0)
            delta = (delta @ W.T) * (1 - a**2)
        return np.concatenate(gradients)[np.newaxis]

    initial = [
        part
        for fan_in, fan_out in pairwise(widths)
        for part in (rng.normal(size=fan_in * fan_out) / np.sqrt(fan_in), rng.normal(size=fan_out) / 10)
    ]
    return loss, np.concatenate(initial), jacobian, 1.0


def _count(widths: Sequence[int]) -> int:
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths))


def _growing(name: str, summary: str, rule: str, shape: Callable[[int], Sequence[int]]) -> Problem:
    """Make the problem that has one network for each whole number h, with the widths ``shape(h)``."""

    def size(inputs: int) -> int:
        # The first h with at least that many parameters; parameters grow with h.
        return 1 + bisect_left(range(1, inputs), inputs, key=lambda h: _count(shape(h)))

    def build(inputs: int) -> Parts:
        return network(shape(size(inputs)))

    return Problem(
        name,
        summary,
        "Goodfellow, Bengio and Courville (2016), Deep Learning, section 6.5",
        Sizes(rule, lambda A, B: B == 1 and _count(shape(size(A))) == A, scales_inputs=True),
        build,
    )


def autoencoder(inputs: int, outputs: int) -> Parts:
    """Decode the code of x: from A inputs through 32 units to 5, and through 32 units to B outputs.

    Whatever A and B are, all that the outputs know of the inputs are 5 numbers. The reference multiplies the layers'
    Jacobians, the last one first.

    Examples
    --------
    >>> f, x, jacobian, _ = autoencoder(30, 20)
    >>> f(x).shape, int(np.linalg.matrix_rank(jacobian(x)))
    ((20,), 5)
    """
    rng = np.random.default_rng(0)
    layers = [rng.normal(size=(n, m)) / np.sqrt(m) for m, n in pairwise((inputs, HIDDEN, CODE, HIDDEN, outputs))]

    def function(x: Array) -> Any:
        *hidden, last = layers
        for W in hidden:
            x = np.tanh(W @ x)
        return last @ x

    def jacobian(x: Array) -> Array:
        *hidden, last = layers
        slopes = []
        for W in hidden:
            x = np.tanh(W @ x)
            slopes.append((1 - x**2)[:, np.newaxis] * W)
        J: Array = last
        for slope in reversed(slopes):
            J = J @ slope
        return J

    return function, rng.normal(size=inputs), jacobian, 1.0


PROBLEMS = (
    _growing(
        "network-1",
        "Cross-entropy of a network with one hidden layer, which widens.",
        "A = 8 h + 3 for a width h >= 1, B = 1",
        lambda h: (FEATURES, h, CLASSES),
    ),
    _growing(
        "network-2",
        "Cross-entropy of a network with two hidden layers, which widen.",
        "A = h^2 + 9 h + 3 for a width h >= 1, B = 1",
        lambda h: (FEATURES, h, h, CLASSES),
    ),
    _growing(
        "network-deep",
        "Cross-entropy of a network with L hidden layers of 4 units, which deepens.",
        "A = 20 L + 15 for a depth L >= 1, B = 1",
        lambda depth: (FEATURES, *[DEEP_WIDTH] * depth, CLASSES),
    ),
    Problem(
        "autoencoder",
        "A to 32 to 5 to 32 to B, layers of tanh: a code of 5 numbers between any A and B.",
        "Hinton and Salakhutdinov (2006), Reducing the dimensionality of data with neural networks",
        free(),
        autoencoder,
    ),
)
