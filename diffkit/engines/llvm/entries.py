"""The IR of what CPython calls: functions of Python objects over a kernel.

They check type, shape, dtype and flags of their arguments, allocate the results through NumPy's C API, and call the
kernel. Their ``self`` is a tuple of what belongs to one plan: `SELF`.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from diffkit.graph import Graph, Step

PYARRAY_RETURN, PYARRAY_NEW = 76, 93  # their places in NumPy's table of functions, fixed by its ABI
CONTIGUOUS_ALIGNED = 0x0001 | 0x0100
ITEMS = 24  # where a tuple's entries begin
DATA, DIMENSIONS = 16, 32  # where an array keeps the address of its entries, and of its shape
FASTCALL, KEYWORDS = 0x0080, 0x0002  # how CPython calls a function, fixed by its ABI
NUMBERS = {"float64": 12, "float32": 11, "bool": 0, "int64": 7}  # NumPy's numbers for dtypes
SELF = ("slow", "table", "machine", "arrays", "names")
"""What a function of a plan holds: whom to call where it cannot serve, the addresses of the kernel and of the arrays
that it reads and writes, and, to keep them alive, code and arrays; the shortest way also where to look for names."""


class _MethodDef(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("method", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def python_function(address: int, kept: tuple[Any, ...], flags: int = FASTCALL) -> Callable[..., Any]:
    """A built-in function of CPython over an address; ``kept`` is its ``self``, and lives as long as it does."""
    definition = _MethodDef(b"plan", address, flags, None)
    api = ctypes.pythonapi
    api.PyCMethod_New.restype = ctypes.py_object
    api.PyCMethod_New.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object, ctypes.c_void_p]
    made: Callable[..., Any] = api.PyCMethod_New(ctypes.addressof(definition), (*kept, definition), None, None)
    return made


@functools.cache
def addresses() -> dict[str, int]:
    """Addresses of what the entry calls or compares with."""
    api = ctypes.pythonapi
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    capsule = vars(import_module("numpy._core._multiarray_umath"))["_ARRAY_API"]  # what every extension module uses
    table = api.PyCapsule_GetPointer(capsule, None)
    functions = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))
    function = {
        name: ctypes.cast(getattr(api, name), ctypes.c_void_p).value
        for name in ("PyTuple_New", "Py_DecRef", "Py_IncRef", "PyObject_Vectorcall", "PyDict_GetItem")
    }
    return {
        "new": functions[PYARRAY_NEW],
        "number": functions[PYARRAY_RETURN],
        "array": id(np.ndarray),
        "none": id(None),
        "other": id(NotImplemented),
        **function,
    }


def entries(graph: Graph) -> str:
    """The IR of two functions of Python objects over a kernel.

    ``entry`` gives a tuple of results, None where a guard fails, NotImplemented for arguments in another layout.
    ``direct`` gives the one result, or a tuple of them, with 0-d arrays as numbers, and calls ``slow`` in all other
    cases.
    """
    a = addresses()
    parts = [
        "\n".join(_dims(graph)),
        _function("entry", graph, _entry_end(graph, a), a, arguments="ptr %self, ptr %args, i64 %n"),
    ]
    arguments = "ptr %self, ptr %args, i64 %n, ptr %names"
    parts.append(_function("direct", graph, _direct_end(graph, a), a, arguments=arguments, plain="%names"))
    return "\n".join(parts)


def _dims(graph: Graph) -> list[str]:
    shapes = [graph.steps[position].shape for position in graph.outputs]
    words = [", ".join(f"i64 {n}" for n in shape) or "i64 0" for shape in shapes]
    return [
        f"@dims{spot} = internal constant [{max(1, len(shape))} x i64] [{word}]"
        for spot, (shape, word) in enumerate(zip(shapes, words, strict=True))
    ]


def _function(name: str, graph: Graph, end: list[str], a: dict[str, int], *, arguments: str, plain: str = "") -> str:
    """Check the arguments, allocate the results, call the kernel."""
    steps = graph.steps
    lines = [
        f"  %count = icmp eq i64 %n, {len(graph.inputs)}",
        f"  br i1 %count, label %{'keys' if plain else 'c0'}, label %other",
    ]
    if plain:
        lines += ["keys:", f"  %nokeys = icmp eq ptr {plain}, null", "  br i1 %nokeys, label %c0, label %other"]
    for spot, position in enumerate(graph.inputs):
        lines += _checked(spot, steps[position], a)
    lines.append(f"c{len(graph.inputs)}:")
    results = []
    for spot, position in enumerate(graph.outputs):
        number, axes = NUMBERS[steps[position].dtype.name], len(steps[position].shape)
        new, kind = (f"inttoptr (i64 {a[name]} to ptr)" for name in ("new", "array"))
        rest = f"i32 {axes}, ptr @dims{spot}, i32 {number}, ptr null, ptr null, i32 0, i32 0, ptr null"
        lines += [
            f"  %r{spot} = call ptr {new}(ptr {kind}, {rest})",
            f"  %rp{spot} = getelementptr i8, ptr %r{spot}, i64 {DATA}",
            f"  %rd{spot} = load ptr, ptr %rp{spot}",
        ]
        results.append(f"ptr %rd{spot}")
    given = ", ".join(["ptr %table", *(f"ptr %d{spot}" for spot in range(len(graph.inputs))), *results])
    drop = f"inttoptr (i64 {a['Py_DecRef']} to ptr)"
    lines += [
        *table_of("table"),
        "  %kernel = load ptr, ptr %table",
        f"  %ok = call i1 %kernel({given})",
        "  br i1 %ok, label %good, label %bad",
        *end[: end.index("bad:") + 1],
    ]
    lines += [f"  call void {drop}(ptr %r{spot})" for spot in range(len(graph.outputs))]
    return f"define ptr @{name}({arguments}) {{\n" + "\n".join(lines + end[end.index("bad:") + 1 :]) + "\n}\n"


def _entry_end(graph: Graph, a: dict[str, int]) -> list[str]:
    lines = ["good:", *_tuple([f"%r{spot}" for spot in range(len(graph.outputs))], a), "bad:"]
    take = f"inttoptr (i64 {a['Py_IncRef']} to ptr)"
    for label, value in (("", a["none"]), ("other:", a["other"])):
        lines += [
            label,
            f"  call void {take}(ptr inttoptr (i64 {value} to ptr))",
            f"  ret ptr inttoptr (i64 {value} to ptr)",
        ]
    return lines


def _tuple(words: list[str], a: dict[str, int]) -> list[str]:
    """Give back several objects."""
    lines = [f"  %tuple = call ptr inttoptr (i64 {a['PyTuple_New']} to ptr)(i64 {len(words)})"]
    for spot, word in enumerate(words):
        lines.append(f"  %item{spot} = getelementptr i8, ptr %tuple, i64 {ITEMS + 8 * spot}")
        lines.append(f"  store ptr {word}, ptr %item{spot}")
    return [*lines, "  ret ptr %tuple"]


def _direct_end(graph: Graph, a: dict[str, int]) -> list[str]:
    lines, words = ["good:"], []
    for spot, position in enumerate(graph.outputs):
        words.append(f"%r{spot}")
        if not graph.steps[position].shape:
            lines.append(f"  %number{spot} = call ptr inttoptr (i64 {a['number']} to ptr)(ptr %r{spot})")
            words[-1] = f"%number{spot}"
    lines += [f"  ret ptr {words[0]}"] if len(words) == 1 else _tuple(words, a)
    return [*lines, "bad:", "  br label %other", *slow_way(a)]


def slow_way(a: dict[str, int]) -> list[str]:
    """Hand everything on to a function of Python's."""
    call = f"inttoptr (i64 {a['PyObject_Vectorcall']} to ptr)"
    return [
        "other:",
        f"  %ip = getelementptr i8, ptr %self, i64 {ITEMS + 8 * SELF.index('slow')}",
        "  %slow = load ptr, ptr %ip",
        f"  %found = call ptr {call}(ptr %slow, ptr %args, i64 %n, ptr %names)",
        "  ret ptr %found",
    ]


def _checked(spot: int, step: Step, a: dict[str, int]) -> list[str]:
    """An argument is a plain contiguous array of this shape and dtype."""
    shape = step.shape
    tests = [
        ("ptr", 8, f"inttoptr (i64 {a['array']} to ptr)"),
        ("i32", 24, str(len(shape))),
        ("ptr", 56, f"inttoptr (i64 {id(np.dtype(step.dtype.name))} to ptr)"),
    ]
    lines = [
        f"c{spot}:",
        f"  %ap{spot} = getelementptr ptr, ptr %args, i64 {spot}",
        f"  %a{spot} = load ptr, ptr %ap{spot}",
    ]
    for k, (kind, offset, expected) in enumerate(tests):
        name = f"{spot}_{k}"
        lines += [
            f"  %fp{name} = getelementptr i8, ptr %a{spot}, i64 {offset}",
            f"  %f{name} = load {kind}, ptr %fp{name}",
            f"  %t{name} = icmp eq {kind} %f{name}, {expected}",
            f"  br i1 %t{name}, label %k{name}, label %other",
            f"k{name}:",
        ]
    lines += [
        f"  %gp{spot} = getelementptr i8, ptr %a{spot}, i64 64",
        f"  %g{spot} = load i32, ptr %gp{spot}",
        f"  %ga{spot} = and i32 %g{spot}, {CONTIGUOUS_ALIGNED}",
        f"  %gt{spot} = icmp eq i32 %ga{spot}, {CONTIGUOUS_ALIGNED}",
        f"  br i1 %gt{spot}, label %s{spot}, label %other",
        f"s{spot}:",
        f"  %dp{spot} = getelementptr i8, ptr %a{spot}, i64 {DIMENSIONS}",
        f"  %dims{spot} = load ptr, ptr %dp{spot}",
    ]
    for axis, length in enumerate(shape):
        name = f"{spot}_{axis}"
        lines += [
            f"  %lp{name} = getelementptr i64, ptr %dims{spot}, i64 {axis}",
            f"  %l{name} = load i64, ptr %lp{name}",
            f"  %lt{name} = icmp eq i64 %l{name}, {length}",
            f"  br i1 %lt{name}, label %m{name}, label %other",
            f"m{name}:",
        ]
    lines += [
        f"  %ep{spot} = getelementptr i8, ptr %a{spot}, i64 {DATA}",
        f"  %d{spot} = load ptr, ptr %ep{spot}",
        f"  br label %c{spot + 1}",
    ]
    return lines


def table_of(name: str) -> list[str]:
    """Where the entries of an array in ``self`` lie."""
    return [
        f"  %tp = getelementptr i8, ptr %self, i64 {ITEMS + 8 * SELF.index(name)}",
        "  %ta = load ptr, ptr %tp",
        f"  %td = getelementptr i8, ptr %ta, i64 {DATA}",
        "  %table = load ptr, ptr %td",
    ]
