"""What will a graph cost to run? Counted work, priced per kind: good enough to rank graphs, no more.

The seconds of a run are the sum, over the kinds of work, of how much there is times the price of one.
"""

from __future__ import annotations

from typing import NamedTuple

from diffkit import primitives as p
from diffkit.graph import Graph, Step

SLOW = frozenset({p.sin, p.cos, p.hypot, p.mod, p.erf, p.erfc, p.gammaln, p.psi, p.zeta})
"""Functions that NumPy and SciPy evaluate number by number: they take ten times what the others take."""


class Work(NamedTuple):
    """So much of each kind; or, as prices, the seconds that one of each kind takes.

    Attributes
    ----------
    runs
        One for a graph: what a call of it takes whatever it does.
    calls
        Statements that work on arrays: Python's part of the cost.
    numbers
        Statements that work on numbers or make a view, which cost a tenth of that.
    products
        Flops of products of matrices and vectors.
    flops
        All other flops.
    functions
        Evaluations of exp, log, tanh and their like.
    slow
        Evaluations of sin, cos and others that are not vectorised (`SLOW`).
    bytes
        Memory traffic.
    """

    runs: float = 0.0
    calls: float = 0.0
    numbers: float = 0.0
    products: float = 0.0
    flops: float = 0.0
    functions: float = 0.0
    slow: float = 0.0
    bytes: float = 0.0

    def times(self, factor: float) -> Work:
        """So many times the work."""
        return Work(*(factor * amount for amount in self))

    def seconds(self, engine: str) -> float:
        """Price the work."""
        return sum(amount * price for amount, price in zip(self, prices(engine), strict=True))


# Fitted by benchmarks/choices.py --fit on one core of an AMD EPYC with NumPy 2: least squares of predicted / measured
# - 1 over the candidates' Jacobians in the cells of the scaling suite, and gradients of sums of functions. On "numpy",
# 97 % of 1,200 predictions are within a factor of two; on "llvm", where steps are fused, two of three.
PRICES = {
    "numpy": Work(
        runs=1.2e-6,
        calls=4.3e-7,
        numbers=5.2e-8,
        products=2.4e-11,
        flops=9.8e-11,
        functions=4.9e-10,
        slow=5.6e-9,
        bytes=1.0e-11,
    ),
    "llvm": Work(
        runs=6.6e-8,
        calls=1.1e-9,
        numbers=8.4e-10,
        products=3.6e-11,
        functions=1.3e-9,
        slow=5.6e-10,
        bytes=3.6e-12,
    ),
    "interpreted": Work(
        runs=2.2e-6,
        calls=1.7e-6,
        numbers=7.6e-7,
        products=2.6e-11,
        flops=1.0e-10,
        functions=3.2e-10,
        slow=7.1e-9,
        bytes=2.0e-11,
    ),
}


def prices(engine: str) -> Work:
    """The prices on an engine; those of "numpy" for an engine that was not fitted: it ranks by the same work."""
    return PRICES.get(engine, PRICES["numpy"])


def work(graph: Graph) -> Work:
    """Count the work of one run of a graph.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> plan = dk.get("reverse").prepare(lambda x: np.tanh(2 * x), np.ones(100), product="value")
    >>> counted = work(plan.graph)
    >>> counted.calls, counted.flops, counted.functions, counted.bytes
    (2.0, 100.0, 100.0, 3208.0)
    """
    total = dict.fromkeys(Work._fields, 0.0)
    total["runs"], total["bytes"] = 1.0, float(graph.operations.bytes)
    for step in graph.steps:
        if step.op.family != "leaf":
            operands = [graph.steps[operand] for operand in step.operands]
            kind, amount = _priced(step, operands)
            total["numbers" if _light(step, operands) else "calls"] += 1
            if kind:
                total[kind] += amount
    return Work(**total)


def _light(step: Step, operands: list[Step]) -> bool:
    """Whether a statement makes a view, or works on numbers only."""
    return step.op.touches == "none" or (step.shape == () and all(operand.shape == () for operand in operands))


def _priced(step: Step, operands: list[Step]) -> tuple[str, float]:
    """Which kind of work a step does besides moving bytes, and how much."""
    kind, amount = step.op.cost(step, operands, step.params)
    if kind == "moved":
        return "", 0.0
    if step.op in SLOW:
        return "slow", amount
    if step.op is p.contract:
        return "products", amount
    return "flops" if kind == "arithmetic" else "functions", amount


def run_seconds(graph: Graph, engine: str = "numpy") -> float:
    """Predict the seconds of one run of a graph.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> few, many = (dk.get("forward").prepare(np.sin, np.ones(n)).graph for n in (10, 1000))
    >>> run_seconds(few) < run_seconds(many)
    True
    """
    return work(graph).seconds(engine)


def sweep(once: Work, directions: int) -> Work:
    """The work of a sweep in K directions over a graph, before it is recorded.

    The sweep evaluates f, and does per step and direction about two such steps: a partial and a product. Numbers stay
    numbers for one direction only. What simplification finds is not known yet.
    """
    calls, numbers = 3 * once.calls, 3 * once.numbers
    if directions > 1:
        calls, numbers = calls + 2 * once.numbers, once.numbers
    return once.times(1 + 2 * directions)._replace(runs=once.runs, calls=calls, numbers=numbers)
