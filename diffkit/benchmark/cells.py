"""One cell of a suite: whatever a method or a problem raises in it ends in its row, with status and reason."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeAlias

from diffkit import problems
from diffkit.benchmark.environment import now
from diffkit.benchmark.grid import Cell, Limits
from diffkit.benchmark.methods import Method
from diffkit.benchmark.results import Measurement
from diffkit.benchmark.trial import Trial, attempt, tolerance, warm_up
from diffkit.differentiators import Differentiator, FiniteDifference
from diffkit.errors import TooLargeError, TracingError, UnsupportedError
from diffkit.problems import Instance

Facts: TypeAlias = dict[str, Any]
Tell: TypeAlias = Callable[[Facts], object]
"""Takes what is known of a cell so far: columns of its row, by name."""


def measure_cell(cell: Cell, limits: Limits, tell: Tell = lambda _facts: None) -> Measurement:
    """What does one cell of the grid cost, and is its answer right?

    Agreement with the reference comes first: a cell that disagrees is not timed. Time and memory are limited by the
    place where this runs, `diffkit.benchmark.workers`. ``tell`` is handed what is known so far, first when the problem
    is made and all libraries are loaded, so that a cell which takes its process down leaves what it had found.

    Examples
    --------
    >>> cell = Cell("mine", "rosenbrock", "reverse", "numpy", inputs=10, outputs=1)
    >>> row = measure_cell(cell, Limits(budget_seconds=0.01))
    >>> row.status, row.error <= row.tolerance, len(row.run_samples)
    ('ok', True, 7)
    """
    facts: Facts = {"started": now()}
    made: list[Instance] = []
    # What is imported or read when first used (SymPy, a data set) is no cost of the cell that comes first.
    attempt(partial(warm_up, Method.parse(cell.method).name, cell.engine))
    status, reason = attempt(lambda: made.append(_instance(cell, limits)))
    if made:
        tell(facts)
        status, reason = attempt(partial(_STUDIES[cell.study], _Work(cell, made[0], limits, facts, tell)))
    return Measurement(**asdict(cell), **facts, status=status, reason=reason)


def _instance(cell: Cell, limits: Limits) -> Instance:
    needed = 8 * cell.inputs * cell.outputs
    if needed > limits.jacobian_bytes:
        raise TooLargeError(
            f"a Jacobian of {cell.outputs} x {cell.inputs} numbers takes {needed / 1e6:,.0f} MB; "
            f"this suite allows {limits.jacobian_bytes / 1e6:,.0f} MB (limit jacobian_bytes)"
        )
    options = {} if cell.depth is None else {"depth": cell.depth}
    return problems.get(cell.problem).at(cell.inputs, cell.outputs, **options)


@dataclass
class _Work:
    """All that a study needs to know."""

    cell: Cell
    instance: Instance
    limits: Limits
    facts: Facts
    tell: Tell


def _measure(work: _Work) -> None:
    """All there is to know about one method on one problem at one size."""
    _count(work).measure(work.limits)


def _count(work: _Work) -> Trial:
    """The right answer and its operations, not timed."""
    method = Method.parse(work.cell.method)
    differentiator = method.differentiator(work.cell.engine)
    allowed = tolerance(method, exact=differentiator.exact, conditioning=work.instance.conditioning)
    return _agreed(work, differentiator, allowed)


def _error_of_step(work: _Work) -> None:
    """The error that one step size leaves, large as it may be; for an exact method, the floor."""
    options = {} if work.cell.step_size is None else {"step_size": work.cell.step_size}
    _agreed(work, Method.parse(work.cell.method).differentiator(work.cell.engine, **options), math.inf)


def _agreed(work: _Work, differentiator: Differentiator, allowed: float) -> Trial:
    trial = Trial(differentiator, work.instance.function, work.instance.point, work.facts)
    trial.prepare()
    work.tell(work.facts)
    if work.instance.jacobian is not None:
        trial.agree(work.instance.jacobian(work.instance.point), allowed)
    else:
        judge, answer = _judged(work)
        work.facts["judge"] = judge.label
        trial.agree(answer, max(allowed, tolerance(judge, exact=judge.differentiator("numpy").exact)))
    work.tell(work.facts)
    return trial


def _judged(work: _Work) -> tuple[Method, Any]:
    """The answer of another method, where there is no independent one: reverse, but forward for reverse itself.

    Finite differences where f cannot be traced; Richardson's for finite differences themselves.
    """
    method, (f, point) = Method.parse(work.cell.method), (work.instance.function, work.instance.point)
    try:
        judge = Method("forward" if method.name == "reverse" else "reverse")
        return judge, judge.differentiator("numpy").prepare(f, point).run(point)
    except (TracingError, UnsupportedError):
        judge = Method(
            FiniteDifference.name,
            {"scheme": "central" if method.options.get("scheme") == "richardson" else "richardson"},
        )
        return judge, judge.differentiator("numpy").prepare(f, point).run(point)


_STUDIES: dict[str, Callable[[_Work], object]] = {
    "cells": _measure,
    "step-size": _error_of_step,
    "swell": _count,
}
