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

F, B, I = "double", "i1", "i64"  # noqa: E741 - the IR types of float64, bool and int64

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


def number(value: float) -> str:
    """A double as LLVM reads it exactly."""
    return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}"


@functools.cache
def vector_library() -> tuple[str, int, frozenset[str]]:
    """Letter and width of the vector variants of this machine, and the functions that have one."""
    try:
        import llvmlite.binding as llvm

        library = ctypes.CDLL("libmvec.so.1")
        features = llvm.get_host_cpu_features()
    except OSError:
        return "", 0, frozenset()
    letter, width = ("e", 8) if features.get("avx512f") else ("d", 4) if features.get("avx2") else ("b", 2)
    found = {name for name in LIBM.values() if hasattr(library, _variant(name, letter, width))}
    llvm.load_library_permanently("libmvec.so.1")
    return letter, width, frozenset(found)


def arity(name: str) -> int:
    """How many arguments a function of libm has."""
    return 2 if name in ("atan2", "hypot", "pow") else 1


def _variant(name: str, letter: str, width: int) -> str:
    return f"_ZGV{letter}N{width}{'v' * arity(name)}_{name}"


def declarations(used: set[str]) -> str:
    """Declare the functions of libm that a module uses, with their vector variants."""
    letter, width, known = vector_library()
    lines, kept = [], []
    for name in sorted(used):
        arguments = ", ".join([F] * arity(name))
        lines.append(f"declare {F} @{name}({arguments}) nounwind willreturn memory(none)")
        if name in known:
            vector, variant = f"<{width} x {F}>", _variant(name, letter, width)
            lines.append(
                f"declare {vector} @{variant}({', '.join([vector] * arity(name))}) nounwind willreturn memory(none)"
            )
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
    if op in ARITHMETIC and result in (F, I):
        words = [emit.cast(word, kind, result) for word, kind in zip(words, kinds, strict=True)]
        return emit(f"{ARITHMETIC[op][result == I]} {result} {words[0]}, {words[1]}")
    if op in COMPARISONS:
        common = F if F in kinds else I if I in kinds else B
        words = [emit.cast(word, kind, common) for word, kind in zip(words, kinds, strict=True)]
        if common == F:
            return emit(f"fcmp {COMPARISONS[op][0]} {F} {words[0]}, {words[1]}")
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
    words = [emit.cast(word, kind, F) for word, kind in zip(words, kinds, strict=True)]
    return on_numbers(emit, op, words)


def on_numbers(emit: Any, op: Op, words: list[str]) -> str:
    """Write an op on doubles."""
    if op in LIBM:
        return emit.call(LIBM[op], words)
    if op in INTRINSICS:
        return emit.intrinsic(INTRINSICS[op], words)
    if op not in SPECIAL:
        raise Unsupported(op.name)
    return SPECIAL[op](emit, *words)


class Unsupported(Exception):  # noqa: N818 - caught within the engine: NumPy computes what has no kernel
    """No kernel for this."""


def _reciprocal(e: Any, x: str) -> str:
    return e(f"fdiv {F} 1.0, {x}")


def _larger(e: Any, x: str, y: str, test: str = "oge") -> str:
    keep = e(f"fcmp {test} {F} {x}, {y}")
    nan = e(f"fcmp uno {F} {x}, 0.0")
    return e(f"select i1 {e(f'or i1 {keep}, {nan}')}, {F} {x}, {F} {y}")


def _sign(e: Any, x: str) -> str:
    up = e(f"select i1 {e(f'fcmp ogt {F} {x}, 0.0')}, {F} 1.0, {F} {x}")
    signed = e(f"select i1 {e(f'fcmp olt {F} {x}, 0.0')}, {F} -1.0, {F} {up}")
    zero = e(f"fcmp oeq {F} {x}, 0.0")
    return e(f"select i1 {zero}, {F} 0.0, {F} {signed}")


def _expit(e: Any, x: str) -> str:
    small = e.call("exp", [e(f"fneg {F} {e.intrinsic('fabs', [x])}")])
    top = e(f"select i1 {e(f'fcmp oge {F} {x}, 0.0')}, {F} 1.0, {F} {small}")
    return e(f"fdiv {F} {top}, {e(f'fadd {F} 1.0, {small}')}")


def _logaddexp(e: Any, x: str, y: str) -> str:
    gap = e(f"fsub {F} {x}, {y}")
    top = e(f"select i1 {e(f'fcmp ogt {F} {x}, {y}')}, {F} {x}, {F} {y}")
    tail = e.call("log1p", [e.call("exp", [e(f"fneg {F} {e.intrinsic('fabs', [gap])}")])])
    sum_ = e(f"fadd {F} {top}, {tail}")
    same = e(f"fadd {F} {x}, {number(math.log(2))}")
    far = e(f"select i1 {e(f'fcmp uno {F} {gap}, 0.0')}, {F} {e(f'fadd {F} {x}, {y}')}, {F} {sum_}")
    return e(f"select i1 {e(f'fcmp oeq {F} {x}, {y}')}, {F} {same}, {F} {far}")


def _heaviside(e: Any, x: str, half: str) -> str:
    up = e(f"select i1 {e(f'fcmp ogt {F} {x}, 0.0')}, {F} 1.0, {F} 0.0")
    level = e(f"select i1 {e(f'fcmp oeq {F} {x}, 0.0')}, {F} {half}, {F} {up}")
    return e(f"select i1 {e(f'fcmp uno {F} {x}, 0.0')}, {F} {x}, {F} {level}")


SPECIAL: dict[Op, Emit] = {
    p.divide: lambda e, x, y: e(f"fdiv {F} {x}, {y}"),
    p.negative: lambda e, x: e(f"fneg {F} {x}"),
    p.square: lambda e, x: e(f"fmul {F} {x}, {x}"),
    p.reciprocal: _reciprocal,
    p.maximum: _larger,
    p.minimum: lambda e, x, y: _larger(e, x, y, "ole"),
    p.sign: _sign,
    p.expit: _expit,
    p.logaddexp: _logaddexp,
    p.heaviside: _heaviside,
    p.isnan: lambda e, x: e(f"fcmp uno {F} {x}, 0.0"),
    p.isinf: lambda e, x: e(f"fcmp oeq {F} {e.intrinsic('fabs', [x])}, {number(math.inf)}"),
    p.isfinite: lambda e, x: e(f"fcmp olt {F} {e.intrinsic('fabs', [x])}, {number(math.inf)}"),
}
LOGICAL: dict[Op, Emit] = {
    p.logical_and: lambda e, x, y: e(f"and i1 {x}, {y}"),
    p.logical_or: lambda e, x, y: e(f"or i1 {x}, {y}"),
    p.logical_xor: lambda e, x, y: e(f"xor i1 {x}, {y}"),
    p.logical_not: lambda e, x: e(f"xor i1 {x}, true"),
}
BOOLEAN = frozenset({*COMPARISONS, *LOGICAL, p.isnan, p.isinf, p.isfinite})


def supported(op: Op) -> bool:
    """Whether an op entry by entry has a kernel."""
    tables = (ARITHMETIC, COMPARISONS, LOGICAL, LIBM, INTRINSICS, SPECIAL, {p.where, p.convert, p.stop})
    return any(op in table for table in tables)
