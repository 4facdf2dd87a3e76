"""One rule per op: a step of a graph, in matrix form. Read as `diffkit.primitives` is, a family a file."""

from diffkit.graph import Step
from diffkit.lab.matrix_calculus.rules import arithmetic, moving, selecting
from diffkit.lab.matrix_calculus.rules.shared import Rule, entry_by_entry, no_form
from diffkit.primitives import BY_NAME

__all__ = ["no_form", "rule_of"]

RULES: dict[str, Rule] = {**arithmetic.RULES, **moving.RULES, **selecting.RULES}


def rule_of(step: Step) -> Rule | None:
    """How a step is read; other functions of the table, from numbers to numbers entry by entry, stay what they are."""
    stays = BY_NAME.get(step.op.name) is step.op and step.dtype.kind == "f"
    return RULES.get(step.op.name) or (entry_by_entry(step.op.name) if stays else None)
