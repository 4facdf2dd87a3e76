"""From a kernel to a function that Python can call.

The IR of a kernel takes addresses. A small entry, the same for all kernels of one signature (`entries`), is handed to
CPython as a method (``METH_FASTCALL``). Where f reads names from outside, another one looks at them (`watching`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from diffkit.engines.llvm.compiling import machine, optimisation
from diffkit.engines.llvm.entries import FASTCALL, KEYWORDS, entries, python_function
from diffkit.engines.llvm.folding import Fold
from diffkit.engines.llvm.watching import Watched, watcher, watching
from diffkit.graph import Graph


class MachineCode:
    """A kernel as functions of Python's."""

    def __init__(self, text: str, graph: Graph, arrays: list[Any]) -> None:
        kernel, self._entries = machine(text, optimisation(text)), machine(entries(graph), level=0)
        table = np.array([kernel.address("kernel"), *(array.ctypes.data for array in arrays)], dtype=np.uint64)
        self._kept = (table, (kernel, self._entries), arrays)
        self._quick = python_function(self._entries.address("entry"), (None, *self._kept))
        self.fold = Fold(graph, self._kept)
        self._dtypes = [graph.steps[position].dtype for position in graph.inputs]

    def run(self, *arrays: Any) -> Any:
        """The results as a tuple, None where a guard fails; other layouts are copied first."""
        found = self._quick(*arrays)
        if found is NotImplemented:
            given = zip(arrays, self._dtypes, strict=True)
            copies = [np.ascontiguousarray(array, dtype=kind).reshape(np.shape(array)) for array, kind in given]
            found = self._quick(*copies)
        return found

    def direct(self, slow: Callable[..., Any], watched: Iterable[Watched]) -> Callable[..., Any] | None:
        """The results, by the shortest way; ``slow`` is called where arguments, a guard or a name ask for more."""
        watched = tuple((container, sys.intern(name), value) for container, name, value in watched)
        checks = watching(watched)
        if checks is None:
            return None
        first = machine(watcher(checks), level=0) if checks else self._entries
        address = first.address("watching" if checks else "direct")
        names = [id(thing) for name in watched for thing in name]
        names_table = np.array([self._entries.address("direct"), *names], dtype=np.uint64)
        return python_function(address, (slow, *self._kept, names_table, first, watched), FASTCALL | KEYWORDS)
