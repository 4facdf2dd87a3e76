"""The two readings of a graph: the forward sweep on dual numbers, and the return sweep.

Both run on tracers, so that what they compute is recorded: the derivative program is the trace of a sweep.
Griewank and Walther (2008), "Evaluating Derivatives", chapter 3: tables 3.1 (forward) and 3.2 (reverse).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from diffkit.graph import Graph
from diffkit.ops import Array, Masked, Op, Piece, add_up
from diffkit.primitives import scatter
from diffkit.primitives.selecting import narrow_mask
from diffkit.tracing import Trace, replay


class Dual(NamedTuple):
    """A value and its tangent; None is a tangent of zero."""

    primal: Array
    tangent: Array | None


def forward_sweep(trace: Trace, graph: Graph, duals: Sequence[Dual]) -> list[Dual]:
    """Evaluate a graph on dual numbers; the duals of its outputs.

    Each step's tangent is the sum over its operands of partial times tangent: ``dv = sum_j (dv/du_j) du_j``.
    """
    values = replay(trace, graph, [dual.primal for dual in duals])
    tangents: dict[int, Array] = {
        position: dual.tangent for position, dual in zip(graph.inputs, duals, strict=True) if dual.tangent is not None
    }
    for position, step in enumerate(graph.steps):
        moved = tuple(tangents.get(operand) for operand in step.operands)
        if step.op.jvp is not None and any(tangent is not None for tangent in moved) and step.dtype.kind == "f":
            operands = tuple(values[operand] for operand in step.operands)
            tangents[position] = step.op.jvp(values[position], operands, moved, step.params)
    return [Dual(values[position], tangents.get(position)) for position in graph.outputs]


class Cotangent(NamedTuple):
    """A contribution to a cotangent, and where it can be other than zero (None: everywhere)."""

    value: Array  # or a Piece, until it is accumulated
    reach: Array | None = None


def return_sweep(
    trace: Trace,
    graph: Graph,
    arguments: Sequence[Array],
    seeds: Sequence[Cotangent | None],
    wanted: Sequence[bool],
) -> tuple[list[Array], list[Cotangent | None]]:
    """Walk a graph backwards from the seeds of its outputs; its results, and the cotangents of its inputs.

    All cotangents start at zero and are incremented: ``u_j' += (dv/du_j) v'`` for every step, last one first.
    """
    values = replay(trace, graph, arguments)
    active = active_steps(graph, wanted)
    contributions: list[list[Cotangent]] = [[] for _ in graph.steps]
    for position, seed in zip(graph.outputs, seeds, strict=True):
        if seed is not None and active[position]:
            contributions[position].append(seed)
    for position in range(len(graph.steps) - 1, -1, -1):
        step = graph.steps[position]
        if not (contributions[position] and step.operands):
            continue
        total = accumulate(contributions[position])
        contributions[position] = []  # what is used up need not be kept
        operands = tuple(values[operand] for operand in step.operands)
        flags = tuple(active[operand] for operand in step.operands)
        sent = pull(step.op, total, values[position], operands, flags, step.params)
        for operand, flag, contribution in zip(step.operands, flags, sent, strict=True):
            if flag and contribution is not None:
                contributions[operand].append(contribution)
    results = [values[position] for position in graph.outputs]
    gathered = [accumulate(contributions[position]) if contributions[position] else None for position in graph.inputs]
    return results, gathered


def active_steps(graph: Graph, wanted: Sequence[bool]) -> list[bool]:
    """Which steps depend, differentiably, on a wanted input."""
    active = [False] * len(graph.steps)
    for position, flag in zip(graph.inputs, wanted, strict=True):
        active[position] = flag
    for position, step in enumerate(graph.steps):
        if step.op.vjp is not None and step.dtype.kind == "f":
            active[position] = any(active[operand] for operand in step.operands)
    return active


def accumulate(contributions: list[Cotangent]) -> Cotangent:
    """Add contributions up; all that belong to parts become one scatter."""
    value = _add([contribution.value for contribution in contributions])
    if any(contribution.reach is None for contribution in contributions):
        return Cotangent(value)
    return Cotangent(value, np.greater(_add([contribution.reach for contribution in contributions]), 0.0))


def _add(terms: Sequence[Any]) -> Array:
    pieces: dict[Any, list[Piece]] = {}
    for term in terms:
        if isinstance(term, Piece):
            pieces.setdefault(term.shape, []).append(term)
    scattered = [
        scatter(*[piece.cotangent for piece in group], shape=shape, places=tuple(piece.place for piece in group))
        for shape, group in pieces.items()
    ]
    return add_up([*(term for term in terms if not isinstance(term, Piece)), *scattered])


def pull(
    op: Op,
    cotangent: Cotangent,
    result: Array,
    operands: tuple[Array, ...],
    flags: tuple[bool, ...],
    params: dict[str, Any],
) -> list[Cotangent | None]:
    """What a step sends to its operands; behind a select, under its mask."""
    value, reach = cotangent
    if op.vjp is None:  # active_steps leaves such ops out
        return [None] * len(operands)
    if reach is None:
        return [_contribution(sent) for sent in op.vjp(value, result, operands, flags, params)]
    if op.linear:
        sent = op.vjp(value, result, operands, flags, params)
        reached = op.vjp(np.where(reach, 1.0, 0.0), result, operands, flags, params)
        return [None if s is None else Cotangent(s, r) for s, r in zip(sent, reached, strict=True)]
    if op.family in ("elementwise", "reduction", "select", "contraction"):
        sent = op.vjp(Masked(value, reach), result, operands, flags, params)
        return [
            _contribution(s)
            if isinstance(s, Masked) or s is None
            else Cotangent(s, np.where(_reached(op, reach, operand, result, params), 1.0, 0.0))
            for s, operand in zip(sent, operands, strict=True)
        ]
    anywhere = np.any(reach)
    return [
        None
        if s is None
        else Cotangent(np.where(anywhere, s, 0.0), np.broadcast_to(np.where(anywhere, 1.0, 0.0), operand.shape))
        for s, operand in zip(op.vjp(value, result, operands, flags, params), operands, strict=True)
    ]


def _contribution(sent: Any) -> Cotangent | None:
    if sent is None:
        return None
    return Cotangent(sent.cotangent, np.where(sent.mask, 1.0, 0.0)) if isinstance(sent, Masked) else Cotangent(sent)


def _reached(op: Op, reach: Array, operand: Array, result: Array, params: dict[str, Any]) -> Array:
    if op.family == "reduction":
        from diffkit.primitives.families import expand

        return expand(reach, result, operand, params["axis"])
    return narrow_mask(reach, operand, result)
