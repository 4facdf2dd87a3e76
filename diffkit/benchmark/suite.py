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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any, Self

from diffkit import problems as problem_table
from diffkit.benchmark.methods import Method
from diffkit.benchmark.reading import Source
from diffkit.engines import engine_names
from diffkit.errors import InputError, UnknownNameError, check_name
from diffkit.measure import FEWEST_REPEATS

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
class Limits:
    """What one cell may cost, and how carefully it is timed.

    Attributes
    ----------
    seconds
        Wall-clock time of one cell, preparation and timing included; loading libraries and making the problem is not.
    jacobian_bytes
        Size of a dense Jacobian beyond which a cell is not tried.
    memory_bytes
        Memory that a cell may take beyond what its process held before.
    budget_seconds
        Time spent on the samples of one quantity.
    repeats
        Samples of one quantity in one visit, at least 7.
    visits
        How often a timed cell is measured, each time in another process and when all others have been: what memory
        layout and a busy minute do to its times differs from visit to visit. Five are enough for `diffkit compare` to
        see a fifth of difference, and to see none where there is none; two are enough for a report.

    Raises
    ------
    InputError
        A limit is not positive, there are fewer than 7 repeats, or repeats or visits are no whole number.
    """

    seconds: float = 10.0
    jacobian_bytes: int = 200_000_000
    memory_bytes: int = 4_000_000_000
    budget_seconds: float = 0.1
    repeats: int = FEWEST_REPEATS
    visits: int = 5

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if type(value) not in (int, float) or value <= 0:
                raise InputError(f"limit {entry.name} = {value!r}; it must be a positive number")
        if self.repeats < FEWEST_REPEATS or self.repeats % 1:
            raise InputError(f"limit repeats = {self.repeats}; it must be a whole number, {FEWEST_REPEATS} or more")
        if self.visits % 1:
            raise InputError(f"limit visits = {self.visits}; it must be a whole number")


@dataclass(frozen=True)
class Cell:
    """One combination of the grid, in plain words and numbers, so that it can be sent to another process."""

    suite: str
    problem: str
    method: str
    engine: str
    inputs: int
    outputs: int
    study: str = "cells"
    step_size: float | None = None
    depth: int | None = None
    visit: int = 0

    @property
    def size(self) -> int:
        """How large the cell is: entries of the Jacobian, times the depth where there is one."""
        return self.inputs * self.outputs * (self.depth or 1)

    @property
    def size_text(self) -> str:
        """The size in words."""
        return f"A = {self.inputs}, B = {self.outputs}" + (f", depth {self.depth}" if self.depth else "")

    def __str__(self) -> str:
        return f"{self.problem}, {self.method}, {self.engine}, {self.size_text}"

    @property
    def row(self) -> Cell:
        """What all cells that differ in size only have in common."""
        return replace(self, inputs=0, outputs=0, depth=None, visit=0)

    def at_least(self, other: Cell) -> bool:
        """Is this cell nowhere smaller than that one?"""
        return self.inputs >= other.inputs and self.outputs >= other.outputs and (self.depth or 0) >= (other.depth or 0)


@dataclass(frozen=True)
class Grid:
    """Every combination of what is listed here, as far as the problems exist at that size."""

    problems: tuple[str, ...]
    methods: tuple[str, ...]
    engines: tuple[str, ...] = ("numpy",)
    inputs: tuple[int, ...] = (1,)
    outputs: tuple[int, ...] = (1,)
    step_sizes: tuple[float, ...] = ()
    depths: tuple[int, ...] = ()
    first_fit: bool = False

    def cells(self, suite: str) -> Iterator[Cell]:
        """List the cells of this grid, all methods of one size together."""
        if self.depths and self.problems != ("logistic-map",):
            raise InputError(f"depths = {list(self.depths)}: only the problem 'logistic-map' has a depth")
        study = "step-size" if self.step_sizes else "swell" if self.depths else "cells"
        methods = [Method.parse(label) for label in self.methods]
        columns = [(m.label, e, m.differentiator(e).exact) for m, e in product(methods, self.engines)]
        for problem in self.problems:
            sizes = self._sizes(problem)
            settings = product(sizes, self.step_sizes or [None], self.depths or [None], columns)
            for (inputs, outputs), step_size, depth, (label, engine, exact) in settings:
                step = None if exact else step_size
                yield Cell(suite, problem, label, engine, inputs, outputs, study, step, depth)

    def _sizes(self, name: str) -> list[tuple[int, int]]:
        problem = problem_table.get(name)
        sizes = [(A, B) for B, A in product(self.outputs, self.inputs) if problem.fits(A, B)]
        if not sizes:
            raise InputError(
                f"problem {name!r} exists at none of the sizes inputs = {list(self.inputs)}, "
                f"outputs = {list(self.outputs)}; add one that it has"
            )
        return sizes[:1] if self.first_fit else sizes


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
    "engines": lambda name: check_name(name, engine_names(), kind="engine"),
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
