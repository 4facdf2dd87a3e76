"""Nests of loops: the steps of a group at every entry, with sums in accumulators."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from diffkit import primitives as p
from diffkit.engines.llvm.functions import F, I, entrywise, literal
from diffkit.engines.llvm.grouping import SUMS, Group, Node
from diffkit.engines.llvm.layout import kind_of
from diffkit.engines.llvm.phases import Phases
from diffkit.engines.llvm.ufuncs import BLOCK as CALLED
from diffkit.graph import Step
from diffkit.ops import Static

if TYPE_CHECKING:
    from diffkit.engines.llvm.code import Code

LONGEST = 1000  # steps in a loop that LLVM may still make vectors of
BLOCK = 1024  # entries whose sum is taken in one go: partial sums of blocks keep the rounding small


class Nest:
    """The loops of one group, with its sums in accumulators."""

    def __init__(self, code: Code, group: Group, sums: list[Node], kinds: tuple[bool, ...], order: list[int]) -> None:
        self.code, self.group, self.sums, self.kinds, self.order = code, group, sums, kinds, order
        self.first_summed = next((depth for depth, k in enumerate(order) if kinds[k]), len(order))
        self.in_registers = bool(sums) and all(kinds[k] for k in order[self.first_summed :])
        self.cells: dict[int, str] = {}
        self.phases = Phases(code, group, order[-1])

    def write(self) -> None:
        """Open the loops, write the body, close them."""
        for node in self.sums:
            if self.in_registers:
                self.cells[node.position] = self.code.cell(self._kind(node))
            else:
                self._fill(node)
        lengths: list[Any] = [self.group.shape[k] for k in self.order]
        if self.phases.count > 1:
            self._blocked(lengths, CALLED)
            return
        if self.in_registers and lengths[-1] > 4 * BLOCK:
            self._blocked(lengths, BLOCK)
            return
        self._plain(lengths)
        if self.in_registers and self.first_summed == 0:
            self._deliver([])

    def _kind(self, node: Node) -> str:
        """What a sum is accumulated in: doubles for all real numbers."""
        return I if kind_of(self.code.steps[node.position]) == I else F

    def _start(self, node: Node) -> str:
        op, kind = self.code.steps[node.position].op, self._kind(node)
        lowest, highest = (-(2**63), 2**63 - 1) if kind == I else (-math.inf, math.inf)
        return literal(0 if op is p.sum_ else lowest if op is p.max_ else highest, kind)

    def _in_cells(self) -> list[Node]:
        return self.sums if self.in_registers else []

    def _reset(self, cells: dict[int, str]) -> None:
        for node in self._in_cells():
            self.code.lines.append(f"  store {self._kind(node)} {self._start(node)}, ptr {cells[node.position]}")

    def _fill(self, node: Node) -> None:
        """Start values in memory, where sums run over outer axes."""
        target = self.code.stores[node.position]
        self.code.nest(target.shape, lambda indices: self.code.store(target, indices, self._start(node)))

    def _plain(self, lengths: list[Any]) -> None:
        code = self.code
        indices: list[str] = []
        ends: list[Any] = []
        group = self._access_group()
        for depth, length in enumerate(lengths):
            if self.in_registers and depth == self.first_summed:
                self._reset(self.cells)
            ends.append(code.open_loop(length, indices))
        with code.marked(group):
            self._body(indices)
        for depth in range(len(lengths) - 1, -1, -1):
            code.close_loop(ends[depth], group if depth == len(lengths) - 1 else "")
            if self.in_registers and depth == self.first_summed and depth > 0:
                self._deliver(indices[:depth])
        code.inside, code.loaded = {}, {}

    def _access_group(self) -> str:
        """For loops whose iterations do not depend on each other."""
        safe = not any(
            isinstance(self.code.steps[n.position].params["places"][n.piece], Static)
            for n in self.group.nodes
            if n.piece is not None
        )
        return self.code.access_group() if safe and not self.in_registers else ""

    def _blocked(self, lengths: list[Any], block: int) -> None:
        """The innermost axis in blocks: their sums are added up, and their phases follow each other."""
        code = self.code
        indices: list[str] = []
        ends: list[Any] = []
        whole = {node.position: code.cell(self._kind(node)) for node in self._in_cells()}
        for depth, length in enumerate(lengths[:-1]):
            if depth == self.first_summed:
                self._reset(whole)
            ends.append(code.open_loop(length, indices))
        if self.first_summed >= len(lengths) - 1:
            self._reset(whole)
        blocks: list[str] = []
        outer = code.open_loop(-(-lengths[-1] // block), blocks)
        self._reset(self.cells)
        start = code(f"mul nuw nsw i64 {blocks[0]}, {block}")
        stop = code(f"add nuw nsw i64 {start}, {block}")
        stop = code(f"call i64 @llvm.umin.i64(i64 {stop}, i64 {lengths[-1]})")
        self._in_phases(indices, start, stop)
        for node in self._in_cells():
            part = code(f"load {self._kind(node)}, ptr {self.cells[node.position]}")
            self._add(node, whole[node.position], part, flags="")
        code.close_loop(outer, unrolled=False)
        self.cells = whole
        for depth in range(len(lengths) - 2, -1, -1):
            if depth + 1 == self.first_summed:
                self._deliver(indices[: depth + 1])
            code.close_loop(ends[depth])
        if self.first_summed == 0:
            self._deliver([])
        code.inside, code.loaded = {}, {}

    def _in_phases(self, outer: list[str], start: str, stop: str) -> None:
        """A block, phase by phase."""
        code = self.code
        for phase in range(self.phases.count):
            indices = list(outer)
            group = self._access_group()
            end = code.open_loop((start, stop), indices)
            with code.marked(group):
                self._body(indices, phase, start)
            code.close_loop(end, group)
            self.phases.call(phase, self._by_axis([*outer, start]), code(f"sub nuw nsw i64 {stop}, {start}"))

    def _add(self, node: Node, cell: str, word: str, flags: str = "reassoc ") -> None:
        code, op = self.code, self.code.steps[node.position].op
        kind = self._kind(node)
        before = code(f"load {kind}, ptr {cell}")
        code.lines.append(f"  store {kind} {self._joined(op, before, word, kind, flags)}, ptr {cell}")

    def _joined(self, op: Any, before: str, word: str, kind: str, flags: str) -> str:
        if op is p.sum_:
            return self.code(f"{'add ' if kind == I else f'fadd {flags}'}{kind} {before}, {word}")
        return entrywise(self.code, p.maximum if op is p.max_ else p.minimum, [word, before], [kind, kind], kind)

    def _deliver(self, kept: list[str]) -> None:
        """Sums from their accumulators to where they belong."""
        code = self.code
        for node in self._in_cells():
            step = code.steps[node.position]
            kind = self._kind(node)
            word = code.cast(code(f"load {kind}, ptr {self.cells[node.position]}"), kind, kind_of(step))
            if not step.shape:
                code.numbers[node.position] = word
                if node.position in code.stores:
                    code.store(code.stores[node.position], (), word)
            else:
                axes = [k for k in self.order if not self.kinds[k]]
                by_axis = dict(zip(axes, kept, strict=True))
                code.store(code.stores[node.position], [by_axis[k] for k in sorted(axes)], word)

    def _body(self, ordered: list[str], phase: int = 0, start: str = "0") -> None:
        """Every step of a phase at one entry."""
        code, phases = self.code, self.phases
        code.inside, code.loaded = {}, {}
        indices = self._by_axis(ordered)
        local = code(f"sub nuw nsw i64 {ordered[-1]}, {start}") if phases.count > 1 else ""
        phases.enter(phase, indices, local)
        for node in phases.nodes[phase]:
            if len(self.group.nodes) > LONGEST:
                code.paragraph()
            if not phases.called(node, indices, local):
                self._node(node, indices)
                phases.keep(node, local)

    def _by_axis(self, ordered: list[str]) -> list[str]:
        indices = [""] * len(ordered)
        for k, index in zip(self.order, ordered, strict=True):
            indices[k] = index
        return indices

    def _node(self, node: Node, indices: list[str]) -> None:
        """One step at one entry."""
        code = self.code
        step = code.steps[node.position]
        if node.piece is not None:
            word = code.value(step.operands[node.piece], self.group.shape, indices)
            code.put(node, step, step.params["places"][node.piece], indices, word)
        elif step.op in SUMS:
            self._sum(node, step, indices)
        else:
            if step.op is p.gather:
                code.gathered(node.position, step, indices)
            word = code.inside[node.position] if step.op is p.gather else code.compute(node.position, indices)
            if node.position in code.stores and node.position not in self.group.again:
                code.store(code.stores[node.position], indices, word)

    def _sum(self, node: Node, step: Step, indices: list[str]) -> None:
        code = self.code
        operand = step.operands[0]
        word, kind = code.value(operand, self.group.shape, indices), kind_of(code.steps[operand])
        if self.in_registers:  # in doubles, whatever is summed
            self._add(node, self.cells[node.position], code.cast(word, kind, self._kind(node)))
            return
        target = code.stores[node.position]
        word = code.cast(word, kind, target.kind)
        kept = [index for index, summed in zip(indices, self.kinds, strict=True) if not summed]
        before = code.load(target, kept)
        code.loaded.pop((target, tuple(kept)), None)
        code.store(target, kept, self._joined(step.op, before, word, target.kind, ""))
