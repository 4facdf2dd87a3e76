"""The derivative of expressions: the chain rule over named subexpressions, SymPy's own derivative of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.errors import TooLargeError
from diffkit.expressions.assignments import Assignments


def differentiate(assignments: Assignments, variables: Sequence[Any], limit: int) -> Assignments:
    """Differentiate every result by every variable, ``(results, variables)``: the chain rule over the definitions.

    Without definitions each entry is SymPy's derivative of one closed expression, as in high school.
    """
    import sympy

    chain = Chain(sympy, assignments, variables, limit)
    for symbol, expression in assignments.definitions:
        chain.define(symbol, expression)
    results = assignments.results.reshape(-1)
    made = np.empty((len(results), len(variables)), dtype=object)
    closed = not assignments.definitions
    for row, expression in enumerate(results):
        if closed:
            made[row, :] = [chain.partial(expression, variable) for variable in variables]
        else:
            gradient = chain.gradient(expression)
            made[row, :] = [gradient.get(variable, sympy.Integer(0)) for variable in variables]
    return Assignments(chain.definitions, made)


class Chain:
    """Derivatives of named expressions, each a named expression again."""

    def __init__(self, sympy: Any, assignments: Assignments, variables: Sequence[Any], limit: int) -> None:
        self.sympy, self.limit = sympy, limit
        written = [part for pair in assignments.definitions for part in pair]  # perhaps a derivative's
        read = (
            [*written, *assignments.results.flat, *variables] if written else []
        )  # one closed expression needs no name
        self.taken = {str(symbol) for part in read for symbol in part.free_symbols}
        self.definitions: list[tuple[Any, Any]] = []
        self.known: dict[Any, dict[Any, Any]] = {variable: {variable: sympy.Integer(1)} for variable in variables}

    def define(self, symbol: Any, expression: Any) -> None:
        """Take over a definition, and define its derivatives."""
        self.definitions.append((symbol, expression))
        made = {}
        for variable, slope in self.gradient(expression).items():
            made[variable] = self._named(slope, f"d{symbol}_{variable}")
        self.known[symbol] = made

    def gradient(self, expression: Any) -> dict[Any, Any]:
        """Derivatives by every variable that the expression depends on."""
        terms: dict[Any, list[Any]] = {}
        for symbol in sorted(expression.free_symbols, key=str):
            inner = self.known.get(symbol)
            if not inner:
                continue
            slope = self.partial(expression, symbol)
            if slope == 0:
                continue
            slope = self._named(slope, f"d{len(self.definitions)}") if len(inner) > 1 else slope
            for variable, factor in inner.items():
                terms.setdefault(variable, []).append(slope * factor)
        return {variable: self.sympy.Add(*parts) for variable, parts in terms.items()}

    def partial(self, expression: Any, symbol: Any) -> Any:
        """SymPy's derivative; what it leaves unevaluated is the derivative of a step, which is zero."""
        try:
            found = self.sympy.diff(expression, symbol)
        except RecursionError as error:
            raise TooLargeError(
                "the expression is nested deeper than SymPy can recurse; use form='shared', or method='forward' "
                "or 'reverse'"
            ) from error
        odd = (self.sympy.DiracDelta, self.sympy.Derivative, self.sympy.Subs)
        if found.has(*odd):
            found = found.replace(lambda part: isinstance(part, odd), lambda _part: self.sympy.Integer(0))
        return found

    def _named(self, expression: Any, name: str) -> Any:
        if not expression.args or expression.is_number:
            return expression
        if len(self.definitions) >= self.limit:
            raise TooLargeError(
                f"more than {self.limit} named subexpressions; use method='forward' or 'reverse', or raise limit="
            )
        while name in self.taken:
            name = f"d{name}"
        self.taken.add(name)
        symbol = self.sympy.Symbol(name, real=True)
        self.definitions.append((symbol, expression))
        return symbol
