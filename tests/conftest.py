"""What all tests share: no wall clock, no chance, no display."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")  # drawing must not need a display

# A slow machine is not a failure, and a failure must be seen again on the next run.
settings.register_profile("diffkit", deadline=None, derandomize=True)
settings.load_profile("diffkit")
