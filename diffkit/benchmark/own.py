"""A suite for a function of somebody's own, from the words of a command line."""

from __future__ import annotations

import json
import re

from diffkit import problems
from diffkit.benchmark.suite import Suite
from diffkit.differentiators import FiniteDifference, Forward, Reverse, Symbolic
from diffkit.errors import InputError

INPUTS = "2,10,100,1000"
METHODS = ",".join(kind.name for kind in (FiniteDifference, Symbolic, Forward, Reverse))

_TEXT = """summary = {summary}

[limits]
seconds = 10.0
budget_seconds = 0.02

[[grid]]
problems = {problems}
methods = {methods}
engines = {engines}
inputs = {inputs}
outputs = {outputs}
"""


def suite_of(
    problem: str, *, inputs: str = "", outputs: str = "", methods: str = METHODS, engines: str = "numpy"
) -> Suite:
    """Make the suite that measures one problem, or one plain function, as ``package.module:name``.

    Parameters
    ----------
    inputs, outputs
        Whole numbers with commas between. Left out: 2, 10, 100 and 1000 inputs, and as many outputs as the function
        then gives.
    methods, engines
        Names with commas between.

    Raises
    ------
    UnknownNameError
        Nobody has that name.
    InputError
        The function cannot be had, or it gives nothing for so many inputs.

    Examples
    --------
    >>> [(cell.inputs, cell.outputs) for cell in suite_of("rosenbrock", inputs="2,3", methods="reverse").cells][:2]
    [(2, 1), (3, 1)]
    """
    sizes = _numbers(inputs or INPUTS, "--inputs")
    wanted = _numbers(outputs, "--outputs") if outputs else _outputs(problem, sizes)
    text = _TEXT.format(
        summary=json.dumps(problems.get(problem).summary),
        problems=json.dumps([problem]),
        methods=json.dumps(_words(methods)),
        engines=json.dumps(_words(engines)),
        inputs=json.dumps(sizes),
        outputs=json.dumps(wanted),
    )
    return Suite.parse(text, problem.rpartition(":")[2])


def _outputs(problem: str, inputs: list[int]) -> list[int]:
    """As many outputs as a function gives at these numbers of inputs; one, or square, where there is a choice."""
    found = problems.get(problem)
    if found.sizes.outputs is None:
        return [1] if any(found.fits(A, 1) for A in inputs) else inputs
    sizes, failures = set[int](), list[InputError]()
    for A in inputs:
        try:
            sizes.add(found.sizes.outputs(A))
        except InputError as error:
            failures.append(error)
    if not sizes:
        raise failures[0]
    return sorted(sizes)


def _numbers(text: str, option: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise InputError(f"{option} {text}; give whole numbers with commas between, such as {INPUTS}") from None


def _words(text: str) -> list[str]:
    """Split at commas, but not inside parentheses: those are options of a method."""
    return [word.strip() for word in re.split(r",(?![^()]*\))", text) if word.strip()]
