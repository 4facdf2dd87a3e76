"""What a prepared derivative can be asked for: its products, each a method."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diffkit.differentiators.described import Described
from diffkit.differentiators.folding import fold

if TYPE_CHECKING:
    from diffkit.tracing import Traced


class Products(Described):
    """The part of a `Derivative` that users call."""

    has_aux: bool

    @abstractmethod
    def call(self, product: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a product."""

    @abstractmethod
    def folds(self) -> list[tuple[Traced, Any, float]]:
        """The loops that an engine has made of the branches known by now, and the seconds of a round, predicted."""

    @abstractmethod
    def latest(self) -> Traced:
        """The trace of the branch that was taken last."""

    def run(self, /, *args: Any, **kwargs: Any) -> Any:
        """The product that this was prepared for."""
        return self.call(self.product, args, kwargs)

    def value(self, /, *args: Any, **kwargs: Any) -> Any:
        """The value of f."""
        return self.call("value", args, kwargs)

    def gradient(self, /, *args: Any, **kwargs: Any) -> Any:
        """The gradient of a scalar f, in x's containers and shapes."""
        return self.call("gradient", args, kwargs)

    def value_and_gradient(self, /, *args: Any, **kwargs: Any) -> Any:
        """The value and the gradient of f, in one run."""
        return self.call("value_and_gradient", args, kwargs)

    def jacobian(self, /, *args: Any, **kwargs: Any) -> Any:
        """The Jacobian ``(B, A)``, inputs and outputs flattened in C order."""
        return self.call("jacobian", args, kwargs)

    def jvp(self, /, *args: Any, **kwargs: Any) -> Any:
        """The product J v, built like f's result; the last argument is v, built like x."""
        return self.call("jvp", args, kwargs)

    def vjp(self, /, *args: Any, **kwargs: Any) -> Any:
        """The product w J, built like x; the last argument is w, built like f's result."""
        return self.call("vjp", args, kwargs)

    def hessian(self, /, *args: Any, **kwargs: Any) -> Any:
        """The Hessian ``(A, A)`` of a scalar f."""
        return self.call("hessian", args, kwargs)

    def hvp(self, /, *args: Any, **kwargs: Any) -> Any:
        """The product H v, built like x; the last argument is v."""
        return self.call("hvp", args, kwargs)

    def error_estimate(self, /, *args: Any, **kwargs: Any) -> Any:
        """An estimate of the error of each entry of the Jacobian (finite differences with scheme="richardson")."""
        return self.call("error", args, kwargs)

    def fold(self, carried: Sequence[Any], rows: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Apply f to its own results, over rows: ``for x in rows: *carried, y = f(*carried, x)``.

        On the engine ``llvm`` the loop is machine code. Rows that are all alike take no memory: `numpy.broadcast_to`.

        Parameters
        ----------
        carried
            f's first arguments at the start, arrays; its first results take their place in each round.
        rows
            f's other arguments, each stacked along a first axis: round k gets entry k.

        Returns
        -------
        carried, others
            What is carried after the last round, and the other results of f, stacked over the rounds.

        Raises
        ------
        InputError
            This is no plan of values, or arguments and results do not fit f or each other.

        Examples
        --------
        >>> import numpy as np, diffkit as dk
        >>> def newton(x, a):  # one step towards the square root of a, and how far it is from it
        ...     return (x + a / x) / 2, x * x - a
        >>> plan = dk.get("reverse").prepare(newton, np.ones(1), np.ones(1), product="value")
        >>> plan.fold([np.ones(1)], [np.full((5, 1), 2.0)])
        ((array([1.41421356]),), (array([[-1.00000000e+00], ...]),))
        """
        return fold(self, carried, rows)
