"""The rules of matrix functions: inverse, linear systems, determinants and Cholesky factors.

Forward rules follow Giles (2008), "An extended collection of matrix derivative results", and Murray (2016),
"Differentiation of the Cholesky decomposition".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.errors import TooLargeError
from diffkit.ops import Array, add_up, align, broadcast_shapes, lead, unbroadcast
from diffkit.primitives.families import Inferred, Params, cubic

__all__ = ["cubic"]

SYMBOLIC_LIMIT = 4  # elimination on symbols swells beyond this order


# ---------------------------------------------------------------- shapes of matrix functions


def infer_matrix(operands: Sequence[Any], _params: Params) -> Inferred:
    return operands[0].shape, np.result_type(operands[0].dtype, np.float32)


def infer_scalars(operands: Sequence[Any], _params: Params) -> Inferred:
    return operands[0].shape[:-2], np.result_type(operands[0].dtype, np.float32)


def infer_solve(operands: Sequence[Any], _params: Params) -> Inferred:
    matrix, right = operands
    batch = np.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    return batch + right.shape[-2:], np.result_type(matrix.dtype, right.dtype, np.float32)


def swap(x: Array) -> Array:
    """Transpose matrices, behind any leading axes."""
    return np.swapaxes(x, -1, -2)


def inner(x: Array, y: Array) -> Array:
    """The sum of the products of the entries of matrices."""
    return np.sum(x * y, axis=(-2, -1))


def as_scalar(x: Array) -> Array:
    """Let one number per matrix multiply it."""
    return np.reshape(x, (*x.shape, 1, 1))


# ---------------------------------------------------------------- inverse and linear systems


def inv_jvp(result: Array, _operands: tuple[Array, ...], tangents: tuple[Array, ...], _params: Params) -> Array:
    return -(result @ tangents[0] @ result)


def inv_vjp(
    cotangent: Array, result: Array, _operands: tuple[Array, ...], _active: tuple[bool, ...], _params: Params
) -> list[Array]:
    return [-(swap(result) @ cotangent @ swap(result))]


def solve_columns(matrix: Array, right: Array) -> Array:
    """Solve for right-hand sides with further leading axes, each matrix factorised once."""
    from diffkit import primitives

    extra = len(right.shape) - len(matrix.shape)
    if extra <= 0:
        return primitives.solve(matrix, right)
    axes = tuple(range(-len(right.shape), 0))
    front, batch, rows, column = axes[:extra], axes[extra:-2], axes[-2], axes[-1]
    order = (*batch, rows, *front, column)
    moved = np.transpose(right, order)
    lengths, system = moved.shape[: len(batch)], moved.shape[len(batch) :]
    folded = np.reshape(moved, (*lengths, system[0], math.prod(system[1:])))
    whole = broadcast_shapes(matrix.shape[:-2], lengths) + system
    solved = np.reshape(primitives.solve(matrix, folded), whole)
    inverse = tuple(order.index(axis) - len(order) for axis in axes)
    return np.transpose(solved, inverse)


def solve_jvp(result: Array, operands: tuple[Array, ...], tangents: tuple[Array | None, ...], _params: Params) -> Array:
    matrix, right = (
        None if tangent is None else align(tangent, operand, result)
        for tangent, operand in zip(tangents, operands, strict=True)
    )
    return solve_columns(operands[0], add_up([None if matrix is None else -(matrix @ result), right]))


def solve_vjp(
    cotangent: Array, result: Array, operands: tuple[Array, ...], active: tuple[bool, ...], _params: Params
) -> list[Array | None]:
    front = lead(cotangent, result)
    pulled = solve_columns(swap(operands[0]), cotangent)
    return [
        unbroadcast(-(pulled @ swap(result)), operands[0], front) if active[0] else None,
        unbroadcast(pulled, operands[1], front) if active[1] else None,
    ]


# ---------------------------------------------------------------- determinants


def other_products(s: Array) -> Array:
    """For each entry of the last axis, the product of all others: right with zeros among them."""
    ones = np.ones_like(s[..., :1])
    before = np.cumprod(np.concatenate([ones, s[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, np.flip(s[..., 1:], axis=-1)], axis=-1), axis=-1)
    return before * np.flip(after, axis=-1)


def cofactors(x: Array) -> Array:
    """The matrix of cofactors, the derivative of the determinant, at singular matrices too (by SVD)."""
    u, s, vt = np.linalg.svd(x)
    sign = np.linalg.det(u) * np.linalg.det(vt)
    return as_scalar(sign) * ((u * other_products(s)[..., None, :]) @ vt)


def cofactor_slopes(x: Array, along: Array) -> Array:
    """The derivative of the cofactors along a matrix: linear and self-adjoint in it, right at singular matrices too.

    For ``x = diag(s)``, entry (i, j) off the diagonal is ``-m_ji`` times the product of all s but two, and entry
    (i, i) the sum of ``m_jj`` times such products; the SVD turns any x into that.
    """
    u, s, vt = np.linalg.svd(x)
    sign = np.linalg.det(u) * np.linalg.det(vt)
    same = np.eye(s.shape[-1], dtype=s.dtype)
    pairs = other_products(np.where(same, 1, s[..., None, :])) * (1 - same)
    turned = swap(u) @ along @ swap(vt)
    diagonal = pairs @ np.diagonal(turned, axis1=-2, axis2=-1)[..., None]
    return as_scalar(sign) * (u @ (diagonal * same - pairs * swap(turned)) @ vt)


def det_jvp(_result: Array, operands: tuple[Array, ...], tangents: tuple[Array, ...], _params: Params) -> Array:
    from diffkit import primitives

    return inner(primitives.cofactor(operands[0]), tangents[0])


def det_vjp(
    cotangent: Array, _result: Array, operands: tuple[Array, ...], _active: tuple[bool, ...], _params: Params
) -> list[Array]:
    from diffkit import primitives

    return [as_scalar(cotangent) * primitives.cofactor(operands[0])]


def cofactor_jvp(_result: Array, operands: tuple[Array, ...], tangents: tuple[Array, ...], _params: Params) -> Array:
    from diffkit import primitives

    return primitives.cofactor_slope(operands[0], tangents[0])


def cofactor_vjp(
    cotangent: Array, _result: Array, operands: tuple[Array, ...], _active: tuple[bool, ...], _params: Params
) -> list[Array]:
    from diffkit import primitives

    return [primitives.cofactor_slope(operands[0], cotangent)]


def infer_slope(operands: Sequence[Any], _params: Params) -> Inferred:
    return operands[1].shape, np.result_type(operands[0].dtype, operands[1].dtype, np.float32)


def determinant_third(x: Array, one: Array, other: Array) -> Array:
    """The third derivative of the determinant along two matrices, where x has an inverse."""
    inverse = np.linalg.inv(x)
    a, b = inverse @ one, inverse @ other
    trace_a, trace_b, trace_ab = (as_scalar(np.trace(m, axis1=-2, axis2=-1)) for m in (a, b, a @ b))
    same = np.eye(x.shape[-1], dtype=x.dtype)
    inside = (trace_a * trace_b - trace_ab) * same - trace_a * b - trace_b * a + a @ b + b @ a
    return as_scalar(np.linalg.det(x)) * swap(inside @ inverse)


def slope_jvp(result: Array, operands: tuple[Array, ...], tangents: tuple[Array | None, ...], _params: Params) -> Array:
    from diffkit import primitives

    x, along = operands
    moved = None if tangents[0] is None else determinant_third(x, along, align(tangents[0], x, result))
    turned = None if tangents[1] is None else primitives.cofactor_slope(x, tangents[1])
    return add_up([moved, turned])


def slope_vjp(
    cotangent: Array, result: Array, operands: tuple[Array, ...], active: tuple[bool, ...], _params: Params
) -> list[Array | None]:
    from diffkit import primitives

    (x, along), front = operands, lead(cotangent, result)
    return [
        unbroadcast(determinant_third(x, along, cotangent), x, front) if active[0] else None,
        primitives.cofactor_slope(x, cotangent) if active[1] else None,
    ]


def log_abs_det(x: Array) -> Array:
    return np.linalg.slogdet(x)[1]


def det_sign(x: Array) -> Array:
    return np.linalg.slogdet(x)[0]


def logabsdet_jvp(_result: Array, operands: tuple[Array, ...], tangents: tuple[Array, ...], _params: Params) -> Array:
    return inner(swap(np.linalg.inv(operands[0])), tangents[0])


def logabsdet_vjp(
    cotangent: Array, _result: Array, operands: tuple[Array, ...], _active: tuple[bool, ...], _params: Params
) -> list[Array]:
    return [as_scalar(cotangent) * swap(np.linalg.inv(operands[0]))]


# ---------------------------------------------------------------- Cholesky: NumPy reads the lower triangle only


def half_lower(x: Array) -> Array:
    """The lower triangle with half of the diagonal."""
    n = x.shape[-1]
    return x * (np.tril(np.ones((n, n)), -1) + 0.5 * np.eye(n))


def cholesky_jvp(result: Array, _operands: tuple[Array, ...], tangents: tuple[Array, ...], _params: Params) -> Array:
    lower = np.tril(tangents[0], -1)
    symmetric = np.tril(tangents[0]) + swap(lower)
    inner_part = solve_columns(result, swap(solve_columns(result, symmetric)))
    return result @ half_lower(swap(inner_part))


def cholesky_vjp(
    cotangent: Array, result: Array, _operands: tuple[Array, ...], _active: tuple[bool, ...], _params: Params
) -> list[Array]:
    across = swap(result)
    inner_part = half_lower(across @ np.tril(cotangent))
    outer = solve_columns(across, swap(solve_columns(across, swap(inner_part))))
    symmetric = outer + swap(outer)
    return [half_lower(symmetric)]


# ---------------------------------------------------------------- SymPy: elimination on small matrices


def each_matrix(function: Callable[..., Any]) -> Callable[..., Any]:
    """Apply a function of SymPy matrices to every matrix of a stack, up to the stated order."""

    def symbolic(sympy: Any, *operands: Any, **_params: Any) -> Any:
        order = operands[0].shape[-1]
        if order > SYMBOLIC_LIMIT:
            raise TooLargeError(
                f"symbolic elimination of a {order} x {order} matrix swells beyond use (the limit is "
                f"{SYMBOLIC_LIMIT} x {SYMBOLIC_LIMIT}); use method='reverse' or 'forward'"
            )
        batch = np.broadcast_shapes(*[operand.shape[:-2] for operand in operands])
        stacks = [np.broadcast_to(operand, batch + operand.shape[-2:]) for operand in operands]
        made = [
            np.array(function(sympy, *[sympy.Matrix(stack[where]) for stack in stacks]), dtype=object)
            for where in np.ndindex(*batch)
        ]
        return np.stack(made).reshape(batch + made[0].shape)

    return symbolic


def by_matrix(name: str) -> Callable[..., Any]:
    """Meaning by the SymPy matrix method of that name."""
    options = {"inv": {"method": "ADJ"}, "det": {"method": "berkowitz"}}[name]
    return each_matrix(lambda _sympy, matrix: getattr(matrix, name)(**options))


solve_symbolic = each_matrix(lambda _sympy, matrix, right: matrix.inv(method="ADJ") * right)
cofactor_symbolic = each_matrix(lambda _sympy, matrix: matrix.cofactor_matrix())
slope_symbolic = each_matrix(lambda sympy, matrix, along: _slope(sympy.Dummy(), matrix, along))
logabsdet_symbolic = each_matrix(lambda sympy, matrix: sympy.log(sympy.Abs(matrix.det(method="berkowitz"))))
detsign_symbolic = each_matrix(lambda sympy, matrix: sympy.sign(matrix.det(method="berkowitz")))


def _slope(step: Any, matrix: Any, along: Any) -> Any:
    return (matrix + step * along).cofactor_matrix().diff(step).subs(step, 0)


def _lower_factor(sympy: Any, matrix: Any) -> Any:
    """Cholesky-Banachiewicz on the lower triangle."""
    n = matrix.shape[0]
    factor = sympy.zeros(n, n)
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j] - sum(factor[i, k] * factor[j, k] for k in range(j))
            factor[i, j] = sympy.sqrt(rest) if i == j else rest / factor[j, j]
    return factor


cholesky_symbolic = each_matrix(_lower_factor)
