"""Problems that behave badly, each in its own way; a suite names them ``planted:sleeps``."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from diffkit.problems import Problem
from diffkit.problems.base import free

C = ctypes.CDLL(None)
LINE = "all work and no play makes a cell a dull cell\n"
FOREVER = 10**6  # seconds


def planted(act, factor=1.0):
    """The sum of squares, B times, which does something else first; ``factor`` is how wrong its reference is."""

    def build(inputs, outputs):
        def function(x):
            if "SIGN" in os.environ:
                Path(os.environ["SIGN"]).touch()
            act()
            return np.ones(outputs) * (x * x).sum()

        return function, np.ones(inputs), lambda x: np.tile(2 * x * factor, (outputs, 1)), 1.0

    return Problem(act.__name__, f"It {act.__name__}.", "made up", free(), build)


def nothing():
    pass


behaves = planted(nothing)
is_wrong = planted(nothing, factor=1.5)


@planted
def sleeps():
    time.sleep(FOREVER)


@planted
def sleeps_natively():
    while True:
        C.usleep(10**6)


@planted
def sleeps_and_holds_the_interpreter():
    ctypes.PyDLL(None).sleep(FOREVER)


@planted
def allocates():
    held = []
    while True:
        held.append(bytearray(10**6))


@planted
def allocates_crumbs():
    held = None
    while True:
        held = [held]


@planted
def allocates_an_array():
    np.ones(10**12)


@planted
def segfaults():
    ctypes.string_at(0)


@planted
def aborts():
    os.abort()


@planted
def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)


@planted
def exits():
    os._exit(0)


@planted
def exits_politely():
    sys.exit(3)


@planted
def raises():
    raise ArithmeticError("planted")


@planted
def fails_aloud():
    sys.stderr.write(LINE * 1000)
    sys.stdout.write("these are my last words")
    raise ArithmeticError("planted")


@planted
def prints_a_gigabyte():
    block = LINE.encode() * 1000
    for _ in range(10**9 // len(block) + 1):
        os.write(1, block)


@planted
def breeds():
    """Starts a process that would outlive its own."""
    os.fork()
    time.sleep(FOREVER)


@planted
def leaves_a_child():
    """Ends, and leaves a process which holds its pipes."""
    if os.fork():
        os._exit(0)
    time.sleep(FOREVER)


@planted
def closes_everything():
    os.closerange(0, 256)


calls = []


@planted
def slows_down():
    """The first call, which is traced, is quick; the plain function that is timed is not."""
    calls.append(1)
    if len(calls) > 1:
        time.sleep(FOREVER)


kept = []


def hoarding(inputs, outputs):
    kept.append(bytearray(200 * 10**6))
    return behaves.build(inputs, outputs)


hoards = replace(behaves, build=hoarding)


@planted
def plants_a_bomb():
    os.environ["BOMB"] = str(os.getpid())


@planted
def steps_on_it():
    if os.environ.get("BOMB") == str(os.getpid()):
        ctypes.string_at(0)


@planted
def tells_its_threads():
    raise ArithmeticError({pool["num_threads"] for pool in threadpool_info()})


@planted
def is_alone():
    """Fails where another cell runs in a process of the same parent."""
    place = Path(os.environ["TAKEN"], str(os.getppid()))
    os.close(os.open(place, os.O_CREAT | os.O_EXCL))
    time.sleep(0.001)
    place.unlink()
    place.with_suffix(".served").touch()


@planted
def waits_once():
    """The first cell of all says which worker of the cluster it runs for, and waits for the end."""
    try:
        with Path(os.environ["BEGUN_BY"]).open("x", encoding="utf-8") as file:
            file.write(f"{os.getppid()} {os.getpid()}\n")
    except FileExistsError:
        return
    time.sleep(FOREVER)


@planted
def tells_its_process():
    raise ArithmeticError(os.getpid())


twins = []


@planted
def doubles():
    """Goes on as two processes, from its first call on."""
    if not twins:
        twins.append(os.getpid())
        os.fork()


@planted
def meddles():
    """Writes to every pipe that it can find."""
    for descriptor in range(3, 10):
        with suppress(OSError):
            os.write(descriptor, b"nonsense\n42\n")
