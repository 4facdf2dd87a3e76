"""A recurrent network: an LSTM cell that reads a sequence step by step, and a softmax of what it holds at the end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from diffkit.errors import check_whole
from diffkit.problems.base import Array, Parts, Problem, Sizes
from diffkit.problems.layered import Classifier, columns, flat
from diffkit.problems.outputs import sigmoid, softmax

FEATURES, CLASSES, SAMPLES = 2, 2, 3  # of the problem


@dataclass(frozen=True)
class RecurrentNetwork(Classifier):
    """Classify sequences: an LSTM cell reads T steps of D numbers, and a softmax reads what it gives at the last.

    At each step, i, f, o = sigmoid and g = tanh of W[1] (x, h) + b[1], in this order; then c = f c + i g and
    h = o tanh(c), from c = h = 0. A sequence is a column of X, step after step. W[1] has shape ``(4 H, D + H)``,
    W[2] has ``(K, H)``. After Hochreiter and Schmidhuber (1997), Long short-term memory; the forget gate f is of Gers,
    Schmidhuber and Cummins (2000), Learning to forget.

    Attributes
    ----------
    width
        H, how many numbers the cell holds.
    classes
        K, how many.
    steps
        T, the length of a sequence.
    features
        D, how many numbers are read at each step.

    Raises
    ------
    InputError
        One of these is no whole number from 1.

    Examples
    --------
    >>> network = RecurrentNetwork(width=6, classes=10)  # the rows of images of 8 x 8 pixels
    >>> network.count, network.predict(network.initial(), np.zeros((64, 5))).shape
    (430, (10, 5))
    """

    width: int = 6
    classes: int = 10
    steps: int = 8
    features: int = 8

    def __post_init__(self) -> None:
        for name in ("width", "classes", "steps", "features"):
            check_whole(getattr(self, name), name)

    @property
    def rows(self) -> tuple[int, int]:
        """Numbers of a sequence, and classes."""
        return self.steps * self.features, self.classes

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Of the weights of the cell, and of the softmax."""
        return (4 * self.width, self.features + self.width), (self.classes, self.width)

    def scores(self, parameters: Any, X: Any) -> Any:
        """Compute Z of the softmax, shape ``(K, m)``."""
        return self._forward(parameters, X)[-1]

    def _forward(self, parameters: Any, X: Any) -> tuple[list[tuple[Any, ...]], Any, Any]:
        """Compute what each step read, its gates and the c before it; the last h; scores."""
        (cell, b1), (W, b2) = self.layers(parameters)
        sequence = columns(X).reshape(self.steps, self.features, -1)
        c = h = np.zeros((self.width, sequence.shape[-1]))
        seen = []
        for x in sequence:
            read = np.concatenate([x, h])
            Z = (cell @ read + b1).reshape(4, self.width, -1)
            i, f, o = (sigmoid(z) for z in Z[:3])
            g = np.tanh(Z[3])
            seen.append((read, i, f, o, g, c))
            c = f * c + i * g
            h = o * np.tanh(c)
        return seen, h, W @ h + b2

    def backward(self, parameters: Array, X: Array, Y: Array) -> Array:
        """Compute the gradient of ``cost`` by hand: backpropagation through time, from the last step to the first.

        dh and dc come from the step after; W[1] and b[1] serve every step, so that their gradients add up.

        Returns
        -------
        array
            Shape ``(A,)``, ordered as the parameters.

        Examples
        --------
        >>> network = RecurrentNetwork(width=1, classes=2, steps=3, features=1)
        >>> network.backward(np.zeros(16), np.ones(3), np.array([0.0, 1.0]))[-2:]
        array([ 0.5, -0.5])
        """
        self.check(X, Y)
        seen, h, Z = self._forward(parameters, X)
        (cell, b), (W, _) = self.layers(parameters)
        dZ = (softmax(Z) - columns(Y)) / Z.shape[1]
        dcell, db = np.zeros_like(cell), np.zeros_like(b)
        dh, dc = W.T @ dZ, np.zeros_like(h)
        for read, i, f, o, g, c in reversed(seen):
            after = np.tanh(f * c + i * g)
            dc = dc + dh * o * (1 - after**2)
            gates = dc * g * i * (1 - i), dc * c * f * (1 - f), dh * after * o * (1 - o), dc * i * (1 - g**2)
            dgates = np.concatenate(gates)
            dcell += dgates @ read.T
            db += dgates.sum(axis=1, keepdims=True)
            dh = (cell.T @ dgates)[self.features :]
            dc = dc * f
        return flat([(dcell, db), (dZ @ h.T, dZ.sum(axis=1))])


def recurrent(inputs: int, steps: int = 3) -> Parts:
    """Mean cross-entropy of 3 sequences of noise in 2 classes, as a function of all parameters.

    Examples
    --------
    >>> cost, parameters, _, _ = recurrent(46, steps=5)
    >>> parameters.shape, cost(np.zeros(46))  # log 2
    ((46,), np.float64(0.693147))
    """
    check_whole(steps, "steps")
    network = RecurrentNetwork(_width(inputs), CLASSES, steps, FEATURES)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(steps * FEATURES, SAMPLES))
    Y = np.eye(CLASSES)[:, rng.integers(CLASSES, size=SAMPLES)]
    parameters = network.initial() + rng.normal(size=inputs) / 10  # intercepts that are not 0
    return (
        lambda parameters: network.cost(parameters, X, Y),
        parameters,
        lambda parameters: network.backward(parameters, X, Y)[np.newaxis],
        1.0,
    )


def _count(width: int) -> int:
    return RecurrentNetwork(width, CLASSES, 1, FEATURES).count


def _width(inputs: int) -> int:
    """The first width with at least that many parameters."""
    return next(width for width in count(1) if _count(width) >= inputs)


PROBLEMS = (
    Problem(
        "lstm-network",
        "Cross-entropy of an LSTM cell that reads 3 steps of 2 numbers, read by a softmax.",
        "Hochreiter and Schmidhuber (1997), Long short-term memory; Gers, Schmidhuber and Cummins (2000)",
        Sizes(
            "A = 4 H^2 + 14 H + 2 for a width H >= 1, B = 1",
            lambda A, B: B == 1 and _count(_width(A)) == A,
            scales_inputs=True,
        ),
        recurrent,
    ),
)
