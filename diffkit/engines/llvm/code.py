"""LLVM IR for a graph: one function over the addresses of its arguments and results.

Groups of the schedule become nests of loops whose innermost body is one basic block, so that LLVM's vectoriser sees
plain loops; numbers (0-d values) are straight-line code; products of matrices go to BLAS above a size.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from diffkit import primitives as p
from diffkit.engines.llvm.functions import (
    BOOLEAN,
    B,
    F,
    I,
    Unsupported,
    declarations,
    entrywise,
    literal,
)
from diffkit.engines.llvm.grouping import SUMS, Group, Node, axis_kinds
from diffkit.engines.llvm.guards import Guards
from diffkit.engines.llvm.instructions import FETCHED
from diffkit.engines.llvm.layout import kind_of, spread
from diffkit.engines.llvm.nests import LONGEST, Nest
from diffkit.engines.llvm.outlining import Functions
from diffkit.engines.llvm.pairs import both
from diffkit.engines.llvm.products import contract
from diffkit.engines.llvm.ufuncs import Loops, numpy_loop
from diffkit.graph import Graph, Step
from diffkit.ops import Shape

INLINED = 40  # groups up to which LLVM may write them into one function


class Code(Guards):
    """Writes the function of a graph.

    Attributes
    ----------
    loops
        Which of NumPy's loops are called.
    """

    def __init__(self, graph: Graph, loops: Loops | None) -> None:
        super().__init__(graph)
        self.loops = loops
        self.functions = Functions()
        self._partner = self._partners()
        self._sine = self._cosine = ""

    # ------------------------------------------------------------ the function

    def write(self) -> str:
        """The module."""
        self.leaves()
        self.allocate()
        for group in self.schedule.groups:
            self._group(group)
        self.copies()
        self.check_guards()
        inputs = [f"ptr noalias readonly %x{k}" for k in range(len(self.graph.inputs))]
        outputs = [f"ptr noalias %y{k}" for k in range(len(self.graph.outputs))]
        body = self._body()
        head = f"define i1 @kernel({', '.join(['ptr %table', *inputs, *outputs])}) {{\nentry:"
        end = "  ret i1 true\nfail:\n  ret i1 false\n}"
        both = f"declare void @sincos({F}, ptr, ptr) nounwind" if self._sine else ""
        numbers = [f"@constant{k} = {line}" for k, line in enumerate(self.constants)]
        parts = self.functions
        return "\n".join([declarations(self.used), both, *numbers, *parts.texts, head, body, end, *parts.metadata, ""])

    def _body(self) -> str:
        """The kernel's own instructions, after the addresses that they use."""
        text, self.lines = "\n".join(self.lines), []
        words = {name: self.fetch(name) for name in dict.fromkeys(FETCHED.findall(text))}
        text = FETCHED.sub(lambda name: words[name.group()], text)
        return self.functions.numbered("\n".join([*self.lines, text]), self.metadata)

    # ------------------------------------------------------------ groups

    def _group(self, group: Group) -> None:
        if not group.shape and not group.call:
            for node in group.nodes:
                self.paragraph()
                self._number(node)
            return
        types = self._prepared(group)
        many = " noinline" if len(self.schedule.groups) > INLINED else ""
        if group.call:
            self._apart(lambda: self._call([node.position for node in group.nodes]), types, many)
            return
        if len(group.nodes) > LONGEST:  # with more addresses than a call should take
            self._loops(group)
            return
        self.shared = True
        self._apart(lambda: self._loops(group), types, many)
        self.shared = False

    def _apart(self, write: Callable[[], None], types: dict[str, str], attributes: str) -> None:
        """Have instructions written to a function of their own, and call it; numbers come back through variables."""
        outside, numbers = (self.lines, self.metadata, self._block, self._begun_at), len(self.numbers)
        self.lines, self.metadata, self._block, self._begun_at, self.loaded = [], [], "entry", 0, {}
        write()
        made = list(islice(reversed(self.numbers), len(self.numbers) - numbers))
        cells = {}
        for position in made:
            if self.numbers[position].startswith("%"):
                cells[position] = f"%made{position}"
                kind = kind_of(self.steps[position])
                self.lines.append(f"  store {kind} {self.numbers[position]}, ptr {cells[position]}")
        lines, metadata = self.lines, self.metadata
        self.lines, self.metadata, self._block, self._begun_at = outside
        if not lines:
            return
        name, given = self.functions.made(lines, metadata, types, attributes)
        for position, cell in cells.items():
            self.lines.insert(0, f"  {cell} = alloca {kind_of(self.steps[position])}")
        words = [self.fetch(word) if FETCHED.fullmatch(word) else word for word in given]
        forms = [f"{types.get(one, 'ptr')} {word}" for one, word in zip(given, words, strict=True)]
        self.lines.append(f"  call void {name}({', '.join(forms)})")
        for position, cell in cells.items():
            self.numbers[position] = self(f"load {kind_of(self.steps[position])}, ptr {cell}")
        self.loaded = {}

    def _call(self, positions: list[int]) -> None:
        """What has loops of its own, or is a routine of a library."""
        if len(positions) > 1 and both(self, positions):
            return
        for position in positions:
            step = self.steps[position]
            if step.op is p.contract:
                contract(self, position, step)
            else:
                self._cumsum(position, step)

    def _number(self, node: Node) -> None:
        """A 0-d step, as straight-line code."""
        step = self.steps[node.position]
        if node.piece is not None:
            self.begin_scatter(node.position, step)
            place = step.params["places"][node.piece]
            self.put(node, step, place, (), self.scalar(step.operands[node.piece]))
            return
        if step.op in SUMS:
            self.numbers[node.position] = self.scalar(step.operands[0])
        elif step.op is p.gather:
            self.gathered(node.position, step, [])
            self.numbers[node.position] = self.inside.pop(node.position)
        elif node.position in self._partner:
            self._both(node.position, step)
        else:
            words = [self.scalar(operand) for operand in step.operands]
            kinds = [kind_of(self.steps[operand]) for operand in step.operands]
            self.numbers[node.position] = entrywise(self, step.op, words, kinds, self._result_kind(step))
        if node.position in self.stores and step.op is not p.scatter:
            self.store(self.stores[node.position], (), self.numbers[node.position])

    def _partners(self) -> dict[int, int]:
        """Sines and cosines of one number, which libm computes together at little more than the price of one."""
        found: dict[tuple[Any, int], int] = {
            (step.op, step.operands[0]): position
            for position, step in enumerate(self.steps)
            if step.op in (p.sin, p.cos) and not step.shape and kind_of(step) == F
        }
        other = {p.sin: p.cos, p.cos: p.sin}
        return {
            position: found[other[op], operand]
            for (op, operand), position in found.items()
            if (other[op], operand) in found
        }

    def _both(self, position: int, step: Step) -> None:
        if position in self.numbers:
            return
        sine, cosine = (self._sine, self._cosine) = (self._sine or self.cell(), self._cosine or self.cell())
        self.lines.append(
            f"  call void @sincos({F} {self.scalar(step.operands[0])}, ptr {sine}, ptr {cosine}) nounwind"
        )
        partner = self._partner[position]
        for which, cell in ((p.sin, sine), (p.cos, cosine)):
            self.numbers[position if step.op is which else partner] = self(f"load {F}, ptr {cell}")

    @staticmethod
    def _result_kind(step: Step) -> str:
        return B if step.op in BOOLEAN else kind_of(step)

    def _loops(self, group: Group) -> None:
        """A nest of loops over the group's shape."""
        sums = [node for node in group.nodes if self.steps[node.position].op in SUMS]
        kinds = axis_kinds(self.steps[sums[0].position], group.shape) if sums else (False,) * len(group.shape)
        if 0 in group.shape:
            self._empty(group, sums)
            return
        for node in group.nodes:
            if node.piece is not None:
                self.begin_scatter(node.position, self.steps[node.position])
        order = self._order(group.shape, kinds)
        Nest(self, group, sums, kinds, order).write()

    def _empty(self, group: Group, sums: list[Node]) -> None:
        for node in sums:
            step = self.steps[node.position]
            if step.op is not p.sum_:
                raise Unsupported("an extremum of nothing")
            if step.shape:
                self.zero(self.stores[node.position])
            else:
                self.numbers[node.position] = literal(0, kind_of(step))
                if node.position in self.stores:
                    self.store(self.stores[node.position], (), self.numbers[node.position])
        for node in group.nodes:
            if node.piece is not None:
                self.begin_scatter(node.position, self.steps[node.position])

    def _prepared(self, group: Group) -> dict[str, str]:
        """Resolve what a group reads before it begins: a copy that a view needs has loops of its own.

        Returns the types of the numbers that it reads.
        """
        types = {}
        known = {node.position for node in group.nodes if node.piece is None} | set(group.again)
        read = {operand for node in group.nodes for operand in self.schedule.reads(node)}
        read.update(operand for position in group.again for operand in self.steps[position].operands)
        for operand in sorted(read - known):
            if self.steps[operand].shape == ():
                types[self.scalar(operand)] = kind_of(self.steps[operand])
            if self.steps[operand].shape or group.call:
                self.access(operand)
        for node in group.nodes:
            step = self.steps[node.position]
            if step.op is p.gather:
                self.packed(step.operands[0])
        return types

    @staticmethod
    def _order(shape: Shape, kinds: tuple[bool, ...]) -> list[int]:
        """Kept axes outside, summed ones inside, unless the entries lie better the other way."""
        axes = list(range(len(shape)))
        if not any(kinds) or all(kinds):
            return axes
        last = axes[-1]
        if not kinds[last]:
            return axes  # sums go to memory, entry by entry along the last axis
        return [k for k in axes if not kinds[k]] + [k for k in axes if kinds[k]]

    # ------------------------------------------------------------ steps within loops

    def compute(self, position: int, indices: list[str]) -> str:
        """A step's value at the present entry."""
        if position not in self.inside:
            step = self.steps[position]
            words = [self.value(operand, step.shape, indices) for operand in step.operands]
            kinds = [kind_of(self.steps[operand]) for operand in step.operands]
            self.inside[position] = entrywise(self, step.op, words, kinds, self._result_kind(step))
        return self.inside[position]

    def value(self, operand: int, shape: Shape, indices: list[str]) -> str:
        """An operand's value at the present entry of a loop over a shape."""
        if operand in self.inside:
            return self.inside[operand]
        if self.steps[operand].shape == ():
            return self.scalar(operand)
        return self.load(spread(self.access(operand), shape), indices)

    # ------------------------------------------------------------ products and running sums

    def _cumsum(self, position: int, step: Step) -> None:
        source, target = self.access(step.operands[0]), self.stores[position]
        axis = len(step.shape) + step.params["axis"]
        rest = [k for k in range(len(step.shape)) if k != axis]
        if 0 in step.shape:
            return
        kind = target.kind
        cell = self.cell(kind)
        indices: list[str] = []
        ends = [self.open_loop(step.shape[k], indices) for k in rest]
        self.lines.append(f"  store {kind} {literal(0, kind)}, ptr {cell}")
        inner: list[str] = []
        end = self.open_loop(step.shape[axis], inner)
        full = [""] * len(step.shape)
        for k, index in zip([*rest, axis], [*indices, *inner], strict=True):
            full[k] = index
        before = self(f"load {kind}, ptr {cell}")
        total = self(
            f"{'add' if kind == I else 'fadd'} {kind} {before}, {self.cast(self.load(source, full), source.kind, kind)}"
        )
        self.lines.append(f"  store {kind} {total}, ptr {cell}")
        self.store(target, full, total)
        self.close_loop(end)
        for opened in reversed(ends):
            self.close_loop(opened)


def ir(graph: Graph, *, loops: Loops | None = numpy_loop) -> tuple[str, list[Any]]:
    """The module of a graph, and the arrays that it reads and writes.

    ``loops`` says which of NumPy's loops are called: those that are faster, unless told otherwise.
    """
    code = Code(graph, loops)
    text = code.write()
    return text, code.arrays
