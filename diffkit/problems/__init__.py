"""Functions to differentiate, in plain NumPy, each with the derivative that a method has to find.

>>> from diffkit import problems
>>> problem = problems.get("rosenbrock")
>>> problem.summary
'Sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2.'
>>> instance = problem.at(1000)
>>> instance.point.shape, instance.jacobian(instance.point).shape
((1000,), (1, 1000))
"""

from __future__ import annotations

from diffkit.errors import UnknownNameError
from diffkit.problems import classical, course, maps, networks, regression
from diffkit.problems.base import Instance, Problem
from diffkit.problems.classical import logistic_map

__all__ = ["Instance", "Problem", "get", "logistic_map", "names"]

_FAMILIES = (course.PROBLEMS, regression.PROBLEMS, networks.PROBLEMS, classical.PROBLEMS, maps.PROBLEMS)
_PROBLEMS = {problem.name: problem for family in _FAMILIES for problem in family}


def names() -> list[str]:
    """Which problems are there? Their names, family by family.

    Examples
    --------
    >>> names()[:2]
    ['worked-example', 'composition']
    """
    return list(_PROBLEMS)


def get(name: str) -> Problem:
    """Which problem has this name?

    Raises
    ------
    UnknownNameError
        None has; the message says which one comes near.

    Examples
    --------
    >>> get("speelpenning").summary
    'Product of all inputs.'
    """
    if name not in _PROBLEMS:
        raise UnknownNameError(name, _PROBLEMS, kind="problem")
    return _PROBLEMS[name]
