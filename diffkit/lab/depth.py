"""Why deep networks are hard to train: gradients that vanish from layer to layer, and costs with plateaus.

>>> import diffkit as dk
>>> from diffkit.lab import depth
>>> dk.grad(depth.repeated("sigmoid", 10))(0.0)  # at most (1/4)^10 = 9.5e-07
np.float64(3.8752e-07)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from diffkit.differentiators import Differentiator
from diffkit.errors import InputError, check_name, check_positive, check_whole
from diffkit.lab.data import Array
from diffkit.lab.networks import ACTIVATIONS, LOSSES, Network
from diffkit.operators import grad, value_and_grad
from diffkit.problems.base import generator

__all__ = ["LayerGradients", "Surface", "layer_gradients", "repeated", "surface"]

INITIALISATIONS: dict[str, Callable[[int, int], float]] = {
    "standard": lambda before, after: 1 / np.sqrt(before),
    "normalised": lambda before, after: np.sqrt(6 / (before + after)),
}
"""How far from 0 weights are drawn, between layers of so many units: Glorot and Bengio's equations 1 and 16."""


def repeated(activation: str, times: int) -> Callable[[Any], Any]:
    """Apply an activation so many times: x to g(g(...g(x))), plain NumPy for numbers and arrays of any shape.

    By the chain rule its derivative is the product of g' at every value on the way. For the sigmoid s that is a product
    of s(1 - s), none of which exceeds 1/4.

    Raises
    ------
    UnknownNameError
        No activation has that name.
    InputError
        ``times`` is no whole number from 1, or the activation does not act on each entry alone.

    Examples
    --------
    >>> repeated("sigmoid", 3)(0.0), repeated("relu", 100)(np.array([-1.0, 2.0]))
    (np.float64(0.650778), array([0., 2.]))
    """
    _check_activation(activation)
    check_whole(times, "times")
    g = ACTIVATIONS[activation].value

    def chain(x: Any) -> Any:
        for _ in range(times):
            x = g(x)
        return x

    return chain


@dataclass(frozen=True, eq=False)
class LayerGradients:
    """How much each layer of a network learns from one backward sweep, from the first hidden layer to the output.

    Attributes
    ----------
    activation, initialisation
        Of the hidden layers and their weights.
    Z
        ``(L,)``: the norm of dCost/dZ[l], the gradient with respect to what enters layer l's activation, all examples
        together; the output layer, which has another width, comes last.
    W
        ``(L,)``: the norm of dCost/dW[l], the gradient with respect to the layer's weights.
    """

    activation: str
    initialisation: str
    Z: Array
    W: Array


def layer_gradients(
    activation: str,
    initialisation: str = "standard",
    *,
    hidden: int = 10,
    width: int = 100,
    samples: int = 200,
    seed: int = 0,
    method: str | Differentiator = "reverse",
) -> LayerGradients:
    """How large is the gradient that reaches each layer of a deep network before training?

    The inputs are drawn from a standard normal distribution and the classes, ten of them, at random; the output is a
    softmax, and the cost the mean cross-entropy. Intercepts are 0. A zero matrix S[l] is added to each Z[l]: the
    gradient with respect to S[l] is dCost/dZ[l], and any method finds it.

    Parameters
    ----------
    activation
        Of the hidden layers, by name.
    initialisation
        "standard": weights from U[-1/sqrt(n), 1/sqrt(n)], n units in the layer before. "normalised": from
        U[-sqrt(6/(n + n')), sqrt(6/(n + n'))], n' units in the layer itself.
    hidden
        How many hidden layers.
    width
        How many features, and units of each hidden layer.
    samples
        How many examples.
    seed
        Of the random numbers.
    method
        Which differentiator; the cost has very many inputs and one output.

    Raises
    ------
    UnknownNameError
        No activation, initialisation or method has that name.
    InputError
        A number is no whole number from 1, the seed none from 0, or the activation does not act on each entry alone.

    Notes
    -----
    Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks", AISTATS,
    section 4; their figures 7 and 8 show the distributions whose spreads these norms are.

    Examples
    --------
    >>> shrinking = layer_gradients("sigmoid", hidden=5, width=30, samples=20)
    >>> shrinking.Z.shape, bool(shrinking.Z[0] < shrinking.Z[4] / 1000)
    ((6,), True)
    """
    _check_activation(activation)
    check_name(initialisation, INITIALISATIONS, kind="initialisation")
    for name, value in {"hidden": hidden, "width": width, "samples": samples}.items():
        check_whole(value, name)
    rng = generator(seed)
    g, loss = ACTIVATIONS[activation].value, LOSSES["multinomial-cross-entropy"].value
    X = rng.normal(size=(width, samples))
    Y = np.eye(10)[:, rng.integers(10, size=samples)]
    reach = INITIALISATIONS[initialisation]
    weights = [
        rng.uniform(-1, 1, size=(after, before)) * reach(before, after)
        for before, after in pairwise([*[width] * (hidden + 1), len(Y)])
    ]

    def cost(added: Sequence[Any], weights: Sequence[Any]) -> Any:
        Z, A = X, X
        for W, S in zip(weights, added, strict=True):
            Z = W @ A + S
            A = g(Z)
        return np.mean(loss(Z, A, Y))

    zeros = [np.zeros((len(W), samples)) for W in weights]
    found = grad(cost, method=method, argnums=(0, 1))(zeros, weights)
    by_Z, by_W = (np.array([np.linalg.norm(layer) for layer in layers]) for layers in found)
    return LayerGradients(activation, initialisation, by_Z, by_W)


@dataclass(frozen=True, eq=False)
class Surface:
    """A cost as a function of two weights, one of each layer, on a grid.

    Attributes
    ----------
    loss
        Which.
    weights
        ``(points,)``: the values that each weight takes.
    cost
        ``(points, points)``: rows go with the weight of the first layer, columns with that of the second.
    slope
        ``(points, points)``: the norm of the cost's gradient with respect to the two weights.
    """

    loss: str
    weights: Array
    cost: Array
    slope: Array

    @property
    def plateau(self) -> npt.NDArray[np.bool_]:
        """Where descent has far to go and hardly moves: ``(points, points)``.

        There the cost is nearer to its largest value than to its least, and the slope less than half of its mean.

        Examples
        --------
        >>> [bool(surface(loss, points=21).plateau.any()) for loss in ("cross-entropy", "quadratic")]
        [False, True]
        """
        high = self.cost > (self.cost.min() + self.cost.max()) / 2
        return high & (self.slope < self.slope.mean() / 2)


def surface(
    loss: str,
    *,
    hidden: str = "tanh",
    reach: float = 5.0,
    points: int = 41,
    samples: int = 100,
    seed: int = 0,
    method: str | Differentiator = "reverse",
) -> Surface:
    """How does a cost depend on two weights, one of each layer?

    The network has one feature, one hidden unit and one sigmoid as output, so that these two are all its weights; its
    intercepts are 0. The features are drawn from a standard normal distribution, the labels 0 and 1 at random.

    Parameters
    ----------
    loss
        "cross-entropy" or "quadratic", half the squared difference.
    hidden
        Activation of the hidden unit.
    reach
        Both weights go from -reach to reach.
    points
        How many values each takes.
    samples
        How many examples.
    seed
        Of the random numbers.
    method
        Which differentiator gives the slopes.

    Raises
    ------
    UnknownNameError
        No loss, activation or method has that name.
    InputError
        A number is not positive, or no whole number where it counts; the seed is none from 0.

    Notes
    -----
    After Glorot and Bengio (2010), figure 5.

    Examples
    --------
    >>> quadratic = surface("quadratic", points=5)
    >>> quadratic.cost.shape, quadratic.cost[2, 2]  # without weights every output is 1/2, every label 0 or 1
    ((5, 5), np.float64(0.125))
    """
    check_positive(reach, "reach", ", how far the weights go from 0")
    check_whole(points, "points")
    check_whole(samples, "samples")
    network = Network((1, 1, 1), hidden=hidden, loss=loss)
    (first, _), (second, _) = network.layers(np.arange(network.count))
    chosen = [first[0, 0], second[0, 0]]
    rng = generator(seed)
    X, Y = rng.normal(size=(1, samples)), rng.integers(2, size=(1, samples)).astype(float)
    both = value_and_grad(network.cost, method=method)
    weights = np.linspace(-reach, reach, points)
    cost, slope = np.empty((points, points)), np.empty((points, points))
    for i, j in np.ndindex(points, points):
        parameters = np.zeros(network.count)
        parameters[chosen] = weights[i], weights[j]
        cost[i, j], gradient = both(parameters, X, Y)
        slope[i, j] = np.linalg.norm(gradient[chosen])
    return Surface(loss, weights, cost, slope)


def _check_activation(name: Any) -> None:
    check_name(name, ACTIVATIONS, kind="activation")
    if not ACTIVATIONS[name].elementwise:
        known = ", ".join(other for other in ACTIVATIONS if ACTIVATIONS[other].elementwise)
        raise InputError(f"activation {name!r} mixes the units of a layer; choose one that acts on each alone: {known}")
