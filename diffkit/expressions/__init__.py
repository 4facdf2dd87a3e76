"""Graphs <-> SymPy expressions.

`Reader` reads a graph on arrays of symbols; `Assignments` are what comes out: results, and named subexpressions where
they are asked for; `differentiate` is the chain rule over them, with SymPy's own derivative of each expression;
`Translator` writes expressions as ops again. SymPy is imported when first used.
"""

from diffkit.expressions.assignments import Assignments, operations
from diffkit.expressions.chain import differentiate
from diffkit.expressions.reading import Reader, Reading
from diffkit.expressions.writing import Translator, as_callable, as_function

__all__ = [
    "Assignments",
    "Reader",
    "Reading",
    "Translator",
    "as_callable",
    "as_function",
    "differentiate",
    "operations",
]
