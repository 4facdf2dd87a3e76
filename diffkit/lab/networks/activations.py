"""What a layer does to Z: each activation with its derivative by hand, one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.problems.outputs import softmax


@dataclass(frozen=True)
class Activation:
    """A function from Z to A, of shape ``(n,)`` for one example or ``(n, m)`` for m examples in columns.

    Attributes
    ----------
    name
        What a network calls it by.
    value
        A = g(Z), in plain NumPy that every method differentiates.
    backward
        From dA, Z and A to dZ, the derivative of a cost with respect to Z; derived by hand.
    elementwise
        Whether each entry of A depends on its own entry of Z alone.

    Examples
    --------
    >>> relu = ACTIVATIONS["relu"]
    >>> relu.value(np.array([-1.0, 2.0])), relu.derivative(np.array([-1.0, 2.0]))
    (array([0., 2.]), array([0., 1.]))
    """

    name: str
    value: Callable[[Any], Any]
    backward: Callable[[Any, Any, Any], Any]
    elementwise: bool = True

    def derivative(self, Z: Any) -> Any:
        """Find the entries of g'(Z) of an elementwise activation.

        Raises
        ------
        InputError
            The activation mixes entries, so that its derivative is no array of Z's shape.

        Examples
        --------
        >>> ACTIVATIONS["sigmoid"].derivative(np.array([0.0, 1000.0]))
        array([0.25, 0.  ])
        """
        if not self.elementwise:
            raise InputError(f"{self.name} mixes the entries of a column, so g'(Z) is a matrix; use backward(dA, Z, A)")
        return self.backward(np.ones_like(Z), Z, self.value(Z))


def sigmoid(Z: Any) -> Any:
    """Compute 1 / (1 + exp(-z)), where exp(-z) may exceed all numbers; small results to full precision, unlike by tanh.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, -100.0, 0.0, 1000.0]))
    array([0.00000e+00, 3.72008e-44, 5.00000e-01, 1.00000e+00])
    """
    return np.exp(-np.logaddexp(0.0, -Z))


# fmt: off
#              name        A = g(Z)                              dZ, given dA, Z and A
_ROWS = (
    Activation("identity", lambda Z: Z,                          lambda dA, Z, A: dA),
    Activation("sigmoid",  sigmoid,                              lambda dA, Z, A: dA * A * (1 - A)),
    Activation("tanh",     np.tanh,                              lambda dA, Z, A: dA * (1 - A * A)),
    Activation("relu",     lambda Z: np.where(Z > 0, Z, 0.0),    lambda dA, Z, A: dA * (Z > 0)),  # 0 at the kink
    Activation("softplus", lambda Z: np.logaddexp(0.0, Z),       lambda dA, Z, A: dA * sigmoid(Z)),
    Activation("softmax",  softmax,                              lambda dA, Z, A: A * (dA - np.sum(A * dA, axis=0)),
               elementwise=False),
)
# fmt: on

ACTIVATIONS: dict[str, Activation] = {row.name: row for row in _ROWS}
"""Every activation, by name."""
