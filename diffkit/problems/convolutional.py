"""A convolutional network: filters that slide over an image, a pooling layer, and a dense layer with a softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.errors import InputError, check_name, check_whole
from diffkit.problems.base import Array, Parts, Problem, Sizes
from diffkit.problems.layered import Classifier, columns, flat
from diffkit.problems.outputs import softmax

KERNEL, POOL = 3, 2
SIDE, CLASSES, SAMPLES = 8, 2, 1  # of the problem


@dataclass(frozen=True)
class ConvolutionalNetwork(Classifier):
    """Classify square images: filters of 3 x 3, an activation, pooling over 2 x 2, and a dense layer with a softmax.

    An image of s x s pixels is a column of X, row after row. Each of F filters gives a map of (s - 2) x (s - 2), pooled
    to half its side. W[1] has shape ``(F, 9)``, a filter in each row; W[2] has ``(K, F (s/2 - 1)^2)``. After LeCun,
    Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition, section II.

    Attributes
    ----------
    filters
        F, how many.
    classes
        K, how many.
    side
        s, an even number from 4.
    hidden
        Activation after the filters: "tanh" or "relu".
    pool
        What is kept of four neighbours: their "mean" or "max".

    Raises
    ------
    InputError
        No whole number from 1, or a side that 2 x 2 pools do not fill.
    UnknownNameError
        Another activation or pooling.

    Examples
    --------
    >>> network = ConvolutionalNetwork(filters=4, classes=10)
    >>> network.count, network.predict(network.initial(), np.zeros((64, 5))).shape
    (410, (10, 5))
    """

    filters: int = 4
    classes: int = 10
    side: int = SIDE
    hidden: str = "tanh"
    pool: str = "mean"

    def __post_init__(self) -> None:
        check_name(self.hidden, ("tanh", "relu"), kind="activation after filters")
        check_name(self.pool, ("mean", "max"), kind="pooling")
        for name in ("filters", "classes", "side"):
            check_whole(getattr(self, name), name)
        if self.side < 4 or self.side % 2:
            raise InputError(f"side={self.side!r}; images need a side of 4, 6, 8, ... pixels, for whole 2 x 2 pools")

    @property
    def rows(self) -> tuple[int, int]:
        """Pixels of an image, and classes."""
        return self.side**2, self.classes

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Of the filters, a row each, and of the dense layer's weights."""
        pooled = (self.side - KERNEL + 1) // POOL
        return (self.filters, KERNEL**2), (self.classes, self.filters * pooled**2)

    def scores(self, parameters: Any, X: Any) -> Any:
        """Compute Z of the softmax, shape ``(K, m)``."""
        return self._forward(parameters, X)[-1]

    def _patches(self, X: Any) -> Any:
        """What the filters see: 9 rows of pixels, a column for each place of each image."""
        images = columns(X).reshape(self.side, self.side, -1)
        reach = self.side - KERNEL + 1
        seen = [images[i : i + reach, j : j + reach] for i in range(KERNEL) for j in range(KERNEL)]
        return np.stack(seen).reshape(KERNEL**2, -1)

    def _forward(self, parameters: Any, X: Any) -> tuple[Any, ...]:
        """Compute patches; maps (F, s/2 - 1, 2, s/2 - 1, 2, m), neighbours on the axes of 2; pooled maps; scores."""
        (filters, b1), (W, b2) = self.layers(parameters)
        patches = self._patches(X)
        Z = filters @ patches + b1
        A = np.tanh(Z) if self.hidden == "tanh" else np.where(Z > 0, Z, 0.0)
        half = (self.side - KERNEL + 1) // POOL
        maps = A.reshape(self.filters, half, POOL, half, POOL, -1)
        pooled = np.mean(maps, axis=(2, 4)) if self.pool == "mean" else np.max(maps, axis=(2, 4))
        return patches, maps, pooled, W @ pooled.reshape(W.shape[1], -1) + b2

    def backward(self, parameters: Array, X: Array, Y: Array) -> Array:
        """Compute the gradient of ``cost`` by hand: through the softmax, the dense layer, the pooling, and the filters.

        A filter's gradient sums over all places where it looked. Of neighbours that are equally the maximum, each has
        an equal share.

        Returns
        -------
        array
            Shape ``(A,)``, ordered as the parameters.

        Examples
        --------
        >>> network = ConvolutionalNetwork(filters=1, classes=2)
        >>> network.backward(np.zeros(30), np.ones(64), np.array([0.0, 1.0]))[-2:]
        array([ 0.5, -0.5])
        """
        self.check(X, Y)
        patches, maps, pooled, Z = self._forward(parameters, X)
        (_, (W, _)) = self.layers(parameters)
        dZ2 = (softmax(Z) - columns(Y)) / Z.shape[1]
        dW2 = dZ2 @ pooled.reshape(W.shape[1], -1).T
        dpooled = (W.T @ dZ2).reshape(pooled.shape)
        dmaps = self._shares(maps, pooled) * dpooled[:, :, np.newaxis, :, np.newaxis]
        slope = 1 - maps**2 if self.hidden == "tanh" else maps > 0
        dZ1 = (dmaps * slope).reshape(self.filters, -1)
        return flat([(dZ1 @ patches.T, dZ1.sum(axis=1)), (dW2, dZ2.sum(axis=1))])

    def _shares(self, maps: Array, pooled: Array) -> Array:
        """How much of a pooled number's derivative each of its four neighbours has."""
        if self.pool == "mean":
            return np.full_like(maps, 1 / POOL**2)
        largest = maps == pooled[:, :, np.newaxis, :, np.newaxis]
        return largest / largest.sum(axis=(2, 4), keepdims=True)


def convolutional(inputs: int) -> Parts:
    """Cross-entropy of an image of noise in 2 classes, as a function of all parameters.

    Examples
    --------
    >>> cost, parameters, _, _ = convolutional(58)
    >>> parameters.shape, cost(np.zeros(58))  # log 2
    ((58,), np.float64(0.693147))
    """
    network = ConvolutionalNetwork((inputs - CLASSES) // _EACH, CLASSES)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(SIDE**2, SAMPLES))
    Y = np.eye(CLASSES)[:, rng.integers(CLASSES, size=SAMPLES)]
    parameters = network.initial() + rng.normal(size=inputs) / 10  # intercepts that are not 0
    return (
        lambda parameters: network.cost(parameters, X, Y),
        parameters,
        lambda parameters: network.backward(parameters, X, Y)[np.newaxis],
        1.0,
    )


_EACH = ConvolutionalNetwork(1, CLASSES).count - CLASSES

PROBLEMS = (
    Problem(
        "convolutional-network",
        "Cross-entropy of F filters on an image of 8 x 8 pixels, pooled and read by a softmax.",
        "LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition",
        Sizes(
            f"A = {_EACH} F + {CLASSES} for F >= 1 filters, B = 1",
            lambda A, B: B == 1 and A > CLASSES and (A - CLASSES) % _EACH == 0,
            scales_inputs=True,
        ),
        convolutional,
    ),
)
