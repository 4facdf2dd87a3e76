"""What networks that are trained share: parameters in one vector, examples in columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Any

import numpy as np

from diffkit.errors import InputError, check_positive
from diffkit.problems.base import Array, generator
from diffkit.problems.outputs import ONE_HOT, Labels, cross_entropy, softmax


class Layered(ABC):
    """A network whose parameters are W and b of its layers: W[1], b[1], W[2], b[2], ... in one vector, in C order.

    A subclass says how many rows X and Y have (``rows``), what the shapes of its W are (``shapes``), what Y may hold
    (``labels``), and what it computes.
    """

    @property
    @abstractmethod
    def rows(self) -> tuple[int, int]:
        """How many rows X and Y have: numbers of an example, and its outputs."""

    @property
    @abstractmethod
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape of W of each layer."""

    @property
    @abstractmethod
    def labels(self) -> Labels:
        """What Y may hold."""

    @property
    def count(self) -> int:
        """A, the number of parameters: W and b of each layer."""
        return sum(units * (fan_in + 1) for units, fan_in in self.shapes)

    def initial(self, seed: int = 0, scale: float | None = None) -> Array:
        """Draw normal weights; intercepts are 0.

        Parameters
        ----------
        seed
            Of the generator: equal seeds give equal parameters.
        scale
            Standard deviation of the weights; None for 1/sqrt(columns of W), which keeps what a layer gives about as
            large as what it reads (LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998, equation 16).

        Returns
        -------
        array
            Parameters, shape ``(A,)``.

        Raises
        ------
        InputError
            The scale is no standard deviation, or the seed no whole number from 0.

        Examples
        --------
        >>> from diffkit.problems.recurrent import RecurrentNetwork
        >>> RecurrentNetwork().initial(seed=1).shape
        (430,)
        """
        if scale is not None and scale != 0:
            check_positive(scale, "scale", ", 0, or None for 1/sqrt(columns of W)")
        rng = generator(seed)
        parameters = np.zeros(self.count)
        for W, _ in self.layers(parameters):
            W[:] = rng.normal(0.0, 1 / np.sqrt(W.shape[1]) if scale is None else scale, size=W.shape)
        return parameters

    def named(self, parameters: Any) -> OrderedDict[str, Any]:
        """Show the parameters by name, in the order of the vector: W1, b1, W2, b2, ...; views.

        ``cost``, ``predict`` and ``backward`` take them so too, and a gradient of ``cost`` has their names.

        Raises
        ------
        InputError
            They are not one vector of all parameters.

        Examples
        --------
        >>> from diffkit.problems.convolutional import ConvolutionalNetwork
        >>> [(name, array.shape) for name, array in ConvolutionalNetwork().named(np.zeros(410)).items()]
        [('W1', (4, 9)), ('b1', (4, 1)), ('W2', (10, 36)), ('b2', (10, 1))]
        """
        pairs = enumerate(self.layers(parameters), 1)
        return OrderedDict(  # of a plain dictionary, containers of arrays sort the keys
            (f"{letter}{layer}", part) for layer, pair in pairs for letter, part in zip("Wb", pair, strict=True)
        )

    def layers(self, parameters: Any) -> list[tuple[Any, Any]]:
        """Show the parameters as (W, b) of each layer, b with one column; views.

        Raises
        ------
        InputError
            They are neither one vector of all parameters nor all arrays by name.

        Examples
        --------
        >>> from diffkit.problems.convolutional import ConvolutionalNetwork
        >>> [(W.shape, b.shape) for W, b in ConvolutionalNetwork().layers(np.zeros(410))]
        [((4, 9), (4, 1)), ((10, 36), (10, 1))]
        """
        if isinstance(parameters, dict):
            return self._pairs(parameters)
        if np.shape(parameters) != (self.count,):
            raise InputError(
                f"parameters of shape {np.shape(parameters)}; this network has {self.count}, in one vector, "
                "as initial(seed) draws them"
            )
        pairs, start = [], 0
        for units, fan_in in self.shapes:
            middle = start + units * fan_in
            end = middle + units
            W, b = parameters[start:middle], parameters[middle:end]
            pairs.append((np.reshape(W, (units, fan_in)), np.reshape(b, (units, 1))))
            start = end
        return pairs

    def _pairs(self, named: dict[str, Any]) -> list[tuple[Any, Any]]:
        needed = {f"W{layer}": shape for layer, shape in enumerate(self.shapes, 1)}
        needed |= {f"b{layer}": (units, 1) for layer, (units, _) in enumerate(self.shapes, 1)}
        if (found := {name: np.shape(array) for name, array in named.items()}) != needed:
            raise InputError(
                f"parameters of shapes {found}; this network has {needed}, as named(parameters) shows them"
            )
        return [(named[f"W{layer}"], named[f"b{layer}"]) for layer in range(1, len(self.shapes) + 1)]

    def check_inputs(self, X: Any) -> None:
        """Refuse what is neither examples in columns nor one example.

        Raises
        ------
        InputError
            The shape does not fit; the message says which would.
        """
        needed, shape = self.rows[0], np.shape(X)
        if len(shape) not in {1, 2} or shape[0] != needed:
            cure = "; examples are columns, so give X.T" if len(shape) == 2 and shape[1] == needed else ""
            raise InputError(f"X has shape {shape}; give ({needed}, m) for m examples, or ({needed},) for one{cure}")
        if shape[-1] == 0:
            raise InputError(f"X has shape {shape}: no example; a mean needs one or more")

    def check(self, X: Any, Y: Any) -> None:
        """Refuse examples that do not fit; labels are looked at where they come as numbers.

        Raises
        ------
        InputError
            A shape does not fit, or a label cannot be; the message says what would.

        Examples
        --------
        >>> from diffkit.problems.convolutional import ConvolutionalNetwork
        >>> ConvolutionalNetwork().check(np.zeros((5, 64)), np.eye(10)[:, [3, 1, 4, 1, 5]])
        Traceback (most recent call last):
        diffkit.errors.InputError: X has shape (5, 64); give (64, m) ... examples are columns, so give X.T
        """
        self.check_inputs(X)
        needed = (self.rows[1], *np.shape(X)[1:])
        if np.shape(Y) != needed:
            raise InputError(
                f"Y has shape {np.shape(Y)} and X {np.shape(X)}; give Y of shape {needed}, examples in columns"
            )
        given = np.asarray(Y) if isinstance(Y, (list, tuple)) else Y
        if isinstance(given, np.ndarray) and given.dtype != object:  # a list may hold traced numbers
            self.labels.check(given)


class Classifier(Layered):
    """A network that ends in a softmax over K classes; a subclass computes the scores."""

    @property
    def labels(self) -> Labels:
        """Shares of the classes."""
        return ONE_HOT

    @abstractmethod
    def scores(self, parameters: Any, X: Any) -> Any:
        """Compute Z of the last layer, shape ``(K, m)``."""

    def predict(self, parameters: Any, X: Any) -> Any:
        """Compute the probability of each class, shape ``(K, m)``; of one example as a vector, ``(K,)``.

        Examples
        --------
        >>> from diffkit.problems.convolutional import ConvolutionalNetwork
        >>> ConvolutionalNetwork(filters=1, classes=2).predict(np.zeros(30), np.ones(64))
        array([0.5, 0.5])
        """
        self.check_inputs(X)
        return softmax(self.scores(parameters, X)).reshape(self.rows[1], *np.shape(X)[1:])

    def cost(self, parameters: Any, X: Any, Y: Any) -> Any:
        """Compute the mean cross-entropy of the examples.

        Examples
        --------
        >>> from diffkit.problems.recurrent import RecurrentNetwork
        >>> network = RecurrentNetwork(width=1, classes=2, steps=3, features=1)
        >>> network.cost(np.zeros(16), np.ones(3), np.array([0.0, 1.0]))  # log 2
        np.float64(0.693147)
        """
        self.check(X, Y)
        return np.mean(cross_entropy(self.scores(parameters, X), columns(Y)))


def columns(X: Any) -> Any:
    """Write examples in columns; one example, a vector, is one column."""
    return np.asarray(X) if np.ndim(X) == 2 else np.reshape(X, (-1, 1))


def flat(gradients: list[tuple[Array, Array]]) -> Array:
    """Put dW and db of each layer into one vector, ordered as the parameters."""
    return np.concatenate([part.ravel() for pair in gradients for part in pair])
