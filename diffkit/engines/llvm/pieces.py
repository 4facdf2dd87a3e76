"""Reads and writes at known positions: gathers, and the pieces of scatters."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit.engines.llvm.functions import I
from diffkit.engines.llvm.grouping import Node
from diffkit.engines.llvm.layout import BYTES, Access, contiguous, kind_of, placed
from diffkit.engines.llvm.memory import Memory
from diffkit.graph import Graph, Step
from diffkit.ops import Static, as_index
from diffkit.primitives.moving import covering, disjoint


class Pieces(Memory):
    """Writes gathers and scatters.

    Attributes
    ----------
    inside
        Values at the present entry of a loop.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.inside: dict[int, str] = {}
        self._begun: dict[int, Any] = {}  # scatters that have been started, and where they were written
        self._known_positions: dict[Static, Access] = {}

    def gathered(self, position: int, step: Step, indices: list[str]) -> None:
        """Read an entry at a known position."""
        source = self.packed(step.operands[0])
        front = len(source.shape) - len(step.params["shape"])
        at = self.load(self._positions(step.params["place"]), indices[front:])
        self.inside[position] = self.load(_flattened(source, front), [*indices[:front], at])

    def _positions(self, place: Static) -> Access:
        """Known positions, as an array that stays with the code."""
        if place not in self._known_positions:
            spots = np.array(place.array, dtype=np.int64, order="C")
            self._known_positions[place] = Access(
                self.keep(spots, written=False), I, spots.shape, contiguous(spots.shape)
            )
        return self._known_positions[place]

    def begin_scatter(self, position: int, step: Step) -> None:
        """Zeros where no piece is assigned, once, before the first piece."""
        if position in self._begun:
            return
        self._begun[position] = np.zeros(step.params["shape"], dtype=bool)
        shape, places = step.params["shape"], step.params["places"]
        filled = disjoint(shape, places) and covering(shape, places)
        if not filled:
            self.zero(self.stores[position])

    def zero(self, access: Access) -> None:
        """Fill with zeros."""
        size = math.prod(access.shape) * BYTES[access.kind]
        self.lines.append(f"  call void @llvm.memset.p0.i64(ptr {access.base}, i8 0, i64 {size}, i1 false)")

    def touched(self, node: Node) -> bool:
        """Whether a piece meets entries that were written before; notes that it has been written."""
        step = self.steps[node.position]
        place, mask = step.params["places"][node.piece or 0], self._begun[node.position]
        if isinstance(place, Static):
            spots = place.array.reshape(-1)
            again = mask.reshape(-1)[spots].any() or len(np.unique(spots)) < len(spots)
            mask.reshape(-1)[spots] = True
            return bool(again)
        again = mask[as_index(place)].any()
        mask[as_index(place)] = True
        return bool(again)

    def put(self, node: Node, step: Step, place: Any, indices: Any, word: str) -> None:
        """Write an entry of a piece to its place, or add it where something is."""
        adds = self.touched(node)
        base = self.stores[node.position]
        word = self.cast(word, kind_of(self.steps[step.operands[node.piece or 0]]), base.kind)
        if isinstance(place, Static):
            front = len(base.shape) - len(step.params["shape"])
            at = self.load(self._positions(place), indices[front:])
            target, indices = _flattened(base, front), [*indices[:front], at]
        else:
            target = placed(base, place, self.steps[step.operands[node.piece or 0]].shape)
        if adds:
            self.loaded.pop((target, tuple(indices)), None)
            word = self(f"{'add' if base.kind == I else 'fadd'} {base.kind} {self.load(target, indices)}, {word}")
            self.loaded.pop((target, tuple(indices)), None)
        self.store(target, indices, word)


def _flattened(access: Access, front: int) -> Access:
    """The last axes as one, behind some that stay."""
    shape = (*access.shape[:front], math.prod(access.shape[front:]))
    return replace(access, shape=shape, strides=contiguous(shape))
