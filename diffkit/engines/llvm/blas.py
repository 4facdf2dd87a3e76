"""Products of matrices by BLAS, whose routines are found in SciPy: which routine fits, and its call in IR."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from typing import Any

from diffkit.engines.llvm.functions import S, number
from diffkit.engines.llvm.layout import Access
from diffkit.primitives.contracting import Spec

LEFT, RIGHT, TARGET = range(3)
Word = tuple[str, Any]
"""An argument: its type (or "at", the first entry of an operand), and what it is."""


@functools.cache
def address(name: str) -> int:
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
class Routine:
    """A routine with its arguments."""

    name: str
    words: tuple[Word, ...]

    def write(self, code: Any, kind: str, places: tuple[str, str, str]) -> None:
        """Call it for doubles or for floats, on operands whose first entries lie at these addresses."""
        given = []
        for form, value in self.words:
            if form == "at":
                given.append(places[value])
            elif form == "real":
                given.append(code.constant(kind, number(value, kind)))
            else:
                given.append(code.constant(form, str(value)))
        begin = address(f"{'s' if kind == S else 'd'}{self.name}")
        code.lines.append(f"  call void inttoptr (i64 {begin} to ptr)({', '.join(f'ptr {word}' for word in given)})")
        code.loaded = {}


def routine(spec: Spec, left: Access, right: Access, target: Access) -> Routine | None:
    """What makes a contraction without shared letters; None where entries lie so that no routine takes them."""
    if not address("dgemm"):
        return None
    summed = "".join(x for x in spec.left if x in spec.right and x not in spec.out)
    rows = "".join(x for x in spec.out if x in spec.left)
    columns = "".join(x for x in spec.out if x in spec.right)
    if not rows or not columns:
        sides = (LEFT, left, spec.left), (RIGHT, right, spec.right)
        first, second = sides if rows else sides[::-1]
        return _matrix_times_vector(first, second, (TARGET, target, spec.out), summed)
    if spec.out not in (rows + columns, columns + rows):
        return None
    a = _matrix(LEFT, left, spec.left, rows, summed)
    b = _matrix(RIGHT, right, spec.right, summed, columns)
    c = _matrix(TARGET, target, spec.out, rows, columns)
    if a is None or b is None or c is None:
        return None
    if c.row_stride == 1 and c.columns > 1:  # Fortran order: C = A B as it stands
        return _matrix_times_matrix(a, b, c)
    return _matrix_times_matrix(b.turned, a.turned, c.turned)


@dataclass(frozen=True)
class _Matrix:
    """Entries of an operand as rows and columns with one stride each."""

    which: int
    rows: int
    columns: int
    row_stride: int
    column_stride: int

    @property
    def turned(self) -> _Matrix:
        """The transpose."""
        return _Matrix(self.which, self.columns, self.rows, self.column_stride, self.row_stride)


def _matrix(which: int, access: Access, letters: str, rows: str, columns: str) -> _Matrix | None:
    """An operand as a matrix over groups of letters."""
    parts = []
    for group in (rows, columns):
        axes = [letters.index(letter) for letter in group]
        part = _flat([access.shape[k] for k in axes], [access.strides[k] for k in axes])
        if part is None:
            return None
        parts.append(part)
    (m, row_stride), (n, column_stride) = parts
    return _Matrix(which, m, n, row_stride, column_stride)


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


def _matrix_times_vector(
    first: tuple[int, Access, str], second: tuple[int, Access, str], made: tuple[int, Access, str], summed: str
) -> Routine | None:
    kept = made[2]
    m, v, y = _matrix(*first, kept, summed), _matrix(*second, summed, ""), _matrix(*made, kept, "")
    if m is None or v is None or y is None or not kept:
        return None
    if m.column_stride == 1:  # rows in C order are columns in Fortran's
        shape, lead, letter = (m.columns, m.rows), m.row_stride, "T"
    elif m.row_stride == 1:
        shape, lead, letter = (m.rows, m.columns), m.column_stride, "N"
    else:
        return None
    return Routine(
        "gemv",
        (
            _flag(letter), ("i32", shape[0]), ("i32", shape[1]), ("real", 1.0),
            ("at", m.which), ("i32", max(lead, shape[0])),
            ("at", v.which), ("i32", v.row_stride), ("real", 0.0), ("at", y.which), ("i32", y.row_stride),
        ),
    )  # fmt: skip


def _matrix_times_matrix(a: _Matrix, b: _Matrix, c: _Matrix) -> Routine | None:
    """C = A B in Fortran's order: rows of C next to each other."""
    if c.rows > 1 and c.row_stride != 1:
        return None
    flags, leads = [], []
    for m in (a, b):
        if m.row_stride == 1 or m.rows == 1:
            flags.append("N")
            leads.append(max(m.column_stride, m.rows, 1))
        elif m.column_stride == 1 or m.columns == 1:
            flags.append("T")
            leads.append(max(m.row_stride, m.columns, 1))
        else:
            return None
    return Routine(
        "gemm",
        (
            _flag(flags[0]), _flag(flags[1]),
            ("i32", c.rows), ("i32", c.columns), ("i32", a.columns), ("real", 1.0),
            ("at", a.which), ("i32", leads[0]), ("at", b.which), ("i32", leads[1]), ("real", 0.0),
            ("at", c.which), ("i32", max(c.column_stride, c.rows, 1)),
        ),
    )  # fmt: skip


def _flag(letter: str) -> Word:
    return "i8", ord(letter)
