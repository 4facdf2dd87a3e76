"""What needs a library that is not installed says so in one wording, and names an extra that brings it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = {"scipy": "SciPy", "sklearn": "scikit-learn"}

HIDING = """
import json, sys

hidden, *programs = sys.argv[1:]


class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] == hidden else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):  # importlib.metadata asks finders, too
        return getattr(self.finder, name)


sys.meta_path[:] = map(Without, sys.meta_path)
assert hidden not in sys.modules

import math, numpy as np, diffkit as dk
from diffkit import problems
from diffkit.benchmark.cells import measure_cell
from diffkit.benchmark.cluster import Cluster
from diffkit.benchmark.grid import Cell, Limits
from diffkit.benchmark.suite import Suite
from diffkit.lab import data, fitting, least_squares, matrix_calculus
from diffkit.lab.networks import Network

x = np.linspace(0.1, 0.9, 30)
COMPLEX_STEP = dk.FiniteDifference(scheme="complex-step")


def result(program):
    try:
        return str(eval(program))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


print(json.dumps(list(map(result, programs))))
"""

SUITE = r'"[[grid]]\nproblems = [\"rosenbrock\"]\nmethods = [\"reverse\"]\ninputs = [2]\nengines = [\"llvm\"]"'

# Library, program, and what that says: what needs the library, the extra, and what to do instead.
CASES = [
    ("scipy", "dk.jacobian(np.sin, sparse=True)(x)", "a sparse derivative", "scipy", ""),
    ("scipy", "matrix_calculus.elementwise(np.sin, x)", "a sparse derivative", "scipy", ""),
    ("scipy", "fitting.fit(Network((2, 1)), np.ones((2, 4)), np.ones((1, 4)))", "a fit", "scipy", ""),
    ("scipy", "least_squares.fit(np.sin, x)", "levenberg-marquardt", "scipy", "take gauss-newton"),
    ("scipy", "dk.grad(lambda t: math.lgamma(t))(2.0)", "function 'psi'", "scipy", ""),
    ("scipy", "dk.grad(math.lgamma, method=COMPLEX_STEP)(2.0)", "function 'loggamma'", "scipy", ""),
    ("scipy", "dk.draw(np.sin, 1.0).svg()", "a drawn graph", "lab", "take its .dot(), which needs nothing"),
    ("igraph", "dk.draw(np.sin, 1.0).png()", "a drawn graph", "lab", "take its .dot(), which needs nothing"),
    ("sklearn", "data.get('digits')", "data 'digits'", "data", ""),
    ("sklearn", "problems.get('logistic-digits').at(65)", "problem 'logistic-digits'", "data", ""),
    ("llvmlite", "dk.get('reverse', engine='llvm')", "engine 'llvm'", "llvm", "take engine 'numpy'"),
    ("llvmlite", f"Suite.parse({SUITE}, 'mine')", "suite mine, line 5: engine 'llvm'", "llvm", "take engine 'numpy'"),
    ("distributed", "Cluster(workers=1).__enter__()", "a cluster", "cluster", ""),
]

# What goes on without a library, and what that gives.
WITHOUT = [
    ("scipy", "least_squares.fit(np.sin, x, algorithm='gauss-newton').converged", "True"),
    ("scipy", "dk.draw(np.sin, 1.0).dot()[:7]", "digraph"),
    ("scipy", "sorted(one.label for one in dk.get('auto').prepare(np.sin, x).considered)", "['forward', 'reverse']"),
    ("igraph", "dk.draw(np.sin, 1.0).dot()[:7]", "digraph"),
    ("sklearn", "measure_cell(Cell('s', 'logistic-digits', 'reverse', 'numpy', 65, 1), Limits()).status", "skipped"),
    ("llvmlite", "dk.get('reverse').prepare(np.sum, x).run(x).tolist() == [[1.0] * 30]", "True"),
]


@pytest.fixture(scope="module")
def found():
    """What every program says where its library cannot be found: one process a library."""
    programs = {}
    for library, program, *_ in (*CASES, *WITHOUT):
        programs.setdefault(library, []).append(program)
    said = {}
    for library, those in programs.items():
        command = [sys.executable, "-c", HIDING, library, *those]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        said |= {(library, program): words for program, words in zip(those, json.loads(done.stdout), strict=True)}
    return said


@pytest.mark.parametrize(("library", "program", "what", "extra", "instead"), CASES)
def test_what_is_missing_is_named_with_its_extra(found, library, program, what, extra, instead):
    cures = f"pip install 'diffkit[{extra}]'{instead and f', or {instead}'}"
    expected = f"{what} needs {NAMES.get(library, library)}, which is not installed: {cures}"
    assert found[library, program] == f"UnsupportedError: {expected}"


@pytest.mark.parametrize(("library", "program", "expected"), WITHOUT)
def test_the_rest_goes_on(found, library, program, expected):
    assert found[library, program] == expected


def brought(extra: str) -> set[str]:
    """The distributions that an extra installs, those of the extras in it included."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    names = set()
    for line in extras[extra]:
        if inner := re.match(r"diffkit\[(.*)\]$", line):
            names |= set().union(*map(brought, inner[1].split(",")))
        else:
            names.add(re.match(r"[\w-]+", line)[0])
    return names


@pytest.mark.parametrize(("library", "extra"), sorted({(case[0], case[3]) for case in CASES}))
def test_the_extra_brings_the_library(library, extra):
    assert {"sklearn": "scikit-learn"}.get(library, library) in brought(extra)
