"""Operands of every row of the table, and what the elementwise rows are in 30 digits."""

from __future__ import annotations

from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
import pytest

from diffkit.ops import Span, Static
from diffkit.primitives.contracting import Spec


class Case(NamedTuple):
    """Operands and parameters of a row, and its function in mpmath if it is applied entry by entry."""

    operands: tuple[Any, ...]
    params: dict[str, Any]
    exact: Any = None


def _entry(exact, *operands):
    return Case(tuple(np.array(operand) for operand in operands), {}, exact)


SIGNED, POSITIVE, UNIT, LARGE = [-1.7, 0.4, 2.3], [0.3, 0.7, 1.9], [-0.8, 0.2, 0.6], [1.2, 2.5, 7.0]

ENTRYWISE = {
    "add": _entry(lambda x, y: x + y, SIGNED, UNIT),
    "subtract": _entry(lambda x, y: x - y, SIGNED, UNIT),
    "multiply": _entry(lambda x, y: x * y, SIGNED, UNIT),
    "divide": _entry(lambda x, y: x / y, SIGNED, UNIT),
    "power": _entry(mp.power, POSITIVE, SIGNED),
    "negative": _entry(lambda x: -x, SIGNED),
    "square": _entry(lambda x: x * x, SIGNED),
    "reciprocal": _entry(lambda x: 1 / x, SIGNED),
    "sqrt": _entry(mp.sqrt, POSITIVE),
    "cbrt": _entry(lambda x: mp.sign(x) * mp.cbrt(abs(x)), SIGNED),
    "remainder": _entry(lambda x, y: x - y * mp.floor(x / y), SIGNED, [0.5, -0.3, 0.7]),
    "exp": _entry(mp.exp, SIGNED),
    "exp2": _entry(lambda x: mp.power(2, x), SIGNED),
    "expm1": _entry(mp.expm1, [-1.7, 1e-9, 2.3]),
    "log": _entry(mp.log, POSITIVE),
    "log2": _entry(lambda x: mp.log(x, 2), POSITIVE),
    "log10": _entry(mp.log10, POSITIVE),
    "log1p": _entry(lambda x: mp.log(1 + x), [-0.9, 1e-9, 2.3]),
    "logaddexp": _entry(lambda x, y: mp.log(mp.exp(x) + mp.exp(y)), SIGNED, LARGE),
    "sin": _entry(mp.sin, SIGNED),
    "cos": _entry(mp.cos, SIGNED),
    "tan": _entry(mp.tan, SIGNED),
    "arcsin": _entry(mp.asin, UNIT),
    "arccos": _entry(mp.acos, UNIT),
    "arctan": _entry(mp.atan, SIGNED),
    "arctan2": _entry(mp.atan2, SIGNED, UNIT),
    "sinh": _entry(mp.sinh, SIGNED),
    "cosh": _entry(mp.cosh, SIGNED),
    "tanh": _entry(mp.tanh, SIGNED),
    "arcsinh": _entry(mp.asinh, SIGNED),
    "arccosh": _entry(mp.acosh, LARGE),
    "arctanh": _entry(mp.atanh, UNIT),
    "hypot": _entry(lambda x, y: mp.sqrt(x * x + y * y), SIGNED, UNIT),
    "absolute": _entry(abs, SIGNED),
    "maximum": _entry(lambda x, y: max(y, x), SIGNED, [-1.0, 1.0, 1.0]),
    "minimum": _entry(lambda x, y: min(y, x), SIGNED, [-1.0, 1.0, 1.0]),
    "expit": _entry(lambda x: 1 / (1 + mp.exp(-x)), SIGNED),
    "erf": _entry(mp.erf, SIGNED),
    "erfc": _entry(mp.erfc, SIGNED),
    "gammaln": _entry(lambda x: mp.log(abs(mp.gamma(x))), [-1.7, 0.4, 5.3]),
    "psi": _entry(mp.digamma, [0.2, 0.4, 5.3]),
    "zeta": _entry(mp.zeta, LARGE, POSITIVE),
}

_RANDOM = np.random.default_rng(7)


def _array(*shape):
    """Entries that are all different, none near a kink."""
    return _RANDOM.permutation(np.linspace(-1.5, 1.6, int(np.prod(shape)))).reshape(shape)


_MATRICES = _array(2, 3, 3) + 3 * np.eye(3)
_POSITIVE = np.einsum("bij,bkj->bik", _MATRICES, _MATRICES)
_X, _ORDER = _array(2, 3, 4), np.argsort(_array(2, 5, 4), axis=1) % 3

OTHER = {
    "sum": Case((_X,), {"axis": (-3, -1)}),
    "cumsum": Case((_X,), {"axis": -2}),
    "max": Case((_X,), {"axis": (-2,)}),
    "min": Case((_X,), {"axis": (-3, -1)}),
    "reshape": Case((_X,), {"shape": (4, 6)}),
    "transpose": Case((_X,), {"axes": (-1, -3, -2)}),
    "broadcast": Case((_array(3, 1),), {"shape": (2, 3, 4)}),
    "index": Case((_X,), {"place": (1, Span(2, None, -1, 3), Span(1, 3, 1, 2))}),
    "gather": Case((_X,), {"place": Static(np.array([[3, 3], [0, 23], [7, 3]])), "shape": (2, 3, 4)}),
    "convert": Case((_X,), {"dtype": np.dtype(np.float32)}),
    "scatter": Case(
        (_array(3, 4), _array(5), _array()),
        {
            "shape": (2, 3, 4),
            "places": ((1, Span(0, 3, 1, 3), Span(0, 4, 1, 4)), Static(np.array([2, 2, 3, 23, 0])), (0, 1, 1)),
        },
    ),
    "where": Case((_array(3, 4) > 0, _array(2, 1, 4), _array(3, 1)), {}),
    "take_along": Case((_X, _ORDER), {"axis": -2}),
    "put_along": Case((_array(2, 5, 4), _ORDER), {"axis": -2, "length": 3}),
    "contract": Case((_array(2, 3, 4), _array(4, 2, 5)), {"spec": Spec("bij", "jbk", "kbi")}),
    "inv": Case((_MATRICES,), {}),
    "solve": Case((_MATRICES, _array(2, 3, 4)), {}),
    "det": Case((_MATRICES,), {}),
    "cofactor": Case((_MATRICES,), {}),
    "cofactor_slope": Case((_MATRICES, _array(2, 3, 3)), {}),
    "logabsdet": Case((_MATRICES,), {}),
    "cholesky": Case((_POSITIVE,), {}),
}

CONSTANT = {
    **{
        name: Case((np.array([-1.7, 0.4, 2.6]),), {})
        for name in ("sign", "floor", "ceil", "trunc", "rint", "stop", "isnan", "isinf", "isfinite", "signbit")
    },
    **{
        name: Case((np.array([-1.7, 0.4, 2.3]), np.array([0.5, -0.3, 0.7])), {})
        for name in (
            "floor_divide",
            "heaviside",
            "greater",
            "greater_equal",
            "less",
            "less_equal",
            "equal",
            "not_equal",
        )
    },
    **{
        name: Case((np.array([True, True, False]), np.array([True, False, False])), {})
        for name in ("logical_and", "logical_or", "logical_xor")
    },
    "logical_not": Case((np.array([True, False]),), {}),
    "argsort": Case((_X,), {"axis": -2}),
    "argmax": Case((_X,), {"axis": -2}),
    "argmin": Case((_X,), {"axis": -2}),
    "all": Case((_X > -1,), {"axis": (-2,)}),
    "any": Case((_X > 1,), {"axis": (-3, -1)}),
    "detsign": Case((_MATRICES,), {}),
}

CASES = {**ENTRYWISE, **OTHER, **CONSTANT}


@pytest.fixture
def cases():
    """Row name -> its `Case`."""
    return CASES
