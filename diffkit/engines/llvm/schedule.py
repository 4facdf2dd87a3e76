"""Which steps share a loop: list scheduling of a graph into groups of one iteration shape.

A group is one nest of loops. A step joins it if it runs over the same shape, and everything it reads is finished, or is
computed in the same group at the same entry. Sums end a chain: what reads them comes in a later group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.engines.llvm.functions import REALS, B, Unsupported, supported
from diffkit.engines.llvm.layout import KINDS
from diffkit.engines.llvm.pairs import pairs
from diffkit.graph import Graph, Step
from diffkit.ops import Op, Shape, Static, as_index

VIEWS = frozenset({p.index, p.reshape, p.transpose, p.broadcast})
SUMS = frozenset({p.sum_, p.max_, p.min_})
CALLS = frozenset({p.contract, p.cumsum})
CHEAP = 6  # plain operations that are done again rather than stored


def kernel(step: Step) -> bool:
    """Whether a step can be written as IR."""
    kind = KINDS.get(step.dtype.name)
    if step.op.family == "leaf":
        return True
    if kind is None or (step.op is p.contract and kind not in REALS):
        return False
    if step.op in SUMS or step.op in (p.cumsum, p.scatter):
        return kind != B
    return step.op in VIEWS or step.op in (p.gather, p.contract) or supported(step.op, kind)


@dataclass(frozen=True)
class Node:
    """What is scheduled: a step, or one piece of a scatter."""

    position: int
    piece: int | None = None


@dataclass
class Group:
    """Nodes in one nest of loops; or one call, of two products with one matrix at most."""

    shape: Shape
    nodes: list[Node] = field(default_factory=list)
    again: list[int] = field(default_factory=list)  # steps computed again here instead of being stored
    call: bool = False


class Schedule:
    """A graph's groups in order, and which steps must be stored."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.steps = graph, graph.steps
        self.root = self._roots()
        self.groups: list[Group] = []
        self.home: dict[int, Group] = {}  # the group that computes a step
        self._done: set[int] = {position for position, step in enumerate(self.steps) if step.op.family == "leaf"}
        self._left: dict[int, int] = {}  # pieces of each scatter that are still to come
        self._touched: dict[int, Any] = {}
        self._pairs = pairs(graph)
        self._fill()
        self.stored = self._stored()

    def _roots(self) -> list[int]:
        """The step behind a view."""
        root: list[int] = []
        for position, step in enumerate(self.steps):
            root.append(root[step.operands[0]] if step.op in VIEWS else position)
        return root

    # ------------------------------------------------------------ nodes

    def _nodes(self) -> list[Node]:
        found = []
        for position, step in enumerate(self.steps):
            if step.op.family == "leaf" or step.op in VIEWS:
                continue
            if step.op is p.scatter:
                self._left[position] = len(step.operands)
                self._touched[position] = np.zeros(step.shape, dtype=np.int32)
                found += [Node(position, piece) for piece in range(len(step.operands))]
            elif kernel(step):
                found.append(Node(position))
            else:
                raise Unsupported(step.op.name)
        return found

    def over(self, node: Node) -> Shape:
        """The shape that a node runs over."""
        step = self.steps[node.position]
        if node.piece is not None:
            return self.steps[step.operands[node.piece]].shape
        return self.steps[step.operands[0]].shape if step.op in SUMS else step.shape

    def reads(self, node: Node) -> tuple[int, ...]:
        """The operands of a node."""
        operands = self.steps[node.position].operands
        return operands if node.piece is None else (operands[node.piece],)

    # ------------------------------------------------------------ groups

    def _fill(self) -> None:
        pending = self._nodes()
        while pending:
            first = next((node for node in pending if self._ready(node)), None)
            if first is None:  # two pairs wait for each other
                self._pairs.clear()
                continue
            if self.steps[first.position].op in CALLS:
                partner = self._pairs.get(first.position)
                group = Group(self.over(first), [first, *([] if partner is None else [Node(partner)])], call=True)
            else:
                group = Group(self.over(first))
                self._gather(group, pending)
            taken = set(group.nodes)
            pending = [node for node in pending if node not in taken]
            for node in group.nodes:
                self._finish(node, group)
            self.groups.append(group)

    def _ready(self, node: Node) -> bool:
        reads = self.reads(node)
        if node.position in self._pairs:
            reads += self.steps[self._pairs[node.position]].operands
        return all(self.root[operand] in self._done for operand in reads)

    def _gather(self, group: Group, pending: list[Node]) -> None:
        inside: set[int] = set()
        reduced: set[Any] = set()
        hits: dict[int, Any] = {}
        for node in pending:
            step = self.steps[node.position]
            if step.op in CALLS or self.over(node) != group.shape:
                continue
            here = set() if step.op is p.gather else inside  # a gather reads other entries than the one computed
            if not all(
                self.root[o] in self._done or (o in here and self.steps[o].shape == group.shape)
                for o in self.reads(node)
            ):
                continue
            if step.op in SUMS:
                reduced.add(step.params["axis"])
                if len(reduced) > 1:
                    reduced.discard(step.params["axis"])
                    continue
            if node.piece is not None and not self._apart(node, hits):
                continue
            group.nodes.append(node)
            if node.piece is None and step.op not in SUMS:
                inside.add(node.position)

    def _apart(self, node: Node, hits: dict[int, Any]) -> bool:
        """Whether a piece overlaps no other piece of its scatter that is written in the same loops."""
        step = self.steps[node.position]
        place = step.params["places"][node.piece or 0]
        mask = hits.setdefault(node.position, np.zeros(step.params["shape"], dtype=bool))
        if isinstance(place, Static):
            spots = place.array.reshape(-1)
            clear = not mask.reshape(-1)[spots].any()
            mask.reshape(-1)[spots] = True
            return clear
        clear = not mask[as_index(place)].any()
        if clear:
            mask[as_index(place)] = True
        return clear

    def _finish(self, node: Node, group: Group) -> None:
        if node.piece is None:
            self._done.add(node.position)
            self.home[node.position] = group
            return
        self._left[node.position] -= 1
        if not self._left[node.position]:
            self._done.add(node.position)

    # ------------------------------------------------------------ what is kept

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
        return cost

    def _again(self, position: int, group: Group, known: set[int], kept: set[int]) -> None:
        for operand in self.steps[position].operands:
            self._reach(operand, group, known, kept)
        known.add(position)
        group.again.append(position)


PLAIN: frozenset[Op] = frozenset({p.add, p.subtract, p.multiply, p.negative, p.square, p.where, p.greater, p.less})


def axis_kinds(step: Step, shape: Shape) -> tuple[bool, ...]:
    """For each axis of the iteration shape, whether a sum runs over it."""
    return tuple(k - len(shape) in step.params["axis"] for k in range(len(shape)))
