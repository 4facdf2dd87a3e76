"""Symbolic differentiation: SymPy expressions in, SymPy expressions out.

"Interpretable, but exponential if not carefully implemented": the form "expression" is that slide, one closed
expression per entry of the Jacobian; the form "shared" names what is used more than once and applies the chain rule
to the names, which is what "carefully" means. Baydin et al. (2018), "Automatic differentiation in machine learning: a
survey", section 2.2; Laue (2019), "On the equivalence of automatic and symbolic differentiation".
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from diffkit.differentiators.base import Differentiator
from diffkit.differentiators.derivative import Derivative
from diffkit.differentiators.programs import Branch, Program
from diffkit.engines import engine as find_engine
from diffkit.errors import TooLargeError, UnsupportedError, check_name, check_positive
from diffkit.expressions import Assignments, Reader, Reading, Translator, differentiate
from diffkit.graph import Graph, run
from diffkit.primitives import convert, scatter
from diffkit.simplify import as_written, simplify
from diffkit.tracing import Trace, replay

FORMS = ("shared", "expression")


@dataclass(frozen=True, kw_only=True)
class Symbolic(Differentiator):
    """Symbolic differentiation by SymPy: exact, and readable.

    Parameters
    ----------
    engine
        "auto", "numpy", "llvm" or "interpreted".
    form
        "shared" (common subexpressions are named) or "expression" (one closed expression per entry, as in high school).
    limit
        How many symbols, entries and named subexpressions there may be, and a hundredth of how many operations;
        beyond, `TooLargeError`.

    Examples
    --------
    >>> import numpy as np
    >>> from diffkit import Symbolic
    >>> plan = Symbolic(form="expression").prepare(lambda x: x[0] * np.sin(x[1]), np.ones(2))
    >>> plan.expressions.matrix
    Matrix([[sin(x1), x0*cos(x1)]])
    """

    name: ClassVar[str] = "symbolic"
    form: str = "shared"
    limit: int = 20_000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.form, FORMS, kind="form")
        check_positive(self.limit, "limit", " of operations")

    def sweeps(self, inputs: int, outputs: int) -> int:
        """One evaluation of the derived expressions."""
        return 1

    def program(self, derivative: Derivative, branch: Branch, product: str) -> Program:
        """Derive the expressions, write them as a graph, and compile it."""
        graph = branch.graph
        if product == "error":
            raise UnsupportedError("symbolic is exact; only finite differences estimate an error")
        if product == "value":
            return self._compiled(simplify(graph), None)
        reading = self._read(derivative, branch, graph)
        made = self._derive(reading, second=product in ("hessian", "hvp"))
        return self._compiled(self._write(derivative, branch, reading, made, product), made)

    def _compiled(self, graph: Graph, made: Assignments | None) -> Program:
        compiled = find_engine(self.engine).compile(graph)
        return Program.of(compiled, graph, expressions=made)

    # ------------------------------------------------------------ expressions

    def _read(self, derivative: Derivative, branch: Branch, graph: Graph) -> Reading:
        names = _names(derivative, graph)
        values: list[Any] = []

        def value(position: int) -> Any:
            if not values:
                with np.errstate(all="ignore"):
                    values.extend(run(graph.steps, dict(zip(graph.inputs, branch.arrays, strict=True))))
            return values[position]

        count = len(branch.traced.leaves)
        wanted = [spot for spot, flag in zip(graph.inputs, derivative.layout.wanted, strict=True) if flag]
        reader = Reader(graph, names, value, self.limit, shared=self.form == "shared")
        try:
            reading = reader.read(graph.outputs[:count], wanted)
        except RecursionError as error:
            raise TooLargeError("the expression is nested deeper than SymPy can recurse; use form='shared'") from error
        self._check(reading.assignments, "f")
        entries = len(reading.variables) * reading.assignments.results.size
        if entries > self.limit:
            raise TooLargeError(
                f"{reading.assignments.results.size} x {len(reading.variables)} expressions are more than the limit of "
                f"{self.limit}; use method='forward' or 'reverse', or raise limit="
            )
        return reading

    def _derive(self, reading: Reading, *, second: bool) -> Assignments:
        made = differentiate(reading.assignments, reading.variables, self.limit)
        self._check(made, "the derivative")
        if second:
            made = differentiate(Assignments(made.definitions, made.results[0]), reading.variables, self.limit)
            self._check(made, "the second derivative")
        return made

    def _check(self, assignments: Assignments, what: str) -> None:
        count = assignments.count()
        if count > 100 * self.limit:
            raise TooLargeError(
                f"{what} has {count:.3g} operations written out (the limit is {100 * self.limit}); "
                "use form='shared', method='forward' or 'reverse', or raise limit="
            )

    # ------------------------------------------------------------ back to a graph

    def _write(
        self, derivative: Derivative, branch: Branch, reading: Reading, made: Assignments, product: str
    ) -> Graph:
        graph, results = branch.graph, len(branch.traced.leaves)
        trace = Trace(frozen=True)
        with trace.recording():
            arguments = [trace.abstract_input(graph.steps[position]) for position in graph.inputs]
            values = replay(trace, graph, arguments)
            for position in reading.decided:
                trace.guards[values[position].index] = np.array(_at(derivative, branch, graph, position))
            entries = {symbol: _entry(values[position], spot) for symbol, (position, spot) in reading.symbols.items()}
            translator = Translator(entries, shared=self.form == "shared")
            translator.define(made)
            dtype = np.result_type(*[leaf.dtype for leaf in branch.traced.leaves])
            matrix = _matrix(trace, made.results, translator, dtype)
            wanted = [argument for argument, flag in zip(arguments, derivative.layout.wanted, strict=True) if flag]
            outputs = [values[position] for position in graph.outputs]
            found = _products(trace, matrix, wanted, outputs[:results], product)
            whole = trace.graph([*found, *outputs[results:]])
        return simplify(whole) if self.form == "shared" else as_written(whole)  # sharing would be the other form


def _at(derivative: Derivative, branch: Branch, graph: Graph, position: int) -> Any:
    with np.errstate(all="ignore"):
        return run(graph.steps, dict(zip(graph.inputs, branch.arrays, strict=True)))[position]


def _names(derivative: Derivative, graph: Graph) -> list[str]:
    """Names for the inputs: f's own parameter names where they can be told apart."""
    try:
        own = list(inspect.signature(derivative.function).parameters)
    except (TypeError, ValueError):
        own = []
    if len(own) >= len(graph.inputs) and all(count == 1 for count in derivative.layout.counts):
        return own[: len(graph.inputs)]
    return ["x"] if len(graph.inputs) == 1 else [f"x{number}_" for number in range(len(graph.inputs))]


def _entry(leaf: Any, spot: int) -> Any:
    """One entry of a leaf, a real number to SymPy; the step is dropped again where nobody reads it."""
    if leaf.dtype.kind != "f":
        leaf = leaf.astype(np.float64)
    return leaf if not leaf.shape else leaf[tuple(int(k) for k in np.unravel_index(spot, leaf.shape))]


def _matrix(trace: Trace, results: Any, translator: Translator, dtype: Any) -> Any:
    """An array of expressions as one traced array."""
    fixed = np.zeros(results.shape, dtype)
    pieces, places = [], []
    for spot in np.ndindex(*results.shape):
        expression = results[spot]
        if expression.is_number:
            fixed[spot] = float(expression)
            continue
        pieces.append(translator.write(expression))
        places.append(tuple(int(k) for k in spot))
    constant = trace.constant(fixed)
    if not pieces:
        return constant
    lifted = [trace.tracer(trace.lift(piece)) for piece in pieces]
    moving = scatter(*lifted, shape=results.shape, places=tuple(places))
    made = moving + constant if fixed.any() else moving
    return made if made.dtype == dtype else convert(made, dtype=dtype)


def _products(trace: Trace, matrix: Any, inputs: list[Any], outputs: list[Any], product: str) -> list[Any]:
    """The product, from the Jacobian (or the Hessian)."""
    from diffkit.trees import join, split

    if product in ("jacobian", "hessian"):
        return [matrix]
    if product == "gradient":
        return split(matrix[0], inputs)
    if product == "value_and_gradient":
        return [*outputs, *split(matrix[0], inputs)]
    like = outputs if product == "vjp" else inputs
    direction = join([trace.abstract_input(leaf) for leaf in like])
    if product == "vjp":
        return split(direction @ matrix, inputs)
    return split(matrix @ direction, outputs if product == "jvp" else inputs)
