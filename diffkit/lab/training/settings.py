"""How to descend: the numbers of stochastic gradient descent, checked once."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from numbers import Real
from typing import Any, Self

import numpy as np

from diffkit.errors import InputError, UnknownNameError, check_name, check_positive, check_whole

ORDERS = {
    "shuffled": "every sample once an epoch, in an order drawn anew",
    "in-order": "every sample once an epoch, as the data have them",
    "random": "any sample at each visit, drawn with replacement; an epoch is as many visits as there are samples",
}
"""In which order an epoch visits the samples."""

ENDING = ("epochs", "tolerance")
"""Settings that say where the trajectory ends, and nothing about its way."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How stochastic gradient descent goes.

    Parameters
    ----------
    epochs
        How many epochs at most.
    rate
        The learning rate alpha: how far a step goes along minus the gradient.
    batch
        Samples per step; the gradient is that of their mean cost. 1 is the course's Algorithm 1.
    momentum
        How much of the last step is taken again, from 0 to below 1: the heavy ball of Polyak (1964), "Some methods of
        speeding up the convergence of iteration methods", equation 9.
    order
        One of `ORDERS`.
    tolerance
        Stop when the training cost, as a mean over the last 5 epochs, is not lower by more than this share than over
        the 5 before; None goes through all epochs.
    seed
        Of the initial parameters and of the order.
    scale
        Of the initial parameters; 0 makes them zero, None leaves it to the model.

    Examples
    --------
    >>> Settings(rate=0.5).batch
    1
    >>> Settings(rate=-1)
    Traceback (most recent call last):
    diffkit.errors.InputError: rate=-1; it must be a positive number...
    """

    epochs: int = 20
    rate: float = 0.1
    batch: int = 1
    momentum: float = 0.0
    order: str = "shuffled"
    tolerance: float | None = None
    seed: int = 0
    scale: float | None = None

    def __post_init__(self) -> None:
        check_positive(self.rate, "rate", ": how far a step goes along minus the gradient")
        if self.tolerance is not None:
            check_positive(self.tolerance, "tolerance", ", or None to go through all epochs")
        check_name(self.order, ORDERS, kind="order")
        for name, least in (("epochs", 1), ("batch", 1), ("seed", 0)):
            check_whole(getattr(self, name), name, least)
        _check_share("momentum", self.momentum, below=1.0)
        if self.scale is not None:
            _check_share("scale", self.scale, below=math.inf)

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self:
        """Take settings by name.

        Raises
        ------
        UnknownNameError
            There is no such setting.
        """
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                raise UnknownNameError(name, known, kind="setting of training called")
        return cls(**given)

    @property
    def way(self) -> dict[str, Any]:
        """Those settings that decide each step of the trajectory, as JSON has them."""
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in asdict(self).items()}
        return {name: value for name, value in plain.items() if name not in ENDING}


def _check_share(name: str, value: Any, *, below: float) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < below:
        raise InputError(
            f"{name}={value!r}; it must be a number from 0{f' to below {below:g}' if below < math.inf else ''}"
        )
