"""The Wengert list: a straight-line program of steps, each value assigned once.

::

    graph   := steps, inputs, outputs, guards       in topological order, static shapes
    step    := op operands params : shape dtype     an operand is the position of an earlier step
    leaf    := input | constant(value) | reference(value) | identity
    guard   := position, expected                   a branch decision that f took while traced

References read an array of the user's by reference: changed in place, the new values count.
Wengert (1964), "A simple automatic derivative evaluation program".
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from diffkit.ops import Array, Op, Shape, nbytes


def _no_operands(_operands: Sequence[Any], params: dict[str, Any]) -> tuple[Shape, np.dtype[Any]]:
    value = params["value"]
    return value.shape, value.dtype


def _leaf(name: str) -> Op:
    return Op(name, "leaf", lambda value: value, _no_operands)


INPUT = _leaf("input")
CONSTANT = _leaf("constant")
REFERENCE = _leaf("reference")


def identity_rows(rows: int, offset: int, shape: Shape, dtype: Any) -> np.ndarray[Any, Any]:
    """The seeds of a Jacobian's directions that belong to one of its inputs: ``(rows, *shape)``."""
    return np.eye(rows, math.prod(shape), -offset, dtype=dtype).reshape(rows, *shape)


IDENTITY = Op(
    "identity",
    "leaf",
    identity_rows,
    lambda _operands, params: ((params["rows"], *params["shape"]), np.dtype(params["dtype"])),
)


class Step(NamedTuple):
    """One line of the list: an op on earlier steps."""

    op: Op
    operands: tuple[int, ...]
    params: dict[str, Any]
    shape: Shape
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)


class Guard(NamedTuple):
    """A decision taken while tracing: the step had this value, and f went on accordingly."""

    position: int
    expected: Any


@dataclass(frozen=True, slots=True)
class Operations:
    """Counted scalar operations of one evaluation of a graph, by kind.

    Attributes
    ----------
    arithmetic
        Additions, multiplications, divisions, square roots, comparisons.
    transcendental
        Evaluations of exp, log, sin, pow and their like.
    moved
        Entries copied by scatters and selections (views are free).
    bytes
        Memory traffic: every step reads its operands and writes its result once; views are free.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> plan = dk.get("reverse").prepare(lambda x: np.sum(np.sin(x)), np.ones(100), product="gradient")
    >>> print(plan.operations)
    100 operations (0 arithmetic, 100 transcendental, 0 moved), 1,600 bytes
    >>> plan.operations.flops, plan.operations.bytes
    (0, 1600)
    """

    arithmetic: int = 0
    transcendental: int = 0
    moved: int = 0
    bytes: int = 0

    @property
    def flops(self) -> int:
        """The operations that a processor does in one instruction: ``arithmetic``, by its usual name."""
        return self.arithmetic

    @property
    def total(self) -> int:
        """All kinds of operations together; bytes are none."""
        return self.arithmetic + self.transcendental + self.moved

    def __add__(self, other: Operations) -> Operations:
        return Operations(
            self.arithmetic + other.arithmetic,
            self.transcendental + other.transcendental,
            self.moved + other.moved,
            self.bytes + other.bytes,
        )

    def __mul__(self, times: int) -> Operations:
        return Operations(self.arithmetic * times, self.transcendental * times, self.moved * times, self.bytes * times)

    def __str__(self) -> str:
        return (
            f"{self.total:,} operations ({self.arithmetic:,} arithmetic, {self.transcendental:,} transcendental, "
            f"{self.moved:,} moved), {self.bytes:,} bytes"
        )


@dataclass(frozen=True, eq=False)
class Graph:
    """A traced function, or the derivative of one.

    Attributes
    ----------
    steps
        In topological order.
    inputs
        Positions of the steps that are the arguments.
    outputs
        Positions of the results.
    guards
        Branch decisions that must hold for this graph to be the function.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> print(dk.get("reverse").prepare(lambda x: np.sin(x) * x, 2.0).function_graph)
    v0 = input            float64 ()
    v1 = sin v0           float64 ()
    v2 = multiply v1 v0   float64 ()
    return v2
    """

    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    guards: tuple[Guard, ...] = ()

    def evaluate(self, *arguments: Array) -> list[Array]:
        """Run the list step by step; the results, in order."""
        values = run(self.steps, dict(zip(self.inputs, arguments, strict=True)))
        return [values[position] for position in self.outputs]

    @functools.cached_property
    def operations(self) -> Operations:
        """Count the scalar operations of one evaluation."""
        counts = {"arithmetic": 0, "transcendental": 0, "moved": 0}
        for step in self.steps:
            if step.op.family != "leaf":
                cost = step.op.cost(step, [self.steps[operand] for operand in step.operands], step.params)
                counts[cost.kind] += cost.amount
        return Operations(**counts, bytes=sum(self.traffic()))

    def traffic(self) -> list[int]:
        """How many bytes go through memory, step by step: each operand is read, and the result written, once."""
        return [_traffic(step, [self.steps[operand] for operand in set(step.operands)]) for step in self.steps]

    def uses(self) -> list[int]:
        """How often each step is read, as operand, result or guard."""
        counts = [0] * len(self.steps)
        for step in self.steps:
            for operand in step.operands:
                counts[operand] += 1
        for position in (*self.outputs, *(guard.position for guard in self.guards)):
            counts[position] += 1
        return counts

    def check(self) -> None:
        """Assert the invariants: operands come earlier, shapes and dtypes are what the ops infer."""
        for position, step in enumerate(self.steps):
            if not all(0 <= operand < position for operand in step.operands):
                raise AssertionError(f"v{position} reads a later step: {step}")
            if step.op is INPUT:
                continue
            inferred = step.op.infer([self.steps[operand] for operand in step.operands], step.params)
            if inferred != (step.shape, step.dtype):
                raise AssertionError(f"v{position} = {step.op}: {step.shape} {step.dtype} should be {inferred}")

    def __str__(self) -> str:
        lines = [_line(position, step) for position, step in enumerate(self.steps)]
        width = max((len(text) for text, _ in lines), default=0) + 3
        text = [f"{left:<{width}}{right}" for left, right in lines]
        text += [f"guard v{guard.position} == {guard.expected}" for guard in self.guards]
        return "\n".join([*text, "return " + ", ".join(f"v{position}" for position in self.outputs)])


def _traffic(step: Step, operands: Sequence[Step]) -> int:
    if step.op.family == "leaf" or step.op.touches == "none":
        return 0
    read = nbytes(step) if step.op.touches == "part" else sum(nbytes(operand) for operand in operands)
    return nbytes(step) + read


def _line(position: int, step: Step) -> tuple[str, str]:
    words = [step.op.name, *(f"v{operand}" for operand in step.operands)]
    words += [f"{name}={_short(value)}" for name, value in step.params.items()]
    return f"v{position} = {' '.join(words)}", f"{step.dtype} {step.shape}"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return "x".join(map(str, value.shape)) + " array"
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def run(steps: Iterable[Step], arguments: dict[int, Array]) -> list[Array]:
    """Evaluate steps in order: read the operands, apply the op, write the value."""
    values: list[Array] = []
    for position, step in enumerate(steps):
        if position in arguments:
            values.append(arguments[position])
        else:
            values.append(step.op.evaluate(*[values[operand] for operand in step.operands], **step.params))
    return values
