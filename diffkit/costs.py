"""What will a graph cost to run? Counted work, priced per kind: good enough to rank graphs, no more.

The seconds of a run are the sum, over what was counted (the run itself, its statements, flops, functions and bytes), of
how many there are times the price of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from diffkit.graph import Graph, Operations, Step


class Statements(NamedTuple):
    """How many statements a graph takes: Python's part of the cost.

    ``calls`` work on arrays; ``numbers`` work on numbers, or make a view, and cost a tenth of that.
    """

    calls: int
    numbers: int


@dataclass(frozen=True, slots=True)
class Prices:
    """Seconds for one of each: a run, a statement on arrays or on numbers, a flop, a function (exp), a byte."""

    run: float
    call: float
    number: float
    flop: float
    function: float
    byte: float

    def seconds(self, statements: Statements, operations: Operations) -> float:
        """Price what was counted."""
        return (
            self.run
            + self.call * statements.calls
            + self.number * statements.numbers
            + self.flop * operations.flops
            + self.function * operations.transcendental
            + self.byte * operations.bytes
        )


# Fitted once, by least squares of log(predicted / measured), to the median times of 335 Jacobians and gradients (all of
# diffkit.problems, A and B from 1 to 3000, both sweeps; sums of functions of up to 100,000 numbers) on one core of an
# AMD EPYC with NumPy 2. There, 9 of 10 predictions are within a factor of two. The price of a function is a mean: exp
# takes a tenth of what sin takes. Both sweeps evaluate the same functions, so this hardly bears on the choice.
PRICES = {
    "numpy": Prices(run=1.3e-6, call=4.1e-7, number=5.5e-8, flop=3.0e-11, function=1.7e-9, byte=1.7e-11),
    "interpreted": Prices(run=2.6e-6, call=1.3e-6, number=7.9e-7, flop=6.2e-12, function=9.0e-10, byte=5.2e-11),
}


def prices(engine: str) -> Prices:
    """The prices on an engine; those of "numpy" for an engine that was not fitted: it ranks by the same work."""
    return PRICES.get(engine, PRICES["numpy"])


def statements(graph: Graph) -> Statements:
    """Count the statements that a graph takes."""
    steps = [step for step in graph.steps if step.op.family != "leaf"]
    numbers = sum(step.op.touches == "none" or _on_numbers(step, graph) for step in steps)
    return Statements(len(steps) - numbers, numbers)


def _on_numbers(step: Step, graph: Graph) -> bool:
    return step.shape == () and all(graph.steps[operand].shape == () for operand in step.operands)


def run_seconds(graph: Graph, engine: str = "numpy") -> float:
    """Predict the seconds of one run of a graph.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> few, many = (dk.get("forward").prepare(np.sin, np.ones(n)).graph for n in (10, 1000))
    >>> run_seconds(few) < run_seconds(many)
    True
    """
    return prices(engine).seconds(statements(graph), graph.operations)


def sweep_seconds(graph: Graph, directions: int, engine: str = "numpy") -> float:
    """Predict the seconds of a sweep over f's graph in K directions, before it is recorded.

    The sweep evaluates f, and does per step and direction about two such steps: a partial and a product. Numbers stay
    numbers for one direction only. What simplification finds is not known yet.
    """
    calls, numbers = statements(graph)
    taken = Statements(3 * calls, 3 * numbers) if directions == 1 else Statements(3 * calls + 2 * numbers, numbers)
    return prices(engine).seconds(taken, graph.operations * (1 + 2 * directions))
