"""Why is backpropagation efficient? It computes each value and each partial once; counted against what does not.

The chain rule, written out, is a sum over all paths from an input to the output, of products of partials along
them. Griewank and Walther (2008), "Evaluating Derivatives", section 3.2; for f1(f2(f3(x))) it is
``f1'(f2(f3(x))) f2'(f3(x)) f3'(x)``, in which f3 is evaluated twice and f2 once, each time from x on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diffkit import trees
from diffkit.differentiators import get
from diffkit.errors import TooLargeError, check_positive
from diffkit.lab.reuse.expansion import Counts, Expansion
from diffkit.lab.reuse.scalars import Edge, Scalars

__all__ = ["Counts", "Reuse", "expand", "reuse"]

LIMIT = 200_000
"""Evaluations, partials and products that `expand` does at most."""
LARGEST = 1_000_000
"""Operations of an f whose numbers are looked at one by one."""


@dataclass(frozen=True)
class Reuse:
    """What a gradient takes without reuse, with reuse of values, and in one sweep.

    Attributes
    ----------
    paths
        From each input to the outputs.
    written_out
        Each path multiplied out, each operand of each partial evaluated from the inputs on.
    values_kept
        Each path multiplied out, every value of f computed once.
    sweep
        One return sweep: every value and every partial once.
    operations
        What diffkit's own derivative graph counts, with f, after simplification; None where f is not scalar.
    """

    paths: tuple[int, ...]
    written_out: Counts
    values_kept: Counts
    sweep: Counts
    operations: int | None

    def __str__(self) -> str:
        head = f"{'':<26}{'evaluations':>18}{'partials':>18}{'products':>18}{'sums':>12}"
        rows = {
            "written out, no reuse": self.written_out,
            "values of f kept": self.values_kept,
            "one return sweep": self.sweep,
        }
        lines = [
            f"{name:<26}{_short(c.evaluations):>18}{_short(c.partials):>18}{_short(c.multiplications):>18}{_short(c.additions):>12}"
            for name, c in rows.items()
        ]
        most = max(self.paths, default=0)
        return "\n".join([head, *lines, f"paths from an input to the output: up to {_short(most)}"])


def _short(count: int) -> str:
    digits = str(count)
    return f"{count:,}" if len(digits) <= 12 else f"{digits[0]}.{digits[1:4]}e+{len(digits) - 1}"


def reuse(f: Callable[..., Any], x: Any) -> Reuse:
    """How much does reuse save? Counts of three ways to the gradient of f, on f's own graph.

    Counted without doing it, so that 2^100 paths are no obstacle; `expand` does it.

    Parameters
    ----------
    f
        A plain-NumPy function.
    x
        Where: the counts depend on the shape of x, and on the branches that f takes.

    Raises
    ------
    TracingError
        Where f cannot be traced.
    TooLargeError
        Where f itself takes more than a million operations.

    Examples
    --------
    >>> import numpy as np
    >>> found = reuse(lambda x: np.sin(np.exp(np.tanh(x))), 0.5)
    >>> print(found)
                                     evaluations          partials          products        sums
    written out, no reuse                      3                 3                 2           0
    values of f kept                           2                 3                 2           0
    one return sweep                           2                 3                 2           0
    paths from an input to the output: up to 1
    """
    scalars, operations = _scalars(f, x)
    return _counted(scalars, operations)


def expand(f: Callable[..., Any], x: Any, *, keep_values: bool = False, limit: int = LIMIT) -> tuple[Any, Counts]:
    """Compute a gradient by the chain rule written out: each path multiplied out, and counted while it is done.

    Parameters
    ----------
    f, x
        A plain-NumPy function, and where. Of several outputs, the gradients add up.
    keep_values
        Whether values of f are computed once and kept, or anew whenever a partial needs them.
    limit
        Most operations that this may take.

    Returns
    -------
    The gradient, in the containers and shapes of x, and what it took.

    Raises
    ------
    TooLargeError
        Where it would take more than ``limit``; found out before anything is done.
    InputError
        Where ``limit`` is no positive number.

    Examples
    --------
    >>> import numpy as np
    >>> gradient, counts = expand(lambda x: x[0] * x[1] * x[0], np.array([2.0, 3.0]))
    >>> gradient, counts.partials
    (array([12.,  4.]), 5)
    """
    check_positive(limit, "limit", " of operations")
    scalars, operations = _scalars(f, x)
    predicted = _counted(scalars, operations)
    needed = (predicted.values_kept if keep_values else predicted.written_out).total
    if needed > limit:
        raise TooLargeError(
            f"written out, this gradient takes {_short(needed)} operations, more than the limit of {limit:,}; give a "
            "smaller f, a larger limit, or count them with reuse(f, x)"
        )
    return Expansion(scalars, keep_values=keep_values).run(x)


def _scalars(f: Callable[..., Any], x: Any) -> tuple[Scalars, int | None]:
    plan = get("reverse").prepare(f, x, product="value")
    graph = plan.function_graph
    assert graph is not None  # noqa: S101  # reverse traces f, or raises
    if graph.operations.total > LARGEST:
        raise TooLargeError(
            f"f takes {graph.operations.total:,} operations, more than the {LARGEST:,} that are counted one by one; "
            "give smaller arrays: how the counts grow shows there already"
        )
    operations = None
    if plan.outputs == 1:
        counted = get("reverse").prepare(f, x, product="value_and_gradient").operations
        operations = counted.total if counted else None
    return Scalars.of(graph, [trees.as_leaf(leaf) for leaf in trees.flatten(x)[0]]), operations


# ---------------------------------------------------------------- counted


def _counted(scalars: Scalars, operations: int | None) -> Reuse:
    into, written = _forward(scalars)
    out, factors = _backward(scalars)
    used = [(node, edge) for node, found in enumerate(scalars.edges) for edge in found if out[node]]
    costly = [(node, edge) for node, edge in used if scalars.computes[node]]
    operands = [sum(written[edge.source] for edge in found) for found in scalars.edges]
    anew = sum(into[edge.source] * out[node] * operands[node] for node, edge in costly)
    once = _needed(scalars, out)
    paths = tuple(out[node] for node in scalars.inputs)
    partials = sum(factors[node] for node in scalars.inputs)
    products = max(0, partials - sum(paths))
    sums = sum(max(0, count - 1) for count in paths)
    leaving = Counter(edge.source for _, edge in used)
    seeds = _seeds(scalars, used, leaving)
    sweep = Counts(
        once, len(costly), sum(node not in seeds for node, _ in costly), sum(count - 1 for count in leaving.values())
    )
    return Reuse(
        paths, Counts(anew, partials, products, sums), Counts(once, partials, products, sums), sweep, operations
    )


def _needed(scalars: Scalars, out: list[int]) -> int:
    """How many values the partials on the way to the outputs read, directly or through others."""
    needed: set[int] = set()
    for node in range(len(scalars.edges) - 1, -1, -1):
        if node in needed or (out[node] and scalars.computes[node]):
            needed.update(edge.source for edge in scalars.edges[node])
    return sum(scalars.computes[node] for node in needed)


def _seeds(scalars: Scalars, used: list[tuple[int, Edge]], leaving: Counter[int]) -> set[int]:
    """Nodes whose cotangent is the seed, 1: outputs, and what is only moved to one. Nothing is multiplied there."""
    seeds = {node for node in scalars.outputs if not leaving[node]}
    for node, edge in reversed(used):
        if node in seeds and not scalars.computes[node] and leaving[edge.source] == 1:
            seeds.add(edge.source)
    return seeds


def _forward(scalars: Scalars) -> tuple[list[int], list[int]]:
    """For each node: paths from the inputs, and evaluations that its value takes when nothing is kept."""
    into, written = [0] * len(scalars.edges), [0] * len(scalars.edges)
    for node in scalars.inputs:
        into[node] = 1
    for node, found in enumerate(scalars.edges):
        if found:
            into[node] = sum(into[edge.source] for edge in found)
            written[node] = scalars.computes[node] + sum(written[edge.source] for edge in found)
    return into, written


def _backward(scalars: Scalars) -> tuple[list[int], list[int]]:
    """For each node: paths to the outputs, and how many factors these have together."""
    out, factors = [0] * len(scalars.edges), [0] * len(scalars.edges)
    for node in scalars.outputs:
        out[node] += 1
    for node in range(len(scalars.edges) - 1, -1, -1):
        for edge in scalars.edges[node]:
            out[edge.source] += out[node]
            factors[edge.source] += factors[node] + scalars.computes[node] * out[node]
    return out, factors
