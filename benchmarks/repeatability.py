"""Does a run that is repeated show no change, and does a slowdown of 1.2 x show?

A suite is run five times and each run compared with the one before and with the first; then it is run again with a
fifth more work after every derivative, done for real: the method `spun` runs another one and spins on for 20 % of what
that took. `diffkit compare` should call at least 99 % of the cells unchanged in the first case, and at least 95 %
slower in the second. Runs and planted runs take turns, so that both meet the machine in the same moods.

    python benchmarks/repeatability.py                       # ten minutes
    python benchmarks/repeatability.py --out FOLDER --again  # read what an earlier call has left there
"""

import argparse
import itertools
import os
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import ClassVar

SPIN = "DIFFKIT_STUDY_SPIN"
SUITE = Path(__file__).with_suffix(".toml")

sys.path.insert(0, str(Path(__file__).parent))

from diffkit.benchmark.changes import compare_runs
from diffkit.differentiators import Differentiator, get


class Slowed:
    """A derivative that spins on, after each run, for a share of what that run took."""

    def __init__(self, plan, share):
        self._plan = plan
        self._share = share

    def __getattr__(self, name):
        return getattr(self._plan, name)

    def run(self, *arguments):
        """Run, and spin; without a share the clock is read all the same."""
        start = perf_counter()
        answer = self._plan.run(*arguments)
        now = perf_counter()
        end = now + self._share * (now - start)
        while now < end:
            now = perf_counter()
        return answer


@dataclass(frozen=True, kw_only=True)
class Spun(Differentiator):
    """Another method, made slower by a share that stands in the environment."""

    name: ClassVar[str] = "spun"
    of: str = "reverse"

    @property
    def exact(self):
        """As that one."""
        return get(self.of).exact

    def sweeps(self, inputs, outputs):
        """As that one."""
        return get(self.of).sweeps(inputs, outputs)

    def program(self, *arguments):
        """As that one."""
        return get(self.of, engine=self.engine).program(*arguments)

    def prepare(self, *arguments, **keywords):
        """Prepare that one, to be slowed."""
        return Slowed(get(self.of, engine=self.engine).prepare(*arguments, **keywords), float(os.environ[SPIN]))


def install(folder):
    """Make `spun` a method that other processes find too, as another package would: by an entry point."""
    package = folder / "spun-1.0.dist-info"
    package.mkdir(parents=True, exist_ok=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: spun\nVersion: 1.0\n", encoding="utf-8")
    entry = "[diffkit.differentiators]\nspun = repeatability:Spun\n"
    (package / "entry_points.txt").write_text(entry, encoding="utf-8")
    sys.path.insert(0, str(folder))


def run(folder, share):
    """Run the suite once; the worker processes inherit the share."""
    from diffkit.benchmark.run import run_suite
    from diffkit.benchmark.suite import Suite

    os.environ[SPIN] = str(share)
    start = perf_counter()
    rows = run_suite(Suite.load(str(SUITE)), folder)
    statuses = Counter(row.status for row in rows)
    print(f"{folder.name}: {dict(statuses)} in {perf_counter() - start:.0f} s", flush=True)


def tell(title, pairs, wanted):
    """Compare pairs of runs, and print the share of cells with one of the wanted verdicts."""
    verdicts = Counter()
    for before, after in pairs:
        found = compare_runs(before, after)
        verdicts.update(found.counts)
        others = [f"    {c.cell}: {c.factor:.2f}, p = {c.p:.1g}" for c in found.changes if c.verdict not in wanted]
        print(f"  {before.name} -> {after.name}: {dict(found.counts)}, geometric mean {found.factor:.3f}")
        print("\n".join(others[:8]))
    share = sum(verdicts[verdict] for verdict in wanted) / verdicts.total()
    print(f"{title}: {share:.1%} of {verdicts.total()} comparisons", flush=True)
    return share


def main():
    """Run, compare, and print the two shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="keep the runs here")
    parser.add_argument("--again", action="store_true", help="measure nothing: read the runs that are there")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp())
    install(out)
    plain = [out / f"plain-{n}" for n in range(options.repetitions)]
    planted = [out / f"slowed-{n}" for n in range(options.repetitions)]
    if not options.again:
        for pair in zip(plain, planted, strict=True):
            for folder, share in zip(pair, (0.0, 0.2), strict=True):
                run(folder, share)
    unchanged = tell("Repeated, no change", itertools.combinations(plain, 2), ("no change",))
    slower = tell("Slowed by 1.2 x, slower", zip(plain, planted, strict=True), ("slower",))
    return unchanged >= 0.99 and slower >= 0.95


if __name__ == "__main__":
    sys.exit(not main())
