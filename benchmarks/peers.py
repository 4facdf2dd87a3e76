"""How fast is diffkit beside other libraries, and beside NumPy and Numba by hand?

Everything runs on one core in one process, in interleaved rounds. Libraries that are not installed are left out by
name; `pip install 'diffkit[peers]'` installs them all. Writes peers.md, peers.json and a picture.

    python benchmarks/peers.py [--quick] [--only P2,P4] [--out FOLDER]
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import argparse
import tempfile
import time
import warnings
from importlib import metadata
from pathlib import Path

REPORTS = Path(__file__).parents[1] / "reports" / "peers"
PACKAGES = (
    "diffkit", "numpy", "scipy", "llvmlite", "numba", "jax", "torch", "autograd", "casadi", "pytensor", "symengine",
    "sympy", "numdifftools",
)  # fmt: skip


def main():
    """Run the study."""
    asked = arguments()
    if asked.prepare:
        print(prepared(*asked.prepare, asked.cap))
        return
    asked.out = asked.out.resolve()
    with tempfile.TemporaryDirectory() as scratch:  # PyTensor and CasADi leave what they compile here
        os.environ["PYTENSOR_FLAGS"] = f"base_compiledir={scratch}"
        os.chdir(scratch)
        findings, facts, absent = study(asked)
        os.chdir(Path(__file__).parent)
    write(asked.out, findings, facts, absent)


def arguments():
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer sizes and shorter samples: about two minutes")
    parser.add_argument("--only", default="", help="problems, by name: P1 to P7, maps, call")
    parser.add_argument("--cap", type=float, default=8.0, help="seconds to prepare in, or larger sizes are left out")
    parser.add_argument("--prepare", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=REPORTS, help="folder to write to")
    return parser.parse_args()


def study(asked):
    """Time every row that is asked for."""
    from peers import preparing
    from peers.findings import Finding
    from peers.rows import all_rows
    from peers.timing import Limits, Study
    from peers.ways import all_ways

    from diffkit.benchmark.environment import environment

    warnings.simplefilter("ignore")  # libraries warn of each other's versions
    facts = environment()
    facts["versions"] = {package: version for package in PACKAGES if (version := installed(package))}
    limits = Limits(asked.cap, sampling=0.06 if asked.quick else 0.1, repeats=9)
    facts["repeats"] = limits.repeats
    ways, absent = all_ways()
    if absent:
        print(f"not installed, left out: {', '.join(absent)}")
    timer = Study(ways, limits)
    only = set(filter(None, asked.only.split(",")))
    findings = []
    for row in all_rows():
        if (only and row.problem not in only) or (asked.quick and not row.quick):
            continue
        start = time.perf_counter()
        finding = Finding(row, timer.row(row))
        if row.name in preparing.ROWS:
            labels = [way.label for way in ways if preparing.compared(way)]
            rounds = 1 if asked.quick else 3
            finding.preparations.update(preparing.repeated(__file__, row.name, labels, rounds))
        findings.append(finding)
        print(line(finding), f"[{time.perf_counter() - start:.1f} s]", flush=True)
    return findings, facts, absent


def prepared(row_name, label, cap):
    """Seconds to prepare one row by one way, in this process."""
    from peers import preparing
    from peers.timing import Limits

    return preparing.once(row_name, label, Limits(cap))


def installed(package):
    """The version of a package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def line(finding):
    """A row in brief."""
    from peers.findings import ratio

    from diffkit.report.words import seconds

    if not (finding.ours and finding.rival):
        return f"{finding.row.name:18} nothing to compare"
    found = ratio(finding.ours, finding.rival)
    return (
        f"{finding.row.name:18} {finding.ours.way.label:24} {seconds(finding.ours.timing.median):>8}   "
        f"{finding.rival.way.label:26} {seconds(finding.rival.timing.median):>8}   "
        f"ratio {found.median:.2f} ({found.first:.2f} to {found.third:.2f})"
    )


def write(folder, findings, facts, absent):
    """Put page, numbers and picture into the folder, and print the summary."""
    from peers.page import PICTURE, as_json, page, summary
    from peers.picture import draw

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "peers.md").write_text(page(findings, facts, absent), encoding="utf-8")
    (folder / "peers.json").write_text(as_json(findings, facts, absent), encoding="utf-8")
    draw(findings, [folder / PICTURE, (folder / PICTURE).with_suffix(".svg")])
    print(f"\n{summary(findings)}\n{folder / 'peers.md'}")


if __name__ == "__main__":
    main()
