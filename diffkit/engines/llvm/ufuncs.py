"""NumPy's own loops, for functions that it computes faster than the vector library does: measured once per process.

A ufunc holds the address of a loop for each type (``PyUFuncObject``, a public struct of NumPy's C API). Compiled code
calls it on a block of entries at a time, which stay in the cache between what comes before and what comes after.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.engines.llvm.functions import LIBM, S
from diffkit.ops import Op

BLOCK = 512  # entries at a time
FROM = 256  # entries along the innermost axis from which calls are worth their time
GAIN = 1.2  # how much faster NumPy has to be: a choice that noise decides would give other last digits each time
SAMPLES, ENTRIES = 25, 8192
DOMAIN = {p.arccosh: (1.1, 1.9)}  # where it is measured; all others have all numbers between 0.1 and 0.9 in theirs


Loops = Callable[[Op, str], tuple[int, int] | None]
"""Which of NumPy's loops is called for a function: its address and that of its data."""


class _Ufunc(ctypes.Structure):
    """The beginning of ``PyUFuncObject``."""

    _fields_ = (
        ("head", ctypes.c_ssize_t * 2),
        ("counts", ctypes.c_int * 3),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
    )


def numpy_loop(op: Op, kind: str) -> tuple[int, int] | None:
    """The address of NumPy's loop and of its data; None where the vector library is as fast."""
    return loop(op, kind) if op in LIBM and isinstance(op.numpy, np.ufunc) and faster(op, kind) else None


def loop(op: Op, kind: str) -> tuple[int, int] | None:
    """The address of NumPy's loop for a type, and of its data; None where there is none."""
    letter = "f" if kind == S else "d"
    signature = f"{letter * op.numpy.nin}->{letter}"
    if signature not in op.numpy.types:
        return None
    which = op.numpy.types.index(signature)
    found = _Ufunc.from_address(id(op.numpy))
    if list(found.counts) != [op.numpy.nin, op.numpy.nout, op.numpy.nargs]:  # laid out as in no NumPy that we know
        return None
    return found.functions[which] or 0, found.data[which] or 0


@functools.cache
def faster(op: Op, kind: str) -> bool:
    """Whether code that calls NumPy's loop takes clearly less time than code that calls the vector library."""
    if loop(op, kind) is None:
        return False
    dtype = np.float32 if kind == S else np.float64
    given = [np.linspace(*DOMAIN.get(op, (0.1, 0.9)), ENTRIES, dtype=dtype) for _ in range(op.numpy.nin)]
    ways = [code_of(op, given, loops) for loops in (None, loop)]
    taken: list[list[float]] = [[], []]
    for _ in range(SAMPLES):
        for way, samples in zip(ways, taken, strict=True):
            start = perf_counter()
            way(*given)
            samples.append(perf_counter() - start)
    return min(taken[0]) > GAIN * min(taken[1])


def code_of(op: Op, given: list[Any], loops: Loops | None) -> Any:
    """Code for one function and a step after it, as such code is used, by some of NumPy's loops or by none."""
    from diffkit.engines.llvm.calling import MachineCode
    from diffkit.engines.llvm.code import ir
    from diffkit.tracing import Trace

    trace = Trace()
    with trace.recording():
        graph = trace.graph([-op(*[trace.abstract_input(array) for array in given])])
    text, arrays = ir(graph, loops=loops)
    return MachineCode(text, graph, arrays).run
