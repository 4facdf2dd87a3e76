"""`diffkit.__all__` is the public API, and all of it is documented."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

import diffkit
from diffkit import lab

LAB_PAGE = Path(__file__).parents[2] / "docs" / "lab" / "README.md"
NAMES = sorted(name for name in diffkit.__all__ if not name.startswith("__"))


def is_exception(name: str) -> bool:
    thing = getattr(diffkit, name)
    return inspect.isclass(thing) and issubclass(thing, Exception)


def test_the_list_names_each_thing_once() -> None:
    assert len(set(diffkit.__all__)) == len(diffkit.__all__)


def test_nothing_public_is_missing_from_the_list() -> None:
    public = {
        name
        for name, thing in vars(diffkit).items()
        if not name.startswith("_") and getattr(thing, "__module__", "").startswith("diffkit.")
    }
    assert public - set(NAMES) == set()


@pytest.mark.parametrize("name", NAMES)
def test_each_name_has_a_docstring_of_its_own(name: str) -> None:
    thing = getattr(diffkit, name)
    assert vars(thing)["__doc__"] if inspect.isclass(thing) else thing.__doc__


@pytest.mark.parametrize("name", [name for name in NAMES if not is_exception(name)])
def test_each_function_and_class_shows_an_example(name: str) -> None:
    thing = getattr(diffkit, name)
    assert not callable(thing) or ">>> " in thing.__doc__


def test_the_lab_lists_every_name_of_every_module_for_its_readers() -> None:
    rows = re.findall(r"^\| `lab\.(\w+)` \|(.*)\|(.*)\|$", LAB_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    listed = {module: set(re.findall(r"`(\w+)`", functions + others)) for module, functions, others in rows}
    assert listed == {module: set(import_module(f"diffkit.lab.{module}").__all__) for module in dir(lab)}


@pytest.mark.parametrize("module", dir(lab))
def test_each_function_of_the_lab_shows_an_example(module: str) -> None:
    made = import_module(f"diffkit.lab.{module}")
    for name in made.__all__:
        thing = getattr(made, name)
        assert not inspect.isfunction(thing) or ">>> " in (thing.__doc__ or ""), name
