"""What can be trained: a function of parameters and examples that knows its cost."""

from __future__ import annotations

from numbers import Real
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from diffkit.errors import InputError


@runtime_checkable
class Model(Protocol):
    """A network of any kind, as training sees it.

    ``cost`` and ``predict`` are plain NumPy, which every method differentiates by argument 0; the examples are the
    columns of X and Y. One example may be a vector.
    """

    @property
    def count(self) -> int:
        """A, the number of parameters."""

    def initial(self, seed: int = 0, scale: float | None = None) -> npt.NDArray[np.float64]:
        """Draw parameters to start from, shape ``(A,)``."""

    def check(self, parameters: Any, X: Any, Y: Any) -> None:
        """Refuse parameters and examples that do not fit."""

    def predict(self, parameters: Any, X: Any) -> Any:
        """Compute the outputs, a column for each example."""

    def cost(self, parameters: Any, X: Any, Y: Any) -> Any:
        """Compute the mean loss of the examples, and what is added for regularisation."""

    def backward(self, parameters: Any, X: Any, Y: Any) -> npt.NDArray[np.float64]:
        """Compute the gradient of ``cost`` with respect to the parameters by hand, shape ``(A,)``."""


def check_examples(model: Model, parameters: Any, X: Any, Y: Any, *, rows: tuple[int, int]) -> None:
    """Refuse parameters, X and Y whose shapes do not fit a model that reads and gives so many rows.

    Raises
    ------
    InputError
        A shape does not fit; the message says which would.
    """
    read, given = rows
    check_parameters(model, parameters)
    check_inputs(X, read)
    if np.shape(Y) != (given, *np.shape(X)[1:]):
        examples = f" for the {np.shape(X)[1]} columns of X" if np.ndim(X) == 2 else " for the one example of X"
        needed = (given, *np.shape(X)[1:])
        raise InputError(f"Y has shape {np.shape(Y)}; it must be {needed}: {given} rows{examples}")


def check_parameters(model: Model, parameters: Any) -> None:
    """Refuse what is not one vector of all parameters."""
    if np.shape(parameters) != (model.count,):
        raise InputError(
            f"the parameters have shape {np.shape(parameters)}; this network has {model.count} in one vector, "
            f"such as initial(seed=0)"
        )


def check_inputs(X: Any, rows: int) -> None:
    """Refuse what is neither examples in columns nor one example."""
    shape = np.shape(X)
    if len(shape) not in {1, 2} or shape[0] != rows:
        cure = "; examples are columns: give X.T" if len(shape) == 2 and shape[1] == rows else ""
        raise InputError(f"X has shape {shape}; it must be ({rows}, m) for m examples, or ({rows},) for one{cure}")
    if shape[-1] == 0:
        raise InputError(f"X has shape {shape}, no example; a mean needs one or more columns")


def check_scale(scale: float | None) -> None:
    """Refuse a standard deviation that is none."""
    if scale is not None and not (isinstance(scale, Real) and 0 <= scale < np.inf):
        raise InputError(f"scale={scale!r}; it is a standard deviation: 0 or more, or None for 1/sqrt(fan-in)")
