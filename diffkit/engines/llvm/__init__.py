"""Engine "llvm": a graph as machine code, by LLVM IR that we emit (extra ``llvm``: llvmlite, SciPy for BLAS).

`schedule` decides which steps share a loop, `layout` where entries lie, `code` writes the IR, `functions` says what each
op is in it, `products` writes contractions, `calling` compiles it and makes it callable from Python. A graph with a step
that has no kernel is left to the ``numpy`` engine.
"""

from __future__ import annotations

from typing import ClassVar

from diffkit.engines.base import Compiled, Engine
from diffkit.engines.llvm.calling import compiled
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
        return Compiled(compiled(text, graph, kept), text)
