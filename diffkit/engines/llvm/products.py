"""Contractions: BLAS for products of matrices above a size, one by one where they share letters; loops for the rest."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from diffkit.engines.llvm.blas import routine
from diffkit.engines.llvm.functions import F, S, Unsupported, number
from diffkit.engines.llvm.layout import Access
from diffkit.graph import Step
from diffkit.primitives.contracting import Spec

BLAS_FROM = 16_000  # multiplications from which BLAS is worth its call
EACH_FROM = 2_000  # the same for one of many products


def contract(code: Any, position: int, step: Step) -> None:
    """Write a contraction."""
    spec = step.params["spec"]
    left, right = (code.access(operand) for operand in step.operands)
    target = code.stores[position]
    if {left.kind, right.kind, target.kind} not in ({F}, {S}):
        raise Unsupported("a product of other numbers, or of mixed ones")
    lengths = dict(zip(spec.left, left.shape, strict=True)) | dict(zip(spec.right, right.shape, strict=True))
    summed = [x for x in spec.left if x in spec.right and x not in spec.out]
    if math.prod(lengths.values()) == 0:
        code.zero(target)
    elif not _by_blas(code, spec, (left, right, target), lengths):
        _loops(code, spec, left, right, target, lengths, summed)


def _by_blas(code: Any, spec: Spec, operands: tuple[Access, Access, Access], lengths: dict[str, int]) -> bool:
    """Call BLAS: once, or for each entry of the axes that both operands share with the result."""
    shared = [x for x in spec.out if x in spec.left and x in spec.right]
    one = math.prod(length for letter, length in lengths.items() if letter not in shared)
    if one < (EACH_FROM if shared else BLAS_FROM):
        return False
    letters = (spec.left, spec.right, spec.out)
    rest = tuple("".join(x for x in word if x not in shared) for word in letters)
    parts = [_without(access, word, shared) for access, word in zip(operands, letters, strict=True)]
    found = routine(Spec(*rest), *parts)
    if found is None:
        return False
    indices: list[str] = []
    ends = [code.open_loop(lengths[letter], indices) for letter in shared]
    index = dict(zip(shared, indices, strict=True))
    begins = [
        code.address(access, [index.get(letter, "0") for letter in word])
        for access, word in zip(operands, letters, strict=True)
    ]
    found.write(code, operands[2].kind, (begins[0], begins[1], begins[2]))
    for end in reversed(ends):
        code.close_loop(end, unrolled=False)
    return True


def _without(access: Access, letters: str, shared: list[str]) -> Access:
    """An operand for one entry of the shared axes."""
    kept = [k for k, letter in enumerate(letters) if letter not in shared]
    return replace(access, shape=tuple(access.shape[k] for k in kept), strides=tuple(access.strides[k] for k in kept))


def _loops(
    code: Any, spec: Any, left: Access, right: Access, target: Access, lengths: dict[str, int], summed: list[str]
) -> None:
    """The sum of products in nested loops, along whichever letter the entries lie next to each other."""
    strides = {letter: (_stride(left, spec.left, letter), _stride(right, spec.right, letter)) for letter in lengths}
    inner = min(summed, key=lambda x: sum(strides[x]))
    beside = [
        x for x in spec.out if strides[x][1] in (0, 1) and strides[x][0] in (0, 1) and _stride(target, spec.out, x) == 1
    ]
    if all(s in (0, 1) for s in strides[inner]) or not beside:
        _dots(code, spec, left, right, target, lengths, [x for x in summed if x != inner] + [inner])
    else:
        _rows(code, spec, left, right, target, lengths, summed, beside[-1])


def _stride(access: Access, letters: str, letter: str) -> int:
    return access.strides[letters.index(letter)] if letter in letters else 0


def _product(code: Any, spec: Any, left: Access, right: Access, index: dict[str, str]) -> str:
    x = code.load(left, [index[letter] for letter in spec.left])
    y = code.load(right, [index[letter] for letter in spec.right])
    return code(f"fmul {left.kind} {x}, {y}")


def _dots(
    code: Any, spec: Any, left: Access, right: Access, target: Access, lengths: dict[str, int], summed: list[str]
) -> None:
    """One sum per result, in a register."""
    kind = target.kind
    cell = code.cell(kind)
    indices: list[str] = []
    outer = [code.open_loop(lengths[letter], indices) for letter in spec.out]
    code.lines.append(f"  store {kind} {number(0.0)}, ptr {cell}")
    inner = [code.open_loop(lengths[letter], indices) for letter in summed]
    index = dict(zip([*spec.out, *summed], indices, strict=True))
    term = _product(code, spec, left, right, index)
    before = code(f"load {kind}, ptr {cell}")
    total = code(f"fadd reassoc contract {kind} {before}, {term}")
    code.lines.append(f"  store {kind} {total}, ptr {cell}")
    for end in reversed(inner):
        code.close_loop(end)
    total = code(f"load {kind}, ptr {cell}")
    code.store(target, [index[letter] for letter in spec.out], total)
    for end in reversed(outer):
        code.close_loop(end)
    code.loaded = {}


def _rows(
    code: Any,
    spec: Any,
    left: Access,
    right: Access,
    target: Access,
    lengths: dict[str, int],
    summed: list[str],
    along: str,
) -> None:
    """Multiples of rows added to rows of the result, which lie next to each other along one letter."""
    code.zero(target)
    order = [x for x in spec.out if x != along] + summed + [along]
    indices: list[str] = []
    group = code.access_group()
    ends = [code.open_loop(lengths[letter], indices) for letter in order]
    index = dict(zip(order, indices, strict=True))
    with code.marked(group):
        term = _product(code, spec, left, right, index)
        spots = [index[letter] for letter in spec.out]
        before = code.load(target, spots)
        code.store(target, spots, code(f"fadd contract {target.kind} {before}, {term}"))
    for depth, end in enumerate(reversed(ends)):
        code.close_loop(end, group if depth == 0 else "")
    code.loaded = {}
