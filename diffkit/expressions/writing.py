"""Expressions -> ops: what SymPy writes, computed by NumPy or recorded."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.errors import InputError, UnsupportedError
from diffkit.expressions.assignments import Assignments
from diffkit.ops import Op, Recorded


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
        self.ways: dict[str, Callable[[Any], Any]] = {
            "Add": self._sum,
            "Mul": self._product,
            "Pow": lambda expression: self._power(*expression.args),
            "Piecewise": self._pieces,
        }

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
        if expression.is_number:  # a root of -1, or 1/0 without a sign, is NumPy's NaN
            return math.nan if expression.is_extended_real is False else float(expression)
        kind = type(expression).__name__
        if kind in self.ways:
            return self.ways[kind](expression)
        meaning = self.table.get(kind) or p.BY_NAME.get(kind)
        if meaning is None:
            raise UnsupportedError(f"{type(expression).__name__} in {expression} has no meaning in NumPy")
        return meaning(*[self.write(part) for part in expression.args])

    def _sum(self, expression: Any) -> Any:
        total = None
        for part in expression.args:
            negative = part.as_coeff_Mul(rational=True)[0].p == -1
            term = self.write(-part if negative else part)
            signed = -term if negative and total is None else term
            total = signed if total is None else total - term if negative else total + term
        return total

    def _product(self, expression: Any) -> Any:
        """Factors over factors; a fraction multiplies and divides in the end."""
        number, rest = expression.as_coeff_Mul(rational=True)
        above, below = [], []
        for part in self.sympy.Mul.make_args(rest):
            if part.is_Pow and part.exp.is_number and part.exp.is_negative:
                below.append((part.base, -part.exp))
            else:
                above.append(part)
        if not above and abs(number.p) != 1:
            above, number = [self.sympy.Integer(number.p)], number / number.p
        made = self._quotient(above, below)
        made = -made if number.p == -1 else made if number.p == 1 else float(number.p) * made
        return made if number.q == 1 else p.divide(made, float(number.q))

    def _quotient(self, above: list[Any], below: list[tuple[Any, Any]]) -> Any:
        if above and len(below) == 1:
            base, exponent = below[0]
            if 2 * exponent == 3:
                base, exponent = self.sympy.sqrt(base), 3
            if exponent in (2, 3):
                return self._over_power(above, base, int(exponent))
        top = _multiplied([self.write(part) for part in above]) if above else 1.0
        return p.divide(top, _multiplied([self._power(*part) for part in below])) if below else top

    def _over_power(self, above: list[Any], base: Any, exponent: int) -> Any:
        """``x y / h**3`` as ``(x / h) (y / h) / h``: ``x y`` or ``h**3`` may overflow where the result does not."""
        near: list[Any] = []
        while above and len(near) < exponent - 1:
            *above, part = above
            near = _factors(part) + near
        h, tops = self.write(base), {part: self.write(part) for part in near}
        over = {part: p.divide(top, h) for part, top in tops.items()}
        made = _multiplied([over[part] for part in near[:exponent]] + [tops[part] for part in near[exponent:]])
        for _ in range(exponent - len(near)):
            made = p.divide(made, h)
        return _multiplied([*map(self.write, above), made])

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


def _factors(part: Any) -> list[Any]:
    """The factors of ``x**2`` or ``x**3``, and of ``exp(2 x)``, which is what SymPy makes of ``exp(x)**2``."""
    base, exponent = part.as_base_exp()
    number, rest = exponent.primitive()
    return [base**rest] * int(number) if number in (2, 3) and (rest == 1 or part.func.__name__ == "exp") else [part]


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
        "Unequality": p.not_equal, "Not": p.logical_not, "Xor": p.logical_xor, "ITE": p.where,
    }  # fmt: skip
    return {
        **same,
        "Max": _chained(p.maximum),
        "Min": _chained(p.minimum),
        "And": _chained(p.logical_and),
        "Or": _chained(p.logical_or),
        "polygamma": _polygamma,
        "Heaviside": lambda x, half=0.5: np.heaviside(x, half),
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
            f"f is a {type(f).__name__}, not a function; give the function itself, not its result (or SymPy "
            "expressions)"
        )
    return f


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
