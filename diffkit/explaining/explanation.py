"""`explain`: a function as a blackboard shows it, with numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from diffkit.differentiators.arguments import numbered, take
from diffkit.differentiators.following import followed
from diffkit.differentiators.programs import Branch, check_scalar
from diffkit.errors import InputError, check_name, check_positive
from diffkit.explaining import tables
from diffkit.explaining.backward import derivative_graph
from diffkit.explaining.columns import Columns, Row
from diffkit.explaining.edges import Edge
from diffkit.explaining.lines import Board, Line, tidy
from diffkit.explaining.names import name_inputs, name_parameters
from diffkit.expressions import as_callable
from diffkit.graph import Graph
from diffkit.ops import Array

VERSIONS = ("A", "B")
WHOLE = "limit=None"
"""What shows all rows, said where the one who calls `explain` looks; the reader of a page cannot choose."""


def explain(
    f: Callable[..., Any],
    /,
    *args: Any,
    version: str = "B",
    names: str | Sequence[str] | None = None,
    argnums: int | Sequence[int] | None = None,
    limit: int | None = 60,
) -> Explanation:
    """How does backpropagation find this gradient, line by line?

    Shows f as one writes it on a blackboard: each intermediate variable with its value, and next to it the gradient of
    the result by each variable, from the last line to the first.

    Parameters
    ----------
    f
        A plain-NumPy function whose result is one number.
    *args
        Where: numbers, arrays, or containers of them.
    version
        How gradients are collected: "B" initialises them to zero and increments; "A" sums over the lines that read a
        variable. Both find the same.
    names
        A name for each argument, as a list or as "x z"; for a single argument of shape ``(n,)`` also a name for each of
        its entries. By default what f calls them; an array in a dictionary has the name of its key.
    argnums
        Which arguments to differentiate by: a position, or several; by default all.
    limit
        How many lines a column may have where it is shown; of a longer one the first and the last half as many are
        shown. None shows all.

    Returns
    -------
    Explanation
        It prints as a table; ``markdown()``, ``latex()`` and ``html()`` are for pages.

    Raises
    ------
    NotScalarError
        Where f does not return one number.
    InputError
        For arguments or names that cannot be used.
    TracingError
        Where f cannot be traced.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> def f(x):
    ...     t = x**2
    ...     return np.cos(np.sin(t) + 3 * t)
    >>> print(dk.explain(f, 0.7))
    forward     value       |   backward                           value
    x           0.7         |   dJ/dJ = 1                          1
    t = x^2     0.49        |   dJ/dw = dJ/dv = dJ/du = dJ/dt = 0  0
    u = sin(t)  0.470626    |   dJ/dx = 0                          0
    v = 3t      1.47        |   dJ/dw += -sin(w)                   -0.932389
    w = u + v   1.94063     |   dJ/dv += dJ/dw                     -0.932389
    J = cos(w)  -0.361457   |   dJ/du += dJ/dw                     -0.932389
                            |   dJ/dt += 3 dJ/dv                   -2.79717
                            |   dJ/dt += dJ/du cos(t)              -3.61984
                            |   dJ/dx += dJ/dt 2x                  -5.06778
    """
    check_name(version, VERSIONS, kind="version")
    if limit is not None:
        check_positive(limit, "limit", " of rows to show, or None to show all")
    f = as_callable(f)
    if not args:
        raise InputError("f was given no arguments, so there is no point to explain it at; give them after f")
    numbers, single = numbered(tuple(range(len(args))) if argnums is None else argnums)
    arrays, layout = take(args, {}, numbers, single=single)
    traced = followed(f, arrays, layout.rebuild, has_aux=False, black_box=False)
    check_scalar(traced, "gradient")
    graph = tidy(Branch(traced, arrays).graph)
    board = Board(graph, *name_inputs(f, layout, names), name_parameters(f, graph))
    return Explanation(board, layout.wanted, arrays, version, limit)


class Explanation:
    """A function's forward and backward columns; prints as a table.

    Attributes
    ----------
    graph
        f's graph, what is computed twice written once.
    version
        How gradients are collected: "A" or "B".
    limit
        How many rows of a column are shown; None for all.
    """

    def __init__(
        self, board: Board, wanted: Sequence[bool], arguments: Sequence[Array], version: str, limit: int | None
    ) -> None:
        self.graph, self.version, self.limit = board.graph, version, limit
        self._board, self._wanted = board, wanted
        self._columns = Columns(board, wanted, arguments, version)

    @cached_property
    def lines(self) -> list[Line]:
        """The lines of the forward column, constants included."""
        return self._board.lines()

    @cached_property
    def edges(self) -> list[Edge]:
        """What each line contributes to each line that it reads, in the order of the backward column."""
        return [self._columns.edge(target, source) for target, source in self._columns.pairs()]

    @cached_property
    def value(self) -> Array:
        """The result of f."""
        return self._columns.values[self._columns.loss][()]

    @cached_property
    def gradient(self) -> dict[str, Array]:
        """The gradient by each input, of the input's shape, by its name; by entry where entries were given names."""
        found: dict[str, Array] = {}
        for position, wanted in zip(self.graph.inputs, self._wanted, strict=True):
            if wanted:
                gradient = self._columns.gradients[position][()]
                entries = self._board.entries.get(position)
                found |= (
                    {name: gradient[entry] for entry, name in entries.items()}
                    if entries
                    else {self._board.called[position]: gradient}
                )
        return found

    @cached_property
    def values(self) -> dict[str, Array]:
        """The value of each line by its name, constants aside."""
        return {line.name: self._columns.values[line.position] for line in self.lines if line.kind != "constant"}

    @cached_property
    def gradients(self) -> dict[str, Array]:
        """The gradient of the result by each line, by its name."""
        names = self._board.names
        return {names[position]: value for position, value in self._columns.gradients.items() if position in names}

    @cached_property
    def derivative(self) -> Graph:
        """The gradient as a graph of its own, as this version records it; simplified."""
        return derivative_graph(self._board, self._wanted, self.version)

    # ------------------------------------------------------------ shown

    def _rows(self, whole: str = "") -> tuple[list[Row], list[Row]]:
        forward, backward = self._columns.forward(), self._columns.backward()
        return tables.shortened(forward, self.limit, whole), tables.shortened(backward, self.limit, whole)

    def text(self, whole: str = WHOLE) -> str:
        """The table as it prints; ``whole`` is what shows all rows, for those who see a column that was cut."""
        return tables.text(*self._rows(whole))

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def markdown(self) -> str:
        """The table in Markdown."""
        return tables.markdown(*self._rows())

    def latex(self) -> str:
        """The table in LaTeX (with amsmath): an ``array``, to be put into a displayed formula."""
        return tables.latex(*self._rows())

    def html(self) -> str:
        """The table in HTML."""
        return tables.html(*self._rows())

    def _repr_html_(self) -> str:
        return tables.html(*self._rows(WHOLE))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {tables.latex(*self._rows(WHOLE))}$"
