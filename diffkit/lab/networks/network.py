"""Feed-forward networks in the shapes of the course, with the backward pass that it derives by hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from diffkit.errors import InputError, check_name
from diffkit.lab.networks.activations import ACTIVATIONS, Activation
from diffkit.lab.networks.losses import Loss, choose_loss
from diffkit.lab.networks.model import check_examples, check_inputs, check_parameters, check_scale

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Network:
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
        Widths that are none, a loss that does not fit the output, or as many activations as there are not layers.
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
        object.__setattr__(self, "widths", tuple(self.widths))
        if not isinstance(self.hidden, str):
            object.__setattr__(self, "hidden", tuple(self.hidden))
        _check_widths(self.widths)
        _check_activations(self._names, len(self.widths) - 1)
        choose_loss(self.loss, self.output)
        if not 0 <= self.l2 < np.inf:
            raise InputError(f"l2={self.l2!r}; it must be a finite number from 0, which leaves the cost as it is")

    @property
    def _names(self) -> tuple[str, ...]:
        hidden = (self.hidden,) * (len(self.widths) - 2) if isinstance(self.hidden, str) else self.hidden
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
    def count(self) -> int:
        """A, the number of parameters: n[l] (n[l-1] + 1) for each layer.

        Examples
        --------
        >>> Network((2, 5, 3, 1)).count
        37
        """
        return sum(after * (before + 1) for before, after in pairwise(self.widths))

    def initial(self, seed: int = 0, scale: float | None = None) -> Array:
        """Draw normal weights; intercepts are 0.

        Parameters
        ----------
        seed
            Of the generator: equal seeds give equal parameters.
        scale
            Standard deviation of the weights; None for 1/sqrt(n[l-1]), which keeps the size of what a layer gives
            (LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998, equation 16).

        Returns
        -------
        array
            Parameters, shape ``(A,)``.

        Examples
        --------
        >>> Network((2, 1)).initial(scale=0.0)
        array([0., 0., 0.])
        """
        check_scale(scale)
        rng = np.random.default_rng(seed)
        parameters = np.zeros(self.count)
        for W, _ in self.layers(parameters):
            W[:] = rng.normal(0.0, 1 / np.sqrt(W.shape[1]) if scale is None else scale, size=W.shape)
        return parameters

    def layers(self, parameters: Any) -> list[tuple[Any, Any]]:
        """Show the parameters as (W, b) of each layer, shapes ``(n[l], n[l-1])`` and ``(n[l], 1)``; views.

        Examples
        --------
        >>> network = Network((2, 5, 3, 1))
        >>> [(W.shape, b.shape) for W, b in network.layers(network.initial())]
        [((5, 2), (5, 1)), ((3, 5), (3, 1)), ((1, 3), (1, 1))]
        """
        check_parameters(self, parameters)
        pairs, start = [], 0
        for before, after in pairwise(self.widths):
            middle = start + after * before
            end = middle + after
            pairs.append((parameters[start:middle].reshape(after, before), parameters[middle:end].reshape(after, 1)))
            start = end
        return pairs

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
        check_inputs(X, self.widths[0])
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

    def check(self, parameters: Any, X: Any, Y: Any) -> None:
        """Refuse parameters and examples that do not fit; labels while they are numbers, not while a method traces.

        Raises
        ------
        InputError
            A shape does not fit, or a label is none; the message says what would.
        """
        check_examples(self, parameters, X, Y, rows=(self.widths[0], self.widths[-1]))
        if isinstance(Y, np.ndarray):
            self.chosen_loss.check(Y)

    def cost(self, parameters: Any, X: Any, Y: Any) -> Any:
        """Compute the mean loss of the examples, plus l2/2 times the sum of the squared weights.

        Examples
        --------
        >>> network = Network((2, 1))
        >>> network.cost(np.zeros(3), np.ones((2, 4)), np.ones((1, 4)))  # log 2
        np.float64(0.693147)
        """
        self.check(parameters, X, Y)
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
        self.check(parameters, X, Y)
        m = np.size(X) // self.widths[0]
        Z, A = self.forward(parameters, np.reshape(X, (-1, m)))
        layers, activations = self.layers(parameters), self.activations
        dA = A[-1] - np.reshape(Y, (-1, m))
        gradient: list[Array] = []
        for layer in reversed(range(len(layers))):
            ends = layer == len(layers) - 1 and self.chosen_loss.undoes
            dZ = dA if ends else activations[layer].backward(dA, Z[layer], A[layer + 1])
            W, _ = layers[layer]
            gradient[:0] = (dZ @ A[layer].T / m + self.l2 * W).ravel(), dZ.mean(axis=1)
            dA = W.T @ dZ
        return np.concatenate(gradient)


def _check_widths(widths: tuple[Any, ...]) -> None:
    if len(widths) < 2 or not all(isinstance(n, (int, np.integer)) and n >= 1 for n in widths):
        raise InputError(
            f"widths={widths!r}; give two or more whole numbers from 1: features, hidden units, outputs, as (2, 5, 1)"
        )


def _check_activations(names: tuple[str, ...], layers: int) -> None:
    for name in names:
        check_name(name, ACTIVATIONS, kind="activation")
    if len(names) != layers:
        raise InputError(f"hidden names {len(names) - 1} activations for {layers - 1} hidden layers; give one for each")
    if not all(ACTIVATIONS[name].elementwise for name in names[:-1]):
        raise InputError("softmax is an activation of the last layer; hidden layers take one that acts on each entry")
