"""What an engine is: it makes a graph a function of arrays."""

from __future__ import annotations

import functools
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from diffkit.errors import UnsupportedError, check_name, needing
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
    direct
        ``direct(slow, watched)`` gives the shortest way of the commonest call, plain arrays in and out, which calls
        ``slow`` in all other cases, and where a watched name (its container, the name, its value) was bound anew; None
        where an engine has no such way.
    later
        ``later(tell)`` has ``tell()`` called when a faster way has been found; None where that cannot happen.
    fold
        ``fold(carried, rows)`` runs round after round: the first results take the place of ``carried``, and each of
        ``rows`` gives its next entry. It gives the number of rounds before a guard failed, what is carried then, and
        the other results, stacked; None where an engine has no such loop.
    """

    run: Callable[..., tuple[Any, ...] | None]
    source: str = ""
    direct: Callable[[Callable[..., Any], Iterable[Any]], Callable[..., Any] | None] | None = None
    later: Callable[[Callable[[], None]], None] | None = None
    fold: Callable[[Sequence[Any], Sequence[Any]], tuple[int, Sequence[Any], list[Any]]] | None = None


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
    check_engine(name)
    if name == "llvm":
        from diffkit.engines.llvm import Llvm

        return Llvm()
    if name == "auto":
        from diffkit.engines.auto import Auto

        return Auto()
    from diffkit.engines.interpreted import Interpreted
    from diffkit.engines.numpy_source import NumpySource

    return NumpySource() if name == "numpy" else Interpreted()


def check_engine(name: Any) -> None:
    """Refuse what is no engine's name, and an engine that does not run here.

    Raises
    ------
    UnknownNameError
        No engine has that name.
    UnsupportedError
        The engine needs another interpreter, or a library that is not installed.
    """
    if isinstance(name, str) and name == "llvm" and name not in engine_names():
        if not sound():
            raise UnsupportedError("engine 'llvm' needs CPython with its global lock; take engine 'numpy'")
        with needing("engine 'llvm'", extra="llvm", instead="take engine 'numpy'"):
            import llvmlite  # noqa: F401 - it is said what is missing, and nothing else
    check_name(name, engine_names(), kind="engine")


@functools.cache
def engine_names() -> tuple[str, ...]:
    """List the engines that run here."""
    if find_spec("llvmlite") is None or not sound():
        return ("auto", "numpy", "interpreted")
    return ("auto", "numpy", "interpreted", "llvm")


def sound() -> bool:
    """Whether compiled entries fit this interpreter: CPython with its global lock, objects laid out as expected."""
    return sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
