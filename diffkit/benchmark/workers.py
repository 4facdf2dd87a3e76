"""Where cells run: in a worker process, with limits of time and memory, so that a cell can harm none but itself."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from time import monotonic
from typing import Any, Self

from diffkit.benchmark.environment import MEMORY, THREADS, now
from diffkit.benchmark.grid import Cell, Limits
from diffkit.benchmark.results import Measurement, measurement
from diffkit.benchmark.serving import OUT_OF_MEMORY

PATIENCE = 60.0
"""Seconds in which a worker must have loaded its libraries and made the problem; only then a cell's own time begins."""

KEPT = 4000
"""Bytes of what a cell prints that are kept: the last ones."""

_CHUNK = 1 << 16  # bytes read at once: all that a pipe of Linux holds
_GRACE = 5.0  # seconds from the last that a process says to its end, so that it tells how it ended
_TICK = 1.0  # seconds after which a process that says nothing is looked at


class Worker:
    """A process that is kept warm, measures one cell at a time, and is replaced when a cell takes it down.

    Examples
    --------
    >>> cell = Cell("mine", "rosenbrock", "reverse", "numpy", inputs=10, outputs=1)
    >>> with Worker() as worker:
    ...     row = worker.measure(cell, Limits(budget_seconds=0.01))
    >>> row.status, len(row.run_samples)
    ('ok', 7)
    """

    def __init__(self) -> None:
        self._process: _Process | None = None
        self._visit = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def facts(self) -> dict[str, Any]:
        """Say what is special about this place: nothing, it is on this machine."""
        return {}

    def each(self, cells: Iterable[Cell], limits: Limits) -> Iterator[Measurement]:
        """Measure these cells, each when the row of the one before has been taken."""
        for cell in cells:
            yield self.measure(cell, limits)

    def measure(self, cell: Cell, limits: Limits) -> Measurement:
        """Measure one cell: whatever happens in it, here is its row."""
        start = monotonic()
        if cell.visit != self._visit:  # another visit is another process, with another layout of its memory
            self.close()
            self._visit = cell.visit
        used = self._process is not None
        row = self._attempt(cell, limits)
        if used and row.status.startswith(("crashed", "exited")):
            # What an earlier cell broke in this process may show only now: a new process tells whose fault it is.
            row = self._attempt(cell, limits)
        return replace(row, cell_seconds=monotonic() - start)

    def close(self) -> None:
        """End the process, and all that it has started."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _attempt(self, cell: Cell, limits: Limits) -> Measurement:
        process = self._process = self._process or _Process()
        try:
            row = process.measure(cell, limits)
        except BaseException:  # whoever comes next must not be given the answers of this cell
            self.close()
            raise
        if row.status == "out of memory" or not process.alive:
            self.close()
        return row


class _Process:
    """One worker process, seen from outside."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-m", "diffkit.benchmark.serving"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **THREADS, **MEMORY, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C is for us alone, and all that a cell starts can be ended with it
        )
        self._streams = [stream for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr) if stream]
        self._requests, self._answers, self._errors = (stream.fileno() for stream in self._streams)
        os.set_blocking(self._errors, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._answers, selectors.EVENT_READ)
        self._selector.register(self._errors, selectors.EVENT_READ)
        self._unread = b""
        self._printed = b""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    def measure(self, cell: Cell, limits: Limits) -> Measurement:
        """Measure one cell; where the process does not survive it, say what is known."""
        self._printed = b""
        self._request({"cell": asdict(cell), "limits": asdict(limits)})
        facts: dict[str, Any] = {"started": now()}
        begun, deadline = False, monotonic() + PATIENCE
        while (answer := self._answer(deadline)) is not None:
            if "row" in answer:
                return self._finished(measurement(answer["row"]), limits)
            if not begun:
                begun, deadline = True, monotonic() + limits.seconds
            facts = answer["facts"]
        late = monotonic() >= deadline
        code = self._kill(patience=0.0 if late else _GRACE)
        status, reason = _overdue(limits, begun=begun) if late else _cause(code, limits)
        lines = self._last_lines()
        return measurement({**asdict(cell), **facts, "status": status, "reason": reason, "printed": lines})

    def _finished(self, row: Measurement, limits: Limits) -> Measurement:
        if row.status == "ok":
            return row
        reason = f"{row.reason}; {_beyond(limits)}" if row.status == "out of memory" else row.reason
        return replace(row, reason=reason, printed=self._last_lines())

    def end(self) -> None:
        """End it, and all that it has started."""
        self._kill()
        self._selector.close()
        for stream in self._streams:
            stream.close()

    def _kill(self, patience: float = 0.0) -> int:
        """End it and all that it has started, after it had time to end by itself: how did it end?"""
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(patience)
        with suppress(ProcessLookupError, PermissionError):  # nobody is left
            os.killpg(self._popen.pid, signal.SIGKILL)
        return self._popen.wait()

    def _request(self, content: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):  # it has just died, which shows when its answer is read
            os.write(self._requests, json.dumps(content).encode() + b"\n")

    def _answer(self, deadline: float) -> dict[str, Any] | None:
        """The next line that it answers; None when the time is up, or the process has ended."""
        while True:
            line, end, rest = self._unread.partition(b"\n")
            if end:
                self._unread = rest
                with suppress(ValueError):  # a cell has written where it has no business
                    answer = json.loads(line)
                    if isinstance(answer, dict):
                        return answer
                continue
            left = deadline - monotonic()
            if not self._listen(max(0.0, min(left, _TICK))):
                return None
            if left <= 0 and b"\n" not in self._unread:  # nor did it come while nobody looked
                return None

    def _listen(self, seconds: float) -> bool:
        """Read what has come, waiting for so long; False when the process has ended."""
        ready = {key.fd for key, _ in self._selector.select(seconds)}
        if self._errors in ready and not self._keep_what_is_printed():
            self._selector.unregister(self._errors)
        if self._answers in ready:
            chunk = os.read(self._answers, _CHUNK)
            self._unread += chunk
            return bool(chunk)
        return bool(ready) or self.alive  # what it has started may hold the pipe open when it has died

    def _keep_what_is_printed(self) -> bool:
        """Read a chunk of what it printed, and keep the end; False where there is no more."""
        try:
            chunk = os.read(self._errors, _CHUNK)
        except BlockingIOError:
            return False
        self._printed = (self._printed + chunk)[-KEPT:]
        return bool(chunk)

    def _last_lines(self) -> str:
        """What it printed last."""
        for _ in range(_CHUNK):  # a process that it has started may print without end
            if not self._keep_what_is_printed():
                break
        return self._printed.decode(errors="replace").strip()


def _overdue(limits: Limits, *, begun: bool) -> tuple[str, str]:
    if begun:
        return "timed out", f"not finished within {limits.seconds:g} s"
    return "timed out", f"its problem and libraries were not loaded within {PATIENCE:g} s"


def _cause(code: int, limits: Limits) -> tuple[str, str]:
    """What has ended a process: its status as a cell, and the reason."""
    if code == OUT_OF_MEMORY:
        return "out of memory", _beyond(limits)
    if code >= 0:
        return f"exited (code {code})", "it ended the process that measured it"
    name = signal.Signals(-code).name
    hint = "; the system does so when its memory is used up" if name == "SIGKILL" else ""
    return f"crashed ({name})", f"its process was ended by the signal {name}{hint}"


def _beyond(limits: Limits) -> str:
    return f"it may take {limits.memory_bytes / 1e6:,.0f} MB (limit memory_bytes)"
