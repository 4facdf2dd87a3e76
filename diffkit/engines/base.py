"""What an engine is: it makes a graph a function of arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from diffkit.errors import UnknownNameError
from diffkit.graph import Graph


@dataclass(frozen=True, slots=True)
class Compiled:
    """A graph made a function.

    Attributes
    ----------
    run
        ``run(*inputs) -> tuple of results``, or None when a guard does not hold: f takes another branch here.
    source
        The generated program as text; empty where there is none.
    """

    run: Callable[..., tuple[Any, ...] | None]
    source: str = ""


class Engine(ABC):
    """How a graph becomes a callable."""

    name: ClassVar[str]

    @abstractmethod
    def compile(self, graph: Graph) -> Compiled:
        """Make a graph a function of its inputs; results are fresh arrays that the caller owns."""


def holds(value: Any, expected: Any) -> bool:
    """Whether a guarded value is what it was while f was traced."""
    return bool(np.array_equal(value, expected, equal_nan=expected.dtype.kind == "f"))


def engine(name: str) -> Engine:
    """Find an engine by name."""
    from diffkit.engines.interpreted import Interpreted
    from diffkit.engines.numpy_source import NumpySource

    table: dict[str, type[Engine]] = {kind.name: kind for kind in (NumpySource, Interpreted)}
    if name not in table:
        raise UnknownNameError(name, table, kind="engine")
    return table[name]()


def engine_names() -> tuple[str, ...]:
    """List the engines that run here."""
    return ("numpy", "interpreted")
