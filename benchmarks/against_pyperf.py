"""Do we time a plain function as pyperf does? Five functions, from a microsecond to ten milliseconds.

pyperf (the extra `peers`) times in processes of its own: `pyperf timeit`. Ours and its processes take turns, so that
both meet the machine in the same moods. pyperf counts what other programs take of a sample, and we do not: samples are
short, so that some of its own are not interrupted, and the least of each are compared.

    python benchmarks/against_pyperf.py        # about two minutes
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import json
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

TURNS, SAMPLES, SAMPLE = 8, 20, 0.003
ALLOWED = 0.05

FUNCTIONS = {
    "numbers": (lambda x: 100.0 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2, np.array([0.5, 1.5])),
    "square": (lambda x: np.sum(x * x), np.ones(100)),
    "rosenbrock": (lambda x: np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), np.full(1000, 0.5)),
    "sine": (lambda x: np.sum(np.sin(x)), np.linspace(0.0, 1.0, 100_000)),
    "loop": (lambda x: sum(number * number for number in x), [0.5] * 150_000),
}
"""By name: the function, and what it is called with."""


def ours(name):
    """Print our samples of one function, as the harness takes them."""
    from diffkit.measure import measure

    f, x = FUNCTIONS[name]
    (timing,) = measure(partial(f, x), budget=SAMPLES * SAMPLE, repeats=SAMPLES)
    print(json.dumps(timing.samples))


def in_a_process_of_ours(name):
    """Time in a new process."""
    command = [sys.executable, __file__, name]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def in_a_process_of_pyperf(name):
    """Time by `pyperf timeit`, in one process of its own, with as many and as long samples."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "found.json"
        setup = f"from against_pyperf import FUNCTIONS; f, x = FUNCTIONS[{name!r}]"
        options = f"--processes 1 --values {SAMPLES} --warmups 1 --min-time {SAMPLE} --inherit-environ".split()
        command = [sys.executable, "-m", "pyperf", "timeit", *options, ",".join(INHERITED), "-o", str(file)]
        subprocess.run([*command, "-s", setup, "f(x)"], check=True, capture_output=True)
        from pyperf import Benchmark

        return list(Benchmark.load(str(file)).get_values())


INHERITED = ("PYTHONPATH", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main():
    """Let both take turns, and print the ratios."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent), *sys.path]))
    print(f"{'function':12} {'ours':>10} {'pyperf':>10} {'least':>7} {'median':>7}   ours over pyperf")
    worst = 0.0
    for name in FUNCTIONS:
        turns = [(in_a_process_of_ours(name), in_a_process_of_pyperf(name)) for _ in range(TURNS)]
        mine, theirs = ([sample for taken in side for sample in taken] for side in zip(*turns, strict=True))
        least = min(mine) / min(theirs)
        median = statistics.median(statistics.median(one) / statistics.median(other) for one, other in turns)
        print(f"{name:12} {min(mine) * 1e6:8.2f}us {min(theirs) * 1e6:8.2f}us {least:7.3f} {median:7.3f}", flush=True)
        worst = max(worst, abs(least - 1))
    print(f"the least samples differ by at most {worst:.1%}; {ALLOWED:.0%} is allowed")
    return worst <= ALLOWED


if __name__ == "__main__":
    if sys.argv[1:]:
        ours(sys.argv[1])
    else:
        sys.exit(not main())
