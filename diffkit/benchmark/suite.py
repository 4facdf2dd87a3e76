"""The grid: problems x methods x engines x A x B, read from a TOML file.

::

    summary = "What this suite is for."
    figures = ["winners"]         # pictures of the report, see `FIGURES`; all if left out

    [limits]                      # all optional, see `Limits`
    seconds = 2.0

    [[grid]]                      # every combination is one cell, timed; write small sizes first
    problems = ["tanh-map"]       # or "all"; one of your own: "package.module:name"
    methods = ["reverse", "symbolic(form=expression)"]
    engines = ["numpy"]           # this if left out
    inputs = [1, 10, 100]         # 1 if left out
    outputs = [1]                 # 1 if left out
    first_fit = false             # true: each problem at the first size of this grid at which it exists

    [[grid]]                      # with step sizes: the error of finite differences, exact methods as floor
    problems = ["helmholtz"]
    methods = ["finite-difference(scheme=central)", "reverse"]
    inputs = [10]
    step_sizes = [1e-8, 1e-6]

    [[grid]]                      # with depths: operations on the logistic map, counted
    problems = ["logistic-map"]
    methods = ["symbolic(form=expression)", "reverse"]
    depths = [1, 2, 3]

All is checked when the file is read, so that a run does not stop at a misspelt word after an hour; a message names the
line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, Self

from diffkit import problems as problem_table
from diffkit.benchmark.grid import Cell, Grid, Limits
from diffkit.benchmark.methods import Method
from diffkit.benchmark.reading import Source
from diffkit.engines import check_engine
from diffkit.errors import InputError, UnknownNameError, check_name

FIGURES = (
    "time-against-inputs",
    "time-against-outputs",
    "winners",
    "relative-cost",
    "time-against-calls",
    "error-against-step-size",
    "operations-against-depth",
)
"""The pictures that a report may have, in its order."""


@dataclass(frozen=True)
class Suite:
    """A named list of cells, with the limits that hold for each.

    Examples
    --------
    >>> suite = Suite.load("quick")
    >>> suite.name, suite.cells[0].study
    ('quick', 'cells')
    """

    name: str
    summary: str
    limits: Limits
    cells: tuple[Cell, ...]
    figures: tuple[str, ...] = ()
    text: str = field(default="", repr=False, compare=False)

    @classmethod
    def load(cls, name: str) -> Self:
        """Read a suite that comes with diffkit, by name, or a ``.toml`` file, by path.

        Raises
        ------
        UnknownNameError
            No suite, problem, method, engine or key has that name.
        InputError
            The file is no suite: it cannot be read, or a value in it cannot be used.
        """
        if not name.endswith(".toml"):
            if name not in names():
                raise UnknownNameError(name, names(), kind="suite")
            return cls.parse((_SHIPPED / f"{name}.toml").read_text(encoding="utf-8"), name)
        try:
            return cls.parse(Path(name).read_text(encoding="utf-8"), name)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read the suite {name}: {error}") from None

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        """Read the text of a suite file; raises as `load` does.

        ``name`` is that of the suite, or the path of its file.
        """
        source = Source(text, name if name.endswith(".toml") else f"suite {name}")
        document, name = source.document(), Path(name).stem
        _check_keys(document, ("summary", "figures", "limits", "grid"), source)
        with source.at("", 1, "summary"):
            _check_kind("summary", document.get("summary", ""), str, "a text")
        figures = _figures(document, source)
        limits = _limits(document.get("limits", {}), source)
        entry = document.get("grid", [])
        tables = entry if isinstance(entry, list) else [entry]
        if not tables:
            raise InputError(f"{source.name} has no [[grid]]; add one")
        once: dict[Cell, None] = {}
        for count, table in enumerate(tables, 1):
            grid = _grid(table, source, count)
            with source.at("grid", count, "problems"):
                once |= dict.fromkeys(grid.cells(name))
        again = [replace(cell, visit=n) for n in range(1, limits.visits) for cell in once if cell.study == "cells"]
        return cls(name, document.get("summary", ""), limits, (*once, *again), figures, text)

    def differences(self, other: Self) -> list[str]:
        r"""In which limits and cells do two suites differ? In words; names and summaries may differ.

        Examples
        --------
        >>> text = "limits.visits = 1\ngrid = {{problems = ['tanh-map'], methods = ['reverse'], inputs = [1, {}]}}"
        >>> Suite.parse(text.format(2), "a").differences(Suite.parse(text.format(3), "b"))
        ['it alone has tanh-map, reverse, numpy, A = 2, B = 1', 'it lacks tanh-map, reverse, numpy, A = 3, B = 1']
        """
        pairs = [(name, getattr(self.limits, name), getattr(other.limits, name)) for name in _names_of(Limits)]
        limits = [f"its limit {name} is {mine:g}, not {yours:g}" for name, mine, yours in pairs if mine != yours]
        mine, yours = (dict.fromkeys(replace(cell, suite="") for cell in suite.cells) for suite in (self, other))
        return [
            *limits,
            *_some("it alone has", [cell for cell in mine if cell not in yours]),
            *_some("it lacks", [cell for cell in yours if cell not in mine]),
        ]


def figures_of(folder: Path) -> tuple[str, ...]:
    """Which pictures the suite of a run asks for; all of them where it does not say, or is not there."""
    try:
        found = tomllib.loads((folder / "suite.toml").read_text(encoding="utf-8")).get("figures", FIGURES)
    except (OSError, ValueError):
        return FIGURES
    return tuple(name for name in FIGURES if name in found)


def names() -> list[str]:
    """List the suites that come with diffkit.

    Examples
    --------
    >>> names()
    ['quick', 'scaling']
    """
    return sorted(Path(entry.name).stem for entry in _SHIPPED.iterdir() if entry.name.endswith(".toml"))


_SHIPPED = resources.files("diffkit.benchmark") / "suites"
_LISTS: dict[str, tuple[type, ...]] = {
    "problems": (str,), "methods": (str,), "engines": (str,), "inputs": (int,), "outputs": (int,),
    "step_sizes": (int, float), "depths": (int,),
}  # fmt: skip
_NAMES: dict[str, Callable[[str], object]] = {
    "problems": problem_table.get,
    "methods": lambda label: Method.parse(label).differentiator("numpy"),
    "engines": check_engine,
}
"""How a name of each kind is looked up, to be refused where nobody has it."""


def _grid(table: dict[str, Any], source: Source, count: int) -> Grid:
    _check_keys(table, _names_of(Grid), source, "grid", count)
    if table.get("problems") == "all":
        table = {**table, "problems": problem_table.names()}
    for key in ("problems", "methods"):
        if key not in table:
            with source.at("grid", count):
                raise InputError(f"this [[grid]] names no {key}; add {key} = [...]")
    for key in _LISTS:
        if key in table:
            _check_list(key, table[key], source, count)
    with source.at("grid", count, "first_fit"):
        _check_kind("first_fit", table.get("first_fit", False), bool, "true or false")
    values: dict[str, Any] = {key: tuple(value) if key in _LISTS else value for key, value in table.items()}
    return Grid(**values)


def _check_list(key: str, entries: Any, source: Source, count: int) -> None:
    """Refuse a list that is none, is empty, or has an entry of another kind or with a name that nobody has."""
    kinds = _LISTS[key]
    with source.at("grid", count, key):
        if not (isinstance(entries, list) and all(type(entry) in kinds for entry in entries)):
            what = "numbers" if float in kinds else "whole numbers" if int in kinds else "names"
            raise InputError(f"{key} = {entries!r} is not a list of {what}")
        if not entries:
            raise InputError(f"{key} is empty; name at least one, or leave the key out if it may be")
    for entry in entries if key in _NAMES else ():
        with source.at("grid", count, key, entry):
            _NAMES[key](entry)


def _limits(table: Any, source: Source) -> Limits:
    _check_keys(table, _names_of(Limits), source, "limits")
    for key, value in table.items():
        with source.at("limits", 1, key):
            Limits(**{key: value})
    return Limits(**table)


def _figures(document: dict[str, Any], source: Source) -> tuple[str, ...]:
    """Which pictures are wanted; all of them where the suite does not say."""
    names = document.get("figures", list(FIGURES))
    with source.at("", 1, "figures"):
        _check_kind("figures", names, list, "a list of names")
    for name in names:
        with source.at("", 1, "figures", name):
            check_name(name, FIGURES, kind="figure")
    return tuple(names)


def _check_kind(key: str, value: object, kind: type, words: str) -> None:
    if not isinstance(value, kind):
        raise InputError(f"{key} = {value!r} is not {words}")


def _check_keys(table: object, known: Sequence[str], source: Source, name: str = "", count: int = 1) -> None:
    words = f"[[{name}]]" if name == "grid" else f"[{name}]"
    if not isinstance(table, dict):
        with source.at("", 1, name):
            raise InputError(f"{words} is no table of keys and values")
    for key in table:
        if key not in known:
            with source.at(name, count, key):
                raise UnknownNameError(key, known, kind=f"key in {words} called" if name else "key of a suite called")


def _some(words: str, cells: list[Cell]) -> list[str]:
    more = f", and {len(cells) - 1:,} more" if cells[1:] else ""
    return [f"{words} {cells[0]}{more}"] if cells else []


def _names_of(kind: type[Limits | Grid]) -> list[str]:
    return [entry.name for entry in fields(kind)]
