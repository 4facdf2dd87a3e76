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

import importlib

from diffkit.errors import InputError, UnknownNameError
from diffkit.problems import classical, convolutional, course, maps, networks, recurrent, regression
from diffkit.problems.base import Instance, Problem
from diffkit.problems.classical import logistic_map
from diffkit.problems.own import of_function

__all__ = ["Instance", "Problem", "get", "logistic_map", "names", "of_function"]

_FAMILIES = (course, regression, networks, convolutional, recurrent, classical, maps)
_PROBLEMS = {problem.name: problem for family in _FAMILIES for problem in family.PROBLEMS}


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

    ``package.module:name`` is the `Problem` called ``name`` in a module of one's own, or a plain function of that name:
    that becomes a problem without a derivative to compare with (`of_function`).

    Raises
    ------
    UnknownNameError
        None has; the message says which one comes near.
    InputError
        The module cannot be imported, or what it has by that name is neither a problem nor a function.

    Examples
    --------
    >>> get("speelpenning").summary
    'Product of all inputs.'
    """
    if ":" in name:
        return _resolve(name)
    if name not in _PROBLEMS:
        raise UnknownNameError(name, _PROBLEMS, kind="problem")
    return _PROBLEMS[name]


def _resolve(path: str) -> Problem:
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"no problem {path!r}: {error}; write package.module:name, and put it on PYTHONPATH") from None
    if isinstance(found, Problem):
        return found
    if not callable(found):
        raise InputError(f"{path!r} is a {type(found).__name__}; give a function, or a diffkit.problems.Problem")
    return of_function(found, path)
