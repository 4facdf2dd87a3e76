"""Graph -> smaller equal graph: common subexpressions, constants, structure, dead steps.

Steps are re-emitted in order. Before one is appended, the rules of its op may answer with something smaller;
an equal step that is there already is reused. What nobody reads is dropped at the end. Rules keep special values:
nothing is multiplied away that could be NaN or infinite; only the sign of a zero may change, and what comes within
a factor of 2**32 of overflow. References are never read: their values may change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.graph import CONSTANT, Graph, Guard, Step
from diffkit.simplify import numbers, seeds, structure
from diffkit.simplify.builder import RULES, Builder
from diffkit.simplify.one_hot import ONE_HOT, written_out

__all__ = ["RULES", "as_written", "drop_dead", "numbers", "seeds", "simplify", "structure"]


def simplify(graph: Graph) -> Graph:
    """Make a graph smaller; its results stay equal up to rounding.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> plan = dk.get("reverse").prepare(lambda x: x * x, 3.0, product="gradient")
    >>> print(plan.graph)
    v0 = input               float64 ()
    v1 = constant value=2.0   float64 ()
    v2 = multiply v1 v0      float64 ()
    return v2
    """
    while True:
        smaller = _once(graph)
        if len(smaller.steps) >= len(graph.steps):
            break
        graph = smaller
    if any(step.op is ONE_HOT for step in smaller.steps):
        return _once(smaller, finish=written_out)
    return smaller


def as_written(graph: Graph) -> Graph:
    """Drop what nobody reads, and nothing else: what is computed twice stays computed twice."""
    guards = {guard.position: guard.expected for guard in graph.guards}
    return drop_dead(list(graph.steps), list(graph.inputs), list(graph.outputs), guards)


def _once(graph: Graph, finish: Callable[[Builder, int], int] | None = None) -> Graph:
    builder = Builder()
    where: list[int] = []
    for step in graph.steps:
        made = builder.emit(step.op, tuple([where[operand] for operand in step.operands]), step.params, step)
        where.append(finish(builder, made) if finish and builder.steps[made].op is ONE_HOT else made)
    inputs = [where[position] for position in graph.inputs]
    outputs = [where[position] for position in graph.outputs]
    guards = dict(_entrywise(builder.steps, where[guard.position], guard.expected) for guard in graph.guards)
    varying = {
        position: expected for position, expected in guards.items() if builder.steps[position].op is not CONSTANT
    }
    return drop_dead(builder.steps, inputs, outputs, varying)


def _entrywise(steps: list[Step], position: int, expected: Any) -> tuple[int, Any]:
    """A guard on ``np.all`` being true, or ``np.any`` false, as one on the entries: those have kernels everywhere."""
    step = steps[position]
    if step.shape == () and step.op is (p.all_ if expected else p.any_):
        (entries,) = step.operands
        return entries, np.full(steps[entries].shape, bool(expected))
    return position, expected


def drop_dead(steps: list[Step], inputs: list[int], outputs: list[int], guards: dict[int, Any]) -> Graph:
    """Keep what the results and the guards need, and all inputs."""
    needed = [False] * len(steps)
    for position in (*inputs, *outputs, *guards):
        needed[position] = True
    for position in range(len(steps) - 1, -1, -1):
        if needed[position]:
            for operand in steps[position].operands:
                needed[operand] = True
    new: dict[int, int] = {}
    kept: list[Step] = []
    for position, step in enumerate(steps):
        if needed[position]:
            new[position] = len(kept)
            kept.append(step._replace(operands=tuple([new[operand] for operand in step.operands])))
    return Graph(
        tuple(kept),
        tuple(new[position] for position in inputs),
        tuple(new[position] for position in outputs),
        tuple(Guard(new[position], expected) for position, expected in guards.items()),
    )
