"""One cell of a suite, what it may cost, and the combinations that make cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import product

from diffkit import problems as problem_table
from diffkit.benchmark.methods import Method
from diffkit.errors import InputError, check_positive, check_whole
from diffkit.measure import FEWEST_REPEATS


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
            check_positive(getattr(self, entry.name), f"limit {entry.name}", "", finite=False)
        check_whole(self.repeats, "limit repeats", FEWEST_REPEATS)
        check_whole(self.visits, "limit visits")


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
