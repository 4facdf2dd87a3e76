"""Branch decisions that must hold for a kernel's results to be the function's."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.engines.llvm.functions import REALS, I, Unsupported, literal
from diffkit.engines.llvm.grouping import VIEWS
from diffkit.engines.llvm.layout import Access, contiguous, kind_of
from diffkit.engines.llvm.pieces import Pieces
from diffkit.graph import Step


class Guards(Pieces):
    """Writes the checks of a graph's guards."""

    def check_guards(self) -> None:
        """Leave the function where a guarded step is not what it was."""
        for guard in self.graph.guards:
            step = self.steps[guard.position]
            if kind_of(step) in REALS and not self._as_given(guard.position):
                raise Unsupported("a guard on real numbers that NumPy may round otherwise")
            differs = self._array_differs if step.shape else self._number_differs
            after = self.fresh("held")
            self.lines.append(f"  br i1 {differs(guard.position, step, guard.expected)}, label %fail, label %{after}")
            self.label(after)

    def _as_given(self, position: int) -> bool:
        """Whether a step's entries are entries of arguments and of arrays that f reads."""
        step = self.steps[position]
        moved = step.op in VIEWS or step.op in (p.gather, p.scatter)
        return step.op.family == "leaf" or (moved and all(self._as_given(operand) for operand in step.operands))

    def _number_differs(self, position: int, step: Step, expected: np.ndarray[Any, Any]) -> str:
        return self._differs(kind_of(step), self.scalar(position), literal(expected, kind_of(step)))

    def _array_differs(self, position: int, step: Step, expected: np.ndarray[Any, Any]) -> str:
        """Whether any entry is not what it was."""
        source = self.access(position)
        kept = np.ascontiguousarray(expected, dtype=step.dtype)
        wanted = Access(self.keep(kept, written=False), source.kind, source.shape, contiguous(source.shape))
        cell = self.cell(I)
        self.lines.append(f"  store {I} 0, ptr {cell}")

        def body(indices: list[str]) -> None:
            differs = self._differs(source.kind, self.load(source, indices), self.load(wanted, indices))
            total = self(f"or i64 {self(f'load i64, ptr {cell}')}, {self(f'zext i1 {differs} to i64')}")
            self.lines.append(f"  store i64 {total}, ptr {cell}")

        self.nest(source.shape, body, parallel=False)
        return self(f"icmp ne i64 {self(f'load i64, ptr {cell}')}, 0")

    def _differs(self, kind: str, left: str, right: str) -> str:
        """Whether a guarded number is another one; NaN is NaN."""
        if kind not in REALS:
            return self(f"icmp ne {kind} {left}, {right}")
        other = self(f"fcmp une {kind} {left}, {right}")
        known = self(f"or i1 {self(f'fcmp ord {kind} {left}, {left}')}, {self(f'fcmp ord {kind} {right}, {right}')}")
        return self(f"and i1 {other}, {known}")
