"""Graph -> expressions: a graph evaluated on arrays of symbols."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TooLargeError, UnsupportedError
from diffkit.expressions.assignments import Assignments, operations
from diffkit.expressions.kept import as_numbers, meaning
from diffkit.graph import INPUT, REFERENCE, Graph, Step
from diffkit.primitives.meanings import as_objects

DEPTH = 12  # a named expression is at most so deep: SymPy recurses
SPREADING = frozenset({p.contract, p.broadcast, p.cumsum, p.inv, p.solve, p.det, p.cofactor, p.logabsdet, p.cholesky})
DECIDED = frozenset({p.argsort, p.argmax, p.argmin})


@dataclass
class Reading:
    """A graph evaluated on symbols.

    Attributes
    ----------
    symbols
        Symbol -> (position of the leaf step, flat position of the entry).
    decided
        Positions of steps whose value was taken from the point of tracing.
    """

    assignments: Assignments
    symbols: dict[Any, tuple[int, int]] = field(default_factory=dict)
    variables: list[Any] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)


class Reader:
    """Evaluates a graph on arrays of SymPy expressions, naming what is shared where it is asked to."""

    def __init__(
        self, graph: Graph, names: Sequence[str], values: Callable[[int], Any], limit: int, *, shared: bool
    ) -> None:
        import sympy

        self.sympy, self.graph, self.names, self.values, self.limit, self.shared = (
            sympy,
            graph,
            names,
            values,
            limit,
            shared,
        )
        self.reading = Reading(Assignments([], None))
        self.depth: dict[Any, int] = {}
        self.written: dict[Any, int] = {}  # operations of each expression, written out
        self.uses = graph.uses()
        for step in graph.steps:
            for operand in step.operands:
                self.uses[operand] += 2 * (step.op in SPREADING)

    def read(self, outputs: Sequence[int], wanted: Sequence[int]) -> Reading:
        """Read the graph's outputs; ``wanted`` are the positions of the variables."""
        found: list[Any] = []
        for position, step in enumerate(self.graph.steps):
            found.append(self._step(position, step, found))
        flat = [found[position].reshape(-1) for position in outputs]
        self.reading.assignments.results = np.concatenate(flat) if flat else np.empty(0, dtype=object)
        by_place = {place: symbol for symbol, place in self.reading.symbols.items()}
        for position in wanted:
            entries = math.prod(self.graph.steps[position].shape)
            self.reading.variables += [by_place[position, entry] for entry in range(entries)]
        return self.reading

    def _step(self, position: int, step: Step, found: list[Any]) -> Any:
        if step.op is INPUT:
            return self._symbols(position, step, self.names[self.graph.inputs.index(position)])
        if step.op is REFERENCE:
            return self._symbols(position, step, f"p{position}_")
        if step.op.family == "leaf":  # a constant, or seeds of a derivative inside f
            return as_numbers(self.sympy, step.op.evaluate(**step.params))
        if step.op in DECIDED:
            self.reading.decided.append(position)
            return self.values(position)
        operands = [found[operand] for operand in step.operands]
        value = self._apply(step, operands)
        if self.shared:
            return self._named(position, value)
        self._check(value)
        return value

    def _check(self, value: Any) -> None:
        """Refuse while reading: SymPy may need hours for an expression that would be refused when finished."""
        count = sum(operations(expression, self.written) for expression in value.flat)
        if count > 100 * self.limit:
            raise TooLargeError(
                f"f has {count:.3g} operations written out, and more to come (the limit is {100 * self.limit}); "
                "use form='shared', method='forward' or 'reverse', or raise limit="
            )

    def _apply(self, step: Step, operands: list[Any]) -> Any:
        if step.op in (p.take_along, p.put_along):
            positions = operands[1].astype(np.intp)
            made = step.op.evaluate(operands[0], positions, **step.params)
            return as_objects(np.frompyfunc(self.sympy.sympify, 1, 1)(made))  # NumPy's zeros are ints
        symbolic = meaning(step.op)
        if symbolic is None:
            raise UnsupportedError(f"{step.op.name} has no meaning in SymPy; use method='forward' or 'reverse'")
        if step.op is not p.scatter and math.prod(step.shape) > self.limit:
            raise TooLargeError(
                f"{step.op.name} of shape {step.shape} has more entries than the limit of {self.limit} expressions; "
                "use method='forward' or 'reverse', or raise limit="
            )
        return symbolic(self.sympy, *operands, **step.params)

    def _symbols(self, position: int, step: Step, name: str) -> Any:
        entries = math.prod(step.shape)
        if entries > self.limit:
            raise TooLargeError(
                f"{entries} symbols are more than the limit of {self.limit}; use method='forward' or 'reverse', or "
                "raise limit="
            )
        made = np.empty(entries, dtype=object)
        for entry in range(entries):
            spot = np.unravel_index(entry, step.shape)
            symbol = self.sympy.Symbol(name + "_".join(str(int(k)) for k in spot), real=True)
            self.reading.symbols[symbol] = (position, entry)
            made[entry] = self.sympy.Ne(symbol, 0) if step.dtype == bool else symbol  # symbols are real numbers
        return made.reshape(step.shape)

    def _named(self, position: int, value: Any) -> Any:
        if self.graph.steps[position].dtype.kind != "f":
            return value
        named = np.empty(value.size, dtype=object)
        for spot, expression in enumerate(value.reshape(-1)):
            named[spot] = self._name(expression, often=self.uses[position] > 1)
        return named.reshape(value.shape)

    def _name(self, expression: Any, *, often: bool) -> Any:
        deep = self._depth(expression)
        if not expression.args or expression.is_number or not (often or deep > DEPTH):
            return expression
        definitions = self.reading.assignments.definitions
        if len(definitions) >= self.limit:
            raise TooLargeError(
                f"more than {self.limit} named subexpressions; use method='forward' or 'reverse', or raise limit="
            )
        symbol = self.sympy.Symbol(f"s{len(definitions)}", real=True)
        definitions.append((symbol, expression))
        self.depth[symbol] = 0
        return symbol

    def _depth(self, expression: Any) -> int:
        """How deep an expression is, down to symbols; what it is made of has been measured before."""
        if not expression.args:
            return 0
        known = self.depth.get(expression)
        if known is None:
            known = self.depth[expression] = 1 + max(self._depth(part) for part in expression.args)
        return known
