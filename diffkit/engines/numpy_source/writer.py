"""The writer of a graph's function: a statement or a few per step, names as in the graph."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.engines.base import holds
from diffkit.engines.numpy_source.memory import Memory
from diffkit.engines.numpy_source.wordings import WORDINGS, call
from diffkit.graph import CONSTANT, IDENTITY, INPUT, REFERENCE, Graph, Step
from diffkit.ops import Static, size

KEPT = 2**22  # entries up to which a seed matrix is made once and kept with the plan


class Writer:
    """Writes the function of one graph.

    Attributes
    ----------
    lines
        Statements so far.
    names
        What the function's globals must hold.
    words
        How the value of each step is written: a name, or a literal.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.steps, self.memory = graph, graph.steps, Memory(graph)
        self.lines: list[str] = []
        self.names: dict[str, Any] = {
            "empty": np.empty,
            "zeros": np.zeros,
            "dot": np.dot,
            "matmul": np.matmul,
        }
        self.words: list[str] = [""] * len(self.steps)
        self._expected = {guard.position: guard.expected for guard in graph.guards}
        self._spread = self._only_scattered()
        self.memory.without(self._spread)
        self._doubles = all(step.dtype == np.float64 for step in self.steps if step.dtype.kind == "f")

    def write(self) -> str:
        """The whole function."""
        for spot, position in enumerate(self.graph.inputs):
            self.words[position] = f"x{spot}"
        for position, step in enumerate(self.steps):
            if step.op is not INPUT:
                self._step(position, step)
            if position in self._expected:
                self._guard(position, self._expected[position])
        arguments = ", ".join(self.words[position] for position in self.graph.inputs)
        body = "\n    ".join([*self.lines, f"return ({self._results()},)"])
        return f"def plan({arguments}):\n    {body}\n"

    # ------------------------------------------------------------ what wordings use

    def operand(self, step: Step, spot: int) -> str:
        """How an operand is written."""
        return self.words[step.operands[spot]]

    def assign(self, position: int, expression: str) -> None:
        """Give a step its name."""
        self.words[position] = f"v{position}"
        self.lines.append(f"v{position} = {expression}")

    def allocate(self, position: int, step: Step, how: str) -> None:
        """An array of the step's own, ``empty`` or ``zeros``."""
        kind = "" if step.dtype == np.float64 else f", {self.bind(step.dtype.name, step.dtype)}"
        self.assign(position, f"{how}({step.shape}{kind})")

    def bind(self, name: str, value: Any) -> str:
        """Give the function a global."""
        self.names[name] = value
        return name

    # ------------------------------------------------------------ steps

    def _step(self, position: int, step: Step) -> None:
        if step.op is CONSTANT:
            self.words[position] = self._constant(step.params["value"], position)
        elif step.op is REFERENCE:
            self.words[position] = self.bind(f"r{position}", step.params["value"])
        elif step.op is IDENTITY and size(step) <= KEPT:
            self.words[position] = self.bind(f"eye{position}", step.op.evaluate(**step.params))
        elif position in self._spread:
            self.words[position] = self.words[step.operands[0]]
        else:
            WORDINGS.get(step.op, call)(self, position, step)
            self.memory.release(position, step)

    def _only_scattered(self) -> set[int]:
        """Broadcasts that are never needed as arrays: scatters, which repeat by themselves, are all that read them."""
        found = {position for position, step in enumerate(self.steps) if step.op is p.broadcast}
        for step in self.steps:
            if step.op is not p.scatter:
                found.difference_update(step.operands)
            else:  # np.add.at reads beyond what is to be repeated (seen in NumPy 2.4)
                places = zip(step.operands, step.params["places"], strict=True)
                found.difference_update(operand for operand, place in places if isinstance(place, Static))
        return found.difference(self.graph.outputs, self._expected)

    def _constant(self, value: Any, position: int) -> str:
        if self._doubles and value.ndim == 0 and value.dtype.kind == "f" and math.isfinite(value):
            # a number of Python's has no dtype: it would widen nothing, and alone it is float64
            text = repr(float(value))
            return f"({text})" if text.startswith("-") else text
        return self.bind(f"c{position}", value[()])

    def _guard(self, position: int, expected: Any) -> None:
        word = self.words[position]
        if expected.ndim == 0 and expected.dtype == bool:
            test = f"{'not ' if expected else ''}{word}"
        elif expected.ndim == 0 and expected.dtype.kind in "iu":
            test = f"{word} != {int(expected)}"
        else:
            test = f"not {self.bind('holds', holds)}({word}, {self.bind(f'g{position}', expected)})"
        self.lines.append(f"if {test}: return None")

    def _results(self) -> str:
        """Results in order; a copy of what is not the plan's own, and of what is returned twice."""
        words, seen = [], set()
        for position in self.graph.outputs:
            root = self.memory.root[position]
            shared = self.memory.foreign(position) or root in seen
            seen.add(root)
            words.append(
                f"{self.words[position]}.copy()" if shared and self.steps[position].shape else self.words[position]
            )
        return ", ".join(words)
