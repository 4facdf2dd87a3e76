"""A graph with steps that have no kernel: compiled parts, and NumPy between them.

Each step gets a stage. What has a kernel and can be computed before anything that has none is stage 0, what depends on
that is stage 1, and so on: as few compiled parts as the order allows, each a graph of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.engines.base import Compiled, holds
from diffkit.graph import INPUT, Graph, Guard, Step


@dataclass
class Part:
    """The compiled steps of one stage, and the steps that NumPy does after them."""

    graph: Graph
    reads: list[int]
    writes: list[int]
    after: list[int]


def parts(graph: Graph, kernel: Callable[[Step], bool]) -> list[Part]:
    """Cut a graph at the steps without a kernel."""
    steps = graph.steps
    stage = _stages(steps, kernel)
    has_kernel = [kernel(step) for step in steps]
    needed = {*graph.outputs, *(guard.position for guard in graph.guards)}
    for position, step in enumerate(steps):
        mine = (stage[position], has_kernel[position])
        needed.update(o for o in step.operands if (stage[o], has_kernel[o]) != mine and steps[o].op.family != "leaf")
    found = []
    for number in range(max(stage, default=0) + 1):
        own = [k for k, step in enumerate(steps) if stage[k] == number and has_kernel[k] and step.op.family != "leaf"]
        after = [k for k, step in enumerate(steps) if stage[k] == number and not has_kernel[k]]
        found.append(_part(graph, own, after, needed))
    return found


def _stages(steps: tuple[Step, ...], kernel: Callable[[Step], bool]) -> list[int]:
    stage: list[int] = []
    for step in steps:
        if kernel(step):
            stage.append(max((stage[o] + (not kernel(steps[o])) for o in step.operands), default=0))
        else:
            stage.append(max((stage[o] for o in step.operands), default=0))
    return stage


def _part(graph: Graph, own: list[int], after: list[int], needed: set[int]) -> Part:
    """The graph of a stage: leaves are taken along, everything else from outside is an input."""
    steps, inside = graph.steps, set(own)
    outside = sorted({o for k in own for o in steps[k].operands if o not in inside})
    reads = [o for o in outside if steps[o].op is INPUT or steps[o].op.family != "leaf"]
    new: dict[int, int] = {}
    made: list[Step] = []
    for position in [*outside, *own]:
        step = steps[position]
        new[position] = len(made)
        if position in reads:
            made.append(Step(INPUT, (), {}, step.shape, step.dtype))
        else:
            made.append(step._replace(operands=tuple(new[o] for o in step.operands)))
    writes = [k for k in own if k in needed]
    guards = tuple(Guard(new[g.position], g.expected) for g in graph.guards if g.position in inside)
    part = Graph(tuple(made), tuple(new[k] for k in reads), tuple(new[k] for k in writes), guards)
    return Part(part, reads, writes, after)


def alternating(graph: Graph, kernel: Callable[[Step], bool], compile_part: Callable[[Graph], Compiled]) -> Compiled:
    """A graph as compiled parts with NumPy between them."""
    made = [
        (part, compile_part(part.graph) if part.writes or part.graph.guards else None) for part in parts(graph, kernel)
    ]
    steps = graph.steps
    leaves = {k: step.params for k, step in enumerate(steps) if step.op.family == "leaf" and step.op is not INPUT}
    fixed = {k: steps[k].op.evaluate(**params) for k, params in leaves.items()}
    expected = {guard.position: guard.expected for guard in graph.guards}

    def run(*arrays: Any) -> tuple[Any, ...] | None:
        values = {**fixed, **dict(zip(graph.inputs, arrays, strict=True))}
        for part, compiled in made:
            if compiled is not None:
                found = compiled.run(*[values[k] for k in part.reads])
                if found is None:
                    return None
                values.update(zip(part.writes, found, strict=True))
            for k in part.after:
                step = steps[k]
                values[k] = np.asarray(step.op.evaluate(*[values[o] for o in step.operands], **step.params))
                if k in expected and not holds(values[k], expected[k]):
                    return None
        return tuple(np.array(values[k]) if k in fixed or k in graph.inputs else values[k] for k in graph.outputs)

    return Compiled(run, "\n".join(compiled.source for _, compiled in made if compiled is not None))
