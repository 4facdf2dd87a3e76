"""One method on one function at one point: prepared, checked, measured; and what a failure is called."""

from __future__ import annotations

import functools
import math
import signal
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from types import FrameType
from typing import Any

import numpy as np

from diffkit.benchmark.drift import busy, reference, warning
from diffkit.benchmark.grid import Limits
from diffkit.benchmark.methods import Method
from diffkit.benchmark.results import SAMPLES, described
from diffkit.differentiators import Derivative, Differentiator
from diffkit.errors import CheckError, DiffkitError, TooLargeError, UnsupportedError
from diffkit.graph import Operations
from diffkit.measure import measure, peak_memory
from diffkit.roofline import machine

Array = np.ndarray[Any, np.dtype[Any]]

TRACED_STEPS = 2000
"""Of a longer program the memory is not traced: each allocation is looked up by its line, which takes as long as the
program is. At 10,000 steps one traced run takes five seconds, and a plain one a millisecond."""

_TOLERANCES = {"forward": 1e-3, "complex-step": 1e-12}
"""What a scheme of finite differences promises where f is benign; the others promise 1e-6."""


@dataclass
class Trial:
    """A method at work on one function.

    The methods are called in the order in which they stand, so that nothing is timed whose answer was not
    checked. Each raises what goes wrong; `facts` keeps what was found before.

    Attributes
    ----------
    facts
        Columns of a row, by name, as far as they are known.
    jacobian
        The first answer of the prepared derivative, shape ``(B, A)``; there after `prepare`.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> trial = Trial(dk.get("reverse"), lambda x: x[0] * x[1], np.array([2.0, 3.0]))
    >>> trial.prepare()
    >>> trial.agree(np.array([[3.0, 2.0]]), tolerance=1e-9)
    >>> trial.measure(Limits(budget_seconds=0.01))
    >>> trial.facts["error"], trial.facts["repeats"]
    (0.0, 7)
    """

    differentiator: Differentiator
    function: Callable[..., Any]
    point: Any
    facts: dict[str, Any] = field(default_factory=dict)
    jacobian: Array = field(init=False)
    _plan: Derivative = field(init=False)

    def prepare(self) -> None:
        """Make the derivative ready, count what it does, and run it once."""
        start = perf_counter()
        plan = self._plan = self._make_plan()
        self.facts["prepare_seconds"] = self.facts["timed_seconds"] = perf_counter() - start
        self.facts |= {
            "operations": _total(plan.operations),
            "function_operations": _total(plan.function_operations),
            "graph_steps": None if plan.graph is None else len(plan.graph.steps),
            "function_calls": plan.calls,
            "bytes": None if plan.operations is None else plan.operations.bytes,
            "predicted_seconds": plan.predicted_seconds,
        }
        start = perf_counter()
        self.jacobian = plan.run(self.point)
        self.facts["timed_seconds"] += perf_counter() - start
        outputs, inputs = self.jacobian.shape
        self.facts["sweeps"] = self.differentiator.sweeps(inputs, outputs)

    def agree(self, reference: Array, tolerance: float) -> None:
        """Compare the answer with an independent one.

        Raises
        ------
        CheckError
            The shapes differ, or the largest relative error exceeds the tolerance.
        """
        error = relative_error(self.jacobian, reference)
        self.facts |= {"error": error, "tolerance": tolerance}
        if not np.isfinite(self.jacobian).all():
            raise CheckError("the answer holds an entry that is NaN or infinite")
        if not error <= tolerance:  # this way round NaN disagrees
            largest = np.max(np.abs(reference), initial=0.0)
            raise CheckError(f"off by {error:.1e} of the largest entry ({largest:.1e}); {tolerance:.0e} is allowed")

    def measure(self, limits: Limits) -> None:
        """Measure memory and time: of a run, of the plain function beside it, and of preparation alone."""
        run = partial(self._plan.run, self.point)
        function = partial(self.function, self.point)
        if (self.facts["graph_steps"] or 0) <= TRACED_STEPS:
            self.facts["peak_memory_bytes"] = peak_memory(run)
        clock = partial(measure, budget=limits.budget_seconds, repeats=limits.repeats)
        started = perf_counter()
        timings = clock(run, function, reference)
        samples = dict(zip(SAMPLES, (timing.samples for timing in timings), strict=True))
        self.facts |= {**samples, **described(samples), "loops": timings[0].loops, "repeats": limits.repeats}
        self.facts["load"] = busy()
        self.facts["warning"] = warning(samples["run_samples"], samples["reference_samples"], self.facts["load"])
        if self._plan.operations is not None:
            self.facts["bound_seconds"] = self._plan.roofline(self.facts["run_seconds"]).bound
        # A preparation so slow that repeats would take many times the budget keeps the time of its first go.
        if self.facts["prepare_seconds"] <= limits.budget_seconds:
            (of_preparation,) = clock(self._make_plan)
            self.facts["prepare_seconds"] = of_preparation.median
        self.facts["timed_seconds"] += perf_counter() - started

    def _make_plan(self) -> Derivative:
        return self.differentiator.prepare(self.function, self.point, product="jacobian")


def relative_error(jacobian: Array, reference: Array) -> float:
    """How far is a Jacobian from another, relative to the largest entry of that one?

    Raises
    ------
    CheckError
        The shapes differ.

    Examples
    --------
    >>> relative_error(np.array([[1.0, 2.5]]), np.array([[1.0, 2.0]]))
    0.25
    """
    if jacobian.shape != reference.shape:
        raise CheckError(f"a Jacobian of shape {jacobian.shape}; the reference has shape {reference.shape}")
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf is NaN
        largest = np.max(np.abs(jacobian - reference), initial=0.0)
        return float(largest / (np.max(np.abs(reference), initial=0.0) or 1.0))  # absolute where the reference is zero


def tolerance(method: Method, *, exact: bool, conditioning: float = 1.0) -> float:
    """How large may the relative error of a method be, on a problem of this conditioning?

    Whoever differentiates it, an ill-conditioned function loses digits: ``conditioning`` is the relative
    error to be expected, in units of the rounding error of one operation.

    Examples
    --------
    >>> tolerance(Method("reverse"), exact=True)
    1e-09
    >>> tolerance(Method("finite-difference", {"scheme": "forward"}), exact=False)
    0.001
    """
    promised = 1e-9 if exact else _TOLERANCES.get(str(method.options.get("scheme")), 1e-6)
    return max(promised, 100 * float(np.finfo(float).eps) * conditioning)


@functools.cache
def warm_up(name: str, engine: str) -> None:
    """Use a method once, so that what it imports (SymPy takes half a second) is no cost of the first cell.

    The same holds for the machine's limits, which take as long to measure.
    """
    machine()
    point = np.ones(1)
    Method(name).differentiator(engine).prepare(_product, point, product="jacobian").run(point)


def attempt(action: Callable[[], object], seconds: float = math.inf) -> tuple[str, str]:
    """Do something that may fail or never end: what is its status, and for what reason?

    The limit reaches Python code only, see `time_limit`; a cell of a suite has a worker's limit instead.

    Examples
    --------
    >>> attempt(lambda: 1 / 1, seconds=1.0)
    ('ok', '')
    >>> attempt(lambda: 1 / 0, seconds=1.0)
    ('failed', 'ZeroDivisionError: division by zero')
    """
    try:
        with time_limit(seconds):
            action()
    except OutOfTime:
        return "timed out", f"not finished within {seconds:g} s"
    except Exception as error:  # noqa: BLE001 - whatever a method or a function raises is the result of its cell
        return _outcome(error)
    return "ok", ""


class OutOfTime(BaseException):
    """The time limit has passed; no Exception, so that code which catches errors does not catch this."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt Python code that takes longer, by `OutOfTime`.

    A single call of native code is interrupted when it returns. Signals exist in the main thread of POSIX
    systems only; elsewhere nothing is interrupted.
    """
    limited = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds == math.inf or not limited:
        yield
        return

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _total(operations: Operations | None) -> int | None:
    return None if operations is None else operations.total


def _outcome(error: Exception) -> tuple[str, str]:
    kinds: dict[type[Exception], str] = {
        CheckError: "disagrees",
        TooLargeError: "too large",
        MemoryError: "out of memory",
        UnsupportedError: "skipped",
    }
    status = next((status for kind, status in kinds.items() if isinstance(error, kind)), "failed")
    name = "" if isinstance(error, DiffkitError) else f"{type(error).__name__}: "
    return status, textwrap.shorten(f"{name}{error}", width=300)


def _product(x: Array) -> Any:
    return x[0] * x[0]
