"""The table: every op that diffkit knows, one row each.

Read a row as a line of a table of derivatives. ``z`` is the result, ``x`` and ``y`` the operands; a partial may
use the result, since it has been computed anyway. What a user writes in NumPy is lowered to these rows and no
others (`diffkit.tracing.lowering`). None for SymPy means a function of the row's own name and derivative, where SymPy
has none that keeps the digits (`diffkit.expressions.kept`). Singular points stand at the end of their row, and in
docs/limitations.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit.ops import Array, Cost, Op, size
from diffkit.primitives import contracting as _ct
from diffkit.primitives import functions as _fn
from diffkit.primitives import linear_algebra as _la
from diffkit.primitives import moving as _mv
from diffkit.primitives import selecting as _sl
from diffkit.primitives import summing as _sm
from diffkit.primitives.families import constant, elementwise, infer_reduction, own, reduction, structural
from diffkit.primitives.meanings import conditions


def _tie(z: Array, x: Array, y: Array) -> Array:
    """1 where x wins, 1/2 where both are equal, 0 where y wins (what a central difference gives), in z's dtype."""
    return np.where(x == y, z.dtype.type(0.5), x > y)


def _power_base(z: Array, x: Array, y: Array) -> Array:
    """``y x^(y-1)``; at y = 0 in a form that has no power of x = 0 and still depends on y."""
    flat = y == 0
    return np.where(flat, y / np.where(x == 0, 1.0, x), y * x ** np.where(flat, 1.0, y - 1))


def _power_exponent(z: Array, x: Array, y: Array) -> Array:
    return z * np.log(np.where(x == 0, 1.0, x))


def _shared_extremum(z: Array, x: Array, axis: tuple[int, ...]) -> Array:
    """The extremum's cotangent goes to the entries that attain it, in equal parts."""
    hit = (x == z).astype(z.dtype)
    return hit / np.sum(hit, axis=axis, keepdims=True)


def _log(sympy: Any, x: Any, base: int) -> Any:
    return sympy.log(x) / sympy.log(base)


_FUNCTION: dict[str, Any] = {"kind": "transcendental"}
_TWO_OVER_ROOT_PI, _LN2, _LN10 = 2 / math.sqrt(math.pi), math.log(2), math.log(10)

# fmt: off
# ------------ arithmetic    NumPy          SymPy            partial derivatives, given result and operands
add         = elementwise(np.add,         "Add",                 lambda z, x, y: 1,         lambda z, x, y: 1)
subtract    = elementwise(np.subtract,    lambda s, x, y: x - y, lambda z, x, y: 1,         lambda z, x, y: -1)
multiply    = elementwise(np.multiply,    "Mul",                 lambda z, x, y: y,         lambda z, x, y: x)
divide      = elementwise(np.divide,      lambda s, x, y: x / y, lambda z, x, y: 1 / y,     lambda z, x, y: -z / y)  # y = 0
power       = elementwise(np.power,       "Pow",                 _power_base, _power_exponent, **_FUNCTION)  # x = 0 and y < 1
negative    = elementwise(np.negative,    lambda s, x: -x,       lambda z, x: -1)
square      = elementwise(np.square,      lambda s, x: x**2,     lambda z, x: 2 * x)
reciprocal  = elementwise(np.reciprocal,  lambda s, x: 1 / x,    lambda z, x: -(z * z))       # x = 0
sqrt        = elementwise(np.sqrt,        "sqrt",                lambda z, x: 0.5 / z)        # infinite at x = 0
cbrt        = elementwise(np.cbrt,        None,                  lambda z, x: 1 / (3 * z * z), **_FUNCTION)  # infinite at x = 0
mod         = elementwise(np.remainder,   None,                  lambda z, x, y: 1,         lambda z, x, y: -np.floor_divide(x, y))  # jumps
# ------------ exponentials and logarithms
exp         = elementwise(np.exp,         "exp",                 lambda z, x: z,            **_FUNCTION)
exp2        = elementwise(np.exp2,        lambda s, x: 2**x,     lambda z, x: z * _LN2,     **_FUNCTION)
expm1       = elementwise(np.expm1,       None,                  lambda z, x: np.exp(x),    **_FUNCTION)  # z + 1 has no digits left where z is near -1
log         = elementwise(np.log,         "log",                 lambda z, x: 1 / x,        **_FUNCTION)  # x = 0
log2        = elementwise(np.log2,        lambda s, x: _log(s, x, 2),  lambda z, x: 1 / (x * _LN2),  **_FUNCTION)  # x = 0
log10       = elementwise(np.log10,       lambda s, x: _log(s, x, 10), lambda z, x: 1 / (x * _LN10), **_FUNCTION)  # x = 0
log1p       = elementwise(np.log1p,       None,                  lambda z, x: 1 / (1 + x),  **_FUNCTION)  # x = -1
logaddexp   = elementwise(np.logaddexp,   None,                  lambda z, x, y: expit(x - y), lambda z, x, y: expit(y - x), **_FUNCTION)
# ------------ trigonometric and hyperbolic
sin         = elementwise(np.sin,         "sin",    lambda z, x: np.cos(x),                 **_FUNCTION)
cos         = elementwise(np.cos,         "cos",    lambda z, x: -np.sin(x),                **_FUNCTION)
tan         = elementwise(np.tan,         "tan",    lambda z, x: 1 + z * z,                 **_FUNCTION)  # poles
arcsin      = elementwise(np.arcsin,      "asin",   lambda z, x: 1 / np.sqrt((1 - x) * (1 + x)),  **_FUNCTION)  # |x| = 1
arccos      = elementwise(np.arccos,      "acos",   lambda z, x: -1 / np.sqrt((1 - x) * (1 + x)), **_FUNCTION)  # |x| = 1
arctan      = elementwise(np.arctan,      "atan",   lambda z, x: 1 / (1 + x * x),           **_FUNCTION)
arctan2     = elementwise(np.arctan2,     "atan2",  lambda z, x, y: y / (x * x + y * y),
                                                    lambda z, x, y: -(x / (x * x + y * y)),   **_FUNCTION)  # (0, 0)
sinh        = elementwise(np.sinh,        "sinh",   lambda z, x: np.cosh(x),                **_FUNCTION)
cosh        = elementwise(np.cosh,        "cosh",   lambda z, x: np.sinh(x),                **_FUNCTION)
tanh        = elementwise(np.tanh,        "tanh",   lambda z, x: 1 - z * z,                 **_FUNCTION)
arcsinh     = elementwise(np.arcsinh,     None,     lambda z, x: 1 / np.hypot(x, 1.0),      **_FUNCTION)
arccosh     = elementwise(np.arccosh,     "acosh",  lambda z, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)), **_FUNCTION)  # x = 1
arctanh     = elementwise(np.arctanh,     "atanh",  lambda z, x: 1 / ((1 - x) * (1 + x)),   **_FUNCTION)  # |x| = 1
hypot       = elementwise(np.hypot,       None,     lambda z, x, y: x / z, lambda z, x, y: y / z)         # (0, 0)
# ------------ with kinks: at a tie, the mean of both sides
absolute    = elementwise(np.absolute,    "Abs",    lambda z, x: np.sign(x))                              # kink at 0: 0
maximum     = elementwise(np.maximum,     "Max",    _tie, lambda z, x, y: _tie(z, y, x))  # kink at x = y
minimum     = elementwise(np.minimum,     "Min",    lambda z, x, y: _tie(z, y, x), _tie)  # kink at x = y
# ------------ scipy.special (when scipy is installed)
expit: Op   = elementwise(_fn.Logistic(), None,                  lambda z, x: z * expit(-x), **_FUNCTION)  # 1 - z has no digits left where z is near 1
erf         = elementwise(_fn.of_scipy("erf"),  "erf",    lambda z, x: _TWO_OVER_ROOT_PI * np.exp(-x * x),      **_FUNCTION)
erfc        = elementwise(_fn.of_scipy("erfc"), "erfc",   lambda z, x: -_TWO_OVER_ROOT_PI * np.exp(-x * x),     **_FUNCTION)
gammaln     = elementwise(_fn.of_scipy("gammaln"), "loggamma", lambda z, x: psi(x),                             **_FUNCTION)  # poles
psi: Op     = elementwise(_fn.of_scipy("psi"),  "digamma", lambda z, x: zeta(2.0, x),                           **_FUNCTION)  # poles
zeta: Op    = elementwise(_fn.of_scipy("zeta"), "zeta",   lambda z, s, x: z * np.nan, lambda z, s, x: -s * zeta(s + 1, x), **_FUNCTION)
# ------------ derivative zero wherever there is one
sign          = constant(np.sign,          "sign")
floor         = constant(np.floor,         "floor")
ceil          = constant(np.ceil,          "ceiling")
trunc         = constant(np.trunc,         lambda s, x: s.sign(x) * s.floor(s.Abs(x)))
rint          = constant(np.rint)
floor_divide  = constant(np.floor_divide)
heaviside     = constant(np.heaviside,     "Heaviside")
stop          = constant(_fn.Stop(),       lambda s, x: s.Function("constant")(x), touches="none")  # dk.constant
greater       = constant(np.greater,       "Gt")
greater_equal = constant(np.greater_equal, "Ge")
less          = constant(np.less,          "Lt")
less_equal    = constant(np.less_equal,    "Le")
equal         = constant(np.equal,         "Eq")
not_equal     = constant(np.not_equal,     "Ne")
logical_and   = constant(np.logical_and,   "And", conditions)
logical_or    = constant(np.logical_or,    "Or", conditions)
logical_xor   = constant(np.logical_xor,   "Xor", conditions)
logical_not   = constant(np.logical_not,   "Not", conditions)
isnan         = constant(np.isnan,         lambda s, x: s.false)
isinf         = constant(np.isinf,         lambda s, x: s.false)
isfinite      = constant(np.isfinite,      lambda s, x: s.true)
signbit       = constant(np.signbit,       lambda s, x: s.Lt(x, 0))
# ------------ reductions over ``axis``, a tuple of negative numbers
sum_        = structural("sum",    _sm.total,  infer_reduction(), _sm.sum_forward, _sm.sum_backward, numpy=np.sum, symbolic=_sm.sum_symbolic,
                         cost=lambda result, operands, params: Cost("arithmetic", max(size(operands[0]) - size(result), 0)))
cumsum      = structural("cumsum", np.cumsum,  _sm.same_shape,    _sm.cumsum_forward, _sm.cumsum_backward, numpy=np.cumsum,
                         cost=lambda result, operands, params: Cost("arithmetic", size(result)))
max_        = reduction(np.max, _sm.over_axes("Max"), _shared_extremum)  # ties share
min_        = reduction(np.min, _sm.over_axes("Min"), _shared_extremum)  # ties share
# ------------ where entries go
reshape     = structural("reshape",   _mv.reshaped,     _mv.infer_shape,     _mv.reshape_forward,   _mv.reshape_backward,   numpy=np.reshape, touches="none")
transpose   = structural("transpose", np.transpose,     _mv.infer_transpose, _mv.transpose_forward, _mv.transpose_backward, numpy=np.transpose, touches="none")
broadcast   = structural("broadcast", np.broadcast_to,  _mv.infer_shape,     _mv.broadcast_forward, _mv.broadcast_backward, numpy=np.broadcast_to)
index       = structural("index",     _mv.read,         _mv.infer_index,     _mv.index_forward,     _mv.index_backward, touches="none")
gather      = structural("gather",    _mv.read,         _mv.infer_gather,    _mv.index_forward,     _mv.gather_backward, touches="part")
convert     = structural("convert",   _mv.converted,    _mv.infer_convert,   _mv.convert_forward,   _mv.convert_backward, symbolic=_mv.convert_symbolic)
scatter     = Op("scatter", "structural", _mv.scattered, _mv.infer_scatter, _mv.scatter_jvp, _mv.scatter_vjp,
                 _mv.scatter_symbolic, _mv.scatter_cost, linear=True)
where       = own("where", _sl.selected, _sl.infer_where, _sl.where_jvp, _sl.where_vjp, _sl.where_symbolic, _sl.where_cost, numpy=np.where, family="select")
take_along  = own("take_along", np.take_along_axis, _sl.infer_take_along, _sl.take_along_jvp, _sl.take_along_vjp, None, _sl.where_cost, linear=True)
put_along   = own("put_along", _sl.put_along_axis, _sl.infer_put_along, _sl.put_along_jvp, _sl.put_along_vjp, None, _sl.where_cost, linear=True)
argsort     = Op("argsort", "constant", _sl.stable_argsort, _sl.infer_positions, cost=_sl.where_cost, numpy=np.argsort)
argmax      = Op("argmax", "constant", np.argmax, _sl.infer_argument, cost=_sl.where_cost, numpy=np.argmax)
argmin      = Op("argmin", "constant", np.argmin, _sl.infer_argument, cost=_sl.where_cost, numpy=np.argmin)
all_        = Op("all", "constant", np.all, infer_reduction(bool), symbolic=_sm.over_axes("And", conditions), numpy=np.all)
any_        = Op("any", "constant", np.any, infer_reduction(bool), symbolic=_sm.over_axes("Or", conditions), numpy=np.any)
# ------------ products and matrices
contract    = own("contract",  _ct.contracted, _ct.infer_contract, _ct.contract_jvp, _ct.contract_vjp, _ct.contract_symbolic, _ct.contract_cost, family="contraction")
inv         = own("inv",       np.linalg.inv,  _la.infer_matrix,   _la.inv_jvp,      _la.inv_vjp,      _la.by_matrix("inv"),  _la.cubic(2), numpy=np.linalg.inv)         # singular
solve       = own("solve",     np.linalg.solve, _la.infer_solve,   _la.solve_jvp,    _la.solve_vjp,    _la.solve_symbolic,    _la.cubic(2 / 3))                          # singular
det         = own("det",       np.linalg.det,  _la.infer_scalars,  _la.det_jvp,      _la.det_vjp,      _la.by_matrix("det"),  _la.cubic(2 / 3), numpy=np.linalg.det)
cofactor    = own("cofactor",  _la.cofactors,  _la.infer_matrix,   _la.cofactor_jvp, _la.cofactor_vjp, _la.cofactor_symbolic, _la.cubic(20))
cofactor_slope = own("cofactor_slope", _la.cofactor_slopes, _la.infer_slope, _la.slope_jvp, _la.slope_vjp, _la.slope_symbolic, _la.cubic(30))                               # third derivatives: singular
logabsdet   = own("logabsdet", _la.log_abs_det, _la.infer_scalars, _la.logabsdet_jvp, _la.logabsdet_vjp, _la.logabsdet_symbolic, _la.cubic(2 / 3))                       # singular
detsign     = Op("detsign", "constant", _la.det_sign, _la.infer_scalars, symbolic=_la.detsign_symbolic, cost=_la.cubic(2 / 3))
cholesky    = own("cholesky",  np.linalg.cholesky, _la.infer_matrix, _la.cholesky_jvp, _la.cholesky_vjp, _la.cholesky_symbolic, _la.cubic(1 / 3), numpy=np.linalg.cholesky)  # not positive definite
# fmt: on

TABLE: dict[str, Op] = {op.name: op for op in list(globals().values()) if isinstance(op, Op)}
"""Every row by name, in the order of this page."""

BY_NAME: dict[str, Op] = {
    op.name: op for op in TABLE.values() if op.family == "elementwise" or (op.numpy and isinstance(op.numpy, np.ufunc))
}
"""Rows that are a ufunc's meaning, by the ufunc's name."""
