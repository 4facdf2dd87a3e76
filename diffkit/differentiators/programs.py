"""What a derivative keeps: a `Branch` per path that f takes, and a `Program` per product of it."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from diffkit import costs, trees
from diffkit.differentiators.arguments import Spec, fit
from diffkit.engines import Compiled
from diffkit.errors import NotScalarError, TooLargeError, TracingError
from diffkit.graph import Graph, Operations
from diffkit.ops import Recorded, nbytes
from diffkit.tracing import Traced, current_trace

PRODUCTS = ("value", "gradient", "value_and_gradient", "jacobian", "jvp", "vjp", "hessian", "hvp")
SCALAR_ONLY = frozenset({"gradient", "value_and_gradient", "hessian", "hvp"})
QUICK = frozenset({"gradient", "value_and_gradient", "jacobian", "hessian"})
LIKE_RESULT = frozenset({"value", "jvp", "value_and_gradient"})
MATRICES = frozenset({"jacobian", "hessian", "error"})
DIRECTED = frozenset({"jvp", "vjp", "hvp"})
GIGABYTE = 2**30


class Considered(NamedTuple):
    """A method that could make a product, before one is chosen.

    Attributes
    ----------
    label
        As suites and tables name it.
    sweeps
        How many directions it takes, before simplification.
    seconds
        What one run should cost.
    """

    label: str
    sweeps: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Program:
    """One product of one branch of f, ready to run.

    Attributes
    ----------
    run
        ``run(*arrays, *directions)`` gives a flat tuple of results, or None where f takes another branch.
    graph
        The derivative graph; None where the method needs none.
    source
        The generated program; empty where there is none.
    operations
        Counted operations of one run; None where f could not be traced.
    calls
        How often one run calls f.
    expressions
        What a symbolic derivative found; None for other methods.
    direct, later, fold
        The shortest way of the commonest call, when it is found, and many runs at once (`diffkit.engines.Compiled`).
    colouring
        Which columns and rows a sparse derivative finds together (`diffkit.sparsity.Colouring`); None for others.
    method
        The name of the method that made it, where that was chosen; empty where it is the derivative's own.
    considered
        Who could have made it, the cheapest first, where one was chosen.
    """

    run: Callable[..., tuple[Any, ...] | None]
    graph: Graph | None = None
    source: str = ""
    operations: Operations | None = None
    calls: int = 0
    expressions: Any = None
    direct: Callable[[Callable[..., Any], Iterable[Any]], Callable[..., Any] | None] | None = None
    later: Callable[[Callable[[], None]], None] | None = None
    fold: Callable[[Sequence[Any], Sequence[Any]], tuple[int, Sequence[Any], list[Any]]] | None = None
    colouring: Any = None
    method: str = ""
    considered: tuple[Considered, ...] = ()

    @functools.cached_property
    def round_seconds(self) -> float:
        """What a round of a fold takes, predicted: the graph's work, and its arguments and results on their way."""
        if self.graph is None:
            return math.inf
        moved = sum(nbytes(self.graph.steps[position]) for position in (*self.graph.inputs, *self.graph.outputs))
        return costs.run_seconds(self.graph, "llvm") + moved * 1e-10

    @classmethod
    def of(cls, made: Compiled, graph: Graph, expressions: Any = None) -> Self:
        """What an engine made of a graph."""
        return cls(
            made.run,
            graph,
            made.source,
            graph.operations,
            expressions=expressions,
            direct=made.direct,
            later=made.later,
            fold=made.fold,
        )


class Branch:
    """f traced along one path, and the programs made from it."""

    __slots__ = ("arrays", "forgotten", "programs", "traced")

    def __init__(self, traced: Traced, arrays: Sequence[Any]) -> None:
        self.traced = traced
        self.arrays = arrays  # the point where f was traced
        self.programs: dict[str, Program] = {}
        self.forgotten = False

    @property
    def graph(self) -> Graph:
        """The graph of f; methods that read graphs trace f, so they always have one."""
        if self.traced.graph is None:
            raise TracingError("f was called as a black box, so it has no graph; use method='finite-difference'")
        return self.traced.graph

    def holds(self) -> bool:
        """Whether this is still f: not forgotten, and every name that f read is bound to what it was."""
        return not self.forgotten and self.traced.unchanged()


class Quick:
    """The shortest way of the commonest call."""

    __slots__ = ("branch", "run", "specs")

    def __init__(self, branch: Branch, product: str, specs: Sequence[Spec]) -> None:
        self.branch, self.specs = branch, specs
        self.run = branch.programs[product].run

    def takes(self, args: tuple[Any, ...]) -> bool:
        """Whether nothing else needs to be looked at."""
        return fit(args, self.specs) and current_trace() is None and self.branch.holds()


def memory() -> int:
    """The machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def check_dense(rows: int, columns: int, itemsize: int = 8) -> None:
    """Refuse a dense matrix that would take more than half of the machine's memory."""
    needed = rows * columns * itemsize
    if needed > memory() // 2:
        raise TooLargeError(
            f"a dense {rows} x {columns} matrix takes {needed / GIGABYTE:.1f} GiB, more than half of this machine's "
            f"{memory() / GIGABYTE:.1f} GiB; use reverse mode for gradient, vjp and hvp, and forward "
            "mode for jvp: they never form it"
        )


def check_scalar(traced: Traced, product: str) -> None:
    """Refuse products that only a function with one number as its result has."""
    if product in SCALAR_ONLY and trees.total_size(traced.leaves) != 1:
        shapes = ", ".join(str(tuple(leaf.shape)) for leaf in traced.leaves)
        raise NotScalarError(
            f"f returned shape {shapes}; a {product.replace('_', ' ')} needs one number: use jacobian, or sum the "
            "result"
        )


def fingerprint(traced: Traced) -> list[Any]:
    """What two traces of one function have in common; equal where f did the same. Of a black box, its results."""
    if traced.graph is None:
        return [_text(np.asarray(leaf)) for leaf in traced.leaves]
    return [(step.op, step.operands, *(_text(value) for value in step.params.values())) for step in traced.graph.steps]


def _text(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return (value.shape, value.tobytes())
    return repr(value) if not isinstance(value, Recorded) else "outer"
