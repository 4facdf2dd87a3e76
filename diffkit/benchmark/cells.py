"""One cell of a suite: whatever happens in it ends in its row, with status and reason, and costs no other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from diffkit import problems
from diffkit.benchmark.methods import Method
from diffkit.benchmark.results import Measurement, now
from diffkit.benchmark.suite import Cell, Limits
from diffkit.benchmark.trial import Trial, attempt, tolerance, warm_up
from diffkit.differentiators import Differentiator
from diffkit.errors import InputError, TooLargeError, UnsupportedError
from diffkit.problems import Instance

Facts = dict[str, Any]


def measure_cell(cell: Cell, limits: Limits) -> Measurement:
    """What does one cell of the grid cost, and is its answer right?

    Agreement with the reference comes first: a cell that disagrees is not timed. Nothing but Ctrl-C gets out.

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
    attempt(partial(warm_up, Method.parse(cell.method).name, cell.engine), math.inf)
    status, reason = attempt(lambda: made.append(_instance(cell, limits)), math.inf)
    if made:
        study = partial(_STUDIES[cell.study], cell, made[0], limits, facts)
        status, reason = attempt(study, limits.seconds)
    return Measurement(**asdict(cell), **facts, status=status, reason=reason)


def _instance(cell: Cell, limits: Limits) -> Instance:
    needed = 8 * cell.inputs * cell.outputs
    if needed > limits.jacobian_bytes:
        raise TooLargeError(
            f"a Jacobian of {cell.outputs} x {cell.inputs} numbers takes {needed / 1e6:,.0f} MB; "
            f"this suite allows {limits.jacobian_bytes / 1e6:,.0f} MB (limit jacobian_bytes)"
        )
    options = {} if cell.depth is None else {"depth": cell.depth}
    try:
        return problems.get(cell.problem).at(cell.inputs, cell.outputs, **options)
    except InputError as error:  # the problem needs an extra that is not installed
        raise UnsupportedError(str(error)) from None


def _measure(cell: Cell, instance: Instance, limits: Limits, facts: Facts) -> None:
    """All there is to know about one method on one problem at one size."""
    _count(cell, instance, limits, facts).measure(limits)


def _count(cell: Cell, instance: Instance, _limits: Limits, facts: Facts) -> Trial:
    """The right answer and its operations, not timed."""
    method = Method.parse(cell.method)
    differentiator = method.differentiator(cell.engine)
    allowed = tolerance(method, exact=differentiator.exact, conditioning=instance.conditioning)
    return _agreed(differentiator, instance, allowed, facts)


def _error_of_step(cell: Cell, instance: Instance, _limits: Limits, facts: Facts) -> None:
    """The error that one step size leaves, large as it may be; for an exact method, the floor."""
    options = {} if cell.step_size is None else {"step_size": cell.step_size}
    _agreed(Method.parse(cell.method).differentiator(cell.engine, **options), instance, math.inf, facts)


def _agreed(differentiator: Differentiator, instance: Instance, allowed: float, facts: Facts) -> Trial:
    trial = Trial(differentiator, instance.function, instance.point, facts)
    trial.prepare()
    trial.agree(instance.jacobian(instance.point), allowed)
    return trial


_STUDIES: dict[str, Callable[[Cell, Instance, Limits, Facts], object]] = {
    "cells": _measure,
    "step-size": _error_of_step,
    "swell": _count,
}
