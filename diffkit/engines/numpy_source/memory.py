"""Who owns which memory in a graph, when it is read for the last time, and what may overwrite it."""

from __future__ import annotations

from diffkit import primitives as p
from diffkit.graph import Graph, Step
from diffkit.ops import size

REUSE = 1024  # entries from which a dead temporary is worth an out=; below, an operator is faster than a ufunc call
VIEWS = frozenset(op for op in p.TABLE.values() if op.touches == "none")


class Memory:
    """The memory of a graph's values: a view shows its operand's, everything else has its own.

    Memory of leaves (arguments, references, constants) is foreign, and that of results is kept: neither is written.
    """

    def __init__(self, graph: Graph) -> None:
        self.steps = graph.steps
        self.root: list[int] = []  # the step whose memory a step shows
        for position, step in enumerate(graph.steps):
            self.root.append(self.root[step.operands[0]] if step.op in VIEWS else position)
        self.last = self._last_reads(graph)
        self._taken: set[int] = set()  # overwritten by a later step
        self._free: dict[object, list[int]] = {}

    def _last_reads(self, graph: Graph) -> list[int]:
        last = list(range(len(self.steps)))
        for position, step in enumerate(self.steps):
            for operand in step.operands:
                last[self.root[operand]] = position
                if self.steps[operand].op is p.broadcast:  # a scatter may read what was to be repeated
                    last[self.root[self.steps[operand].operands[0]]] = position
        for position in graph.outputs:
            last[self.root[position]] = len(self.steps)
        return last

    def without(self, positions: set[int]) -> None:
        """Steps that have no memory of their own: they are never written out."""
        self._taken |= positions

    def foreign(self, position: int) -> bool:
        """Whether the memory belongs to the caller, the user or the plan."""
        return self.steps[self.root[position]].op.family == "leaf"

    def _dead(self, root: int, position: int) -> bool:
        """Whether the memory of a root is read for the last time at a position, and may be overwritten."""
        return self.last[root] == position and root not in self._taken and not self.foreign(root)

    def take(self, position: int, step: Step) -> int | None:
        """A step whose memory this one may overwrite: a dying operand of the same shape, or what died before."""
        for operand in step.operands:
            owner = self.steps[operand]
            same = (owner.shape, owner.dtype) == (step.shape, step.dtype)
            if same and self.root[operand] == operand and self._dead(operand, position):
                self._taken.add(operand)
                return operand
        spare = self._free.get((step.shape, step.dtype))
        return spare.pop() if spare else None

    def release(self, position: int, step: Step) -> None:
        """Offer what was read for the last time at this position."""
        for root in dict.fromkeys(self.root[operand] for operand in step.operands):
            if root != self.root[position] and size(self.steps[root]) >= REUSE and self._dead(root, position):
                self._taken.add(root)
                owner = self.steps[root]
                self._free.setdefault((owner.shape, owner.dtype), []).append(root)
