"""What a network is punished for: each loss of an example, computed from Z, so that no probability is rounded to 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.errors import InputError, check_name
from diffkit.lab.networks.activations import ACTIVATIONS


@dataclass(frozen=True)
class Loss:
    """How wrong an output is; the first derivative by hand of each is A - Y, of Z or of A.

    Attributes
    ----------
    name
        What a network calls it by.
    outputs
        The activations of the last layer that it fits.
    value
        From Z, A and Y, of shape ``(n, m)``, to the loss of each example, ``(m,)``; one number where they are ``(n,)``.
    undoes
        Whether A - Y is dZ, because the loss undoes the activation; otherwise it is dA.
    labels
        What Y must be, for messages; and whether it is.
    """

    name: str
    outputs: tuple[str, ...]
    value: Callable[[Any, Any, Any], Any]
    undoes: bool
    labels: tuple[str, Callable[[Any], Any]]

    def check(self, Y: Any) -> None:
        """Refuse labels that this loss is not defined for."""
        what, holds = self.labels
        if not holds(Y):
            raise InputError(f"Y holds values from {np.min(Y):g} to {np.max(Y):g}; {self.name} needs {what}")


def _quadratic(Z: Any, A: Any, Y: Any) -> Any:
    return 0.5 * np.sum((A - Y) ** 2, axis=0)


def _binary(Z: Any, A: Any, Y: Any) -> Any:
    return np.sum(np.logaddexp(0.0, Z) - Y * Z, axis=0)


def _multinomial(Z: Any, A: Any, Y: Any) -> Any:
    return np.logaddexp.reduce(Z, axis=0) - np.sum(Y * Z, axis=0)


def _finite(Y: Any) -> bool:
    return bool(np.all(np.isfinite(Y)))


def _shares(Y: Any) -> bool:
    return bool(np.all((Y >= 0) & (Y <= 1)))


def _one_each(Y: Any) -> bool:
    return _shares(Y) and np.allclose(np.sum(Y, axis=0), 1)


_NUMBERS = "finite numbers", _finite
_BINARY = "labels from 0 to 1, a row for each output", _shares
_ONE_HOT = "columns of labels from 0 to 1 that sum to 1, such as np.eye(K)[:, classes]", _one_each

_ROWS = (
    Loss("quadratic", tuple(ACTIVATIONS), _quadratic, undoes=False, labels=_NUMBERS),
    Loss("binary-cross-entropy", ("sigmoid",), _binary, undoes=True, labels=_BINARY),
    Loss("multinomial-cross-entropy", ("softmax",), _multinomial, undoes=True, labels=_ONE_HOT),
)

LOSSES: dict[str, Loss] = {row.name: row for row in _ROWS}
"""Every loss, by name; binary cross-entropy is summed over as many sigmoids as there are outputs."""

CROSS_ENTROPY = {"sigmoid": "binary-cross-entropy", "softmax": "multinomial-cross-entropy"}
"""Which loss ``"cross-entropy"`` is, by the output's activation."""


def choose_loss(name: str, output: str) -> Loss:
    """Find the loss that a network names, and refuse one that does not fit its output.

    Examples
    --------
    >>> choose_loss("cross-entropy", "softmax").name
    'multinomial-cross-entropy'
    """
    known = [*LOSSES, "cross-entropy"]
    check_name(name, known, kind="loss")
    loss = LOSSES.get(CROSS_ENTROPY.get(output, "") if name == "cross-entropy" else name)
    if loss is None or output not in loss.outputs:
        fitting = [row.name for row in LOSSES.values() if output in row.outputs]
        raise InputError(f"loss {name!r} does not fit output {output!r}; take loss={' or '.join(map(repr, fitting))}")
    return loss
