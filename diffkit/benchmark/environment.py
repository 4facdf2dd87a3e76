"""Where a run was made: versions, processor, commit, and the variables that its cells run under."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from diffkit import __version__
from diffkit.files import write_whole

ENVIRONMENT = "environment.json"
THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
    "1",
)
"""What cells run under: one thread of linear algebra, for threads make the times of small products noise."""
MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**28)}
"""Also: glibc keeps what is freed. Whether it hands memory back, to be fetched again page by page at the next call, is
decided by what lies at the end of the heap, and makes the same code twice as slow in one process as in another."""


def environment() -> dict[str, Any]:
    """Say where a run was made: versions, processor, commit, thread variables."""
    return {
        "python": platform.python_version(),
        **{package: _version(package) for package in ("numpy", "scipy", "sympy")},
        "diffkit": __version__,
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "commit": _commit(),
        "threads": THREADS,
        "memory": MEMORY,
        "started": now(),
        "finished": None,
    }


def differing(facts: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Which facts of an environment are other than in another one?

    Examples
    --------
    >>> differing({"numpy": "2.4", "cores": 2}, {"numpy": "2.3", "cores": 2})
    {'numpy': '2.4'}
    """
    return {name: fact for name, fact in facts.items() if others.get(name) != fact}


def write_environment(folder: Path, facts: dict[str, Any]) -> None:
    """Put the environment beside the rows."""
    write_whole(folder / ENVIRONMENT, f"{json.dumps(facts, indent=2)}\n".encode())


def read_environment(folder: Path) -> dict[str, Any]:
    """Read where the run was made; nothing where that was not recorded."""
    try:
        facts = json.loads((folder / ENVIRONMENT).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return facts if isinstance(facts, dict) else {}


def now() -> str:
    """Tell the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """Name the CPU model; Linux tells it nowhere but here."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())


def _commit() -> str | None:
    """Name the commit that runs, marked ``-dirty`` where files differ; None outside a checkout of diffkit."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():  # an installed copy may lie inside somebody else's checkout
        return None
    command = ["git", "--no-optional-locks", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603 - constant
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()
