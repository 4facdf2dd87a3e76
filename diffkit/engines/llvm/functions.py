"""What each op entry by entry is in LLVM IR, and where its mathematics comes from.

glibc's libmvec has vector versions of libm's functions; a scalar call that carries a
"vector-function-abi-variant" is vectorised by LLVM's ordinary loop vectoriser. Where there is no libmvec, libm serves.
No fast-math flag is set on anything but the partial sums of reductions: NaN, infinity and signed zeros are NumPy's.
"""

from __future__ import annotations

import ctypes
import functools
import math
import struct
from collections.abc import Callable
from typing import Any

from diffkit import primitives as p
from diffkit.ops import Op

F, S, B, I = "double", "float", "i1", "i64"  # noqa: E741 - the IR types of float64, float32, bool and int64
REALS = (F, S)

LIBM = {
    p.exp: "exp", p.exp2: "exp2", p.expm1: "expm1", p.log: "log", p.log2: "log2", p.log10: "log10", p.log1p: "log1p",
    p.sin: "sin", p.cos: "cos", p.tan: "tan", p.arcsin: "asin", p.arccos: "acos", p.arctan: "atan", p.sinh: "sinh",
    p.cosh: "cosh", p.tanh: "tanh", p.arcsinh: "asinh", p.arccosh: "acosh", p.arctanh: "atanh", p.cbrt: "cbrt",
    p.arctan2: "atan2", p.hypot: "hypot", p.power: "pow", p.erf: "erf", p.erfc: "erfc",
}  # fmt: skip
INTRINSICS = {p.sqrt: "sqrt", p.absolute: "fabs", p.floor: "floor", p.ceil: "ceil", p.trunc: "trunc", p.rint: "rint"}
ARITHMETIC = {p.add: ("fadd", "add"), p.subtract: ("fsub", "sub"), p.multiply: ("fmul", "mul")}
COMPARISONS = {
    p.greater: ("ogt", "sgt"), p.greater_equal: ("oge", "sge"), p.less: ("olt", "slt"), p.less_equal: ("ole", "sle"),
    p.equal: ("oeq", "eq"), p.not_equal: ("une", "ne"),
}  # fmt: skip


def number(value: float, kind: str = F) -> str:
    """A number as LLVM reads it exactly: the bits of a double, which a float must round to first."""
    exact = struct.unpack("f", struct.pack("f", value))[0] if kind == S else value
    return f"0x{struct.unpack('>Q', struct.pack('>d', exact))[0]:016X}"


def literal(value: Any, kind: str) -> str:
    """A number of any type as LLVM reads it."""
    return number(float(value), kind) if kind in REALS else str(int(value)) if kind == I else str(bool(value)).lower()


@functools.cache
def vector_library() -> tuple[str, int, frozenset[str]]:
    """Letter of the vector variants of this machine, how many doubles they take, and the functions that have one."""
    try:
        import llvmlite.binding as llvm

        library = ctypes.CDLL("libmvec.so.1")
        features = llvm.get_host_cpu_features()
    except OSError:
        return "", 0, frozenset()
    letter, width = ("e", 8) if features.get("avx512f") else ("d", 4) if features.get("avx2") else ("b", 2)
    names = [routine(name, kind) for name in LIBM.values() for kind in REALS]
    found = {name for name in names if hasattr(library, _variant(name, letter, width))}
    llvm.load_library_permanently("libmvec.so.1")
    return letter, width, frozenset(found)


SINGLE = {f"{name}f" for name in LIBM.values()}


def routine(name: str, kind: str) -> str:
    """A function of libm for doubles or for floats."""
    return f"{name}f" if kind == S else name


def signature(name: str) -> tuple[str, int]:
    """What a function of libm takes: the type, and how many."""
    plain = name[:-1] if name in SINGLE else name
    return S if name in SINGLE else F, 2 if plain in ("atan2", "hypot", "pow") else 1


def _variant(name: str, letter: str, width: int) -> str:
    return f"_ZGV{letter}N{_lanes(name, width)}{'v' * signature(name)[1]}_{name}"


def _lanes(name: str, width: int) -> int:
    return 2 * width if name in SINGLE else width


def declarations(used: set[str]) -> str:
    """Declare the functions of libm that a module uses, with their vector variants."""
    letter, width, known = vector_library()
    lines, kept = [], []
    for name in sorted(used):
        kind, count = signature(name)
        lines.append(f"declare {kind} @{name}({', '.join([kind] * count)}) nounwind willreturn memory(none)")
        if name in known:
            vector, variant = f"<{_lanes(name, width)} x {kind}>", _variant(name, letter, width)
            lines.append(f"declare {vector} @{variant}({', '.join([vector] * count)}) nounwind willreturn memory(none)")
            kept.append(f"ptr @{variant}")
    if kept:
        lines.append(
            f'@llvm.compiler.used = appending global [{len(kept)} x ptr] [{", ".join(kept)}], section "llvm.metadata"'
        )
    return "\n".join(lines)


def attributes(name: str) -> str:
    """What a call of a function of libm carries."""
    letter, width, known = vector_library()
    if name not in known:
        return " nounwind willreturn memory(none)"
    variant = _variant(name, letter, width)
    return f' nounwind willreturn memory(none) "vector-function-abi-variant"="{variant}({variant})"'


Emit = Callable[..., str]


def entrywise(emit: Any, op: Op, words: list[str], kinds: list[str], result: str) -> str:
    """Write one op on numbers; ``emit`` appends an instruction and names its result."""
    if op in ARITHMETIC and result != B:
        words = [emit.cast(word, kind, result) for word, kind in zip(words, kinds, strict=True)]
        return emit(f"{ARITHMETIC[op][result == I]} {result} {words[0]}, {words[1]}")
    if result == I and op in WHOLE:
        return WHOLE[op](emit, *(emit.cast(word, kind, I) for word, kind in zip(words, kinds, strict=True)))
    if op in COMPARISONS:
        common = _common(kinds)
        words = [emit.cast(word, kind, common) for word, kind in zip(words, kinds, strict=True)]
        if common in REALS:
            return emit(f"fcmp {COMPARISONS[op][0]} {common} {words[0]}, {words[1]}")
        return emit(f"icmp {COMPARISONS[op][1]} {common} {words[0]}, {words[1]}")
    if op in LOGICAL:
        words = [emit.cast(word, kind, B) for word, kind in zip(words, kinds, strict=True)]
        return LOGICAL[op](emit, *words)
    if op is p.where:
        words = [
            emit.cast(words[0], kinds[0], B),
            *(emit.cast(w, k, result) for w, k in zip(words[1:], kinds[1:], strict=True)),
        ]
        return emit(f"select i1 {words[0]}, {result} {words[1]}, {result} {words[2]}")
    if op is p.convert or op is p.stop:
        return emit.cast(words[0], kinds[0], result)
    real = result if result in REALS else _common([*kinds, S])
    words = [emit.cast(word, kind, real) for word, kind in zip(words, kinds, strict=True)]
    return on_numbers(emit, op, words, real)


def _common(kinds: list[str]) -> str:
    """The type in which NumPy compares; integers are too long for floats."""
    if F in kinds or {S, I} <= set(kinds):
        return F
    return S if S in kinds else I if I in kinds else B


def on_numbers(emit: Any, op: Op, words: list[str], real: str) -> str:
    """Write an op on doubles, or on floats."""
    if op in LIBM:
        return emit.call(LIBM[op], words, real)
    if op in INTRINSICS:
        return emit.intrinsic(INTRINSICS[op], words, real)
    if op not in SPECIAL:
        raise Unsupported(op.name)
    return SPECIAL[op](emit, real, *words)


class Unsupported(Exception):  # noqa: N818 - caught within the engine: NumPy computes what has no kernel
    """No kernel for this."""


def _reciprocal(e: Any, r: str, x: str) -> str:
    return e(f"fdiv {r} 1.0, {x}")


def _larger(e: Any, r: str, x: str, y: str, test: str = "oge") -> str:
    keep = e(f"fcmp {test} {r} {x}, {y}")
    nan = e(f"fcmp uno {r} {x}, 0.0")
    return e(f"select i1 {e(f'or i1 {keep}, {nan}')}, {r} {x}, {r} {y}")


def _sign(e: Any, r: str, x: str) -> str:
    up = e(f"select i1 {e(f'fcmp ogt {r} {x}, 0.0')}, {r} 1.0, {r} {x}")
    signed = e(f"select i1 {e(f'fcmp olt {r} {x}, 0.0')}, {r} -1.0, {r} {up}")
    zero = e(f"fcmp oeq {r} {x}, 0.0")
    return e(f"select i1 {zero}, {r} 0.0, {r} {signed}")


def _expit(e: Any, r: str, x: str) -> str:
    small = e.call("exp", [e(f"fneg {r} {e.intrinsic('fabs', [x], r)}")], r)
    top = e(f"select i1 {e(f'fcmp oge {r} {x}, 0.0')}, {r} 1.0, {r} {small}")
    return e(f"fdiv {r} {top}, {e(f'fadd {r} 1.0, {small}')}")


def _logaddexp(e: Any, r: str, x: str, y: str) -> str:
    gap = e(f"fsub {r} {x}, {y}")
    top = e(f"select i1 {e(f'fcmp ogt {r} {x}, {y}')}, {r} {x}, {r} {y}")
    tail = e.call("log1p", [e.call("exp", [e(f"fneg {r} {e.intrinsic('fabs', [gap], r)}")], r)], r)
    sum_ = e(f"fadd {r} {top}, {tail}")
    same = e(f"fadd {r} {x}, {number(math.log(2), r)}")
    far = e(f"select i1 {e(f'fcmp uno {r} {gap}, 0.0')}, {r} {e(f'fadd {r} {x}, {y}')}, {r} {sum_}")
    return e(f"select i1 {e(f'fcmp oeq {r} {x}, {y}')}, {r} {same}, {r} {far}")


def _heaviside(e: Any, r: str, x: str, half: str) -> str:
    up = e(f"select i1 {e(f'fcmp ogt {r} {x}, 0.0')}, {r} 1.0, {r} 0.0")
    level = e(f"select i1 {e(f'fcmp oeq {r} {x}, 0.0')}, {r} {half}, {r} {up}")
    return e(f"select i1 {e(f'fcmp uno {r} {x}, 0.0')}, {r} {x}, {r} {level}")


SPECIAL: dict[Op, Emit] = {
    p.divide: lambda e, r, x, y: e(f"fdiv {r} {x}, {y}"),
    p.negative: lambda e, r, x: e(f"fneg {r} {x}"),
    p.square: lambda e, r, x: e(f"fmul {r} {x}, {x}"),
    p.reciprocal: _reciprocal,
    p.maximum: _larger,
    p.minimum: lambda e, r, x, y: _larger(e, r, x, y, "ole"),
    p.sign: _sign,
    p.expit: _expit,
    p.logaddexp: _logaddexp,
    p.heaviside: _heaviside,
    p.isnan: lambda e, r, x: e(f"fcmp uno {r} {x}, 0.0"),
    p.isinf: lambda e, r, x: e(f"fcmp oeq {r} {e.intrinsic('fabs', [x], r)}, {number(math.inf)}"),
    p.isfinite: lambda e, r, x: e(f"fcmp olt {r} {e.intrinsic('fabs', [x], r)}, {number(math.inf)}"),
}
ANY_TYPE = (p.where, p.convert, p.stop)
LOGICAL: dict[Op, Emit] = {
    p.logical_and: lambda e, x, y: e(f"and i1 {x}, {y}"),
    p.logical_or: lambda e, x, y: e(f"or i1 {x}, {y}"),
    p.logical_xor: lambda e, x, y: e(f"xor i1 {x}, {y}"),
    p.logical_not: lambda e, x: e(f"xor i1 {x}, true"),
}
WHOLE: dict[Op, Emit] = {
    p.absolute: lambda e, x: e(f"call {I} @llvm.abs.i64({I} {x}, i1 false)"),
    p.negative: lambda e, x: e(f"sub {I} 0, {x}"),
    p.square: lambda e, x: e(f"mul {I} {x}, {x}"),
    p.maximum: lambda e, x, y: e(f"call {I} @llvm.smax.i64({I} {x}, {I} {y})"),
    p.minimum: lambda e, x, y: e(f"call {I} @llvm.smin.i64({I} {x}, {I} {y})"),
    p.floor: lambda e, x: x,
    p.ceil: lambda e, x: x,
    p.trunc: lambda e, x: x,
}
"""What an op is on whole numbers, where that is another instruction than on doubles."""

BOOLEAN = frozenset({*COMPARISONS, *LOGICAL, p.isnan, p.isinf, p.isfinite})


def supported(op: Op, kind: str = F) -> bool:
    """Whether an op entry by entry has a kernel that gives results of this type."""
    tables: dict[str, tuple[Any, ...]] = {
        F: (ARITHMETIC, LIBM, INTRINSICS, SPECIAL),
        S: (ARITHMETIC, LIBM, INTRINSICS, SPECIAL),
        I: (ARITHMETIC, WHOLE),
        B: (BOOLEAN,),
    }
    return op in ANY_TYPE or any(op in table for table in tables[kind])
