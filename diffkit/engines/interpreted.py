"""The teaching baseline: walk the list, one step after the other."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from diffkit.engines.base import Compiled, Engine, holds
from diffkit.graph import Graph


class Interpreted(Engine):
    """Evaluate a graph step by step; nothing is generated, nothing is reused."""

    name: ClassVar[str] = "interpreted"

    def compile(self, graph: Graph) -> Compiled:
        """Keep the graph; running it is reading it."""
        expected = {guard.position: guard.expected for guard in graph.guards}

        def evaluate(*inputs: Any) -> tuple[Any, ...] | None:
            given = dict(zip(graph.inputs, inputs, strict=True))
            values: list[Any] = []
            for position, step in enumerate(graph.steps):
                if position in given:
                    values.append(given[position])
                else:
                    values.append(step.op.evaluate(*[values[operand] for operand in step.operands], **step.params))
                if position in expected and not holds(values[position], expected[position]):
                    return None
            return tuple(np.array(values[position]) for position in graph.outputs)

        return Compiled(evaluate)
