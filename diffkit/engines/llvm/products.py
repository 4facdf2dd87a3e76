"""Contractions: BLAS for products of matrices above a size, fused loops for everything else."""

from __future__ import annotations

import ctypes
import functools
import math
from dataclasses import dataclass
from typing import Any

from diffkit.engines.llvm.functions import F, S, Unsupported, number
from diffkit.engines.llvm.layout import Access
from diffkit.graph import Step

BLAS_FROM = 16_000  # multiplications from which BLAS is worth its call


@functools.cache
def blas(name: str) -> int:
    """The address of a routine of BLAS, as SciPy exports it; 0 where there is no SciPy."""
    try:
        from scipy.linalg import cython_blas
    except ImportError:
        return 0
    capsule = cython_blas.__pyx_capi__[name]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return int(api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))


@dataclass(frozen=True)
class Matrix:
    """Entries as rows and columns with one stride each."""

    base: str
    kind: str
    offset: int
    rows: int
    columns: int
    row_stride: int
    column_stride: int


def _flat(lengths: list[int], strides: list[int]) -> tuple[int, int] | None:
    """Several axes as one; None where their strides do not follow each other."""
    length, stride = 1, 0
    for n, s in zip(reversed(lengths), reversed(strides), strict=True):
        if n == 1:
            continue
        if length == 1:
            stride = s
        elif s != stride * length:
            return None
        length *= n
    return length, stride or 1


def matrix(access: Access, letters: str, rows: str, columns: str) -> Matrix | None:
    """An operand as a matrix over groups of letters."""
    where = {letter: k for k, letter in enumerate(letters)}
    parts = []
    for group in (rows, columns):
        axes = [where[letter] for letter in group]
        part = _flat([access.shape[k] for k in axes], [access.strides[k] for k in axes])
        if part is None:
            return None
        parts.append(part)
    (m, row_stride), (n, column_stride) = parts
    return Matrix(access.base, access.kind, access.offset, m, n, row_stride, column_stride)


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
        return
    shared = [x for x in spec.out if x in spec.left and x in spec.right]
    if not shared and math.prod(lengths.values()) >= BLAS_FROM and _blas(code, spec, left, right, target, summed):
        return
    _loops(code, spec, left, right, target, lengths, summed)


def _blas(code: Any, spec: Any, left: Access, right: Access, target: Access, summed: list[str]) -> bool:
    rows = "".join(x for x in spec.out if x in spec.left)
    columns = "".join(x for x in spec.out if x in spec.right)
    if not blas("dgemm"):
        return False
    if not rows or not columns:
        return _vector(code, spec, left, right, target, rows + columns, "".join(summed), turned=not rows)
    if not (spec.out == rows + columns or spec.out == columns + rows):
        return False
    inner = "".join(summed)
    a, b, c = (
        matrix(left, spec.left, rows, inner),
        matrix(right, spec.right, inner, columns),
        matrix(target, spec.out, rows, columns),
    )
    if a is None or b is None or c is None:
        return False
    if c.row_stride == 1 and c.columns > 1:  # Fortran order: C = A B as it stands
        return _call(code, a, b, c)
    flipped = [Matrix(m.base, m.kind, m.offset, m.columns, m.rows, m.column_stride, m.row_stride) for m in (b, a, c)]
    return _call(code, *flipped)


def _vector(
    code: Any, spec: Any, left: Access, right: Access, target: Access, kept: str, inner: str, *, turned: bool
) -> bool:
    """A matrix times a vector."""
    (a, letters), (x, others) = (
        ((right, spec.right), (left, spec.left)) if turned else ((left, spec.left), (right, spec.right))
    )
    m, v, y = matrix(a, letters, kept, inner), matrix(x, others, inner, ""), matrix(target, spec.out, kept, "")
    if m is None or v is None or y is None or not kept:
        return False
    if m.column_stride == 1:  # rows in C order are columns in Fortran's
        shape, lead, letter = (m.columns, m.rows), m.row_stride, "T"
    elif m.row_stride == 1:
        shape, lead, letter = (m.rows, m.columns), m.column_stride, "N"
    else:
        return False
    words = Words(code, m.kind)
    arguments = [
        words.letter(letter), words.whole(shape[0]), words.whole(shape[1]), words.real(1.0),
        words.at(m), words.whole(max(lead, shape[0])),
        words.at(v), words.whole(v.row_stride), words.real(0.0), words.at(y), words.whole(y.row_stride),
    ]  # fmt: skip
    words.call("gemv", arguments)
    return True


class Words:
    """Arguments of a routine of BLAS, which takes everything by address."""

    def __init__(self, code: Any, kind: str) -> None:
        self.code, self.kind = code, kind

    def letter(self, value: str) -> str:
        """A flag."""
        return self.code.constant("i8", str(ord(value)))

    def whole(self, value: int) -> str:
        """A length."""
        return self.code.constant("i32", str(value))

    def real(self, value: float) -> str:
        """A factor."""
        return self.code.constant(self.kind, number(value, self.kind))

    def at(self, m: Matrix) -> str:
        """The first entry of a matrix."""
        return self.code(f"getelementptr {self.kind}, ptr {m.base}, i64 {m.offset}")

    def call(self, name: str, arguments: list[str]) -> None:
        """Call the routine, for doubles or for floats."""
        address = blas(f"{'s' if self.kind == S else 'd'}{name}")
        self.code.lines.append(
            f"  call void inttoptr (i64 {address} to ptr)({', '.join(f'ptr {word}' for word in arguments)})"
        )
        self.code.loaded = {}


def _call(code: Any, a: Matrix, b: Matrix, c: Matrix) -> bool:
    """C = A B in Fortran's order: rows of C next to each other."""
    if c.rows > 1 and c.row_stride != 1:
        return False
    flags, leads = [], []
    for m in (a, b):
        if m.row_stride == 1 or m.rows == 1:
            flags.append("N")
            leads.append(max(m.column_stride, m.rows, 1))
        elif m.column_stride == 1 or m.columns == 1:
            flags.append("T")
            leads.append(max(m.row_stride, m.columns, 1))
        else:
            return False
    words = Words(code, c.kind)
    arguments = [
        words.letter(flags[0]), words.letter(flags[1]),
        words.whole(c.rows), words.whole(c.columns), words.whole(a.columns), words.real(1.0),
        words.at(a), words.whole(leads[0]),
        words.at(b), words.whole(leads[1]), words.real(0.0), words.at(c), words.whole(max(c.column_stride, c.rows, 1)),
    ]  # fmt: skip
    words.call("gemm", arguments)
    return True


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
