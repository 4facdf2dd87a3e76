"""dot, matmul, einsum and their like: all become `contract`, or a broadcast product where nothing is summed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.errors import TracingError
from diffkit.primitives.contracting import LETTERS, Spec, contraction
from diffkit.tracing.creating import as_traced
from diffkit.tracing.tracer import UFUNC_METHODS, lowers


def _contract(left: Any, right: Any, spec: Spec, name: str) -> Any:
    lengths = dict(zip(spec.left, left.shape, strict=True))
    for letter, length in zip(spec.right, right.shape, strict=True):
        if lengths.setdefault(letter, length) != length:
            raise TracingError(f"{name} of shapes {left.shape} and {right.shape}: paired axes differ in length")
    return contraction(left, right, spec)


def _lengths(arrays: Sequence[Any], terms: Sequence[str]) -> dict[str, int]:
    """How long each letter's axis is once ones are broadcast."""
    lengths: dict[str, int] = {}
    for x, term in zip(arrays, terms, strict=True):
        for letter, length in zip(term, x.shape, strict=True):
            if lengths.get(letter, 1) == 1:
                lengths[letter] = length
    return lengths


def _without_ones(x: Any, term: str, lengths: dict[str, int]) -> tuple[Any, str]:
    """Drop the axes of length one of letters that are longer elsewhere: NumPy broadcasts them."""
    stay = [k for k, letter in enumerate(term) if not x.shape[k] == 1 != lengths[letter]]
    if len(stay) == len(term):
        return x, term
    return np.reshape(x, tuple(x.shape[k] for k in stay)), "".join(term[k] for k in stay)


@lowers(np.matmul, np.linalg.matmul)
def matmul(left: Any, right: Any, **_options: Any) -> Any:
    left, right = as_traced(left), as_traced(right)
    if left.ndim == 0 or right.ndim == 0:
        raise TracingError("matmul needs arrays with at least one axis; use * for numbers")
    rows, columns = ("y" if left.ndim > 1 else ""), ("w" if right.ndim > 1 else "")
    batch = LETTERS[: max(left.ndim, right.ndim, 2) - 2]
    mine = batch[len(batch) - max(left.ndim - 2, 0) :]
    theirs = batch[len(batch) - max(right.ndim - 2, 0) :]
    if left.shape[-1] != right.shape[-1 - len(columns)]:
        raise TracingError(f"matmul of shapes {left.shape} and {right.shape}: the summed axes differ in length")
    terms = (mine + rows + "x", theirs + "x" + columns)
    lengths = _lengths((left, right), terms)
    (left, one), (right, other) = (
        _without_ones(x, term, lengths) for x, term in zip((left, right), terms, strict=True)
    )
    return _contract(left, right, Spec(one, other, batch + rows + columns), "matmul")


UFUNC_METHODS["matmul", "__call__"] = matmul


@lowers(np.vecdot, np.linalg.vecdot)
def vecdot(x: Any, y: Any, /, *, axis: int = -1) -> Any:
    x, y = (np.moveaxis(as_traced(part), axis, -1) for part in (x, y))
    return matmul(x[..., None, :], y[..., :, None])[..., 0, 0]


if hasattr(np, "matvec"):  # NumPy 2.2
    lowers(np.matvec)(lambda x, y: matmul(x, as_traced(y)[..., :, None])[..., 0])
    lowers(np.vecmat)(lambda x, y: matmul(as_traced(x)[..., None, :], y)[..., 0, :])


@lowers(np.dot)
def dot(left: Any, right: Any) -> Any:
    left, right = as_traced(left), as_traced(right)
    if left.ndim == 0 or right.ndim == 0:
        return left * right
    a, b = LETTERS[: left.ndim - 1], LETTERS[left.ndim : left.ndim + right.ndim - 1]
    second = b[: right.ndim - 2] + "y" + b[right.ndim - 2 :] if right.ndim > 1 else "y"
    return _contract(left, right, Spec(a + "y", second, a + b), "dot")


@lowers(np.vdot)
def vdot(left: Any, right: Any) -> Any:
    return dot(np.ravel(as_traced(left)), np.ravel(as_traced(right)))


@lowers(np.inner)
def inner(left: Any, right: Any) -> Any:
    left, right = as_traced(left), as_traced(right)
    if left.ndim == 0 or right.ndim == 0:
        return left * right
    a, b = LETTERS[: left.ndim - 1], LETTERS[left.ndim : left.ndim + right.ndim - 1]
    return _contract(left, right, Spec(a + "y", b + "y", a + b), "inner")


@lowers(np.outer, np.linalg.outer)
def outer(left: Any, right: Any) -> Any:
    return np.reshape(as_traced(left), (-1, 1)) * np.ravel(as_traced(right))


@lowers(np.tensordot, np.linalg.tensordot)
def tensordot(left: Any, right: Any, axes: Any = 2) -> Any:
    left, right = as_traced(left), as_traced(right)
    if isinstance(axes, (int, np.integer)):
        mine, theirs = tuple(range(left.ndim - axes, left.ndim)), tuple(range(axes))
    else:
        mine, theirs = (tuple(np.atleast_1d(given).tolist()) for given in axes)
    mine, theirs = tuple(k % left.ndim for k in mine), tuple(k % right.ndim for k in theirs)
    a, b = list(LETTERS[: left.ndim]), list(LETTERS[left.ndim : left.ndim + right.ndim])
    for k, j in zip(mine, theirs, strict=True):
        b[j] = a[k]
    out = [x for k, x in enumerate(a) if k not in mine] + [x for j, x in enumerate(b) if j not in theirs]
    return _contract(left, right, Spec("".join(a), "".join(b), "".join(out)), "tensordot")


@lowers(np.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return np.sum(np.diagonal(x, offset, axis1, axis2), axis=-1)


lowers(np.linalg.trace)(lambda x, /, *, offset=0, dtype=None: trace(x, offset, -2, -1))


@lowers(np.kron)
def kron(left: Any, right: Any) -> Any:
    left, right = as_traced(left), as_traced(right)
    n = max(left.ndim, right.ndim)
    left, right = (np.reshape(x, (1,) * (n - x.ndim) + x.shape) for x in (left, right))
    a = np.reshape(left, tuple(length for k in left.shape for length in (k, 1)))
    b = np.reshape(right, tuple(length for k in right.shape for length in (1, k)))
    return np.reshape(a * b, tuple(i * j for i, j in zip(left.shape, right.shape, strict=True)))


@lowers(np.cross, np.linalg.cross)
def cross(left: Any, right: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    left, right = np.moveaxis(as_traced(left), axisa, -1), np.moveaxis(as_traced(right), axisb, -1)
    if left.shape[-1] != 3 or right.shape[-1] != 3:
        raise TracingError(f"cross needs vectors of length 3; given {left.shape} and {right.shape}")
    (a, b, c), (u, v, w) = ([x[..., k] for k in range(3)] for x in (left, right))
    return np.stack([b * w - c * v, c * u - a * w, a * v - b * u], axis=axisc)


@lowers(np.correlate)
def correlate(left: Any, right: Any, mode: str = "valid") -> Any:
    left, right = as_traced(left), as_traced(right)
    if left.shape[0] < right.shape[0]:
        return np.flip(correlate(right, left, mode))
    return convolve(left, np.flip(right), mode)


@lowers(np.convolve)
def convolve(left: Any, right: Any, mode: str = "full") -> Any:
    """A product with the shifted copies of the shorter one."""
    left, right = as_traced(left), as_traced(right)
    if left.shape[0] < right.shape[0]:
        left, right = right, left
    n, m = left.shape[0], right.shape[0]
    padded = np.pad(left, (m - 1, m - 1))
    windows = np.arange(n + m - 1)[:, None] + np.arange(m)
    full = padded[windows] @ np.flip(right)
    start, count = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    return full[start : start + count]


# ---------------------------------------------------------------- einsum, two operands at a time


@lowers(np.einsum)
def einsum(subscripts: Any, *operands: Any, **_options: Any) -> Any:
    """Any einsum, in the order that ``np.einsum_path`` finds."""
    if not isinstance(subscripts, str):
        subscripts, operands = _as_letters((subscripts, *operands))
    arrays = [as_traced(x) for x in operands]
    terms, out = _explicit(subscripts.replace(" ", ""), arrays)
    lengths = _lengths(arrays, terms)
    bare = [_without_ones(x, term, lengths) for x, term in zip(arrays, terms, strict=True)]
    terms = [term for _, term in bare]
    pairs = [_prepare(x, term, _others(terms, k) + out) for k, (x, term) in enumerate(bare)]
    if len(pairs) > 2:
        dummies = [np.broadcast_to(np.empty(()), x.shape) for x, _ in pairs]
        path = np.einsum_path(",".join(term for _, term in pairs) + "->" + out, *dummies, optimize="greedy")[0][1:]
    else:
        path = [tuple(range(len(pairs)))]
    for spots in path:
        chosen = [pairs[k] for k in spots]
        pairs = [pair for k, pair in enumerate(pairs) if k not in spots]
        while len(chosen) > 1:
            (a, x), (b, y) = chosen[-2:]
            needed = set(out).union(*(term for _, term in pairs), *(term for _, term in chosen[:-2]))
            kept = "".join(dict.fromkeys(letter for letter in x + y if letter in needed))
            chosen[-2:] = [_prepare(_contract(a, b, Spec(x, y, kept), "einsum"), kept, "".join(needed))]
        pairs.append(chosen[0])
    result, letters = _prepare(*pairs[0], out)
    return np.transpose(result, [letters.index(letter) for letter in out])


def _others(terms: list[str], skip: int) -> str:
    return "".join(term for k, term in enumerate(terms) if k != skip)


def _prepare(x: Any, term: str, needed: str) -> tuple[Any, str]:
    """Take diagonals of repeated letters, then sum letters that nobody else has."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            first, second = term.index(letter), term.rindex(letter)
            x = np.diagonal(x, 0, first, second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + letter
    alone = [k for k, letter in enumerate(term) if letter not in needed]
    if alone:
        x = np.sum(x, axis=tuple(alone))
        term = "".join(letter for letter in term if letter in needed)
    return x, term


def _explicit(subscripts: str, arrays: list[Any]) -> tuple[list[str], str]:
    """Terms and result with letters for the ellipsis, and an explicit result."""
    left, arrow, out = subscripts.partition("->")
    terms = left.split(",")
    if len(terms) != len(arrays):
        raise TracingError(f"einsum {subscripts!r} names {len(terms)} operands; {len(arrays)} were given")
    free = [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXY" + LETTERS if letter not in subscripts]
    extra = max(
        ((x.ndim - len(term.replace(".", ""))) for x, term in zip(arrays, terms, strict=True) if "." in term),
        default=0,
    )
    dots = free[:extra]
    full = []
    for x, term in zip(arrays, terms, strict=True):
        mine = x.ndim - len(term.replace(".", ""))
        full.append(term.replace("...", "".join(dots[extra - mine :]) if mine else ""))
        if len(full[-1]) != x.ndim:
            raise TracingError(f"einsum {subscripts!r}: {term!r} does not fit an array of shape {x.shape}")
    letters = "".join(full)
    implied = "".join(sorted(letter for letter in set(letters) - set(dots) if letters.count(letter) == 1))
    return full, out.replace("...", "".join(dots)) if arrow else "".join(dots) + implied


def _as_letters(given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The other calling convention: operand, sublist, operand, sublist, ..., [result]."""

    def word(sublist: Any) -> str:
        return "".join("..." if k is Ellipsis else LETTERS[int(k)] for k in sublist)

    operands, lists = given[0 : len(given) // 2 * 2 : 2], given[1::2]
    text = ",".join(map(word, lists))
    return (text + "->" + word(given[-1]) if len(given) % 2 else text), operands


@lowers(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """A chain of matrices, in a cheap order; a vector may stand at either end."""
    arrays = [as_traced(x) for x in arrays]
    for left, right in itertools.pairwise(arrays):
        if left.shape[-1] != right.shape[0]:
            raise TracingError(f"multi_dot of shapes {left.shape} and {right.shape}: the summed axes differ in length")
    terms = [LETTERS[k : k + 2] for k in range(len(arrays))]
    terms[0], terms[-1] = terms[0][-arrays[0].ndim :], terms[-1][: arrays[-1].ndim]
    return einsum(f"{','.join(terms)}->{terms[0][:-1]}{terms[-1][1:]}", *arrays)


@lowers(np.linalg.matrix_power)
def matrix_power(x: Any, n: int) -> Any:
    """By repeated squaring."""
    base, result = (np.linalg.inv(x) if n < 0 else as_traced(x)), None
    for bit in bin(abs(n))[:1:-1]:
        if bit == "1":
            result = base if result is None else matmul(result, base)
        base = matmul(base, base)
    return result if n else np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)


@lowers(np.polyval)
def polyval(coefficients: Any, x: Any) -> Any:
    """Horner's rule."""
    result = 0.0
    for k in range(len(coefficients)):
        result = result * x + coefficients[k]
    return result
