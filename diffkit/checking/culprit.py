"""Which step of f's graph has the kink: the first one, in topological order, that behaves badly on the line."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit import trees
from diffkit.checking.around import Around, Line
from diffkit.checking.kinks import ROUGH, behaviour
from diffkit.differentiators.following import FAILURES
from diffkit.errors import DiffkitError
from diffkit.graph import Graph, run
from diffkit.tracing import trace_function

LIMIT = 20_000_000  # numbers kept at once


def culprit(f: Around, v: Any) -> str:
    """Name the step of f where a line through x first has no derivative; empty where f cannot be traced."""
    graph = _graph(f)
    steps = f.steps(v)
    if graph is None or 2 * len(steps) * sum(int(np.prod(step.shape)) for step in graph.steps) > LIMIT:
        return ""
    with np.errstate(all="ignore"):
        here, *ahead = (_values(f, graph, f.x + h * v) for h in (0.0, *steps))
        behind = [_values(f, graph, f.x - h * v) for h in steps]
        return _rough_step(f, graph, steps, (here, ahead, behind)) or _branch(graph, [*ahead[-3:], *behind[-3:]])


def _graph(f: Around) -> Graph | None:
    try:
        return trace_function(f.f, f.arrays, f.layout.rebuild).graph
    except (DiffkitError, *FAILURES):
        return None


def _values(f: Around, graph: Graph, x: Any) -> list[Any]:
    pieces = [piece.astype(like.dtype) for piece, like in zip(trees.split(x, f.arrays), f.arrays, strict=True)]
    return run(graph.steps, dict(zip(graph.inputs, pieces, strict=True)))


def _rough_step(f: Around, graph: Graph, steps: Any, values: tuple[Any, list[Any], list[Any]]) -> str:
    here, ahead, behind = values
    noise = np.zeros(len(graph.steps))
    for position, step in enumerate(graph.steps):
        if step.dtype.kind != "f" or not step.operands:
            continue
        one, *others = (np.ravel(part[position]).astype(float) for part in (here, *ahead, *behind))
        around = np.where(np.isfinite(others), others, np.nan)
        inherited = max(noise[operand] for operand in step.operands)
        noise[position] = max(inherited, f.epsilon * float(np.max(np.abs(np.nan_to_num(one)), initial=0.0)))
        rounding = np.maximum(f.epsilon * np.nan_to_num(np.abs(around[: len(steps)])), noise[position])
        kinds = behaviour(Line(steps, around[: len(steps)], around[len(steps) :], one, rounding)).kind
        rough = np.flatnonzero(np.isin(kinds, ROUGH))
        if rough.size:
            index = np.unravel_index(int(rough[0]), step.shape)
            return f"`{_line(graph, position)}`" + (f", entry [{', '.join(map(str, index))}]" if index else "")
    return ""


def _branch(graph: Graph, nearby: list[list[Any]]) -> str:
    """The branch decision that another point near x takes otherwise."""
    for guard in graph.guards:
        if any(not np.array_equal(values[guard.position], guard.expected) for values in nearby):
            return f"a branch of f, on `{_line(graph, guard.position)}`"
    return ""


def _line(graph: Graph, position: int) -> str:
    step = graph.steps[position]
    return " ".join([f"v{position} =", step.op.name, *(f"v{operand}" for operand in step.operands)])
