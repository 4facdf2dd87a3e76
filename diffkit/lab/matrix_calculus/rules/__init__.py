"""One rule per op: a step of a graph, in matrix form. Read as `diffkit.primitives` is, a family a file."""

from diffkit.lab.matrix_calculus.rules import arithmetic, moving, selecting
from diffkit.lab.matrix_calculus.rules.shared import Rule, no_form

__all__ = ["RULES", "no_form"]

RULES: dict[str, Rule] = {**arithmetic.RULES, **moving.RULES, **selecting.RULES}
