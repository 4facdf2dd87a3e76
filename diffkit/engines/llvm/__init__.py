"""Engine "llvm": a graph as machine code, by LLVM IR that we emit (extra ``llvm``: llvmlite, SciPy for BLAS).

`schedule` decides which steps share a loop, `layout` where entries lie. `code` writes the IR: numbers as straight-line
code, groups of steps as loops (`nests`), reads and writes at positions (`pieces`), products (`products`); `functions`
says what each op is in IR. `calling` compiles it and makes it callable from Python. A graph with a step that has no
kernel is left to the ``numpy`` engine.
"""

from __future__ import annotations

from typing import ClassVar

from diffkit.engines.base import Compiled, Engine
from diffkit.engines.llvm.calling import MachineCode
from diffkit.engines.llvm.code import ir
from diffkit.engines.llvm.functions import Unsupported
from diffkit.engines.numpy_source import NumpySource
from diffkit.graph import Graph


class Llvm(Engine):
    """Machine code for fused loops, through llvmlite."""

    name: ClassVar[str] = "llvm"

    def compile(self, graph: Graph) -> Compiled:
        """Write IR for the graph and compile it; NumPy serves where a step has no kernel."""
        try:
            text, kept = ir(graph)
        except Unsupported:
            return NumpySource().compile(graph)
        code = MachineCode(text, graph, kept)
        return Compiled(code.run, text, code.direct)
