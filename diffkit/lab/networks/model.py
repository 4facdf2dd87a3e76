"""What can be trained: a function of parameters and examples that knows its cost."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from diffkit.errors import InputError
from diffkit.problems.base import Array


@runtime_checkable
class Model(Protocol):
    """A network of any kind, as training sees it.

    ``cost`` and ``predict`` are plain NumPy, which every method differentiates by argument 0; the examples are the
    columns of X and Y. One example may be a vector.

    Examples
    --------
    >>> from diffkit.lab.networks import Network, RecurrentNetwork
    >>> isinstance(Network((2, 1)), Model), isinstance(RecurrentNetwork(), Model)
    (True, True)
    """

    @property
    def count(self) -> int:
        """A, the number of parameters."""

    def initial(self, seed: int = 0, scale: float | None = None) -> Array:
        """Draw parameters to start from, shape ``(A,)``."""

    def check(self, X: Any, Y: Any) -> None:
        """Refuse examples that do not fit."""

    def predict(self, parameters: Any, X: Any) -> Any:
        """Compute the outputs, a column for each example."""

    def cost(self, parameters: Any, X: Any, Y: Any) -> Any:
        """Compute the mean loss of the examples, and what is added for regularisation."""

    def backward(self, parameters: Any, X: Any, Y: Any) -> Array:
        """Compute the gradient of ``cost`` with respect to the parameters by hand, shape ``(A,)``."""


def check_model(model: Any) -> None:
    """Refuse what cannot be trained.

    Raises
    ------
    InputError
        It lacks something that `Model` has.

    Examples
    --------
    >>> check_model("net")
    Traceback (most recent call last):
    diffkit.errors.InputError: 'net' is no model; give a Network, or what has all of diffkit.lab.networks.Model
    """
    if isinstance(model, type) or not isinstance(model, Model):
        raise InputError(f"{model!r} is no model; give a Network, or what has all of diffkit.lab.networks.Model")
