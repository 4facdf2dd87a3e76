"""What a graph is on complex numbers: the analytic continuation of each op, or none.

A complex step ``Im f(x + i h) / h`` (Squire and Trapp 1998) is exact only where f is continued analytically. NumPy's
``abs``, comparisons and factorisations are not; here each op states what it continues to. Decisions (comparisons,
signs, orders) are taken on real parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit import primitives as p
from diffkit.engines.base import holds
from diffkit.errors import UnsupportedError
from diffkit.graph import Graph
from diffkit.ops import Op
from diffkit.primitives.functions import special


def _absolute(x: Any) -> Any:
    """At the kink, the mean of both sides: 0."""
    return x * np.sign(np.real(x))


def _sides(x: Any) -> Any:
    """1 or -1, by the side of zero on which x lies."""
    return np.where(np.real(x) < 0, -1.0, 1.0)


def _cbrt(x: Any) -> Any:
    return _sides(x) * (_sides(x) * x) ** (1 / 3)


def _power(x: Any, y: Any) -> Any:
    """A negative base keeps its real power: exp(y log x) would leave a rounding error in the imaginary part."""
    return _sides(x) ** np.real(y) * (_sides(x) * x) ** y


def _maximum(x: Any, y: Any) -> Any:
    """At a tie, the mean of both."""
    gap = np.real(x) - np.real(y)
    return np.where(gap == 0, 0.5 * x + 0.5 * y, np.where(gap > 0, x, y))


def _max(x: Any, axis: tuple[int, ...]) -> Any:
    """The mean of all entries that attain it."""
    hit = np.real(x) == np.max(np.real(x), axis=axis, keepdims=True)
    return np.sum(np.where(hit, x, 0), axis=axis) / np.sum(hit, axis=axis)


def _expit(x: Any) -> Any:
    small = np.exp(-_sides(x) * x)
    return np.where(np.real(x) < 0, small, 1.0) / (1 + small)


def _arctan2(y: Any, x: Any) -> Any:
    """Arctan of the smaller ratio, shifted to the branch of the real parts."""
    y, x = y + 0j, x + 0j
    flat = np.abs(x.real) >= np.abs(y.real)
    ratio = np.where(flat, y, -x) / np.where(flat, x, y)
    turn = np.arctan(ratio)
    return turn + (np.arctan2(y.real, x.real) - turn.real)


def _logaddexp(x: Any, y: Any) -> Any:
    top = np.maximum(np.real(x), np.real(y))
    top = np.where(np.isfinite(top), top, 0.0)
    return top + np.log(np.exp(x - top) + np.exp(y - top))


def _log_abs_det(x: Any) -> Any:
    return p.logabsdet.evaluate(x.real) + np.log(np.linalg.det(np.linalg.solve(x.real, x)))


def _cholesky(x: Any) -> Any:
    """Cholesky-Banachiewicz without conjugation."""
    factor = np.zeros_like(x)
    for j in range(x.shape[-1]):
        row = factor[..., j, :j]
        factor[..., j, j] = np.sqrt(x[..., j, j] - np.sum(row * row, axis=-1))
        rest = x[..., j + 1 :, j] - np.sum(factor[..., j + 1 :, :j] * row[..., None, :], axis=-1)
        factor[..., j + 1 :, j] = rest / factor[..., j, j, None]
    return factor


def _gammaln(x: Any) -> Any:
    """Of negative numbers by the reflection formula; SciPy's continuation turns around the poles there."""
    flip = np.real(x) < 0
    right = special("loggamma")(np.where(flip, 1 - x, x))
    return np.where(flip, np.log(np.pi) - np.log(_absolute(np.sin(np.pi * np.where(flip, x, 0.5)))) - right, right)


def _convert(x: Any, dtype: Any) -> Any:
    return x if np.iscomplexobj(x) else np.asarray(x).astype(dtype)


CONTINUATIONS: dict[Op, Callable[..., Any]] = {
    p.absolute: _absolute,
    p.cbrt: _cbrt,
    p.power: _power,
    p.maximum: _maximum,
    p.minimum: lambda x, y: -_maximum(-x, -y),
    p.max_: _max,
    p.min_: lambda x, axis: -_max(-x, axis),
    p.hypot: lambda x, y: np.sqrt(x * x + y * y),
    p.arctan2: _arctan2,
    p.logaddexp: _logaddexp,
    p.expit: _expit,
    p.gammaln: _gammaln,
    p.mod: lambda x, y: x - np.floor(np.real(x) / np.real(y)) * y,
    p.logabsdet: _log_abs_det,
    p.cholesky: _cholesky,
    p.convert: _convert,
}
"""Ops whose NumPy function is not analytic -> what continues it."""

NONE = frozenset({p.zeta, p.cofactor})
"""Ops without a continuation here."""


def evaluate(graph: Graph, arguments: Sequence[Any]) -> list[Any] | None:
    """Run a graph on complex numbers; None where a guard does not hold (on real parts)."""
    given = dict(zip(graph.inputs, arguments, strict=True))
    expected = {guard.position: guard.expected for guard in graph.guards}
    values: list[Any] = []
    for position, step in enumerate(graph.steps):
        value = given.get(position)
        if value is None:
            value = _apply(step.op, [values[operand] for operand in step.operands], step.params)
        values.append(value)
        if position in expected and not holds(np.real(value), expected[position]):
            return None
    return [values[position] for position in graph.outputs]


def _apply(op: Op, operands: list[Any], params: dict[str, Any]) -> Any:
    if op in NONE:
        raise UnsupportedError(
            f"{op.name} has no analytic continuation here; use scheme='central', or method='forward' or 'reverse'"
        )
    if op.family == "constant":
        operands = [np.real(operand) for operand in operands]
    return CONTINUATIONS.get(op, op.evaluate)(*operands, **params)
