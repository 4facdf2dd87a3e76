"""The study of what checks allow: on one problem, right derivatives stay within what it is about."""

import sys
from pathlib import Path

import numpy as np

from diffkit import problems
from diffkit.checking.extrapolation import SAFETY

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import checks


def test_ratios_are_those_of_right_derivatives():
    found = {"Ridders' estimate": [], "what a check uses": [], "one-sided slopes": [], "resolution": []}
    instance = problems.get("rosenbrock").at(3)
    checks.units(instance, instance.point, found)
    assert [len(found[name]) for name in found] == [1, 6, 3, 6]
    assert 0 < np.max(found["what a check uses"]) < SAFETY
    assert 0 < np.max(found["resolution"]) < 1e-8


def test_every_problem_of_small_sizes_takes_part():
    names = {instance.name for instance in checks.instances()}
    assert set(problems.names()) - names == {"logistic-digits"}
