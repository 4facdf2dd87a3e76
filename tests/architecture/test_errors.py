"""Every error of the package stands in `diffkit.errors`, and its docstring draws the tree as it is."""

from __future__ import annotations

import importlib
import pkgutil
import re

import diffkit
from diffkit import errors


def drawn() -> dict[str, str]:
    """Name of each error in the drawing -> name of its parent, read from the indentation."""
    parents: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        if found := re.match(r"[\s│├└─]*(?P<name>\w+Error)\b", line):
            column = found.start("name")
            above = [(left, name) for left, name in above if left < column]
            if above:
                parents[found["name"]] = above[-1][1]
            above.append((column, found["name"]))
    return parents


def errors_of_the_package(parent: type = errors.DiffkitError) -> list[type]:
    """Every error below the root that the package has defined so far; tests may define more."""
    below = [kind for child in parent.__subclasses__() for kind in (child, *errors_of_the_package(child))]
    return [kind for kind in below if kind.__module__.startswith("diffkit.")]


def test_the_drawing_is_the_tree() -> None:
    tree = {kind.__name__: kind.__bases__[0].__name__ for kind in errors_of_the_package()}
    assert drawn() == tree
    assert len(tree) >= 8


def test_no_error_is_defined_elsewhere() -> None:
    for module in pkgutil.walk_packages(diffkit.__path__, "diffkit."):
        importlib.import_module(module.name)
    assert {kind.__module__ for kind in errors_of_the_package()} == {"diffkit.errors"}
