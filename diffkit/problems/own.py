"""A plain function of somebody's own as a problem: whatever it does, there is no derivative to compare with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import getdoc
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.problems.base import Array, Parts, Problem, Sizes


def of_function(f: Callable[[Array], Any], name: str) -> Problem:
    """Make a problem of a function of an array of A numbers; it decides itself how many outputs B that gives.

    It is differentiated at a point between 0.5 and 1.5 in every coordinate, the same for equal A.

    Examples
    --------
    >>> problem = of_function(lambda x: x[1:] * x[:-1], "mine")
    >>> problem.fits(10, 9), problem.fits(10, 1)
    (True, False)
    """

    @cache
    def outputs(inputs: int) -> int:
        try:
            return int(np.size(f(point(inputs))))
        except Exception as error:
            raise InputError(
                f"{name} cannot be called with an array of {inputs} numbers: {type(error).__name__}: {error}; "
                "choose other numbers of inputs"
            ) from error

    def fits(inputs: int, wanted: int) -> bool:
        try:
            return inputs >= 1 and 1 <= wanted == outputs(inputs)
        except InputError:
            return False

    def build(inputs: int) -> Parts:
        return f, point(inputs), None, 1.0

    summary = (getdoc(f) or "A function of your own.").partition("\n")[0]
    sizes = Sizes("f takes A numbers and gives B", fits, outputs=outputs)
    return Problem(name, summary, "", sizes, build)


def point(inputs: int) -> Array:
    """Choose where to differentiate: between 0.5 and 1.5, where few functions are singular."""
    return np.random.default_rng(0).uniform(0.5, 1.5, inputs)
