"""Engine "auto": start on ``numpy``, move to machine code when a plan has earned the time to compile it.

The first calls are timed. When as much time has been spent as compiling is expected to take, the graph is compiled,
both ways are timed once more, and the faster one stays. Where there is no llvmlite, ``numpy`` it remains.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any, ClassVar

from diffkit.engines.base import Compiled, Engine, engine_names
from diffkit.engines.numpy_source import NumpySource
from diffkit.graph import Graph

START, PER_LOOP, PER_NUMBER = 5e-3, 2.5e-3, 2.5e-5  # seconds that compiling takes: once, per step on arrays, on numbers
CALL = 1.5e-6  # seconds of a call that machine code saves besides
TIMED = 3  # calls from which the time of one is judged


class Auto(Engine):
    """NumPy first, machine code when it pays."""

    name: ClassVar[str] = "auto"

    def compile(self, graph: Graph) -> Compiled:
        """Compile for NumPy, and watch."""
        made = NumpySource().compile(graph)
        if "llvm" not in engine_names():
            return made
        watched = Watched(graph, made.run)
        return Compiled(watched, made.source, watched.direct, watched.later, watched.fold)


class Watched:
    """A program that is replaced by a faster one when it has been called often enough."""

    __slots__ = ("_calls", "_code", "_graph", "_lock", "_price", "_run", "_spent", "_tell", "watching")

    def __init__(self, graph: Graph, run: Any) -> None:
        self._graph, self._run = graph, run
        self.watching, self._calls, self._spent = True, 0, 0.0
        self._price = START + sum(PER_LOOP if step.shape else PER_NUMBER for step in graph.steps)
        self._lock = threading.Lock()
        self._code: Compiled | None = None  # machine code, once it is there and faster
        self._tell: Callable[[], None] | None = None

    def __call__(self, *arrays: Any) -> Any:
        """Run the program that is in place."""
        if not self.watching:
            return self._run(*arrays)
        start = perf_counter()
        found = self._run(*arrays)
        self._spent += perf_counter() - start + CALL
        self._calls += 1
        if self._calls >= TIMED and self._spent >= self._price:
            self._move(arrays)
        return found

    def direct(self, slow: Callable[..., Any], watched: Iterable[Any]) -> Callable[..., Any] | None:
        """The shortest way, once there is machine code."""
        return self._code.direct(slow, watched) if self._code and self._code.direct else None

    def fold(self, carried: Sequence[Any], rows: Sequence[Any]) -> tuple[int, Sequence[Any], list[Any]]:
        """Many rounds at once, once there is machine code; none before."""
        return self._code.fold(carried, rows) if self._code and self._code.fold else (0, carried, [])

    def later(self, tell: Callable[[], None]) -> None:
        """Tell when there is machine code."""
        self._tell = tell if self.watching else None

    def _move(self, arrays: tuple[Any, ...]) -> None:
        """Compile, and keep the faster way; other threads go on with the one in place."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self.watching:
                code = self._compiled()
                if code and _seconds(code.run, arrays) < _seconds(self._run, arrays):
                    self._run, self._code = code.run, code
                self.watching = False
                if self._code and self._tell:
                    self._tell()
        finally:
            self._lock.release()

    def _compiled(self) -> Compiled | None:
        """Machine code; None where it cannot be made, for NumPy can go on."""
        from diffkit.engines.llvm import Llvm

        try:
            return Llvm().compile(self._graph)
        except RuntimeError as error:  # LLVM refuses the code: a defect of ours, which need not stop anybody
            first = str(error).strip().partition("\n")[0]
            warnings.warn(f"no machine code for this function, NumPy goes on: {first}", RuntimeWarning, stacklevel=2)
            return None


def _seconds(run: Any, arrays: tuple[Any, ...]) -> float:
    """The best of a few calls."""
    best = float("inf")
    for _ in range(5):
        start = perf_counter()
        run(*arrays)
        best = min(best, perf_counter() - start)
    return best
