"""A kernel applied to its own results, over rows: the loop around it is machine code too.

The IR is written per signature, not per kernel. What is carried from one round to the next goes back and forth between
two buffers, since a kernel may write a result before it has read all of its inputs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.engines.llvm.compiling import machine
from diffkit.engines.llvm.entries import DATA, DIMENSIONS, python_function, table_of
from diffkit.graph import Graph
from diffkit.ops import nbytes


class Fold:
    """The loops around one kernel, one for each number of arguments that are carried; made when first asked for."""

    def __init__(self, graph: Graph, kept: tuple[Any, ...]) -> None:
        self._kept = kept
        self._inputs = [graph.steps[position] for position in graph.inputs]
        self._outputs = [graph.steps[position] for position in graph.outputs]
        self._loops: dict[int, Callable[..., int]] = {}

    def __call__(self, carried: Sequence[Any], rows: Sequence[Any]) -> tuple[int, Sequence[Any], list[Any]]:
        """See `diffkit.engines.base.Compiled.fold`."""
        count, carries = len(rows[0]), len(carried)
        given = zip((*carried, *rows), self._inputs, strict=True)
        arrays = [np.asarray(x, step.dtype, order="C") for x, step in given]
        ends = [np.empty_like(x) for x in (*arrays[:carries], *arrays[:carries])]
        others = [np.empty((count, *step.shape), step.dtype) for step in self._outputs[carries:]]
        loop = self._loops.get(carries) or self._loop(carries)
        done = loop(*arrays, *ends, *others)
        last = (carried, ends[:carries], ends[carries:])[2 - done % 2 if done else 0]
        return done, last, others if done == count else [x[:done].copy() for x in others]

    def _loop(self, carries: int) -> Callable[..., int]:
        strides = [nbytes(step) for step in (*self._inputs[carries:], *self._outputs[carries:])]
        code = machine(ir(carries, len(self._inputs), strides), level=1)
        found = self._loops[carries] = python_function(code.address("fold"), (None, *self._kept, code))
        return found


def ir(carries: int, inputs: int, strides: Sequence[int]) -> str:
    """A function of arrays: the inputs, two buffers for all that is carried, the other results; gives rounds done.

    It trusts its arguments. ``strides`` are the bytes of a round of the rows, and of the other results.
    """
    moving = [f"x{carries + k}" for k in range(inputs - carries)] + [
        f"y{k}" for k in range(len(strides) - inputs + carries)
    ]
    names = [f"x{k}" for k in range(inputs)]
    names += [f"{end}{k}" for end in ("to", "from") for k in range(carries)] + moving[inputs - carries :]
    after = {name: f"%{name}.next" for name in moving}
    for k in range(carries):
        after |= {f"x{k}": f"%to{k}", f"to{k}": f"%from{k}", f"from{k}": f"%to{k}"}
    lines = ["entry:", *table_of("table"), "  %kernel = load ptr, ptr %table"]
    for spot, name in enumerate(names):
        lines += [
            f"  %p.{name} = getelementptr ptr, ptr %args, i64 {spot}",
            f"  %o.{name} = load ptr, ptr %p.{name}",
            f"  %d.{name} = getelementptr i8, ptr %o.{name}, i64 {DATA}",
            f"  %a.{name} = load ptr, ptr %d.{name}",
        ]
    lines += [
        f"  %dp = getelementptr i8, ptr %o.x{carries}, i64 {DIMENSIONS}",
        "  %dims = load ptr, ptr %dp",
        "  %count = load i64, ptr %dims",
        "  br label %head",
        "head:",
        "  %i = phi i64 [0, %entry], [%i.next, %next]",
    ]
    lines += [f"  %{name} = phi ptr [%a.{name}, %entry], [{after[name]}, %next]" for name in names]
    given = [name for name in names if not name.startswith("from")]
    number = ctypes.cast(ctypes.pythonapi.PyLong_FromSsize_t, ctypes.c_void_p).value
    lines += [
        "  %more = icmp ult i64 %i, %count",
        "  br i1 %more, label %body, label %end",
        "body:",
        f"  %ok = call i1 %kernel({', '.join(['ptr %table', *(f'ptr %{name}' for name in given)])})",
        "  br i1 %ok, label %next, label %end",
        "next:",
        "  %i.next = add i64 %i, 1",
        *(f"  {after[x]} = getelementptr i8, ptr %{x}, i64 {n}" for x, n in zip(moving, strides, strict=True)),
        "  br label %head",
        "end:",
        f"  %done = call ptr inttoptr (i64 {number} to ptr)(i64 %i)",
        "  ret ptr %done",
    ]
    return "define ptr @fold(ptr %self, ptr %args, i64 %n) {\n" + "\n".join(lines) + "\n}\n"
