"""From IR to machine code: how much LLVM is asked to do, and code that plans share."""

from __future__ import annotations

import functools
import hashlib
import re
import weakref
from typing import Any

STRAIGHT, PER_LOOP = 3000, 100  # lines of IR up to which all of LLVM's optimisations are worth their time
LONGEST = 200_000  # lines from which they are worth their time no more, however many loops there are
LONG = 12_000  # lines from which even a good allocation of registers takes too long
BETWEEN_CALLS = 25  # lines up to which it is worth nothing: a call of libm keeps no vector register
SHORT = range(8, 33)  # iterations of a loop that LLVM would write out before it could make vectors of it
LENGTH = re.compile(r"icmp ult i64 %\w+, (\d+)")
PLUMBING = re.compile(r"^  (?:call void @part|%\S+ = (?:getelementptr|load ptr|alloca))", re.MULTILINE)
LIBRARY_CALL = re.compile(r" call (?:double|float|void) @(?!llvm\.)")


@functools.cache
def target() -> tuple[Any, Any, dict[str, str]]:
    """LLVM made ready: its binding, the machine's target, and the host's features."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    host = {"cpu": llvm.get_host_cpu_name(), "features": llvm.get_host_cpu_features().flatten()}
    return llvm, llvm.Target.from_default_triple(), host


class Machine:
    """A compiled module."""

    def __init__(self, text: str, level: int) -> None:
        self._engine = compiled(text, level)

    def address(self, name: str) -> int:
        """Where a function begins."""
        return int(self._engine.get_function_address(name))


_shared: weakref.WeakValueDictionary[bytes, Machine] = weakref.WeakValueDictionary()


def machine(text: str, level: int) -> Machine:
    """Compile a module, unless the same one is in use already; nothing is kept of what nobody uses."""
    key = hashlib.sha256(text.encode()).digest()
    found = _shared.get(key)
    if found is None:
        found = _shared[key] = Machine(text, level)
    return found


def compiled(text: str, level: int) -> Any:
    """Compile a module."""
    llvm, triple, host = target()
    module = llvm.parse_assembly(text)
    machine = triple.create_target_machine(opt=level, **host)  # the compiler below takes it over
    if level == 3:
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = options.slp_vectorization = True
        options.loop_unrolling = not any(int(n) in SHORT for n in LENGTH.findall(text))
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine


def optimisation(kernel: str) -> int:
    """How much LLVM is asked to do for a kernel.

    3 is everything, 1 little more than a good allocation of registers, 0 one instruction after another. Loops are
    worth everything. Straight-line code takes longer than its length to optimise, and gains nothing where it calls a
    function every few lines.
    """
    loops, calls = kernel.count(" phi "), len(LIBRARY_CALL.findall(kernel))
    lines = kernel.count("\n")
    straight = lines - len(PLUMBING.findall(kernel))
    if not loops and straight < BETWEEN_CALLS * calls:
        return 0
    return 3 if straight <= STRAIGHT + PER_LOOP * loops and lines <= LONGEST else 1 if lines <= LONG else 0
