"""The worker process: measures the cells that it is sent, one after another, until there is nobody left to send any.

A line of standard input is a cell with its limits. A line of standard output is an answer: what is known of the cell so
far, or its row. Whatever the cell itself prints goes to the error output, and what it reads is empty.
"""

from __future__ import annotations

import faulthandler
import fcntl
import json
import os
import resource
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any

from diffkit.benchmark.cells import measure_cell
from diffkit.benchmark.grid import Cell, Limits

OUT_OF_MEMORY = 177
"""Exit status of a worker in which not even the row of a cell that ran out of memory could be made."""


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answer every request with what is found on the way, and at last with a row."""
    process = os.getpid()

    def send(kind: str, facts: dict[str, Any]) -> None:
        if os.getpid() != process:  # a cell has forked, and this is its twin
            os._exit(1)
        answers.write(json.dumps({kind: facts}) + "\n")
        answers.flush()

    # Not `for line in requests`: that reads ahead, and the pipe must be empty while a cell is measured.
    while line := requests.readline():
        request = json.loads(line)
        cell, limits = Cell(**request["cell"]), Limits(**request["limits"])
        limit_memory(limits.memory_bytes)
        with _ended_with_its_parent(requests.fileno()):
            row = measure_cell(cell, limits, partial(send, "facts"))
        sys.stdout.flush()
        sys.stderr.flush()
        send("row", asdict(row))


def limit_memory(allowed: int) -> None:
    """Let this process take so many bytes more than it holds, and refuse what goes beyond.

    The limit is that of private memory (RLIMIT_DATA), which Linux enforces; elsewhere there is none. Not that of the
    address space: libraries reserve much more of it than they use.
    """
    if sys.platform == "linux":
        held = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * resource.getpagesize()
        _, highest = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (held + allowed, highest))


@contextmanager
def _ended_with_its_parent(channel: int) -> Iterator[None]:
    """Let the system end this process, and all that it started, as soon as nobody can send to the channel any more.

    A thread that watches could not run while native code holds the interpreter. A signal of the system comes through:
    SIGIO, which says that the channel was closed and, as nobody handles it, ends the whole process group.
    """
    if sys.platform != "linux":
        yield
        return
    flags = fcntl.fcntl(channel, fcntl.F_GETFL)
    fcntl.fcntl(channel, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(channel, fcntl.F_SETFL, flags | os.O_ASYNC)
    watch = select.poll()
    watch.register(channel, 0)  # a closed channel is told of whether it is asked for or not
    if watch.poll(0):  # it was closed before the signal was asked for
        sys.exit()
    try:
        yield
    finally:
        fcntl.fcntl(channel, fcntl.F_SETFL, flags)


def _own_streams() -> tuple[IO[str], IO[str]]:
    """Take standard input and output for the requests and answers, out of reach of what a cell prints and reads."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, answers


if __name__ == "__main__":
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves its row, and no file of its memory
    try:
        serve(*_own_streams())
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
