"""numpy.linalg: factorisations and what is built from them."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

from diffkit import primitives as p
from diffkit.errors import TracingError
from diffkit.tracing.creating import as_traced
from diffkit.tracing.lowering.naming import as_named
from diffkit.tracing.tracer import lowers

_EXPLICIT = 3  # determinants up to this order are polynomials: right at singular matrices, to every order


class SignAndLog(NamedTuple):
    """The result of ``np.linalg.slogdet``."""

    sign: Any
    logabsdet: Any


def _square(x: Any, name: str) -> Any:
    x = as_traced(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise TracingError(f"np.linalg.{name} needs square matrices; given shape {x.shape}")
    return x


@lowers(np.linalg.inv)
def inv(x: Any) -> Any:
    return p.inv(_square(x, "inv"))


@lowers(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """A right-hand side with one axis is a vector, any other a stack of matrices (NumPy 2)."""
    a, b = _square(a, "solve"), as_traced(b)
    if b.shape[-2 if b.ndim > 1 else -1] != a.shape[-1]:
        raise TracingError(f"np.linalg.solve: a matrix of shape {a.shape} and a right-hand side of shape {b.shape}")
    if b.ndim > 1:
        return p.solve(a, b)
    column = np.reshape(b, (-1, 1))
    return np.squeeze(p.solve(a, column), axis=-1)


@lowers(np.linalg.det)
def det(x: Any) -> Any:
    x = _square(x, "det")
    n = x.shape[-1]
    if n > _EXPLICIT or n == 0 or as_named():
        return p.det(x)
    total = None
    for order in itertools.permutations(range(n)):
        term = x[..., 0, order[0]]
        for row in range(1, n):
            term = term * x[..., row, order[row]]
        swaps = sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
        term = -term if swaps % 2 else term
        total = term if total is None else total + term
    return total


@lowers(np.linalg.slogdet)
def slogdet(x: Any) -> SignAndLog:
    x = _square(x, "slogdet")
    return SignAndLog(p.detsign(x), p.logabsdet(x))


@lowers(np.linalg.cholesky)
def cholesky(x: Any, /, *, upper: bool = False) -> Any:
    """NumPy reads the lower triangle (the upper one where asked for the upper factor)."""
    x = _square(x, "cholesky")
    if upper:
        return np.swapaxes(p.cholesky(np.swapaxes(x, -1, -2)), -1, -2)
    return p.cholesky(x)
