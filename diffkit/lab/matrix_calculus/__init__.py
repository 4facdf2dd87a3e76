"""Matrix calculus: the nine derivatives in both layouts, formulas in matrix form, the order of the chain rule.

>>> from diffkit.lab import matrix_calculus
>>> len(matrix_calculus.table())
9
"""

from diffkit.lab.matrix_calculus.chain import ChainRule, Elementwise, chain_rule, elementwise
from diffkit.lab.matrix_calculus.formulas import Formula, derive, differential
from diffkit.lab.matrix_calculus.layouts import Kind, Table, derivative, table

__all__ = [
    "ChainRule",
    "Elementwise",
    "Formula",
    "Kind",
    "Table",
    "chain_rule",
    "derivative",
    "derive",
    "differential",
    "elementwise",
    "table",
]
