"""Engine "llvm": a graph as machine code, by LLVM IR that we emit (extra ``llvm``: llvmlite, SciPy for BLAS).

`grouping` decides which steps share a loop, `schedule` which of them are stored, `memory` where their entries are, in
which `layout`. `code` writes the IR: numbers as straight-line code, groups of steps as functions (`outlining`) of loops
(`nests`), with reads and writes at positions (`pieces`), or of products (`products` by `blas` or loops, `pairs` in one
pass), and the checks of `guards`. `functions` says what each op is in IR, and `ufuncs` where NumPy's own loop is faster
(`phases`). `compiling` makes machine code of it, and `calling` a function that Python can call (`entries`, `watching`);
`folding` is a loop around it.
Where a step has no kernel, NumPy does it between compiled parts (`regions`).
"""

from __future__ import annotations

from typing import ClassVar

from diffkit.engines.base import Compiled, Engine
from diffkit.engines.llvm.calling import MachineCode
from diffkit.engines.llvm.code import ir
from diffkit.engines.llvm.functions import Unsupported
from diffkit.engines.llvm.grouping import kernel
from diffkit.engines.llvm.regions import alternating
from diffkit.engines.numpy_source import NumpySource
from diffkit.graph import Graph


class Llvm(Engine):
    """Machine code for fused loops, through llvmlite."""

    name: ClassVar[str] = "llvm"

    def compile(self, graph: Graph) -> Compiled:
        """Write IR for the graph and compile it; NumPy serves where a step has no kernel."""
        try:
            return _whole(graph)
        except Unsupported:
            pass
        if any(kernel(step) and step.op.family == "elementwise" for step in graph.steps):
            try:
                return alternating(graph, kernel, _whole)
            except Unsupported:  # a shape or a layout, not an op
                pass
        return NumpySource().compile(graph)


def _whole(graph: Graph) -> Compiled:
    """A graph as one kernel."""
    text, kept = ir(graph)
    code = MachineCode(text, graph, kept)
    return Compiled(code.run, text, code.direct, fold=code.fold)
