"""Functions applied entry by entry that are no ufuncs of NumPy."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from diffkit.errors import needing


class Logistic:
    """``1 / (1 + exp(-x))`` in plain NumPy, without overflow; named like SciPy's ufunc."""

    __name__ = "expit"

    @staticmethod
    def resolve_dtypes(dtypes: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give the dtypes that ``np.exp`` has."""
        return np.exp.resolve_dtypes(dtypes)

    def __call__(self, x: Any) -> Any:
        """Compute with exponents that are never positive."""
        return np.exp(np.minimum(x, 0)) / (1.0 + np.exp(-np.abs(x)))


class Stop:
    """The identity, with derivative zero."""

    __name__ = "stop"

    @staticmethod
    def resolve_dtypes(dtypes: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give back the operand's dtype."""
        return (dtypes[0], dtypes[0])

    def __call__(self, x: Any) -> Any:
        """Give back the operand."""
        return x


def of_scipy(name: str) -> Any:
    """A ufunc of scipy.special, imported when first used: scipy is an extra."""

    class Lazy:
        __name__ = name

        @staticmethod
        def resolve_dtypes(dtypes: tuple[Any, ...]) -> tuple[Any, ...]:
            """Give the floating dtype of the operands (``scipy.special.zeta`` is no ufunc, so it cannot be asked)."""
            return (*dtypes[:-1], np.result_type(*dtypes[:-1], np.float32))

        def __call__(self, *operands: Any) -> Any:
            return special(name)(*operands)

    return Lazy()


@functools.cache
def special(name: str) -> Any:
    """Import a function of scipy.special."""
    with needing(f"function {name!r}", extra="scipy"):
        import scipy.special

    return getattr(scipy.special, name)
