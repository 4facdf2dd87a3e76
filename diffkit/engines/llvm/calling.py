"""From IR to a function that Python can call.

The IR of a kernel takes addresses. `compiled` makes it callable: llvmlite compiles it, and a small entry in the same
module is handed to CPython as a method (``METH_FASTCALL``): it checks type, shape, dtype and flags of its arguments,
allocates the results through NumPy's C API, and calls the kernel.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.graph import Graph

SMALL = 3000  # lines of IR up to which all of LLVM's optimisations are worth their time


@functools.cache
def target() -> tuple[Any, Any, dict[str, str]]:
    """LLVM made ready: its binding, the machine's target, and the host's features."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    host = {"cpu": llvm.get_host_cpu_name(), "features": llvm.get_host_cpu_features().flatten()}
    return llvm, llvm.Target.from_default_triple(), host


def machine_code(text: str) -> tuple[Any, int]:
    """Compile a module; what must stay alive, and the address of its kernel's entry."""
    llvm, triple, host = target()
    module = llvm.parse_assembly(text)
    small = text.count("\n") <= SMALL
    machine = triple.create_target_machine(opt=3 if small else 1, **host)  # the compiler below takes it over
    if small:
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = True
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine, engine.get_function_address("entry")


# ---------------------------------------------------------------- CPython and NumPy from C

PYARRAY_NEW = 93  # its place in NumPy's table of functions, fixed by its ABI
CONTIGUOUS_ALIGNED = 0x0001 | 0x0100
FASTCALL = 0x0080


@functools.cache
def addresses() -> dict[str, int]:
    """Addresses of what the entry calls or compares with."""
    api = ctypes.pythonapi
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    from numpy._core import _multiarray_umath  # the table that every extension module of NumPy uses

    table = api.PyCapsule_GetPointer(_multiarray_umath._ARRAY_API, None)
    new = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[PYARRAY_NEW]
    function = {
        name: ctypes.cast(getattr(api, name), ctypes.c_void_p).value
        for name in ("PyTuple_New", "Py_DecRef", "Py_IncRef")
    }
    return {
        "new": new,
        "array": id(np.ndarray),
        "float64": id(np.dtype(np.float64)),
        "none": id(None),
        "other": id(NotImplemented),
        **function,
    }  # type: ignore[return-value]  # ctypes' value is an address here


def entry(graph: Graph) -> str:
    """The IR of a function of Python objects: NotImplemented for other arguments, None where a guard fails."""
    a = addresses()
    steps = graph.steps
    lines = [f"  %count = icmp eq i64 %n, {len(graph.inputs)}", "  br i1 %count, label %c0, label %other"]
    for spot, position in enumerate(graph.inputs):
        lines += _checked(spot, steps[position].shape, a)
    lines.append(f"c{len(graph.inputs)}:")
    globals_, results = [], []
    for spot, position in enumerate(graph.outputs):
        shape = steps[position].shape
        dims = ", ".join(f"i64 {length}" for length in shape) or "i64 0"
        globals_.append(f"@dims{spot} = internal constant [{max(1, len(shape))} x i64] [{dims}]")
        number = {"float64": 12, "bool": 0, "int64": 7}[steps[position].dtype.name]
        lines.append(
            f"  %r{spot} = call ptr inttoptr (i64 {a['new']} to ptr)(ptr inttoptr (i64 {a['array']} to ptr), i32 {len(shape)}, "
            f"ptr @dims{spot}, i32 {number}, ptr null, ptr null, i32 0, i32 0, ptr null)"
        )
        lines.append(f"  %rp{spot} = getelementptr i8, ptr %r{spot}, i64 16")
        lines.append(f"  %rd{spot} = load ptr, ptr %rp{spot}")
        results.append(f"ptr %rd{spot}")
    arguments = ", ".join([*(f"ptr %d{spot}" for spot in range(len(graph.inputs))), *results])
    lines += [f"  %ok = call i1 @kernel({arguments})", "  br i1 %ok, label %good, label %bad", "good:"]
    lines.append(f"  %tuple = call ptr inttoptr (i64 {a['PyTuple_New']} to ptr)(i64 {len(graph.outputs)})")
    for spot in range(len(graph.outputs)):
        lines += [
            f"  %tp{spot} = getelementptr i8, ptr %tuple, i64 {24 + 8 * spot}",
            f"  store ptr %r{spot}, ptr %tp{spot}",
        ]
    lines += ["  ret ptr %tuple", "bad:"]
    drop, take = f"inttoptr (i64 {a['Py_DecRef']} to ptr)", f"inttoptr (i64 {a['Py_IncRef']} to ptr)"
    lines += [f"  call void {drop}(ptr %r{spot})" for spot in range(len(graph.outputs))]
    for label, value in (("", a["none"]), ("other:\n", a["other"])):
        lines.append(
            f"{label}  call void {take}(ptr inttoptr (i64 {value} to ptr))\n  ret ptr inttoptr (i64 {value} to ptr)"
        )
    body = "\n".join(lines)
    return "\n".join(globals_) + f"\ndefine ptr @entry(ptr %self, ptr %args, i64 %n) {{\n{body}\n}}\n"


def _checked(spot: int, shape: tuple[int, ...], a: dict[str, int]) -> list[str]:
    """An argument is a plain contiguous float64 array of this shape."""
    tests = [
        ("ptr", 8, f"inttoptr (i64 {a['array']} to ptr)"),
        ("i32", 24, str(len(shape))),
        ("ptr", 56, f"inttoptr (i64 {a['float64']} to ptr)"),
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
        f"  %dp{spot} = getelementptr i8, ptr %a{spot}, i64 32",
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
        f"  %ep{spot} = getelementptr i8, ptr %a{spot}, i64 16",
        f"  %d{spot} = load ptr, ptr %ep{spot}",
        f"  br label %c{spot + 1}",
    ]
    return lines


class _MethodDef(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("method", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def python_function(address: int, kept: Any) -> Callable[..., Any]:
    """A built-in function of CPython over an address; ``kept`` lives as long as it does."""
    definition = _MethodDef(b"plan", address, FASTCALL, None)
    api = ctypes.pythonapi
    api.PyCMethod_New.restype = ctypes.py_object
    api.PyCMethod_New.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object, ctypes.c_void_p]
    owner = (definition, kept)
    return api.PyCMethod_New(ctypes.addressof(definition), owner, None, None)  # type: ignore[no-any-return]  # a callable


def compiled(text: str, graph: Graph, kept: list[Any]) -> Callable[..., Any]:
    """A kernel as a function of arrays."""
    engine, address = machine_code(text + entry(graph))
    quick = python_function(address, (engine, kept))

    def run(*arrays: Any) -> Any:
        found = quick(*arrays)
        if found is NotImplemented:  # another layout, or a number
            found = quick(*[np.ascontiguousarray(array, dtype=np.float64).reshape(np.shape(array)) for array in arrays])
        return found

    return run
