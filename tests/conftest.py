"""What all tests share: no wall clock, no chance, no display."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")  # drawing must not need a display

# A slow machine is not a failure, and a failure must be seen again on the next run.
settings.register_profile("diffkit", deadline=None, derandomize=True)
settings.load_profile("diffkit")


@pytest.fixture
def in_threads():
    """Run ``work(argument)`` for each argument in a thread of its own, and wait for all."""

    def run(work, arguments):
        threads = [threading.Thread(target=work, args=(argument,)) for argument in arguments]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return run
