"""Graphs <-> SymPy expressions.

`from_graph` reads a graph on arrays of symbols; `Assignments` are what comes out: results, and named subexpressions
where they are asked for; `differentiate` is the chain rule over them, with SymPy's own derivative of each expression;
`to_steps` writes expressions as ops again. SymPy is imported when first used.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import InputError, TooLargeError, UnsupportedError
from diffkit.graph import INPUT, REFERENCE, Graph, Step
from diffkit.ops import Op, Recorded
from diffkit.primitives.families import as_objects

DEPTH = 12  # a named expression is at most so deep: SymPy recurses
SPREADING = frozenset(
    {p.contract, p.broadcast, p.cumsum, p.inv, p.solve, p.det, p.cofactor, p.logabsdet, p.cholesky}
)
DECIDED = frozenset({p.argsort, p.argmax, p.argmin})


@dataclass(eq=False)
class Assignments:
    """Expressions over variables and parameters, and the named subexpressions in them.

    Attributes
    ----------
    definitions
        ``(symbol, expression)`` in order; an expression reads variables, parameters and earlier symbols. Empty in the
        form "expression".
    results
        An object array of expressions.
    """

    definitions: list[tuple[Any, Any]]
    results: Any

    def __str__(self) -> str:
        lines = [f"{symbol} = {expression}" for symbol, expression in self.definitions]
        return "\n".join([*lines, str(self.matrix)])

    @property
    def matrix(self) -> Any:
        """The results as a SymPy matrix."""
        import sympy

        return sympy.Matrix(np.atleast_2d(self.results))

    def latex(self) -> str:
        """The assignments as aligned equations, then the results."""
        import sympy

        lines = [
            rf"{sympy.latex(symbol)} &= {sympy.latex(expression)} \\"
            for symbol, expression in self.definitions
        ]
        body = sympy.latex(self.matrix)
        return "\n".join([r"\begin{aligned}", *lines, r"\end{aligned}", body]) if lines else body

    def count(self) -> int:
        """Operations, each named subexpression counted once and everything else as often as it is written."""
        memo: dict[Any, int] = {}
        expressions = [expression for _, expression in self.definitions] + list(self.results.flat)
        return sum(operations(expression, memo) for expression in expressions)


def operations(expression: Any, memo: dict[Any, int]) -> int:
    """Operations of an expression written out as a tree, counted over the shared one."""
    pending = [expression]
    while pending:
        here = pending[-1]
        missing = [part for part in here.args if part not in memo]
        if here in memo or not missing:
            if here not in memo:
                own = max(1, len(here.args) - 1) if here.args else 0
                memo[here] = own + sum(memo[part] for part in here.args)
            pending.pop()
        else:
            pending.extend(missing)
    return memo[expression]


# ---------------------------------------------------------------- graph -> expressions


@dataclass
class Reading:
    """A graph evaluated on symbols.

    Attributes
    ----------
    symbols
        Symbol -> (position of the leaf step, flat position of the entry).
    decided
        Positions of steps whose value was taken from the point of tracing.
    """

    assignments: Assignments
    symbols: dict[Any, tuple[int, int]] = field(default_factory=dict)
    variables: list[Any] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)


class Reader:
    """Evaluates a graph on arrays of SymPy expressions, naming what is shared where it is asked to."""

    def __init__(
        self, graph: Graph, names: Sequence[str], values: Callable[[int], Any], limit: int, *, shared: bool
    ) -> None:
        import sympy

        self.sympy, self.graph, self.names, self.values, self.limit, self.shared = (
            sympy,
            graph,
            names,
            values,
            limit,
            shared,
        )
        self.reading = Reading(Assignments([], None))
        self.depth: dict[Any, int] = {}
        self.uses = graph.uses()
        for step in graph.steps:
            for operand in step.operands:
                self.uses[operand] += 2 * (step.op in SPREADING)

    def read(self, outputs: Sequence[int], wanted: Sequence[int]) -> Reading:
        """Read the graph's outputs; ``wanted`` are the positions of the variables."""
        found: list[Any] = []
        for position, step in enumerate(self.graph.steps):
            found.append(self._step(position, step, found))
        flat = [found[position].reshape(-1) for position in outputs]
        self.reading.assignments.results = np.concatenate(flat) if flat else np.empty(0, dtype=object)
        by_place = {place: symbol for symbol, place in self.reading.symbols.items()}
        for position in wanted:
            entries = math.prod(self.graph.steps[position].shape)
            self.reading.variables += [by_place[position, entry] for entry in range(entries)]
        return self.reading

    def _step(self, position: int, step: Step, found: list[Any]) -> Any:
        if step.op is INPUT:
            return self._symbols(position, step, self.names[self.graph.inputs.index(position)])
        if step.op is REFERENCE:
            return self._symbols(position, step, f"p{position}_")
        if step.op.family == "leaf":  # a constant, or seeds of a derivative inside f
            return _numbers(self.sympy, step.op.evaluate(**step.params))
        if step.op in DECIDED:
            self.reading.decided.append(position)
            return self.values(position)
        operands = [found[operand] for operand in step.operands]
        value = self._apply(step, operands)
        return self._named(position, value) if self.shared else value

    def _apply(self, step: Step, operands: list[Any]) -> Any:
        if step.op in (p.take_along, p.put_along):
            positions = operands[1].astype(np.intp)
            made = step.op.evaluate(operands[0], positions, **step.params)
            return as_objects(np.frompyfunc(self.sympy.sympify, 1, 1)(made))  # NumPy's zeros are ints
        if step.op.symbolic is None:
            raise UnsupportedError(
                f"{step.op.name} has no meaning in SymPy; use method='forward' or 'reverse'"
            )
        if step.op is not p.scatter and math.prod(step.shape) > self.limit:
            raise TooLargeError(
                f"{step.op.name} of shape {step.shape} has more entries than the limit of {self.limit} expressions; "
                "use method='forward' or 'reverse', or raise limit="
            )
        return step.op.symbolic(self.sympy, *operands, **step.params)

    def _symbols(self, position: int, step: Step, name: str) -> Any:
        entries = math.prod(step.shape)
        if entries > self.limit:
            raise TooLargeError(
                f"{entries} symbols are more than the limit of {self.limit}; use method='forward' or 'reverse', or raise limit="
            )
        made = np.empty(entries, dtype=object)
        for entry in range(entries):
            spot = np.unravel_index(entry, step.shape)
            symbol = self.sympy.Symbol(name + "_".join(str(int(k)) for k in spot), real=True)
            self.reading.symbols[symbol] = (position, entry)
            made[entry] = self.sympy.Ne(symbol, 0) if step.dtype == bool else symbol  # symbols are real numbers
        return made.reshape(step.shape)

    def _named(self, position: int, value: Any) -> Any:
        if self.graph.steps[position].dtype.kind != "f":
            return value
        named = np.empty(value.size, dtype=object)
        for spot, expression in enumerate(value.reshape(-1)):
            named[spot] = self._name(expression, often=self.uses[position] > 1)
        return named.reshape(value.shape)

    def _name(self, expression: Any, *, often: bool) -> Any:
        deep = self._depth(expression)
        if not expression.args or expression.is_number or not (often or deep > DEPTH):
            return expression
        definitions = self.reading.assignments.definitions
        if len(definitions) >= self.limit:
            raise TooLargeError(
                f"more than {self.limit} named subexpressions; use method='forward' or 'reverse', or raise limit="
            )
        symbol = self.sympy.Symbol(f"s{len(definitions)}", real=True)
        definitions.append((symbol, expression))
        self.depth[symbol] = 0
        return symbol

    def _depth(self, expression: Any) -> int:
        """How deep an expression is, down to symbols; what it is made of has been measured before."""
        if not expression.args:
            return 0
        known = self.depth.get(expression)
        if known is None:
            known = self.depth[expression] = 1 + max(self._depth(part) for part in expression.args)
        return known


def _numbers(sympy: Any, value: Any) -> Any:
    """Exact numbers where they are short (1/2, 3), floats otherwise."""
    made = np.empty(value.shape, dtype=object)
    for spot in np.ndindex(*value.shape):
        made[spot] = _number(sympy, value[spot].item())
    return as_objects(made) if value.ndim else as_objects(_number(sympy, value.item()))


def _number(sympy: Any, value: Any) -> Any:
    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    if isinstance(value, int) or (math.isfinite(value) and value == int(value) and abs(value) < 2**53):
        return sympy.Integer(int(value))
    if math.isfinite(value) and (value * 64).is_integer() and abs(value) < 2**20:
        return sympy.Rational(value)
    if math.isnan(value):
        return sympy.nan
    return sympy.Float(value, 17) if math.isfinite(value) else (sympy.oo if value > 0 else -sympy.oo)


# ---------------------------------------------------------------- the derivative of expressions


def differentiate(assignments: Assignments, variables: Sequence[Any], limit: int) -> Assignments:
    """Differentiate every result by every variable, ``(results, variables)``: the chain rule over the definitions.

    Without definitions each entry is SymPy's derivative of one closed expression, as in high school.
    """
    import sympy

    chain = Chain(sympy, variables, limit)
    for symbol, expression in assignments.definitions:
        chain.define(symbol, expression)
    results = assignments.results.reshape(-1)
    made = np.empty((len(results), len(variables)), dtype=object)
    closed = not assignments.definitions
    for row, expression in enumerate(results):
        if closed:
            made[row, :] = [chain.partial(expression, variable) for variable in variables]
        else:
            gradient = chain.gradient(expression)
            made[row, :] = [gradient.get(variable, sympy.Integer(0)) for variable in variables]
    return Assignments(chain.definitions, made)


class Chain:
    """Derivatives of named expressions, each a named expression again."""

    def __init__(self, sympy: Any, variables: Sequence[Any], limit: int) -> None:
        self.sympy, self.limit = sympy, limit
        self.definitions: list[tuple[Any, Any]] = []
        self.known: dict[Any, dict[Any, Any]] = {
            variable: {variable: sympy.Integer(1)} for variable in variables
        }

    def define(self, symbol: Any, expression: Any) -> None:
        """Take over a definition, and define its derivatives."""
        self.definitions.append((symbol, expression))
        made = {}
        for variable, slope in self.gradient(expression).items():
            made[variable] = self._named(slope, f"d{symbol}_{variable}")
        self.known[symbol] = made

    def gradient(self, expression: Any) -> dict[Any, Any]:
        """Derivatives by every variable that the expression depends on."""
        terms: dict[Any, list[Any]] = {}
        for symbol in sorted(expression.free_symbols, key=str):
            inner = self.known.get(symbol)
            if not inner:
                continue
            slope = self.partial(expression, symbol)
            if slope == 0:
                continue
            slope = self._named(slope, f"d{len(self.definitions)}") if len(inner) > 1 else slope
            for variable, factor in inner.items():
                terms.setdefault(variable, []).append(slope * factor)
        return {variable: self.sympy.Add(*parts) for variable, parts in terms.items()}

    def partial(self, expression: Any, symbol: Any) -> Any:
        """SymPy's derivative; what it leaves unevaluated is the derivative of a step, which is zero."""
        try:
            found = self.sympy.diff(expression, symbol)
        except RecursionError as error:
            raise TooLargeError(
                "the expression is nested deeper than SymPy can recurse; use form='shared', or method='forward' or 'reverse'"
            ) from error
        odd = (self.sympy.DiracDelta, self.sympy.Derivative, self.sympy.Subs)
        if found.has(*odd):
            found = found.replace(lambda part: isinstance(part, odd), lambda _part: self.sympy.Integer(0))
        return found

    def _named(self, expression: Any, name: str) -> Any:
        if not expression.args or expression.is_number:
            return expression
        if len(self.definitions) >= self.limit:
            raise TooLargeError(
                f"more than {self.limit} named subexpressions; use method='forward' or 'reverse', or raise limit="
            )
        symbol = self.sympy.Symbol(name, real=True)
        self.definitions.append((symbol, expression))
        return symbol


# ---------------------------------------------------------------- expressions -> ops


class Translator:
    """Writes SymPy expressions with ops: computes on numbers, records on tracers.

    Parameters
    ----------
    values
        What each symbol stands for.
    shared
        Whether equal subexpressions are written once.
    """

    def __init__(self, values: dict[Any, Any], *, shared: bool) -> None:
        import sympy

        self.sympy, self.values, self.shared = sympy, values, shared
        self.memo: dict[Any, Any] = {}
        self.table = _meanings(sympy)

    def define(self, assignments: Assignments) -> None:
        """Write the definitions, so that expressions may use their symbols."""
        for symbol, expression in assignments.definitions:
            self.values[symbol] = self.write(expression)

    def write(self, expression: Any) -> Any:
        """Write one expression."""
        if self.shared and expression in self.memo:
            return self.memo[expression]
        made = self._write(expression)
        if self.shared:
            self.memo[expression] = made
        return made

    def _write(self, expression: Any) -> Any:
        sympy = self.sympy
        if expression in self.values:
            return self.values[expression]
        if expression in (sympy.true, sympy.false):
            return bool(expression)
        if expression.is_number:
            return float(expression)
        if expression.is_Add:
            return self._sum(expression)
        if expression.is_Mul:
            return self._product(expression)
        if expression.is_Pow:
            return self._power(*expression.args)
        if isinstance(expression, sympy.Piecewise):
            return self._pieces(expression)
        meaning = self.table.get(type(expression).__name__)
        if meaning is None:
            raise UnsupportedError(f"{type(expression).__name__} in {expression} has no meaning in NumPy")
        return meaning(*[self.write(part) for part in expression.args])

    def _sum(self, expression: Any) -> Any:
        total = None
        for part in expression.args:
            number, rest = part.as_coeff_Mul()
            negative = number.is_number and number.is_negative and number == -1
            term = self.write(rest if negative else part)
            if total is None:
                total = -term if negative else term
            else:
                total = total - term if negative else total + term
        return total

    def _product(self, expression: Any) -> Any:
        above, below = [], []
        for part in expression.args:
            if part.is_Pow and part.exp.is_number and part.exp.is_negative:
                below.append(self._power(part.base, -part.exp))
            else:
                above.append(part)
        if above and above[0] == -1 and len(above) > 1:
            top = -_multiplied([self.write(part) for part in above[1:]])
        else:
            top = _multiplied([self.write(part) for part in above]) if above else 1.0
        return p.divide(top, _multiplied(below)) if below else top

    def _power(self, base: Any, exponent: Any) -> Any:
        if base == self.sympy.E:
            return p.exp(self.write(exponent))
        x = self.write(base)
        if not exponent.is_number:
            return p.power(x, self.write(exponent))
        number = float(exponent)
        short: dict[float, Callable[[Any], Any]] = {
            1.0: lambda v: v, 2.0: p.square, -1.0: p.reciprocal, 0.5: p.sqrt, -0.5: lambda v: p.reciprocal(p.sqrt(v)),
        }  # fmt: skip
        return short[number](x) if number in short else p.power(x, number)

    def _pieces(self, expression: Any) -> Any:
        *branches, (otherwise, _) = expression.args
        made = self.write(otherwise)
        for value, condition in reversed(branches):
            made = p.where(self.write(condition), self.write(value), made)
        return made


def _multiplied(factors: list[Any]) -> Any:
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


def _chained(op: Op) -> Callable[..., Any]:
    def apply(first: Any, *rest: Any) -> Any:
        for other in rest:
            first = op(first, other)
        return first

    return apply


def _polygamma(order: Any, x: Any) -> Any:
    n = int(order)
    return p.psi(x) if n == 0 else (-1.0) ** (n + 1) * math.factorial(n) * p.zeta(n + 1.0, x)


def _meanings(sympy: Any) -> dict[str, Callable[..., Any]]:
    """SymPy class name -> op: the table of ops read the other way."""
    same = {
        "exp": p.exp, "log": p.log, "sin": p.sin, "cos": p.cos, "tan": p.tan, "asin": p.arcsin, "acos": p.arccos,
        "atan": p.arctan, "atan2": p.arctan2, "sinh": p.sinh, "cosh": p.cosh, "tanh": p.tanh, "asinh": p.arcsinh,
        "acosh": p.arccosh, "atanh": p.arctanh, "Abs": p.absolute, "sign": p.sign, "floor": p.floor, "ceiling": p.ceil,
        "erf": p.erf, "erfc": p.erfc, "loggamma": p.gammaln, "digamma": p.psi, "StrictGreaterThan": p.greater,
        "GreaterThan": p.greater_equal, "StrictLessThan": p.less, "LessThan": p.less_equal, "Equality": p.equal,
        "Unequality": p.not_equal, "Not": p.logical_not, "Xor": p.logical_xor,
    }  # fmt: skip
    return {
        **same,
        "Max": _chained(p.maximum),
        "Min": _chained(p.minimum),
        "And": _chained(p.logical_and),
        "Or": _chained(p.logical_or),
        "polygamma": _polygamma,
        "Heaviside": lambda x, half=0.5: p.heaviside(x, half),
        "constant": lambda x: x,
        "Mod": p.mod,
        "zeta": p.zeta,
        "sec": lambda x: p.reciprocal(p.cos(x)),
        "csc": lambda x: p.reciprocal(p.sin(x)),
        "cot": lambda x: p.reciprocal(p.tan(x)),
        "sech": lambda x: p.reciprocal(p.cosh(x)),
        "csch": lambda x: p.reciprocal(p.sinh(x)),
        "coth": lambda x: p.reciprocal(p.tanh(x)),
    }


def as_callable(f: Any) -> Callable[..., Any]:
    """F itself, or the function that SymPy expressions are.

    Raises
    ------
    InputError
        It is neither a function nor expressions.
    """
    sympy = sys.modules.get("sympy")  # where SymPy was never imported, f has no expressions
    parts = list(f) if isinstance(f, (list, tuple)) else [f]
    if sympy and parts and all(isinstance(part, (sympy.Basic, sympy.MatrixBase)) for part in parts):
        return as_function(f)
    if not callable(f):
        raise InputError(
            f"f is a {type(f).__name__}, not a function; give the function itself, not its result (or SymPy expressions)"
        )
    return f  # type: ignore[no-any-return]  # callable() says so


def as_function(expression: Any, symbols: Sequence[Any] | None = None) -> Callable[[Any], Any]:
    """A SymPy expression, or a list or matrix of them, as a function of one array of its symbols, sorted by name."""
    import sympy

    many = not isinstance(expression, sympy.Basic) or isinstance(expression, sympy.MatrixBase)
    parts = list(expression) if many else [expression]
    parts = [sympy.sympify(part) for part in parts]
    order = list(symbols) if symbols else sorted(set().union(*(part.free_symbols for part in parts)), key=str)

    def f(x: Any) -> Any:
        translator = Translator({symbol: x[spot] for spot, symbol in enumerate(order)}, shared=True)
        made = [translator.write(part) for part in parts]
        return (
            np.array(made, dtype=object if any(isinstance(part, Recorded) for part in made) else None)
            if many
            else made[0]
        )

    f.__doc__ = f"{expression} as a function of {', '.join(map(str, order))}."
    return f
