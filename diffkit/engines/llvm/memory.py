"""Where each step's entries are: arguments, constants, results, a workspace, views of them; numbers in registers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.engines.llvm.functions import B, Unsupported, literal
from diffkit.engines.llvm.grouping import SUMS, VIEWS
from diffkit.engines.llvm.instructions import Instructions
from diffkit.engines.llvm.layout import Access, contiguous, kind_of, reshaped, seen
from diffkit.engines.llvm.schedule import Schedule
from diffkit.graph import CONSTANT, IDENTITY, INPUT, REFERENCE, Graph, Step
from diffkit.ops import size


class Memory(Instructions):
    """Knows where every value lies.

    Attributes
    ----------
    schedule
        Which steps share a loop, and which must be stored.
    stores
        Where the entries of arrays lie.
    numbers
        0-d values, which are in registers.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph, self.steps = graph, graph.steps
        self.schedule = Schedule(graph)
        self.stores: dict[int, Access] = {}
        self.numbers: dict[int, str] = {}
        self._packed: dict[int, Access] = {}  # copies of strided entries
        self._given: dict[int, int] = {}  # steps that are computed where a result is wanted

    def leaves(self) -> None:
        """Arguments, constants, and arrays that f reads."""
        for spot, position in enumerate(self.graph.inputs):
            step = self.steps[position]
            self.stores[position] = Access(f"%x{spot}", kind_of(step), step.shape, contiguous(step.shape))
        for position, step in enumerate(self.steps):
            if step.op is CONSTANT:
                self._constant(position, step)
            elif step.op is REFERENCE:
                self.stores[position] = self._array(step.params["value"], step)
            elif step.op is IDENTITY:
                self.stores[position] = self._array(step.op.evaluate(**step.params), step)
            elif step.op.family == "leaf" and step.op is not INPUT:
                raise Unsupported(step.op.name)

    def _constant(self, position: int, step: Step) -> None:
        value = step.params["value"]
        if step.shape:
            self.stores[position] = self._array(np.ascontiguousarray(value), step)
        else:
            self.numbers[position] = literal(value, kind_of(step))

    def _array(self, array: Any, step: Step) -> Access:
        kind = kind_of(step)
        if (
            not isinstance(array, np.ndarray)
            or not array.flags.aligned
            or any(s % array.itemsize for s in array.strides)
        ):
            raise Unsupported("an array in an unusual layout")
        strides = tuple(s // array.itemsize for s in array.strides)
        return Access(self.keep(array, written=False), kind, step.shape, strides)

    def allocate(self) -> None:
        """Results where the caller wants them; everything else that is stored, in the workspace."""
        given = self._given
        for spot, position in enumerate(self.graph.outputs):
            root = self.schedule.root[position]
            if self._straight(position) and root not in given and self.steps[root].op.family != "leaf":
                given[root] = spot
        for position, step in enumerate(self.steps):
            if (
                step.op.family == "leaf"
                or step.op in VIEWS
                or (position not in self.schedule.stored and not self._always(step))
            ):
                continue
            kind = kind_of(step)
            if position in given:
                base = f"%y{given[position]}"
            else:
                base = self.keep(np.zeros(max(1, size(step)), dtype=np.bool_ if kind == B else step.dtype))
            self.stores[position] = Access(base, kind, step.shape, contiguous(step.shape))

    @staticmethod
    def _always(step: Step) -> bool:
        return (bool(step.shape) and step.op in SUMS) or step.op in (p.scatter, p.contract, p.cumsum)

    def _straight(self, position: int) -> bool:
        """Whether a result is its root's entries in C order: views that only reshape."""
        step = self.steps[position]
        while step.op in VIEWS:
            if step.op is not p.reshape:
                return False
            step = self.steps[step.operands[0]]
        return True

    def copies(self) -> None:
        """Results that are views, leaves, numbers, or returned twice."""
        for spot, position in enumerate(self.graph.outputs):
            step, root = self.steps[position], self.schedule.root[position]
            if self._given.get(root) == spot and self.steps[root].shape:
                continue
            kind = kind_of(step)
            target = Access(f"%y{spot}", kind, step.shape, contiguous(step.shape))
            if not step.shape:
                self.store(target, (), self.scalar(position))
                continue
            self._copy(self.access(position), target)

    def _copy(self, source: Access, target: Access) -> None:
        self.nest(target.shape, lambda indices: self.store(target, indices, self.load(source, indices)))

    def access(self, position: int) -> Access:
        """Where a step's entries lie, through its views."""
        known = self.stores.get(position)
        if known is None:
            step = self.steps[position]
            if step.op not in VIEWS:
                if position in self.numbers and not step.shape:  # a number that has to be seen as an array
                    known = Access(self.keep(np.zeros(1)), kind_of(step), (), ())
                    self.store(known, (), self.numbers[position])
                    self.stores[position] = known
                    return known
                raise Unsupported(f"{step.op.name} is not stored")
            known = self.stores[position] = self._view(step)
        return known

    def _view(self, step: Step) -> Access:
        source = self.access(step.operands[0])
        if step.op is not p.reshape:
            return seen(step, source)
        try:
            return reshaped(source, step.shape)
        except Unsupported:  # strided entries in another shape: a copy of them
            return reshaped(self._copied(source), step.shape)

    def packed(self, position: int) -> Access:
        """A step's entries in C order, which a gather counts through; a copy of strided ones."""
        source = self.access(position)
        if source.contiguous:
            return source
        if position not in self._packed:
            self._packed[position] = self._copied(source)
        return self._packed[position]

    def _copied(self, source: Access) -> Access:
        room = np.zeros(max(1, math.prod(source.shape)))  # eight bytes are enough for any entry
        made = Access(self.keep(room), source.kind, source.shape, contiguous(source.shape))
        self._copy(source, made)
        return made

    def scalar(self, position: int) -> str:
        """A 0-d value in a register."""
        if position not in self.numbers:
            self.numbers[position] = self.load(self.access(position), ())
        return self.numbers[position]
