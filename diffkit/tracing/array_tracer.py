"""The stand-in for an array with axes: what it can do and a number cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.tracing.memory import viewing
from diffkit.tracing.tracer import Tracer


class ArrayTracer(Tracer):
    """A traced array: with at least one axis, or made by f as an array of none (``np.zeros(())``)."""

    __slots__ = ()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a traced array without axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[position] for position in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        from diffkit.tracing.lowering.indexing import get

        return get(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        from diffkit.tracing.lowering.indexing import put

        put(self, index, value)

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        if not self.varies:
            return np.array(self.decide(), dtype=dtype)
        entries = np.empty(self.shape, dtype=object)
        for position in np.ndindex(*self.shape):
            entries[position] = self[position]
        return entries if dtype is None or np.dtype(dtype).kind == "O" else entries.astype(dtype)

    @property
    def flat(self) -> Any:
        """As of an array: read and written through, also where `np.ravel` would copy."""
        return viewing(p.reshape, self, shape=(self.size,))

    def tolist(self) -> list[Any]:
        """As of an array; the entries stay traced."""
        return [part.tolist() if isinstance(part, ArrayTracer) else part for part in self]

    def flatten(self, order: str = "C") -> Any:
        """As of an array."""
        return np.ravel(self, order=order).copy()  # type: ignore[call-overload]  # a tracer is not an array to mypy

    def compress(self, condition: Any, axis: Any = None) -> Any:
        """As of an array: the condition comes first in NumPy's function."""
        return np.compress(condition, self, axis)

    def fill(self, value: Any) -> None:
        """As of an array."""
        self[...] = value

    def sort(self, axis: int = -1, **_options: Any) -> None:
        """As of an array: in place."""
        self[...] = np.sort(self, axis=axis)
