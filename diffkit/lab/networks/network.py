"""Feed-forward networks in the shapes of the course, with the backward pass that it derives by hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from diffkit.errors import InputError, check_name, check_positive, check_whole
from diffkit.lab.networks.activations import ACTIVATIONS, Activation
from diffkit.lab.networks.losses import Loss, choose_loss
from diffkit.problems.base import Array
from diffkit.problems.layered import Layered, columns, flat
from diffkit.problems.outputs import Labels


@dataclass(frozen=True)
class Network(Layered):
    """A network of L layers: Z[l] = W[l] A[l-1] + b[l], A[l] = g(Z[l]), where A[0] = X holds examples in columns.

    The parameters are one vector: W[1], b[1], W[2], b[2], ..., each in C order. ``cost`` and ``predict`` are plain
    NumPy, which every method differentiates; ``backward`` is derived by hand and uses no method at all.

    Attributes
    ----------
    widths
        n[0], ..., n[L]: features, units of each layer. ``(2, 1)`` is logistic regression.
    hidden
        Activation of the hidden layers, by name; or one name for each of them.
    output
        Activation of the last layer.
    loss
        What ``cost`` averages: a name from ``LOSSES``, or "cross-entropy" for the one that fits the output.
    l2
        ``cost`` adds l2/2 times the sum of all squared weights (Goodfellow, Bengio and Courville, Deep Learning, 2016,
        equation 7.1), never of intercepts.

    Raises
    ------
    InputError
        Widths that are none, a loss that does not fit the output, or not one activation for each hidden layer.
    UnknownNameError
        An activation or a loss that nobody has.

    Examples
    --------
    >>> network = Network((2, 5, 3, 1))
    >>> parameters, X, Y = network.initial(), np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.0, 1.0]])
    >>> network.count, network.predict(parameters, X).shape
    (37, (1, 2))
    >>> import diffkit as dk
    >>> np.allclose(dk.grad(network.cost)(parameters, X, Y), network.backward(parameters, X, Y), rtol=1e-12)
    True
    """

    widths: tuple[int, ...]
    hidden: str | tuple[str, ...] = "tanh"
    output: str = "sigmoid"
    loss: str = "cross-entropy"
    l2: float = 0.0

    def __post_init__(self) -> None:
        for name in ("widths", "hidden"):  # lists become what a key of a dictionary may be
            if isinstance(getattr(self, name), list):
                object.__setattr__(self, name, tuple(getattr(self, name)))
        _check_widths(self.widths)
        _check_activations(self._names, len(self.widths) - 1)
        choose_loss(self.loss, self.output)
        if self.l2 != 0:
            check_positive(self.l2, "l2", ", or 0 for none")

    @property
    def _names(self) -> tuple[str, ...]:
        hidden = self.hidden if isinstance(self.hidden, tuple) else (self.hidden,) * (len(self.widths) - 2)
        return (*hidden, self.output)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The function g of each layer, from the first to the last."""
        return tuple(ACTIVATIONS[name] for name in self._names)

    @property
    def chosen_loss(self) -> Loss:
        """The loss that ``cost`` averages."""
        return choose_loss(self.loss, self.output)

    @property
    def rows(self) -> tuple[int, int]:
        """n[0] and n[L]."""
        return self.widths[0], self.widths[-1]

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape of each W[l], ``(n[l], n[l-1])``.

        Examples
        --------
        >>> Network((2, 5, 3, 1)).shapes
        ((5, 2), (3, 5), (1, 3))
        """
        return tuple((after, before) for before, after in pairwise(self.widths))

    @property
    def labels(self) -> Labels:
        """What Y may hold: what the loss is defined for."""
        return self.chosen_loss.labels

    def forward(self, parameters: Any, X: Any) -> tuple[list[Any], list[Any]]:
        """Compute every layer: Z[1], ..., Z[L], and A[0], ..., A[L].

        One example may be a vector x ``(n[0],)``: then z = W a + b and a = g(z) are vectors too.

        Examples
        --------
        >>> network = Network((2, 5, 3, 1))
        >>> Z, A = network.forward(network.initial(), np.ones((2, 100)))
        >>> [z.shape for z in Z], len(A)
        ([(5, 100), (3, 100), (1, 100)], 4)
        """
        self.check_inputs(X)
        Z: list[Any] = []
        A: list[Any] = [X]
        for (W, b), activation in zip(self.layers(parameters), self.activations, strict=True):
            Z.append(W @ A[-1] + (b if np.ndim(X) == 2 else b[:, 0]))
            A.append(activation.value(Z[-1]))
        return Z, A

    def predict(self, parameters: Any, X: Any) -> Any:
        """Compute the outputs A[L], shape ``(n[L], m)``; of one example as a vector, ``(n[L],)``.

        Examples
        --------
        >>> network = Network((2, 5, 3, 1))
        >>> network.predict(network.initial(scale=0.0), np.ones((2, 3)))
        array([[0.5, 0.5, 0.5]])
        """
        return self.forward(parameters, X)[1][-1]

    def cost(self, parameters: Any, X: Any, Y: Any) -> Any:
        """Compute the mean loss of the examples, plus l2/2 times the sum of the squared weights.

        Examples
        --------
        >>> network = Network((2, 1))
        >>> network.cost(np.zeros(3), np.ones((2, 4)), np.ones((1, 4)))  # log 2
        np.float64(0.693147)
        """
        self.check(X, Y)
        Z, A = self.forward(parameters, X)
        cost = np.mean(self.chosen_loss.value(Z[-1], A[-1], Y))
        if self.l2 == 0:
            return cost
        return cost + self.l2 / 2 * sum(np.sum(W * W) for W, _ in self.layers(parameters))

    def backward(self, parameters: Array, X: Array, Y: Array) -> Array:
        """Compute the gradient of ``cost`` by the course's backward pass, layer by layer; no method of diffkit.

        From the last layer to the first: dW[l] = dZ[l] A[l-1]' / m + l2 W[l]; db[l] is the mean of dZ[l] over the
        examples; dA[l-1] = W[l]' dZ[l]; and dZ[l] is dA[l] times g'(Z[l]), entry by entry. It begins with A[L] - Y,
        which is dZ[L] for a cross-entropy and dA[L] for the quadratic loss.

        Returns
        -------
        array
            Shape ``(A,)``, ordered as the parameters.

        Examples
        --------
        >>> Network((2, 1)).backward(np.zeros(3), np.ones((2, 4)), np.ones((1, 4)))
        array([-0.5, -0.5, -0.5])
        """
        self.check(X, Y)
        layers, activations = self.layers(parameters), self.activations
        Z, A = self.forward(parameters, columns(X))
        m = A[0].shape[1]
        error = A[-1] - columns(Y)
        dZ = error if self.chosen_loss.undoes else activations[-1].backward(error, Z[-1], A[-1])
        gradients = []
        for layer in reversed(range(len(layers))):
            W, _ = layers[layer]
            gradients.append((dZ @ A[layer].T / m + self.l2 * W, dZ.mean(axis=1)))
            if layer:  # nobody asks for the derivative by X
                dA = W.T @ dZ
                dZ = activations[layer - 1].backward(dA, Z[layer - 1], A[layer])
        return flat(gradients[::-1])


def _check_widths(widths: Any) -> None:
    if not isinstance(widths, tuple) or len(widths) < 2:
        raise InputError(f"widths={widths!r}; give two or more: features, hidden units, outputs, as (2, 5, 1)")
    for layer, width in enumerate(widths):
        check_whole(width, f"widths[{layer}]")


def _check_activations(names: tuple[str, ...], layers: int) -> None:
    for name in names:
        check_name(name, ACTIVATIONS, kind="activation")
    if len(names) != layers:
        raise InputError(f"hidden names {len(names) - 1} activations for {layers - 1} hidden layers; give one for each")
    if not all(ACTIVATIONS[name].elementwise for name in names[:-1]):
        raise InputError("softmax is an activation of the last layer; hidden layers take one that acts on each entry")
