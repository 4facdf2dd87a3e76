"""What a last layer gives, what it is compared with, and what a comparison costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.problems.base import Array


def sigmoid(z: Any) -> Any:
    """Compute 1 / (1 + exp(-z)) by tanh, which never overflows; of complex numbers too.

    It is right to 1e-16 and no closer: the small numbers at the lower end are rounded to that.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return 0.5 * (1 + np.tanh(0.5 * z))


def softmax(Z: Any) -> Any:
    """Compute exp(z[k]) / sum over j of exp(z[j]), in each column.

    Examples
    --------
    >>> softmax(np.array([1000.0, 1000.0, -1000.0]))
    array([0.5, 0.5, 0. ])
    """
    E = np.exp(Z - np.max(Z, axis=0))  # exp must not overflow
    return E / np.sum(E, axis=0)


def cross_entropy(Z: Any, Y: Any) -> Any:
    """Compute -sum over k of y[k] log softmax(z)[k], in each column, from z: no probability is rounded to 0.

    Each column of Y sums to 1.

    Examples
    --------
    >>> cross_entropy(np.array([1000.0, -1000.0]), np.array([0.0, 1.0]))
    np.float64(2000.0)
    """
    shifted = Z - np.max(Z, axis=0)
    return np.log(np.sum(np.exp(shifted), axis=0)) - np.sum(Y * shifted, axis=0)


@dataclass(frozen=True)
class Labels:
    """What Y may hold.

    Attributes
    ----------
    needed
        In words.
    hold
        Whether an array does.
    """

    needed: str
    hold: Callable[[Array], Any]

    def check(self, Y: Array) -> None:
        """Refuse an array that holds anything else.

        Examples
        --------
        >>> ONE_HOT.check(np.array([[2.0], [1.0]]))
        Traceback (most recent call last):
        diffkit.errors.InputError: Y holds numbers that are no labels; give columns of shares from 0 to 1 ...
        """
        if not self.hold(Y):
            raise InputError(f"Y holds numbers that are no labels; give {self.needed}")


def are_shares(Y: Array) -> bool:
    """Whether all numbers are from 0 to 1."""
    return bool(np.all((Y >= 0) & (Y <= 1)))


ONE_HOT = Labels(
    "columns of shares from 0 to 1 that sum to 1; of K classes, np.eye(K)[:, classes]",
    lambda Y: are_shares(Y) and np.allclose(np.sum(Y, axis=0), 1),
)
