"""What a network is punished for: each loss of an example, computed from Z, so that no probability is rounded to 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.errors import InputError, check_name
from diffkit.lab.networks.activations import ACTIVATIONS
from diffkit.problems.outputs import ONE_HOT, Labels, are_shares, cross_entropy


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
        What Y may hold.

    Examples
    --------
    >>> binary = LOSSES["binary-cross-entropy"]
    >>> Z, Y = np.array([[0.0, -1000.0]]), np.array([[1.0, 1.0]])
    >>> binary.value(Z, ACTIVATIONS["sigmoid"].value(Z), Y).round(6).tolist()  # log 2, and no infinity
    [0.693147, 1000.0]
    """

    name: str
    outputs: tuple[str, ...]
    value: Callable[[Any, Any, Any], Any]
    undoes: bool
    labels: Labels


def _quadratic(Z: Any, A: Any, Y: Any) -> Any:
    return 0.5 * np.sum((A - Y) ** 2, axis=0)


def _binary(Z: Any, A: Any, Y: Any) -> Any:
    return np.sum(np.logaddexp(0.0, Z) - Y * Z, axis=0)


_NUMBERS = Labels("finite numbers", lambda Y: np.all(np.isfinite(Y)))
_SHARES = Labels("labels from 0 to 1, a row for each output", are_shares)

_ROWS = (
    Loss("quadratic", tuple(ACTIVATIONS), _quadratic, undoes=False, labels=_NUMBERS),
    Loss("binary-cross-entropy", ("sigmoid",), _binary, undoes=True, labels=_SHARES),
    Loss("multinomial-cross-entropy", ("softmax",), lambda Z, A, Y: cross_entropy(Z, Y), undoes=True, labels=ONE_HOT),
)

LOSSES: dict[str, Loss] = {row.name: row for row in _ROWS}
"""Every loss, by name; binary cross-entropy is summed over as many sigmoids as there are outputs."""

CROSS_ENTROPY = {"sigmoid": "binary-cross-entropy", "softmax": "multinomial-cross-entropy"}
"""Which loss ``"cross-entropy"`` is, by the output's activation."""


def choose_loss(name: str, output: str) -> Loss:
    """Find the loss that a network names.

    Raises
    ------
    InputError
        It does not fit the output; the message says which do.
    UnknownNameError
        Nobody has it.

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
