"""Expressions, and the named subexpressions in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(eq=False)
class Assignments:
    """Expressions over variables and parameters, and the named subexpressions in them.

    Attributes
    ----------
    definitions
        ``(symbol, expression)`` in order; an expression reads variables, parameters and earlier symbols. Empty in the
        form "expression".
    results
        An object array of expressions.
    """

    definitions: list[tuple[Any, Any]]
    results: Any

    def __str__(self) -> str:
        lines = [f"{symbol} = {expression}" for symbol, expression in self.definitions]
        return "\n".join([*lines, str(self.matrix)])

    @property
    def matrix(self) -> Any:
        """The results as a SymPy matrix."""
        import sympy

        return sympy.Matrix(np.atleast_2d(self.results))

    def latex(self) -> str:
        """The assignments as aligned equations, then the results."""
        import sympy

        lines = [rf"{sympy.latex(symbol)} &= {sympy.latex(expression)} \\" for symbol, expression in self.definitions]
        body = sympy.latex(self.matrix)
        return "\n".join([r"\begin{aligned}", *lines, r"\end{aligned}", body]) if lines else body

    def count(self) -> int:
        """Operations, each named subexpression counted once and everything else as often as it is written."""
        memo: dict[Any, int] = {}
        expressions = [expression for _, expression in self.definitions] + list(self.results.flat)
        return sum(operations(expression, memo) for expression in expressions)


def operations(expression: Any, memo: dict[Any, int]) -> int:
    """Operations of an expression written out as a tree, counted over the shared one."""
    pending = [expression]
    while pending:
        here = pending[-1]
        missing = [part for part in here.args if part not in memo]
        if here in memo or not missing:
            if here not in memo:
                own = max(1, len(here.args) - 1) if here.args else 0
                memo[here] = own + sum(memo[part] for part in here.args)
            pending.pop()
        else:
            pending.extend(missing)
    return memo[expression]
