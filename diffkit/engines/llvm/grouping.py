"""Which steps share a loop: list scheduling of a graph into groups of one iteration shape.

A group is one nest of loops. A step joins it if it runs over the same shape, and everything it reads is finished, or is
computed in the same group at the same entry. Sums end a chain: what reads them comes in a later group.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.engines.llvm.functions import REALS, B, Unsupported, supported
from diffkit.engines.llvm.layout import KINDS
from diffkit.engines.llvm.pairs import pairs
from diffkit.graph import Graph, Step
from diffkit.ops import Shape, Static, as_index

VIEWS = frozenset({p.index, p.reshape, p.transpose, p.broadcast})
SUMS = frozenset({p.sum_, p.max_, p.min_})
CALLS = frozenset({p.contract, p.cumsum})


def kernel(step: Step) -> bool:
    """Whether a step can be written as IR."""
    kind = KINDS.get(step.dtype)
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


class Grouping:
    """The groups of a graph, in order.

    Attributes
    ----------
    groups
        Each after those that it reads from.
    home
        The group that computes a step.
    root
        The step behind a view, for each step.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.steps = graph, graph.steps
        self.root = self._roots()
        self.groups: list[Group] = []
        self.home: dict[int, Group] = {}
        self._done: set[int] = {position for position, step in enumerate(self.steps) if step.op.family == "leaf"}
        self._left: dict[int, int] = {}  # pieces of each scatter that are still to come
        self._pairs = pairs(graph)
        self._nodes = self._all_nodes()
        self._needs = [self._unfinished(node) for node in self._nodes]
        self._waiting: dict[int, list[int]] = {}  # by step: who needs it finished
        self._readers: dict[int, list[int]] = {}  # by step: who reads it as it is
        self._ready: dict[Shape, set[int]] = {}  # by shape: who may begin
        self._taken, self._remaining = [False] * len(self._nodes), len(self._nodes)
        self._numbers = {node.position: k for k, node in enumerate(self._nodes) if node.piece is None}
        self._fill()

    def _roots(self) -> list[int]:
        """The step behind a view."""
        root: list[int] = []
        for position, step in enumerate(self.steps):
            root.append(root[step.operands[0]] if step.op in VIEWS else position)
        return root

    def _all_nodes(self) -> list[Node]:
        found = []
        for position, step in enumerate(self.steps):
            if step.op.family == "leaf" or step.op in VIEWS:
                continue
            if step.op is p.scatter:
                self._left[position] = len(step.operands)
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
        """The earliest node that may begin opens a group, and all that can share its loops join."""
        for k, node in enumerate(self._nodes):
            for root in self._needs[k]:
                self._waiting.setdefault(root, []).append(k)
            for operand in self.reads(node):
                self._readers.setdefault(operand, []).append(k)
        order = [k for k, needs in enumerate(self._needs) if not needs]
        self._open(order)
        while self._remaining:
            if not order:  # two pairs wait for each other
                order = self._part()
            first = heapq.heappop(order)
            if not self._taken[first]:
                for k in self._finish(self._group(first)):
                    heapq.heappush(order, k)

    def _unfinished(self, node: Node) -> set[int]:
        """What a node, and a product that shares its pass, waits for."""
        reads = self.reads(node)
        if node.position in self._pairs:
            reads += self.steps[self._pairs[node.position]].operands
        return {self.root[operand] for operand in reads} - self._done

    def _open(self, found: list[int]) -> None:
        for k in found:
            self._ready.setdefault(self.over(self._nodes[k]), set()).add(k)

    def _part(self) -> list[int]:
        """No product waits for another any more."""
        self._pairs.clear()
        self._needs = [self._unfinished(node) for node in self._nodes]
        found = [k for k, needs in enumerate(self._needs) if not needs and not self._taken[k]]
        self._open(found)
        return found

    def _group(self, first: int) -> tuple[Group, list[int]]:
        node = self._nodes[first]
        if self.steps[node.position].op not in CALLS:
            return self._joined(Group(self.over(node)))
        partner = self._pairs.get(node.position)
        members = [first] if partner is None else [first, self._numbers[partner]]
        return Group(self.over(node), [self._nodes[k] for k in members], call=True), members

    def _joined(self, group: Group) -> tuple[Group, list[int]]:
        """All that can share the loops of a group, in order."""
        order = [k for k in self._ready[group.shape] if self.steps[self._nodes[k].position].op not in CALLS]
        heapq.heapify(order)
        members: list[int] = []
        seen, inside, reduced = set(order), set[int](), set[Any]()
        hits: dict[int, Any] = {}
        while order:
            k = heapq.heappop(order)
            node = self._nodes[k]
            if not self._admitted(node, reduced, hits):
                continue
            members.append(k)
            if node.piece is not None or self.steps[node.position].op in SUMS:
                continue
            inside.add(node.position)
            for reader in self._readers.get(node.position, ()):
                if reader not in seen and self._follows(self._nodes[reader], inside, group.shape):
                    seen.add(reader)
                    heapq.heappush(order, reader)
        group.nodes += [self._nodes[k] for k in members]
        return group, members

    def _follows(self, node: Node, inside: set[int], shape: Shape) -> bool:
        """Whether a node reads only what is finished, or computed at the same entry; a gather reads other entries."""
        step = self.steps[node.position]
        return (
            step.op not in CALLS
            and step.op is not p.gather
            and self.over(node) == shape
            and all(
                self.root[o] in self._done or (o in inside and self.steps[o].shape == shape) for o in self.reads(node)
            )
        )

    def _admitted(self, node: Node, reduced: set[Any], hits: dict[int, Any]) -> bool:
        """Whether a node fits: sums over the same axes, pieces of a scatter that are apart."""
        step = self.steps[node.position]
        if step.op in SUMS and reduced | {step.params["axis"]} != {step.params["axis"]}:
            return False
        if node.piece is not None and not self._apart(node, hits):
            return False
        if step.op in SUMS:
            reduced.add(step.params["axis"])
        return True

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

    def _finish(self, made: tuple[Group, list[int]]) -> list[int]:
        """Note what a group computes; who may begin now."""
        group, members = made
        self.groups.append(group)
        self._remaining -= len(members)
        for k in members:
            self._taken[k] = True
            self._ready[self.over(self._nodes[k])].discard(k)
        freed = []
        for node in group.nodes:
            if node.piece is None:
                self.home[node.position] = group
            else:
                self._left[node.position] -= 1
            if not self._left.get(node.position):
                self._done.add(node.position)
                freed.append(node.position)
        return self._freed(freed)

    def _freed(self, finished: list[int]) -> list[int]:
        found = []
        for position in finished:
            for k in self._waiting.get(position, ()):
                self._needs[k].discard(position)
                if (
                    not self._needs[k]
                    and not self._taken[k]
                    and k not in self._ready.get(self.over(self._nodes[k]), ())
                ):
                    self._open([k])
                    found.append(k)
        return found


def axis_kinds(step: Step, shape: Shape) -> tuple[bool, ...]:
    """For each axis of the iteration shape, whether a sum runs over it."""
    return tuple(k - len(shape) in step.params["axis"] for k in range(len(shape)))
