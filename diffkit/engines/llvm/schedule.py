"""What is kept of a group's values: which steps must be stored, and which are cheaper to compute again."""

from __future__ import annotations

import math

from diffkit import primitives as p
from diffkit.engines.llvm.grouping import Group, Grouping
from diffkit.graph import Graph
from diffkit.ops import Op

CHEAP = 6  # plain operations that are done again rather than stored


class Schedule(Grouping):
    """A graph's groups in order, and which steps must be stored."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.stored = self._stored()

    def _stored(self) -> set[int]:
        """Steps whose entries are read outside of the loops that compute them."""
        kept = {self.root[position] for position in self.graph.outputs}
        kept |= {self.root[guard.position] for guard in self.graph.guards}
        for group in self.groups:
            known: set[int] = {node.position for node in group.nodes if node.piece is None}
            for node in group.nodes:
                if self.steps[node.position].op is p.gather:
                    kept.update(self.root[operand] for operand in self.reads(node))
                    continue
                for operand in self.reads(node):
                    self._reach(operand, group, known, kept)
        return kept

    def _reach(self, operand: int, group: Group, known: set[int], kept: set[int]) -> None:
        root = self.root[operand]
        if root != operand and root in self.home:
            kept.add(root)
            return
        if operand in known or operand not in self.home:
            return
        if self.steps[operand].shape == group.shape and group.shape and self._cheap(operand, group) <= CHEAP:
            self._again(operand, group, known, kept)
        else:
            kept.add(operand)

    def _cheap(self, position: int, group: Group) -> float:
        """Plain operations to compute a step again in a group; infinite where it cannot be."""
        step = self.steps[position]
        plain = (
            step.op.family in ("elementwise", "constant", "select") and step.op in PLAIN and step.shape == group.shape
        )
        if group.call or not plain:
            return math.inf
        cost = 1.0
        for operand in step.operands:
            if operand in self.home and operand == self.root[operand] and self.steps[operand].shape == group.shape:
                cost += self._cheap(operand, group)
            if cost > CHEAP:  # steps that are read twice would be counted twice as often each
                return math.inf
        return cost

    def _again(self, position: int, group: Group, known: set[int], kept: set[int]) -> None:
        for operand in self.steps[position].operands:
            self._reach(operand, group, known, kept)
        known.add(position)
        group.again.append(position)


PLAIN: frozenset[Op] = frozenset({p.add, p.subtract, p.multiply, p.negative, p.square, p.where, p.greater, p.less})
