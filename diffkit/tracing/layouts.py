"""In which order do the entries of a traced array lie in NumPy's memory?

It matters to nothing but this: `np.ravel` and `np.reshape` give a view where entries lie in C order, and a copy
elsewhere, so that a write through the result is seen in the array, or is not. NumPy's ufuncs keep the order of their
operands (`order="K"`). What they make of it is asked of NumPy itself, on arrays of the same axes with one or two
entries along each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit import primitives as p
from diffkit.graph import Step
from diffkit.ops import Shape

if TYPE_CHECKING:
    from diffkit.tracing.trace import Trace


def entries_of(trace: Trace, position: int) -> Any:
    """Truths that lie in memory as the entries of the step do, of the same shape."""
    shape = trace.steps[position].shape
    if len(shape) < 2:
        return np.empty(shape, dtype=bool)
    strides = _small(trace, position).strides
    slowest_first = sorted(range(len(shape)), key=lambda axis: -abs(strides[axis]))
    laid_out = np.empty([shape[axis] for axis in slowest_first], dtype=bool)
    return laid_out.transpose(np.argsort(slowest_first))


def _small(trace: Trace, position: int) -> Any:
    """What stands for the step among small arrays; those of earlier steps are kept."""
    pending = [position]
    while pending:
        here = pending[-1]
        step = trace.steps[here]
        keeping = [] if _in_order(step, trace) else [o for o in step.operands if o not in trace.layouts]
        if keeping:
            pending += keeping
            continue
        pending.pop()
        operands = [trace.layouts[operand] for operand in step.operands if operand in trace.layouts]
        trace.layouts[here] = np.empty(_shrunk(step.shape), bool) if _in_order(step, trace) else _kept(step, operands)
    return trace.layouts[position]


def _shrunk(shape: Shape) -> Shape:
    return tuple(min(length, 2) for length in shape)


def _in_order(step: Step, trace: Trace) -> bool:
    """Whether NumPy allocates the result in C order, whatever it is made from."""
    if step.op is p.reshape:  # one to the same shape is a copy that was asked for in C order
        before = trace.steps[step.operands[0]].shape
        return step.shape == before or [n for n in step.shape if n != 1] != [n for n in before if n != 1]
    return not (step.op in _VIEWS or (step.operands and step.op.family in ("elementwise", "constant", "reduction")))


_VIEWS = (p.transpose, p.broadcast, p.index, p.convert, p.where, p.sum_)


def _kept(step: Step, operands: list[Any]) -> Any:
    if step.op is p.transpose:
        return operands[0].transpose(step.params["axes"])
    if step.op is p.reshape:
        return operands[0].reshape(_shrunk(step.shape))
    if step.op is p.broadcast:
        return np.broadcast_to(operands[0], _shrunk(step.shape))
    if step.op is p.index:
        read = operands[0][tuple(0 if isinstance(part, int) else slice(None) for part in step.params["place"])]
        return read[tuple(slice(min(length, 2)) for length in step.shape)]
    if "axis" in step.params:
        return np.any(operands[0], axis=step.params["axis"])
    if len(operands) == 3:
        return np.where(*operands)
    return np.logical_and(*operands) if len(operands) == 2 else np.logical_not(operands[0])
