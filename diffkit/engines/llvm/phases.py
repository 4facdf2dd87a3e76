"""A group in phases, where NumPy's loops compute some of its functions: what comes before a call, and what after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from diffkit.engines.llvm.functions import REALS, S
from diffkit.engines.llvm.grouping import SUMS, Group, Node
from diffkit.engines.llvm.layout import BYTES, Access, kind_of, spread
from diffkit.engines.llvm.ufuncs import BLOCK, FROM, Loops

if TYPE_CHECKING:
    from diffkit.engines.llvm.code import Code


class Room(NamedTuple):
    """Where the entries of a block lie: in memory of their own, or among those of a whole array."""

    access: Access
    whole: bool = False

    def at(self, indices: list[str], local: str) -> list[str]:
        """The place of an entry, by its indices in the array or by its number in the block."""
        return indices if self.whole else [local]


class Phases:
    """Which steps are computed in which phase, and the blocks of entries that pass from one to another.

    Attributes
    ----------
    count
        How many there are; one where no loop of NumPy's is called.
    nodes
        What is computed in each phase.
    """

    def __init__(self, code: Code, group: Group, axis: int) -> None:
        self._code, self._group, self._axis = code, group, axis
        self._called = self._loops(group, code.loops) if code.loops and group.shape[axis] >= FROM else {}
        self._ready: dict[int, int] = {}  # the phase from which a step's value is known
        order = [*(Node(position) for position in group.again), *group.nodes]
        phase = {node: self._phase(node) for node in order}
        self.count = 1 + max([*phase.values(), *self._ready.values()], default=0)
        self.nodes = [[node for node in order if phase[node] == k] for k in range(self.count)]
        self._entering = [self._read(k) for k in range(self.count)]
        self._rooms: dict[int, Room] = {}
        self._arguments: dict[int, list[Room]] = {}
        self._taken: set[int] = set()
        if self.count > 1:
            self._reserve()

    def enter(self, phase: int, indices: list[str], local: str) -> None:
        """Fetch what earlier phases and calls have left, and put results of calls where they belong."""
        code = self._code
        for position in self._entering[phase]:
            room = self._rooms[position]
            code.inside[position] = code.load(room.access, room.at(indices, local))
        for position in self._called:
            if self._ready[position] == phase and self._to_deliver(position):
                code.store(code.stores[position], indices, code.inside[position])

    def called(self, node: Node, indices: list[str], local: str) -> bool:
        """Whether NumPy computes a step; then its operands are made ready for it."""
        if node.position not in self._called:
            return False
        code, step = self._code, self._code.steps[node.position]
        for operand, room in zip(step.operands, self._arguments[node.position], strict=True):
            if not room.whole:
                kind = room.access.kind
                word = code.cast(code.value(operand, step.shape, indices), kind_of(code.steps[operand]), kind)
                code.store(room.access, [local], word)
        return True

    def keep(self, node: Node, local: str) -> None:
        """Keep a value for a later phase, if one reads it."""
        if node.position in self._rooms and node.position in self._code.inside:
            self._code.store(self._rooms[node.position].access, [local], self._code.inside[node.position])

    def call(self, phase: int, first: list[str], length: str) -> None:
        """Call NumPy's loops on what the phase made ready: a block from an entry on."""
        code = self._code
        for node in self.nodes[phase]:
            if node.position not in self._called:
                continue
            address, data = self._called[node.position]
            rooms = [*self._arguments[node.position], self._rooms[node.position]]
            width = BYTES[rooms[0].access.kind]
            places, count = code.cell(f"[{len(rooms)} x ptr]"), code.cell("i64")
            for spot, room in enumerate(rooms):
                at = code(f"getelementptr ptr, ptr {places}, i64 {spot}")
                begin = code.address(room.access, room.at(first, "0"))
                code.lines.append(f"  store ptr {begin}, ptr {at}")
            code.lines.append(f"  store i64 {length}, ptr {count}")
            steps = code.constant(f"[{len(rooms)} x i64]", f"[{', '.join([f'i64 {width}'] * len(rooms))}]")
            given = f"ptr {places}, ptr {count}, ptr {steps}, ptr inttoptr (i64 {data} to ptr)"
            code.lines.append(f"  call void inttoptr (i64 {address} to ptr)({given})")
            code.loaded = {}

    # ------------------------------------------------------------ which step belongs to which phase

    def _loops(self, group: Group, loops: Loops) -> dict[int, tuple[int, int]]:
        steps = self._code.steps
        found = {}
        for node in group.nodes:
            step = steps[node.position]
            kind = kind_of(step)
            loop = loops(step.op, kind) if node.piece is None and kind in REALS else None
            if loop is not None:
                found[node.position] = loop
        return found

    def _phase(self, node: Node) -> int:
        """After everything that it reads; what it makes is known at once, or after a call."""
        reads = self._reads(node)
        phase = max((self._ready[operand] for operand in reads if operand in self._ready), default=0)
        if node.piece is None and self._code.steps[node.position].op not in SUMS:
            self._ready[node.position] = phase + (node.position in self._called)
        return phase

    def _reads(self, node: Node) -> tuple[int, ...]:
        operands = self._code.steps[node.position].operands
        return operands if node.piece is None else (operands[node.piece],)

    def _read(self, phase: int) -> list[int]:
        """What a phase reads of earlier ones."""
        here = {node.position for node in self.nodes[phase] if node.piece is None} - set(self._called)
        reads = {operand for node in self.nodes[phase] for operand in self._reads(node)} & set(self._ready)
        results = {k for k in self._called if self._ready[k] == phase and self._to_deliver(k)}
        return sorted((reads - here) | results)

    # ------------------------------------------------------------ where blocks lie

    def _to_deliver(self, position: int) -> bool:
        """Whether a call's results have to be copied to where they are stored."""
        return position in self._code.stores and not self._beside(self._code.stores[position])

    def _beside(self, access: Access) -> bool:
        return access.strides[self._axis] == 1

    def _reserve(self) -> None:
        """Places for what passes from phase to phase, and for the arguments and results of calls."""
        steps = self._code.steps
        for position in self._called:
            kind = kind_of(steps[position])
            self._rooms[position] = self._for_results(position, kind)
            self._arguments[position] = [self._for_argument(operand, kind) for operand in steps[position].operands]
        for position in {k for entering in self._entering for k in entering} - set(self._called):
            self._rooms[position] = self._block(kind_of(steps[position]))

    def _for_argument(self, operand: int, kind: str) -> Room:
        """The array itself, where its entries lie beside each other."""
        step = self._code.steps[operand]
        if operand not in self._ready and step.shape and kind_of(step) == kind:
            access = spread(self._code.access(operand), self._group.shape)
            if self._beside(access):
                return Room(access, whole=True)
        return self._block(kind)

    def _for_results(self, position: int, kind: str) -> Room:
        """Where they are stored, or where something is stored later that nobody needs them after."""
        stores = self._code.stores
        reading = (k for k, entering in enumerate(self._entering) if position in entering)
        last = max(reading, default=self._ready[position])
        later = [node.position for nodes in self.nodes[last:] for node in nodes if node.piece is None]
        free = [k for k in later if k not in self._called and k not in self._taken and k not in self._group.again]
        for place in (position, *free):
            found = stores.get(place)
            if found and found.shape == self._group.shape and found.kind == kind and self._beside(found):
                self._taken.add(place)
                return Room(found, whole=True)
        return self._block(kind)

    def _block(self, kind: str) -> Room:
        room: Any = np.zeros(BLOCK, dtype=np.float32 if kind == S else np.float64)  # wide enough for any other entry
        return Room(Access(self._code.keep(room), kind, (BLOCK,), (1,)))
