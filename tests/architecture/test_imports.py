"""`import diffkit` loads NumPy and nothing else of weight; the rest is loaded where it is used."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ["importlib.metadata", "jinja2", "matplotlib", "optree", "pandas", "rich", "scipy", "sympy", "typer"]

LOADED = """
import sys
before = set(sys.modules)  # an environment may load what it likes at start
import diffkit
diffkit.grad  # names are imported when first used
print(*sorted(set(sys.modules) - before))
"""


def test_import_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert {"diffkit", "numpy"} <= set(loaded)
    assert [name for name in HEAVY if name in loaded] == []
