"""What preparation costs, tracing, compiling and the first call: each time in a process of its own.

Within one process a library may find what it has compiled before.
"""

import subprocess
import sys

from peers.rows import all_rows
from peers.timing import Study
from peers.ways import all_ways

ROWS = ("P1 2", "P2 1,000", "P3 5,898", "P7 n = 1,000")


def compared(way):
    """Whether preparation is measured: the reverse gradient on every engine, and JAX."""
    return way.label.startswith("diffkit reverse") or way.label == "JAX grad"


def once(row_name, label, limits):
    """Prepare one row by one way, in this process, after the library's own start; seconds."""
    peer = next(peer for peer in ("diffkit", "JAX") if label.startswith(peer))
    way = next(way for way in all_ways([peer])[0] if way.label == label)
    row = next(row for row in all_rows() if row.name == row_name)
    outcome, _ = Study([way], limits).prepare(way, row)
    if outcome.reason:
        raise SystemExit(outcome.reason)
    return outcome.prepare_seconds


def repeated(program, row_name, labels, rounds):
    """Seconds of each way, in turn, by new processes of the study's program; a way that fails has none."""
    seconds = {label: [] for label in labels}
    for _ in range(rounds):
        for label in labels:
            command = [sys.executable, program, "--prepare", row_name, label]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode == 0:
                seconds[label].append(float(run.stdout.splitlines()[-1]))
    return {label: taken for label, taken in seconds.items() if taken}
