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


def _absolute(x: Any) -> Any:
    return np.where(x.real < 0, -x, x)


def _cbrt(x: Any) -> Any:
    sign = np.where(x.real < 0, -1.0, 1.0)
    return sign * (sign * x) ** (1 / 3)


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
    import scipy.special

    return scipy.special.loggamma(x)


CONTINUATIONS: dict[Op, Callable[..., Any]] = {
    p.absolute: _absolute,
    p.cbrt: _cbrt,
    p.hypot: lambda x, y: np.sqrt(x * x + y * y),
    p.arctan2: _arctan2,
    p.logaddexp: _logaddexp,
    p.expit: lambda x: 1 / (1 + np.exp(-x)),
    p.gammaln: _gammaln,
    p.mod: lambda x, y: x - np.floor(np.real(x) / np.real(y)) * y,
    p.logabsdet: _log_abs_det,
    p.cholesky: _cholesky,
    p.convert: lambda x, dtype: x,
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
