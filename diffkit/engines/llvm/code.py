"""LLVM IR for a graph: one function over the addresses of its arguments and results.

Groups of the schedule become nests of loops whose innermost body is one basic block, so that LLVM's vectoriser sees
plain loops; numbers (0-d values) are straight-line code; products of matrices go to BLAS above a size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.engines.llvm.functions import (
    BOOLEAN,
    B,
    F,
    I,
    Unsupported,
    attributes,
    declarations,
    entrywise,
    number,
)
from diffkit.engines.llvm.layout import Access, contiguous, placed, reshaped, seen, spread
from diffkit.engines.llvm.schedule import SUMS, VIEWS, Group, Node, Schedule, axis_kinds
from diffkit.graph import CONSTANT, IDENTITY, INPUT, REFERENCE, Graph, Step
from diffkit.ops import Shape, Static, as_index, size
from diffkit.primitives.moving import covering, disjoint

KINDS = {"float64": F, "bool": B, "int64": I}
BYTES = {F: 8, I: 8, B: 1}
BLOCK = 1024  # entries whose sum is taken in one go: partial sums of blocks keep the rounding small


def kind_of(step: Step) -> str:
    """The IR type of a step's entries."""
    kind = KINDS.get(step.dtype.name)
    if kind is None:
        raise Unsupported(str(step.dtype))
    return kind


class Code:
    """Writes the function of a graph.

    Attributes
    ----------
    arrays
        What must stay alive while the code may run: constants, positions, workspace.
    results
        For each output, the step whose storage it is, or None where it must be copied there.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.steps = graph, graph.steps
        self.schedule = Schedule(graph)
        self.arrays: list[Any] = []
        self.lines: list[str] = []
        self.used: set[str] = set()
        self.metadata: list[str] = []
        self.numbers: dict[int, str] = {}  # 0-d values in registers
        self.stores: dict[int, Access] = {}
        self._count = 0
        self._block = "entry"
        self._begun: dict[int, Any] = {}  # scatters that have been started, and where they were written
        self._known_positions: dict[Static, Access] = {}
        self._given: dict[int, int] = {}  # steps that are computed where a result is wanted
        self.inside: dict[int, str] = {}  # values at the present entry of a loop
        self.loaded: dict[Any, str] = {}

    # ------------------------------------------------------------ instructions

    def __call__(self, instruction: str) -> str:
        """Append an instruction, and name its result."""
        self._count += 1
        name = f"%t{self._count}"
        self.lines.append(f"  {name} = {instruction}")
        return name

    def call(self, name: str, words: list[str]) -> str:
        """Call a function of libm."""
        self.used.add(name)
        return self(f"call {F} @{name}({', '.join(f'{F} {word}' for word in words)}){attributes(name)}")

    def intrinsic(self, name: str, words: list[str]) -> str:
        """Call one of LLVM's own functions."""
        return self(f"call {F} @llvm.{name}.f64({', '.join(f'{F} {word}' for word in words)})")

    def cast(self, word: str, kind: str, to: str) -> str:
        """A number of another type."""
        if kind == to:
            return word
        if to == B:
            return self(f"fcmp une {F} {word}, 0.0" if kind == F else f"icmp ne {I} {word}, 0")
        if to == F:
            return self(f"{'uitofp' if kind == B else 'sitofp'} {kind} {word} to {F}")
        return self(f"zext i1 {word} to {I}" if kind == B else f"fptosi {F} {word} to {I}")

    def label(self, name: str) -> None:
        """Begin a basic block."""
        self.lines.append(f"{name}:")
        self._block = name
        self.loaded = {}

    def fresh(self, word: str) -> str:
        """A name for a block."""
        self._count += 1
        return f"{word}{self._count}"

    def keep(self, array: np.ndarray[Any, Any]) -> str:
        """The address of an array that stays alive with the code."""
        self.arrays.append(array)
        return f"inttoptr (i64 {array.ctypes.data} to ptr)"

    # ------------------------------------------------------------ the function

    def write(self) -> str:
        """The module."""
        self._leaves()
        self._allocate()
        for group in self.schedule.groups:
            self._group(group)
        self._copies()
        self._guards()
        inputs = [f"ptr noalias readonly %x{k}" for k in range(len(self.graph.inputs))]
        outputs = [f"ptr noalias %y{k}" for k in range(len(self.graph.outputs))]
        body = "\n".join(self.lines)
        return (
            f"{declarations(self.used)}\n"
            f"define i1 @kernel({', '.join(inputs + outputs)}) {{\nentry:\n{body}\n  ret i1 true\nfail:\n  ret i1 false\n}}\n"
            + "\n".join(self.metadata)
        )

    def _leaves(self) -> None:
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
            kind = kind_of(step)
            self.numbers[position] = (
                number(float(value)) if kind == F else str(int(value)) if kind == I else str(bool(value)).lower()
            )

    def _array(self, array: Any, step: Step) -> Access:
        kind = kind_of(step)
        if (
            not isinstance(array, np.ndarray)
            or not array.flags.aligned
            or any(s % array.itemsize for s in array.strides)
        ):
            raise Unsupported("an array in an unusual layout")
        strides = tuple(s // array.itemsize for s in array.strides)
        return Access(self.keep(array), kind, step.shape, strides)

    def _allocate(self) -> None:
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

    def _copies(self) -> None:
        """Results that are views, leaves, numbers, or returned twice."""
        for spot, position in enumerate(self.graph.outputs):
            step, root = self.steps[position], self.schedule.root[position]
            if self._given.get(root) == spot and not (not self.steps[root].shape):
                continue
            kind = kind_of(step)
            target = Access(f"%y{spot}", kind, step.shape, contiguous(step.shape))
            if not step.shape:
                self.store(target, (), self.scalar(position))
                continue
            self._copy(self.access(position), target)

    def _copy(self, source: Access, target: Access) -> None:
        self._nest(target.shape, lambda indices: self.store(target, indices, self.load(source, indices)))

    def _guards(self) -> None:
        for guard in self.graph.guards:
            if self.steps[guard.position].shape:
                self._array_guard(guard.position, guard.expected)
                continue
            word, kind = self.scalar(guard.position), kind_of(self.steps[guard.position])
            expected = guard.expected.item()
            if kind == F:
                held = self(f"fcmp oeq {F} {word}, {number(float(expected))}")
            else:
                held = self(f"icmp eq {kind} {word}, {int(expected) if kind == I else str(bool(expected)).lower()}")
            after = self.fresh("held")
            self.lines.append(f"  br i1 {held}, label %{after}, label %fail")
            self.label(after)

    def _array_guard(self, position: int, expected: np.ndarray[Any, Any]) -> None:
        """Every entry is what it was; counted in loops."""
        source = self.access(position)
        if source.kind == F:
            raise Unsupported("a guard on an array of floats")
        kept = np.ascontiguousarray(expected, dtype=np.bool_ if source.kind == B else np.int64)
        wanted = Access(self.keep(kept), source.kind, source.shape, contiguous(source.shape))
        cell = self.cell(I)
        self.lines.append(f"  store {I} 0, ptr {cell}")

        def body(indices: list[str]) -> None:
            other = self(f"icmp ne {source.kind} {self.load(source, indices)}, {self.load(wanted, indices)}")
            total = self(f"add i64 {self(f'load i64, ptr {cell}')}, {self(f'zext i1 {other} to i64')}")
            self.lines.append(f"  store i64 {total}, ptr {cell}")

        self._nest(source.shape, body, parallel=False)
        held = self(f"icmp eq i64 {self(f'load i64, ptr {cell}')}, 0")
        after = self.fresh("held")
        self.lines.append(f"  br i1 {held}, label %{after}, label %fail")
        self.label(after)

    def cell(self, kind: str = F) -> str:
        """A variable, which LLVM keeps in a register."""
        self._count += 1
        name = f"%cell{self._count}"
        self.lines.insert(0, f"  {name} = alloca {kind}")
        return name

    # ------------------------------------------------------------ reading and writing entries

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
            made = Access(self.keep(np.zeros(max(1, size(step)))), source.kind, source.shape, contiguous(source.shape))
            self._copy(source, made)
            return reshaped(made, step.shape)

    def address(self, access: Access, indices: Any) -> str:
        """The address of an entry."""
        terms = [(index, stride) for index, stride in zip(indices, access.strides, strict=True) if stride]
        total: str | None = None
        for index, stride in terms:
            part = index if stride == 1 else self(f"mul nsw i64 {index}, {stride}")
            total = part if total is None else self(f"add nsw i64 {total}, {part}")
        place = (
            str(access.offset)
            if total is None
            else total
            if not access.offset
            else self(f"add nsw i64 {total}, {access.offset}")
        )
        entry = "i8" if access.kind == B else access.kind
        return self(f"getelementptr inbounds {entry}, ptr {access.base}, i64 {place}")

    def load(self, access: Access, indices: Any) -> str:
        """Read an entry, once per block."""
        key = (access, tuple(indices))
        if key not in self.loaded:
            at = self.address(access, indices)
            if access.kind == B:
                byte = self(f"load i8, ptr {at}{self._group_mark}")
                self.loaded[key] = self(f"trunc i8 {byte} to i1")
            else:
                self.loaded[key] = self(f"load {access.kind}, ptr {at}{self._group_mark}")
        return self.loaded[key]

    def store(self, access: Access, indices: Any, word: str) -> None:
        """Write an entry."""
        at = self.address(access, indices)
        if access.kind == B:
            word = self(f"zext i1 {word} to i8")
        self.lines.append(f"  store {'i8' if access.kind == B else access.kind} {word}, ptr {at}{self._group_mark}")

    _group_mark = ""

    def scalar(self, position: int) -> str:
        """A 0-d value in a register."""
        if position not in self.numbers:
            self.numbers[position] = self.load(self.access(position), ())
        return self.numbers[position]

    # ------------------------------------------------------------ loops

    def _nest(self, shape: Shape, body: Callable[[list[str]], None], *, parallel: bool = True) -> None:
        """Loops over a shape, without sums."""
        if 0 in shape:
            return
        indices: list[str] = []
        mark = self._loop_marks() if parallel else ("", "")
        ends = [self._open(length, indices) for length in shape]
        self._group_mark = mark[0]
        body(indices)
        self._group_mark = ""
        for depth, end in enumerate(reversed(ends)):
            self._close(end, mark[1] if depth == 0 else "")
        self.loaded = {}

    def _open(self, length: int | tuple[str, str], indices: list[str]) -> tuple[str, str, str, str]:
        head, after = self.fresh("loop"), self.fresh("done")
        start, stop = ("0", str(length)) if isinstance(length, int) else length
        self.lines.append(f"  br label %{head}")
        before, index = self._block, f"%i{self._count}"
        following = f"%n{self._count}"
        self.label(head)
        self.lines.append(f"  {index} = phi i64 [{start}, %{before}], [{following}, %{head}.back]")
        indices.append(index)
        return head, after, index, f"{following} {stop}"

    def _close(self, end: tuple[str, str, str, str], mark: str) -> None:
        head, after, index, rest = end
        following, stop = rest.split(" ")
        self.lines.append(f"  br label %{head}.back")
        self.lines.append(f"{head}.back:")
        self.lines.append(f"  {following} = add nuw nsw i64 {index}, 1")
        test = self(f"icmp ult i64 {following}, {stop}")
        self.lines.append(f"  br i1 {test}, label %{head}, label %{after}{mark}")
        self.label(after)

    def _loop_marks(self) -> tuple[str, str]:
        """Metadata that says: no iteration depends on another."""
        n = len(self.metadata)
        self.metadata += [
            f"!{n} = distinct !{{}}",
            f"!{n + 1} = distinct !{{!{n + 1}, !{n + 2}}}",
            f'!{n + 2} = !{{!"llvm.loop.parallel_accesses", !{n}}}',
        ]
        return f", !llvm.access.group !{n}", f", !llvm.loop !{n + 1}"

    # ------------------------------------------------------------ groups

    def _group(self, group: Group) -> None:
        if group.call:
            (node,) = group.nodes
            step = self.steps[node.position]
            (self._contract if step.op is p.contract else self._cumsum)(node.position, step)
        elif not group.shape:
            for node in group.nodes:
                self._number(node)
        else:
            self._loops(group)

    def _number(self, node: Node) -> None:
        """A 0-d step, as straight-line code."""
        step = self.steps[node.position]
        if node.piece is not None:
            self._begin_scatter(node.position, step)
            place = step.params["places"][node.piece]
            self._put(node, step, place, (), self.scalar(step.operands[node.piece]))
            return
        if step.op in SUMS:
            self.numbers[node.position] = self.scalar(step.operands[0])
        elif step.op is p.gather:
            self._gathered(node.position, step, [])
            self.numbers[node.position] = self.inside.pop(node.position)
        else:
            words = [self.scalar(operand) for operand in step.operands]
            kinds = [kind_of(self.steps[operand]) for operand in step.operands]
            self.numbers[node.position] = entrywise(self, step.op, words, kinds, self._result_kind(step))
        if node.position in self.stores and not step.op is p.scatter:
            self.store(self.stores[node.position], (), self.numbers[node.position])

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
                self._begin_scatter(node.position, self.steps[node.position])
        self._prepared(group)
        order = self._order(group.shape, kinds)
        Nest(self, group, sums, kinds, order).write()

    def _empty(self, group: Group, sums: list[Node]) -> None:
        for node in sums:
            step = self.steps[node.position]
            if step.op is not p.sum_:
                raise Unsupported("an extremum of nothing")
            if step.shape:
                self._zero(self.stores[node.position])
            else:
                self.numbers[node.position] = number(0.0)
                if node.position in self.stores:
                    self.store(self.stores[node.position], (), number(0.0))
        for node in group.nodes:
            if node.piece is not None:
                self._begin_scatter(node.position, self.steps[node.position])

    def _prepared(self, group: Group) -> None:
        """Resolve what the loops read from memory before they begin: a copy that a view needs has loops of its own."""
        known = {node.position for node in group.nodes if node.piece is None} | set(group.again)
        read = {operand for node in group.nodes for operand in self.schedule.reads(node)}
        read.update(operand for position in group.again for operand in self.steps[position].operands)
        for operand in sorted(read - known):
            if self.steps[operand].shape == ():
                self.scalar(operand)
            else:
                self.access(operand)

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

    def _gathered(self, position: int, step: Step, indices: list[str]) -> None:
        source = self.access(step.operands[0])
        if not source.contiguous:
            raise Unsupported("gather from strided entries")
        front = len(source.shape) - len(step.params["shape"])
        at = self.load(self._positions(step.params["place"]), indices[front:])
        self.inside[position] = self.load(_flattened(source, front), [*indices[:front], at])

    def _positions(self, place: Static) -> Access:
        """Known positions, as an array that stays with the code."""
        if place not in self._known_positions:
            spots = np.ascontiguousarray(place.array, dtype=np.int64)
            self._known_positions[place] = Access(self.keep(spots), I, spots.shape, contiguous(spots.shape))
        return self._known_positions[place]

    # ------------------------------------------------------------ scatters

    def _begin_scatter(self, position: int, step: Step) -> None:
        """Zeros where no piece is assigned, once, before the first piece."""
        if position in self._begun:
            return
        self._begun[position] = np.zeros(step.params["shape"], dtype=bool)
        shape, places = step.params["shape"], step.params["places"]
        filled = disjoint(shape, places) and covering(shape, places)
        if not filled:
            self._zero(self.stores[position])

    def _zero(self, access: Access) -> None:
        self.lines.append(
            f"  call void @llvm.memset.p0.i64(ptr {access.base}, i8 0, i64 {math.prod(access.shape) * BYTES[access.kind]}, i1 false)"
        )

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

    def _put(self, node: Node, step: Step, place: Any, indices: Any, word: str, adds: bool | None = None) -> None:
        adds = self.touched(node) if adds is None else adds
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
            word = self(f"fadd {F} {self.load(target, indices)}, {word}")
            self.loaded.pop((target, tuple(indices)), None)
        self.store(target, indices, word)

    # ------------------------------------------------------------ products and running sums

    def _contract(self, position: int, step: Step) -> None:
        from diffkit.engines.llvm.products import contract

        contract(self, position, step)

    def _cumsum(self, position: int, step: Step) -> None:
        source, target = self.access(step.operands[0]), self.stores[position]
        axis = len(step.shape) + step.params["axis"]
        rest = [k for k in range(len(step.shape)) if k != axis]
        if 0 in step.shape:
            return
        cell = self.cell()
        indices: list[str] = []
        ends = [self._open(step.shape[k], indices) for k in rest]
        self.lines.append(f"  store {F} 0.0, ptr {cell}")
        inner: list[str] = []
        end = self._open(step.shape[axis], inner)
        full = [""] * len(step.shape)
        for k, index in zip([*rest, axis], [*indices, *inner], strict=True):
            full[k] = index
        before = self(f"load {F}, ptr {cell}")
        total = self(f"fadd {F} {before}, {self.load(source, full)}")
        self.lines.append(f"  store {F} {total}, ptr {cell}")
        self.store(target, full, total)
        self._close(end, "")
        for opened in reversed(ends):
            self._close(opened, "")


class Nest:
    """The loops of one group, with its sums in accumulators."""

    def __init__(self, code: Code, group: Group, sums: list[Node], kinds: tuple[bool, ...], order: list[int]) -> None:
        self.code, self.group, self.sums, self.kinds, self.order = code, group, sums, kinds, order
        self.first_summed = next((depth for depth, k in enumerate(order) if kinds[k]), len(order))
        self.in_registers = bool(sums) and all(kinds[k] for k in order[self.first_summed :])
        self.cells: dict[int, str] = {}

    def write(self) -> None:
        """Open the loops, write the body, close them."""
        code = self.code
        for node in self.sums:
            if self.in_registers:
                self.cells[node.position] = self.code.cell()
            else:
                self._fill(node)
        lengths: list[Any] = [self.group.shape[k] for k in self.order]
        if self.in_registers and lengths[-1] > 4 * BLOCK:
            self._blocked(lengths)
            return
        self._plain(lengths)
        if self.in_registers and self.first_summed == 0:
            self._deliver([])

    def _start(self, node: Node) -> str:
        op = self.code.steps[node.position].op
        return number(0.0 if op is p.sum_ else -math.inf if op is p.max_ else math.inf)

    def _reset(self, cells: dict[int, str]) -> None:
        for node in self.sums:
            self.code.lines.append(f"  store {F} {self._start(node)}, ptr {cells[node.position]}")

    def _fill(self, node: Node) -> None:
        """Start values in memory, where sums run over outer axes."""
        target = self.code.stores[node.position]
        self.code._nest(target.shape, lambda indices: self.code.store(target, indices, self._start(node)))

    def _plain(self, lengths: list[Any]) -> None:
        code, indices, ends = self.code, [], []
        safe = not any(
            isinstance(code.steps[n.position].params["places"][n.piece], Static)
            for n in self.group.nodes
            if n.piece is not None
        )
        inner_parallel = safe and not self.in_registers
        mark = code._loop_marks() if inner_parallel else ("", "")
        for depth, length in enumerate(lengths):
            if self.in_registers and depth == self.first_summed:
                self._reset(self.cells)
            ends.append(code._open(length, indices))
        code._group_mark = mark[0]
        self._body(indices)
        code._group_mark = ""
        for depth in range(len(lengths) - 1, -1, -1):
            code._close(ends[depth], mark[1] if depth == len(lengths) - 1 else "")
            if self.in_registers and depth == self.first_summed and depth > 0:
                self._deliver(indices[:depth])
        code.inside, code.loaded = {}, {}

    def _blocked(self, lengths: list[Any]) -> None:
        """The innermost sum in blocks, whose sums are added up."""
        code, indices, ends = self.code, [], []
        whole = {position: self.code.cell() for position in self.cells}
        for depth, length in enumerate(lengths[:-1]):
            if depth == self.first_summed:
                self._reset(whole)
            ends.append(code._open(length, indices))
        if self.first_summed >= len(lengths) - 1:
            self._reset(whole)
        blocks: list[str] = []
        outer = code._open(-(-lengths[-1] // BLOCK), blocks)
        self._reset(self.cells)
        start = code(f"mul nuw nsw i64 {blocks[0]}, {BLOCK}")
        stop = code(f"add nuw nsw i64 {start}, {BLOCK}")
        stop = code(f"call i64 @llvm.umin.i64(i64 {stop}, i64 {lengths[-1]})")
        end = code._open((start, stop), indices)
        self._body(indices)
        code._close(end, "")
        for node in self.sums:
            part = code(f"load {F}, ptr {self.cells[node.position]}")
            self._add(node, whole[node.position], part, flags="")
        code._close(outer, "")
        self.cells = whole
        for depth in range(len(lengths) - 2, -1, -1):
            if depth + 1 == self.first_summed:
                self._deliver(indices[: depth + 1])
            code._close(ends[depth], "")
        if self.first_summed == 0:
            self._deliver([])
        code.inside, code.loaded = {}, {}

    def _add(self, node: Node, cell: str, word: str, flags: str = "reassoc ") -> None:
        code, op = self.code, self.code.steps[node.position].op
        before = code(f"load {F}, ptr {cell}")
        code.lines.append(f"  store {F} {self._joined(op, before, word, flags)}, ptr {cell}")

    def _joined(self, op: Any, before: str, word: str, flags: str) -> str:
        if op is p.sum_:
            return self.code(f"fadd {flags}{F} {before}, {word}")
        return entrywise(self.code, p.maximum if op is p.max_ else p.minimum, [word, before], [F, F], F)

    def _deliver(self, kept: list[str]) -> None:
        """Sums from their accumulators to where they belong."""
        code = self.code
        for node in self.sums:
            word = code(f"load {F}, ptr {self.cells[node.position]}")
            step = code.steps[node.position]
            if not step.shape:
                code.numbers[node.position] = word
                if node.position in code.stores:
                    code.store(code.stores[node.position], (), word)
            else:
                axes = [k for k in self.order if not self.kinds[k]]
                by_axis = dict(zip(axes, kept, strict=True))
                code.store(code.stores[node.position], [by_axis[k] for k in sorted(axes)], word)

    def _body(self, ordered: list[str]) -> None:
        """Every step of the group at one entry."""
        code, group = self.code, self.group
        code.inside, code.loaded = {}, {}
        indices = [""] * len(ordered)
        for k, index in zip(self.order, ordered, strict=True):
            indices[k] = index
        for position in group.again:
            code.compute(position, indices)
        for node in group.nodes:
            step = code.steps[node.position]
            if node.piece is not None:
                word = code.value(step.operands[node.piece], group.shape, indices)
                code._put(node, step, step.params["places"][node.piece], indices, word)
            elif step.op in SUMS:
                self._sum(node, step, indices)
            else:
                if step.op is p.gather:
                    code._gathered(node.position, step, indices)
                word = code.inside[node.position] if step.op is p.gather else code.compute(node.position, indices)
                if node.position in code.stores:
                    code.store(code.stores[node.position], indices, word)

    def _sum(self, node: Node, step: Step, indices: list[str]) -> None:
        code = self.code
        operand = step.operands[0]
        word = code.cast(code.value(operand, self.group.shape, indices), kind_of(code.steps[operand]), F)
        if self.in_registers:
            self._add(node, self.cells[node.position], word)
            return
        target = code.stores[node.position]
        kept = [index for index, summed in zip(indices, self.kinds, strict=True) if not summed]
        before = code.load(target, kept)
        code.loaded.pop((target, tuple(kept)), None)
        code.store(target, kept, self._joined(step.op, before, word, ""))


def _flattened(access: Access, front: int) -> Access:
    """The last axes as one, behind some that stay."""
    shape = (*access.shape[:front], math.prod(access.shape[front:]))
    return replace(access, shape=shape, strides=contiguous(shape))


def ir(graph: Graph) -> tuple[str, list[Any]]:
    """The module of a graph, and what must stay alive with it."""
    code = Code(graph)
    text = code.write()
    return text, code.arrays
