"""Cells on several machines: a Dask cluster hands them out, and each of its workers measures one at a time.

The extra ``cluster`` is needed. On a machine of the cluster a cell runs as everywhere, in a process of its own with its
limits. A cell whose machine is lost is measured on another one.
"""

from __future__ import annotations

import platform
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from diffkit.benchmark.environment import differing, environment, now
from diffkit.benchmark.grid import Cell, Limits
from diffkit.benchmark.results import Measurement
from diffkit.benchmark.workers import Worker
from diffkit.errors import DiffkitError, InputError, needing

if TYPE_CHECKING:
    from distributed import Client

RESOURCE = "diffkit"
"""What a worker of the cluster must offer to be handed cells: ``dask worker ADDRESS --resources diffkit=1``."""

GONE = "the scheduler is gone; the finished cells are kept, and --resume measures the rest"
CONNECT_SECONDS = 15
IDLE_SECONDS = 30.0
"""After so long without a cell, the process that measures them on a machine of the cluster ends."""


class Cluster:
    """The workers of a Dask cluster, as a place where cells are measured.

    Parameters
    ----------
    address
        Of the scheduler, as ``tcp://host:8786``.
    workers
        Instead of an address: start a scheduler and so many workers on this machine, and end them afterwards. Cells
        that are measured at the same time share its memory and caches, which shows in their times.

    Raises
    ------
    InputError
        Both or none are given, no scheduler answers, or no worker offers `RESOURCE`.
    UnsupportedError
        The extra ``cluster`` is not installed.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        if (address is None) == (workers is None):
            raise InputError("name a scheduler or a number of local workers, and not both")
        self._address = address
        self._workers = workers
        self._run = uuid.uuid4().hex
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with needing("a cluster", extra="cluster"):
            import distributed
        with ExitStack() as opening:
            cluster: Any = self._address
            if cluster is None:
                cluster = opening.enter_context(
                    distributed.LocalCluster(
                        n_workers=self._workers,
                        threads_per_worker=1,
                        resources={RESOURCE: 1},
                        memory_limit=0,  # a cell has a limit of its own
                        dashboard_address=None,
                    )
                )
            try:
                client = distributed.Client(cluster, timeout=CONNECT_SECONDS, set_as_default=False)
            except (OSError, ValueError) as error:
                raise InputError(f"no scheduler answers at {self._address}: {error}") from None
            self._client: Client = opening.enter_context(client)
            self._check_workers()
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(Exception):  # a worker that cannot be reached ends its process by itself
            self._client.run(_leave)
        self._open.close()

    def facts(self) -> dict[str, Any]:
        """Say what is other on each worker than here."""
        here, there = environment(), self._client.run(environment)
        return {"workers": {address: differing(facts, here) for address, facts in there.items()}}

    def each(self, cells: Iterable[Cell], limits: Limits) -> Iterator[Measurement]:
        """Measure these cells, as many at a time as there are workers; rows come in the order in which they end.

        Raises
        ------
        DiffkitError
            The scheduler is gone.
        """
        from distributed.client import ClosedClientError

        waiting, sent, done = iter(cells), dict[Any, Cell](), SimpleQueue[Any]()
        while True:
            free = max(1, self._seats()) - len(sent)
            for cell in islice(waiting, max(0, free)):
                try:
                    future = self._client.submit(_measure, cell, limits, self._run, pure=False, resources={RESOURCE: 1})
                except ClosedClientError:
                    raise DiffkitError(GONE) from None
                sent[future] = cell
                future.add_done_callback(done.put)
            if not sent:
                return
            with suppress(Empty):  # a machine may have come meanwhile, and takes another cell
                future = done.get(timeout=1)
                yield _row(future, sent.pop(future))

    def _seats(self) -> int:
        """How many cells can be measured at a time."""
        workers = self._client.scheduler_info().get("workers", {}).values()  # none where the scheduler is out of reach
        return sum(int(worker["resources"].get(RESOURCE, 0)) for worker in workers)

    def _check_workers(self) -> None:
        with suppress(TimeoutError):
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        if not self._seats():
            raise InputError(
                f"no worker at {self._client.scheduler.address} offers the resource {RESOURCE!r}; "
                f"start one: dask worker {self._client.scheduler.address} --nthreads 1 --resources {RESOURCE}=1"
            )


class Seat:
    """In a worker of the cluster: where it measures cells, one at a time, in a process that is kept warm."""

    def __init__(self) -> None:
        self._taken = threading.Lock()
        self._worker = Worker()
        self._run = ""
        self._farewell = threading.Timer(0.0, self.leave)

    def measure(self, cell: Cell, limits: Limits, run: str) -> Measurement:
        """Measure a cell of a run; another run gets another process, for the problem may have been edited."""
        with self._taken:
            self._farewell.cancel()
            if run != self._run:
                self._worker.close()
                self._run = run
            row = self._worker.measure(cell, limits)
            self._farewell = threading.Timer(IDLE_SECONDS, self.leave)
            self._farewell.daemon = True
            self._farewell.start()
        return replace(row, host=platform.node())

    def leave(self) -> None:
        """End the process, unless it is at work: then it ends itself when it has long been idle."""
        if self._taken.acquire(blocking=False):
            try:
                self._farewell.cancel()
                self._worker.close()
            finally:
                self._taken.release()


_SEAT = Seat()


def _measure(cell: Cell, limits: Limits, run: str) -> Measurement:
    return _SEAT.measure(cell, limits, run)


def _leave() -> None:
    _SEAT.leave()


def _row(future: Any, cell: Cell) -> Measurement:
    """The row of a cell; where the cluster itself failed, as when each machine that tried was lost, it says so."""
    if future.cancelled():
        raise DiffkitError(GONE)
    error = future.exception()
    if error is None:
        row: Measurement = future.result()
        return row
    reason = f"{type(error).__name__}: {error}"
    return Measurement(**asdict(cell), status="failed", reason=reason, started=now())
