"""The study of the choice: what counts as right, and that its fit finds planted prices. Nothing depends on a clock."""

import sys
from pathlib import Path

import numpy as np
import pytest

import diffkit as dk
from diffkit import costs
from diffkit.benchmark.suite import Suite

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import choices


def timed(label, seconds):
    plan = dk.get("forward").prepare(np.sin, np.ones(3))
    return choices.Timed(label, plan, np.ones(3), seconds=seconds)


def choice(**seconds):
    return choices.Choice(("tanh-map", 3, 3), {label: timed(label, taken) for label, taken in seconds.items()})


def test_a_choice_is_judged_by_the_fastest_candidate(capsys):
    right = choice(forward=1.0, reverse=3.0, auto=1.1, control=1.0)
    wrong = choice(forward=1.0, reverse=3.0, auto=3.1, control=1.3)
    assert (right.best.label, right.ratio("auto"), wrong.ratio("auto")) == ("forward", 1.1, 3.1)
    choices.report([right, wrong])
    said = capsys.readouterr().out
    assert said.startswith("50.0% of 2 choices are within 1.2 of the best; the control is in 50.0%")
    assert said.count("tanh-map, A = 3, B = 3") == 1


def test_all_candidates_of_a_cell_are_measured_and_checked():
    found = choices.measure(("reaction-diffusion", 20, 20), "numpy", 20.0)
    assert set(found.timed) == {*choices.CANDIDATES, "auto", "control"}
    assert all(one.samples >= choices.FIRST and one.seconds > 0 for one in found.timed.values())


def test_a_wrong_answer_ends_the_study():
    instance = dk.problems.get("tanh-map").at(3, 3)
    with pytest.raises(SystemExit, match="forward is off by"):
        choices.prepared("forward", "numpy", instance, np.eye(3), 20.0)


def test_the_cells_fit_the_limits_of_the_suite():
    suite = Suite.load("scaling")
    found = choices.cells(suite, "deep-map")
    assert ("deep-map", 10_000, 1000) in found
    assert ("deep-map", 10_000, 10_000) not in found


def test_the_fit_finds_planted_prices():
    planted = costs.Work(1e-6, 4e-7, 5e-8, 2e-11, 1e-10, 5e-10, 6e-9, 1e-11)
    functions = (np.sin, np.exp, lambda x: x * x[::-1], lambda x: np.ones((20, x.size)) @ x, lambda x: np.cumsum(x) / x)
    made = []
    for f in functions:
        for count in (10, 1000, 30_000):
            plan = dk.get("reverse").prepare(lambda x, f=f: np.sum(f(x) ** 2), np.ones(count), product="gradient")
            seconds = np.dot(costs.work(plan.graph), planted)
            made.append(choices.Timed("reverse", plan, np.ones(count), seconds=seconds))
    np.testing.assert_allclose(choices.fit(made), planted, rtol=0.02)
