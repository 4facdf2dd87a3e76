"""What a blackboard says is read again by SymPy's parser, which knows nothing of how it was written."""

from __future__ import annotations

import re

import pytest
from sympy import Symbol, exp, sympify
from sympy.parsing import sympy_parser as parsing

from diffkit import problems

NAMES = {
    "worked-example": "x z",
    "composition": "x",
    "product-of-sum": "x y z",
    "sigmoid-neuron": "w0 x0 w1 x1 w2",
}
THEIRS = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "arctan2": "atan2", "max": "Max", "min": "Min", "gammaln": "loggamma", "psi": "digamma",
}  # fmt: skip
FUNCTIONS = {
    **{ours: sympify(theirs) for ours, theirs in THEIRS.items()},
    "sigmoid": lambda x: 1 / (1 + exp(-x)),
    "exp2": lambda x: 2**x,
    "expm1": lambda x: exp(x) - 1,
    "log1p": lambda x: sympify("log")(1 + x),
    "log2": lambda x: sympify("log")(x) / sympify("log(2)"),
    "log10": lambda x: sympify("log")(x) / sympify("log(10)"),
    "hypot": lambda x, y: (x**2 + y**2) ** 0.5,
    "logaddexp": lambda x, y: sympify("log")(exp(x) + exp(y)),
}
RULES = (*parsing.standard_transformations, parsing.convert_xor, parsing.implicit_multiplication)


def smallest_instance(name):
    """A problem with one output and a few inputs."""
    problem = problems.get(name)
    return problem.at(next(A for A in (*range(4, 100), 1, 2, 3) if problem.fits(A, 1)))


def with_bars_read(text):
    """Absolute values as calls: a bar opens at the start, and behind a sign or a space."""
    read = ""
    for letter in text:
        read += letter if letter != "|" else "Abs(" if not read or read[-1] in " (+-/^·" else ")"
    return read


def evaluated(text, values):
    """A formula at numbers by name; ``x[0]`` and ``dJ/dt`` are names as well."""
    scope = dict(FUNCTIONS)
    text = with_bars_read(text).replace("·", "*")
    numbers = {}
    for name in sorted(values, key=len, reverse=True):
        symbol = Symbol(f"__{len(numbers)}__", real=True)
        text = re.sub(rf"(?<![A-Za-z_]){re.escape(name)}(?![\w\[(])", f" {symbol} ", text)
        scope[symbol.name], numbers[symbol] = symbol, float(values[name])
    expression = parsing.parse_expr(text, local_dict=scope, transformations=RULES)
    return float(expression.subs(numbers))


@pytest.fixture
def smallest():
    return smallest_instance


@pytest.fixture(scope="session")
def read():
    return evaluated


@pytest.fixture(params=problems.names())
def instance(request):
    return smallest_instance(request.param)


@pytest.fixture(params=NAMES)
def worked(request):
    """A worked example, and the names of its inputs."""
    return smallest_instance(request.param), NAMES[request.param]
