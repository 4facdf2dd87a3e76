"""Where values lie in memory: a base address, an offset and a stride per axis, all in entries.

Views cost nothing: a slice, a transpose or a broadcast of stored entries is another offset with other strides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from diffkit import primitives as p
from diffkit.engines.llvm.functions import B, F, I, S, Unsupported
from diffkit.graph import Step
from diffkit.ops import Shape, Span

Strides = tuple[int, ...]
KINDS = {np.dtype(np.float64): F, np.dtype(np.float32): S, np.dtype(np.bool_): B, np.dtype(np.int64): I}
BYTES = {F: 8, S: 4, I: 8, B: 1}


def kind_of(step: Step) -> str:
    """The IR type of a step's entries."""
    kind = KINDS.get(step.dtype)
    if kind is None:
        raise Unsupported(str(step.dtype))
    return kind


@dataclass(frozen=True)
class Access:
    """Stored entries.

    Attributes
    ----------
    base
        The address, as written in IR.
    kind
        The IR type of an entry: "double", "float", "i64", or "i1" (stored as a byte).
    shape, strides, offset
        In entries.
    """

    base: str
    kind: str
    shape: Shape
    strides: Strides
    offset: int = 0

    @property
    def contiguous(self) -> bool:
        """Whether the entries lie in C order without gaps."""
        return self.strides == contiguous(self.shape) or math.prod(self.shape) <= 1


def contiguous(shape: Shape) -> Strides:
    """The strides of C order."""
    strides, step = [], 1
    for length in reversed(shape):
        strides.append(step)
        step *= length
    return tuple(reversed(strides))


def spread(access: Access, shape: Shape) -> Access:
    """Repeat entries along new and along short axes."""
    missing = len(shape) - len(access.shape)
    strides = (0,) * missing + tuple(
        0 if own != length else stride
        for own, length, stride in zip(access.shape, shape[missing:], access.strides, strict=True)
    )
    return replace(access, shape=shape, strides=strides)


def seen(step: Step, access: Access) -> Access:
    """What a view step sees of its operand."""
    if step.op is p.broadcast:
        return spread(access, step.shape)
    if step.op is p.transpose:
        axes = step.params["axes"]
        return replace(access, shape=step.shape, strides=tuple(access.strides[axis] for axis in axes))
    if step.op is p.reshape:
        return reshaped(access, step.shape)
    return indexed(step, access)


def indexed(step: Step, access: Access) -> Access:
    """A basic index."""
    return placed(access, step.params["place"], step.shape)


def placed(access: Access, place: tuple[int | Span, ...], shape: Shape) -> Access:
    """The entries at a place, which names the last axes."""
    front = len(access.shape) - len(place)
    offset, strides = access.offset, list(access.strides[:front])
    for part, stride in zip(place, access.strides[front:], strict=True):
        if isinstance(part, int):
            offset += part * stride
        else:
            offset += part.start * stride
            strides.append(part.step * stride)
    return replace(access, shape=shape, strides=tuple(strides), offset=offset)


def reshaped(access: Access, shape: Shape) -> Access:
    """Other axes over the same entries; only where the strides allow it."""
    if access.contiguous:
        return replace(access, shape=shape, strides=contiguous(shape))
    old = [(n, s) for n, s in zip(access.shape, access.strides, strict=True) if n != 1]
    strides: list[int] = []
    pending = [n for n in shape if n != 1]
    for length, stride in old:
        taken, total = [], 1
        while pending and total < length:
            taken.append(pending.pop(0))
            total *= taken[-1]
        if total != length:
            raise Unsupported("reshape of strided entries")
        strides += [stride * inner for inner in contiguous(tuple(taken))]
    supply = iter(strides)
    return replace(access, shape=shape, strides=tuple(0 if n == 1 else next(supply) for n in shape))
