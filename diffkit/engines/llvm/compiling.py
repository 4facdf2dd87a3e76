"""From IR to machine code: how much LLVM is asked to do, and code that plans share."""

from __future__ import annotations

import functools
import hashlib
import weakref
from typing import Any

STRAIGHT, PER_LOOP = 3000, 100  # lines of IR up to which all of LLVM's optimisations are worth their time
LONG = 12_000  # lines from which even a good allocation of registers takes too long


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

    def __init__(self, text: str) -> None:
        self._engine = compiled(text)

    def address(self, name: str) -> int:
        """Where a function begins."""
        return int(self._engine.get_function_address(name))


_shared: weakref.WeakValueDictionary[bytes, Machine] = weakref.WeakValueDictionary()


def machine(text: str) -> Machine:
    """Compile a module, unless the same one is in use already; nothing is kept of what nobody uses."""
    key = hashlib.sha256(text.encode()).digest()
    found = _shared.get(key)
    if found is None:
        found = _shared[key] = Machine(text)
    return found


def compiled(text: str) -> Any:
    """Compile a module, with as much optimisation as its length is worth."""
    llvm, triple, host = target()
    module = llvm.parse_assembly(text)
    lines = text.count("\n")
    small = lines <= STRAIGHT + PER_LOOP * text.count(" phi ")
    level = 3 if small else 1 if lines <= LONG else 0
    machine = triple.create_target_machine(opt=level, **host)  # the compiler below takes it over
    if small:
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = True
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine
