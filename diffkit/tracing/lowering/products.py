"""dot, matmul, einsum and their like: all become `contract`, or a broadcast product where nothing is summed."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.errors import TracingError
from diffkit.primitives.linear_algebra import LETTERS, Spec, contraction
from diffkit.tracing.creating import as_traced
from diffkit.tracing.tracer import UFUNC_METHODS, lowers


def _check(left: Any, right: Any, spec: Spec, name: str) -> None:
    lengths = dict(zip(spec.left, left.shape, strict=True))
    for letter, length in zip(spec.right, right.shape, strict=True):
        if lengths.setdefault(letter, length) != length:
            raise TracingError(
                f"{name} of shapes {left.shape} and {right.shape}: the summed axes differ in length"
            )


def _contract(left: Any, right: Any, spec: Spec, name: str) -> Any:
    _check(left, right, spec, name)
    return contraction(left, right, spec)


@lowers(np.matmul)
def matmul(left: Any, right: Any, **_options: Any) -> Any:
    left, right = as_traced(left), as_traced(right)
    if left.ndim == 0 or right.ndim == 0:
        raise TracingError("matmul needs arrays with at least one axis; use * for numbers")
    rows, columns = ("i" if left.ndim > 1 else ""), ("j" if right.ndim > 1 else "")
    batch = max(left.ndim, right.ndim) - 2
    names = [letter for letter in LETTERS if letter not in "ijk"][: max(batch, 0)]
    mine = names[len(names) - max(left.ndim - 2, 0) :]
    theirs = names[len(names) - max(right.ndim - 2, 0) :]
    left, mine = _drop_ones(left, mine, 2 if rows else 1, right, theirs)
    right, theirs = _drop_ones(right, theirs, 2 if columns else 1, left, mine)
    kept = [letter for letter in names if letter in mine or letter in theirs]
    spec = Spec("".join(mine) + rows + "k", "".join(theirs) + "k" + columns, "".join(kept) + rows + columns)
    result = _contract(left, right, spec, "matmul")
    if len(kept) < len(names):
        front = iter(result.shape[: len(kept)])
        lengths = tuple(next(front) if letter in kept else 1 for letter in names)
        result = np.reshape(result, lengths + result.shape[len(kept) :])
    return result


def _drop_ones(x: Any, letters: list[str], core: int, other: Any, theirs: list[str]) -> tuple[Any, list[str]]:
    """Drop batch axes of length one that broadcast against the other operand's."""
    ones = [k for k, letter in enumerate(letters) if x.shape[k] == 1]
    if not ones:
        return x, letters
    shape = tuple(n for k, n in enumerate(x.shape) if k not in ones)
    return np.reshape(x, shape), [letter for k, letter in enumerate(letters) if k not in ones]


UFUNC_METHODS["matmul", "__call__"] = matmul
for _name in ("vecdot", "matvec", "vecmat"):
    _ufunc = getattr(np, _name, None)
    if _ufunc is None:
        continue
    _core = {"vecdot": ("k", "k", ""), "matvec": ("ik", "k", "i"), "vecmat": ("k", "kj", "j")}[_name]

    def _vector_product(x: Any, y: Any, _core: tuple[str, str, str] = _core) -> Any:
        return einsum(f"...{_core[0]},...{_core[1]}->...{_core[2]}", x, y)

    lowers(_ufunc)(_vector_product)


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


@lowers(np.trace, np.linalg.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return np.sum(np.diagonal(x, offset, axis1, axis2), axis=-1)


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
    return convolve(left, np.flip(as_traced(right)), mode)


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
    pairs = [
        _prepare(x, term, _others(terms, k) + out)
        for k, (x, term) in enumerate(zip(arrays, terms, strict=True))
    ]
    if len(pairs) > 2:
        dummies = [np.broadcast_to(np.empty(()), x.shape) for x, _ in pairs]
        path = np.einsum_path(",".join(term for _, term in pairs) + "->" + out, *dummies, optimize="greedy")[
            0
        ][1:]
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
    result = arrays[0]
    for x in arrays[1:]:
        result = dot(result, x)
    return result


@lowers(np.linalg.matrix_power)
def matrix_power(x: Any, n: int) -> Any:
    """By repeated squaring."""
    base, result = (np.linalg.inv(x) if n < 0 else as_traced(x)), None
    for bit in bin(abs(n))[:1:-1]:
        if bit == "1":
            result = base if result is None else matmul(result, base)
        base = matmul(base, base)
    return result if n else np.broadcast_to(np.eye(x.shape[-1]), x.shape)


@lowers(np.polyval)
def polyval(coefficients: Any, x: Any) -> Any:
    """Horner's rule."""
    result = 0.0
    for k in range(len(coefficients)):
        result = result * x + coefficients[k]
    return result
