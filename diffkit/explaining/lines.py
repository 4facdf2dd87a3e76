"""A graph as the lines of a blackboard: each step a variable with a name, a function and a formula.

Inputs have the names of the user's arguments, intermediate variables are t, u, v, w and so on, the result is J. What
only looks at a value in another shape has no line. Where an input is read in parts that have no entry in common, such
as ``x[0]`` and ``x[1]``, its parts are inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from diffkit import primitives as p
from diffkit.explaining.grammar import CONSTANTS
from diffkit.explaining.notation import LATEX, TEXT, Notation, Piece
from diffkit.explaining.wording import HIDDEN, copies, formula, known, label, place_text
from diffkit.graph import INPUT, REFERENCE, Graph, Step
from diffkit.ops import Shape
from diffkit.primitives.moving import disjoint
from diffkit.simplify import drop_dead

LETTERS, PARAMETERS = "tuvwpqrsabcghkmn", "ABCDEFGHKMNPQRSTUVWXYZ"
LEAVES = {INPUT: "input", REFERENCE: "parameter"}
VIEWS = HIDDEN | {p.transpose}


@dataclass(frozen=True)
class Line:
    """One line of the forward column: ``name = text``.

    Attributes
    ----------
    position
        The step of the graph.
    name
        The variable, as on a blackboard: ``x``, ``x[0]``, ``t``, ``J``; of a constant, its number.
    function
        What stands in its rectangle: ``sin``, ``+``, ``×``, ``^2``; empty where nothing is computed.
    text, latex
        The right-hand side in names, ``sin(t)``; empty for inputs.
    operands
        Positions of the lines that it reads, as often as it reads them.
    kind
        "input", "parameter" (an array that f reads from outside), "constant", "intermediate" or "loss" (a result).
    shape
        Of the value.
    symbol
        The name in LaTeX.
    """

    position: int
    name: str
    function: str
    text: str
    latex: str
    operands: tuple[int, ...]
    kind: str
    shape: Shape
    symbol: str


def lines(graph: Graph, inputs: Sequence[str] = (), parts: Mapping[tuple[int, int], str] | None = None) -> list[Line]:
    """What does a graph look like on a blackboard?

    Parameters
    ----------
    graph
        Any graph; f's own, or a derivative's.
    inputs
        A name for each input, ``x1, x2, ...`` where there is none.
    parts
        Names for entries of one-dimensional inputs, by (number of the input, entry).

    Returns
    -------
    list of Line
        In topological order.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> graph = dk.get("reverse").prepare(lambda x: np.sin(x) * x, 2.0).function_graph
    >>> for line in lines(graph, ["x"]):
    ...     print(line.kind, line.name, "=", line.text, line.operands)
    input x =  ()
    intermediate t = sin(x) (0,)
    loss J = t x (1, 0)
    """
    return Board(graph, inputs, parts).lines()


def tidy(graph: Graph) -> Graph:
    """A function's graph as one writes it on a blackboard: what is computed twice is written once, copies never.

    A copy is also what adds 0, with which Python's ``sum`` starts, or multiplies by 1; only the sign of a zero may
    change. Everything else stays as the user wrote it. Guards go, and a result that is an argument itself gets a
    step.
    """
    written: dict[Any, int] = {}
    where: list[int] = []
    steps: list[Step] = []
    for step in graph.steps:
        operands = tuple(where[operand] for operand in step.operands)
        if (source := copies(step, [steps[operand] for operand in operands])) is not None:
            where.append(operands[source])
            continue
        key = (step.op, operands, *step.params.values()) if operands else len(steps)
        if key not in written:
            written[key] = len(steps)
            steps.append(step._replace(operands=operands))
        where.append(written[key])
    outputs = []
    for position in graph.outputs:
        found = where[position]
        if not steps[found].operands:
            steps.append(
                Step(p.reshape, (found,), {"shape": steps[found].shape}, steps[found].shape, steps[found].dtype)
            )
            found = len(steps) - 1
        outputs.append(found)
    return drop_dead(steps, [where[position] for position in graph.inputs], outputs, {})


class Board:
    """Which steps of a graph have a line, and how each is called."""

    def __init__(
        self,
        graph: Graph,
        inputs: Sequence[str],
        parts: Mapping[tuple[int, int], str] | None = None,
        parameters: Mapping[int, str] | None = None,
    ) -> None:
        self.graph = graph
        self.kinds: dict[int, str] = {}
        self.shown: list[int] = []  # for each step, the step whose line it is part of
        self.names: dict[int, str] = {}
        self.called: dict[int, str] = {}  # each input by its name, also where its entries stand for it
        self.entries: dict[int, dict[tuple[int], str]] = {}  # the names of entries that were given
        split = self._read_in_parts()
        for position, step in enumerate(graph.steps):
            self._place(position, step, split)
        self._name_inputs(inputs, parts or {})
        self._name_parameters(parameters or {})
        taken = self._taken()
        self.constants = {value: name for name, value in CONSTANTS.items() if name not in taken}
        self._name_results()
        self._name_others()

    # ------------------------------------------------------------ which steps have a line

    def _read_in_parts(self) -> set[int]:
        """The inputs that are read by indices only, no two of which have an entry in common."""
        places: dict[int, list[Any]] = {position: [] for position in self.graph.inputs}
        whole = set(self.graph.outputs)
        for position, step in enumerate(self.graph.steps):
            if step.op is p.index and position not in self.graph.outputs:
                places.setdefault(step.operands[0], []).append(step.params["place"])
            else:
                whole |= set(step.operands)
        inputs = {position for position in self.graph.inputs if position not in whole and places[position]}
        return {o for o in inputs if disjoint(self.graph.steps[o].shape, tuple(places[o]))}

    def _place(self, position: int, step: Step, split: set[int]) -> None:
        kind = LEAVES.get(step.op, "constant") if not step.operands else "intermediate"
        if position in self.graph.outputs and step.operands:
            kind = "loss"
        elif step.op is p.index and step.operands[0] in split:
            kind = "input"
        elif step.op in VIEWS:
            self.shown.append(self.shown[step.operands[0]])
            return
        self.kinds[position] = kind
        self.shown.append(position)

    def computed(self, position: int) -> bool:
        """Whether a line has a formula."""
        return self.kinds[position] in ("intermediate", "loss")

    def is_number(self, position: int) -> bool:
        """Whether a step is a constant number, which stands where it is used."""
        return known(self.graph.steps[position]) is not None

    def sources(self, position: int) -> tuple[int, ...]:
        """The lines that a step reads, as often as it reads them."""
        return tuple(self.shown[operand] for operand in self.graph.steps[position].operands)

    # ------------------------------------------------------------ names

    def _name_inputs(self, inputs: Sequence[str], parts: Mapping[tuple[int, int], str]) -> None:
        given = [*inputs, *(f"x{number + 1}" for number in range(len(inputs), len(self.graph.inputs)))]
        self.called = dict(zip(self.graph.inputs, given, strict=False))
        for (number, entry), name in parts.items():
            self.entries.setdefault(self.graph.inputs[number], {})[entry,] = name
        for position in [position for position, kind in self.kinds.items() if kind == "input"]:
            step = self.graph.steps[position]
            if step.op is INPUT:
                self.names[position] = self.called[position]
                continue
            (source,) = step.operands
            place = place_text(step.params["place"])
            whole = self.called[source] + (f"[{place}]" if place else "")
            self.names[position] = self.entries.get(source, {}).get(step.params["place"], whole)
            self.names.pop(source, None)  # its entries stand for it
            self.kinds.pop(source, None)

    def _name_parameters(self, given: Mapping[int, str]) -> None:
        free = {position: name for position, name in given.items() if name not in self._taken()}
        self.names |= {position: name for position, name in free.items() if position in self.kinds}

    def _taken(self) -> set[str]:
        return {name.partition("[")[0] for name in self.names.values()}

    def _name_results(self) -> None:
        results = [position for position in self.graph.outputs if self.kinds.get(position) == "loss"]
        taken = self._taken()
        stem = next(name for name in chain("JLy", _numbered("J", taken)) if name not in taken)
        for number, position in enumerate(dict.fromkeys(results)):
            self.names[position] = stem if len(results) == 1 else f"{stem}{number + 1}"

    def _name_others(self) -> None:
        taken = self._taken()
        rest = [position for position, kind in self.kinds.items() if position not in self.names]
        inner = [position for position in rest if self.kinds[position] == "intermediate"]
        free = [letter for letter in LETTERS if letter not in taken]
        variables = iter(free) if len(inner) <= len(free) else _numbered("v", taken)
        parameters = chain((letter for letter in PARAMETERS if letter not in taken), _numbered("P", taken))
        arrays = _numbered("c", taken)
        for position in rest:
            kind = self.kinds[position]
            if kind == "constant":
                number = self.is_number(position)
                self.names[position] = self.piece(TEXT, position).string if number else next(arrays)
            else:
                self.names[position] = next(variables if kind == "intermediate" else parameters)

    # ------------------------------------------------------------ what is written

    def piece(self, n: Notation, position: int) -> Piece:
        """A step by its name; a view, as what it looks at."""
        if self.shown[position] != position:
            return self.written(n, position)
        number = known(self.graph.steps[position])
        return n.name(self.names[position]) if number is None else self.number(n, number)

    def number(self, n: Notation, value: float) -> Piece:
        """A constant number; pi and e by their names, where no variable is called so."""
        name = self.constants.get(abs(value))
        return n.constant(name, negative=value < 0) if name else n.number(value)

    def written(self, n: Notation, position: int) -> Piece:
        """A step's formula in the names of its operands."""
        step = self.graph.steps[position]
        return formula(n, step, *self._operands(n, step))

    def _operands(self, n: Notation, step: Step) -> tuple[list[Step], list[Piece]]:
        return [self.graph.steps[operand] for operand in step.operands], [self.piece(n, o) for o in step.operands]

    def lines(self) -> list[Line]:
        """All lines, in topological order."""
        return [self.line(position) for position in sorted(self.names)]

    def line(self, position: int) -> Line:
        """The line of a step."""
        step = self.graph.steps[position]
        computed = self.computed(position)
        return Line(
            position,
            self.names[position],
            label(step, *self._operands(TEXT, step)) if computed else "",
            self.written(TEXT, position).string if computed else "",
            self.written(LATEX, position).string if computed else "",
            self.sources(position) if computed else (),
            self.kinds[position],
            step.shape,
            self.piece(LATEX, position).string,
        )


def _numbered(stem: str, taken: set[str]) -> Iterator[str]:
    return (f"{stem}{number}" for number in count(1) if f"{stem}{number}" not in taken)
