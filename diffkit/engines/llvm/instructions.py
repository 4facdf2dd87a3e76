"""Instructions of LLVM IR, one after the other: arithmetic, entries of arrays, loops."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from diffkit.engines.llvm.functions import REALS, B, F, I, S, attributes, routine
from diffkit.engines.llvm.layout import Access
from diffkit.ops import Shape

TINY = 7  # iterations of a loop that is written out
FETCHED = re.compile(r"%(?:kept|read)\d+(?:\.\w+\.\d+)?|%x\d+\.\w+\.\d+")  # names that `fetch` knows
PARAGRAPH = 100  # lines of straight-line code in a basic block


class Loop(NamedTuple):
    """A loop that has been begun: its labels, its index and the next one, where it stops, calls that came before it."""

    head: str
    after: str
    counter: str
    following: str
    stop: str
    calls: int


class Instructions:
    """Writes instructions.

    Attributes
    ----------
    lines
        The instructions so far.
    arrays
        What the code reads and writes besides its arguments: constants, positions, workspace. Their addresses are
        handed to it in a table, so that graphs of one form share their code.
    constants
        Numbers that have an address in the module.
    used
        Functions of libm that are called.
    metadata
        What loops carry.
    loaded
        Entries that have been read in the present block.
    mark
        What every access to memory in the present loop carries.
    shared
        Whether the function that is being written may serve in several places.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.arrays: list[Any] = []
        self.constants: list[str] = []
        self.used: set[str] = set()
        self.metadata: list[str] = []
        self.loaded: dict[Any, str] = {}
        self.mark, self.shared = "", False
        self._count = self._calls = 0
        self._block, self._begun_at = "entry", 0

    def __call__(self, instruction: str) -> str:
        """Append an instruction, and name its result."""
        self._count += 1
        name = f"%t{self._count}"
        self.lines.append(f"  {name} = {instruction}")
        return name

    def call(self, name: str, words: list[str], real: str) -> str:
        """Call a function of libm."""
        self._calls += 1
        name = routine(name, real)
        self.used.add(name)
        return self(f"call {real} @{name}({', '.join(f'{real} {word}' for word in words)}){attributes(name)}")

    def intrinsic(self, name: str, words: list[str], real: str) -> str:
        """Call one of LLVM's own functions."""
        bits = 32 if real == S else 64
        return self(f"call {real} @llvm.{name}.f{bits}({', '.join(f'{real} {word}' for word in words)})")

    def cast(self, word: str, kind: str, to: str) -> str:
        """A number of another type."""
        if kind == to:
            return word
        if to == B:
            return self(f"fcmp une {kind} {word}, 0.0" if kind in REALS else f"icmp ne {I} {word}, 0")
        if to == I:
            return self(f"zext i1 {word} to {I}" if kind == B else f"fptosi {kind} {word} to {I}")
        if kind in REALS:
            return self(f"{'fpext' if kind == S else 'fptrunc'} {kind} {word} to {to}")
        return self(f"{'uitofp' if kind == B else 'sitofp'} {kind} {word} to {to}")

    def label(self, name: str) -> None:
        """Begin a basic block."""
        self.lines.append(f"{name}:")
        self._block, self._begun_at = name, len(self.lines)
        self.loaded = {}

    def paragraph(self) -> None:
        """Begin a basic block after every so many lines of straight-line code: LLVM works block by block."""
        if len(self.lines) - self._begun_at > PARAGRAPH:
            name = self.fresh("next")
            self.lines.append(f"  br label %{name}")
            self.label(name)

    def fresh(self, word: str) -> str:
        """A name for a block."""
        self._count += 1
        return f"{word}{self._count}"

    def keep(self, array: np.ndarray[Any, Any], *, written: bool = True) -> str:
        """The address of an array that stays alive with the code, which may write there or only reads."""
        self.arrays.append(array)
        return f"%{'kept' if written else 'read'}{len(self.arrays)}"  # the table's first address is the kernel's own

    def fetch(self, name: str) -> str:
        """What a name of an address stands for: an address in the table, or so many entries after another one."""
        base, *place = name.split(".")
        word = base
        if not base.startswith("%x"):
            slot = self(f"getelementptr ptr, ptr %table, i64 {base[5:]}")
            word = self(f"load ptr, ptr {slot}, !invariant.load !{{}}")
        return self(f"getelementptr inbounds {place[0]}, ptr {word}, i64 {place[1]}") if place else word

    def constant(self, kind: str, word: str) -> str:
        """The address of a number that never changes."""
        line = f"private unnamed_addr constant {kind} {word}"
        if line not in self.constants:
            self.constants.append(line)
        return f"@constant{self.constants.index(line)}"

    def cell(self, kind: str = F) -> str:
        """A variable, which LLVM keeps in a register."""
        self._count += 1
        name = f"%cell{self._count}"
        self.lines.insert(0, f"  {name} = alloca {kind}")
        return name

    # ------------------------------------------------------------ entries of arrays

    def address(self, access: Access, indices: Any) -> str:
        """The address of an entry."""
        terms = [(index, stride) for index, stride in zip(indices, access.strides, strict=True) if stride]
        total: str | None = None
        for index, stride in terms:
            part = index if stride == 1 else self(f"mul nsw i64 {index}, {stride}")
            total = part if total is None else self(f"add nsw i64 {total}, {part}")
        entry = "i8" if access.kind == B else access.kind
        base, offset = access.base, access.offset
        if offset > 0 and self.shared and base.startswith(("%x", "%read")):  # the same code, wherever it reads
            base, offset = f"{base}.{entry}.{offset}", 0
        place = str(offset) if total is None else total if not offset else self(f"add nsw i64 {total}, {offset}")
        return self(f"getelementptr inbounds {entry}, ptr {base}, i64 {place}")

    def load(self, access: Access, indices: Any) -> str:
        """Read an entry, once per block."""
        key = (access, tuple(indices))
        if key not in self.loaded:
            at = self.address(access, indices)
            if access.kind == B:
                byte = self(f"load i8, ptr {at}{self.mark}")
                self.loaded[key] = self(f"trunc i8 {byte} to i1")
            else:
                self.loaded[key] = self(f"load {access.kind}, ptr {at}{self.mark}")
        return self.loaded[key]

    def store(self, access: Access, indices: Any, word: str) -> None:
        """Write an entry."""
        at = self.address(access, indices)
        if access.kind == B:
            word = self(f"zext i1 {word} to i8")
        self.lines.append(f"  store {'i8' if access.kind == B else access.kind} {word}, ptr {at}{self.mark}")

    # ------------------------------------------------------------ loops

    def nest(self, shape: Shape, body: Callable[[list[str]], None], *, parallel: bool = True) -> None:
        """Loops over a shape, without sums."""
        if 0 in shape:
            return
        indices: list[str] = []
        group = self.access_group() if parallel else ""
        ends = [self.open_loop(length, indices) for length in shape]
        with self.marked(group):
            body(indices)
        for depth, end in enumerate(reversed(ends)):
            self.close_loop(end, group if depth == 0 else "")
        self.loaded = {}

    def open_loop(self, length: int | tuple[str, str], indices: list[str]) -> Loop:
        """Begin a loop, whose index is appended."""
        head, after = self.fresh("loop"), self.fresh("done")
        start, stop = ("0", str(length)) if isinstance(length, int) else length
        self.lines.append(f"  br label %{head}")
        before, index = self._block, f"%i{self._count}"
        following = f"%n{self._count}"
        self.label(head)
        self.lines.append(f"  {index} = phi i64 [{start}, %{before}], [{following}, %{head}.back]")
        indices.append(index)
        return Loop(head, after, index, following, stop, self._calls)

    def close_loop(self, loop: Loop, group: str = "", *, unrolled: bool = True) -> None:
        """End a loop, which is written out if it is tiny; of one with an access group no iteration needs another."""
        said = [f'!{{!"llvm.loop.parallel_accesses", {group}}}'] if group else []
        if unrolled and loop.stop.isdigit() and int(loop.stop) <= TINY:
            said.append('!{!"llvm.loop.unroll.full"}')
        if self._calls > loop.calls:  # no register survives a call: two iterations at once would spill twice as much
            said.append('!{!"llvm.loop.interleave.count", i32 1}')
        self.lines.append(f"  br label %{loop.head}.back")
        self.lines.append(f"{loop.head}.back:")
        self.lines.append(f"  {loop.following} = add nuw nsw i64 {loop.counter}, 1")
        test = self(f"icmp ult i64 {loop.following}, {loop.stop}")
        self.lines.append(f"  br i1 {test}, label %{loop.head}, label %{loop.after}{self._said(said)}")
        self.label(loop.after)

    def _said(self, said: list[str]) -> str:
        """Metadata of a loop."""
        if not said:
            return ""
        loop = len(self.metadata)
        parts = ", ".join(f"!{loop + k}" for k in range(len(said) + 1))
        self.metadata += [f"!{loop} = distinct !{{{parts}}}", *(f"!{loop + 1 + k} = {w}" for k, w in enumerate(said))]
        return f", !llvm.loop !{loop}"

    def access_group(self) -> str:
        """A mark for accesses to memory in a loop, none of whose iterations depends on another."""
        self.metadata.append(f"!{len(self.metadata)} = distinct !{{}}")
        return f"!{len(self.metadata) - 1}"

    @contextmanager
    def marked(self, group: str) -> Iterator[None]:
        """Mark all accesses to memory that are written meanwhile."""
        self.mark = f", !llvm.access.group {group}" if group else ""
        yield
        self.mark = ""
