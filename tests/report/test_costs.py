from __future__ import annotations

import math
from itertools import count

import pandas as pd
import pytest

from diffkit.report import costs, rows

SIZES = [1, 10, 100, 1000]


def line(**times):
    table = pd.DataFrame(
        [
            {"method": method, "inputs": size, "run_seconds": time(size), "status": "ok"}
            for method, time in times.items()
            for size in SIZES
        ]
    )
    return table.dropna()


@pytest.mark.parametrize(
    ("first", "second", "crossing"),
    [
        (lambda n: 1e-6 * n * n, lambda n: 37e-6 * n, 37.0),
        (lambda n: 1e-6 * n, lambda n: 5e-4, 500.0),
        (lambda n: 2e-6 * n, lambda n: 1e-6 * n, 0.0),
        (lambda n: 1e-6 * n, lambda n: 2e-6 * n, math.inf),
        (lambda n: 1e-6 if n > 50 else 3e-6, lambda n: 2e-6, math.inf),
    ],
    ids=["square against line", "line against constant", "always", "never", "not at the end"],
)
def test_crossover_of_power_laws(first, second, crossing):
    assert costs.crossover(line(forward=first, reverse=second), "inputs", "forward", "reverse") == pytest.approx(
        crossing
    )


def test_the_last_of_several_crossings_counts():
    ratio = {1: 2.0, 10: 0.5, 100: 0.5, 1000: 2.0}
    found = costs.crossover(line(a=lambda n: ratio[n], b=lambda n: 1.0), "inputs", "a", "b")
    assert found == pytest.approx(10**2.5)


def test_no_crossover_without_two_common_sizes():
    one = line(a=lambda n: n if n == 1 else math.nan, b=lambda n: 2.0)
    assert costs.crossover(one, "inputs", "a", "b") is None
    assert costs.crossover(one, "inputs", "a", "c") is None


def test_planted_crossover_over_the_plane_is_recovered(law):
    made = law(overhead=0, noise=0)
    plane = rows.plane(made.frame())
    planted = made.powers["reverse"][0] / made.powers["forward"][0]
    assert costs.crossing_ratio(plane) == pytest.approx(planted, rel=1e-9)
    assert costs.crossovers(plane) == [(pytest.approx(planted * outputs), outputs) for outputs in (1, 3, 10, 30)]


def test_a_plane_without_crossing_has_no_ratio(law):
    made = law(noise=0)
    made.powers["reverse"] = (0.1, 0.0, 0.0)
    assert costs.crossing_ratio(rows.plane(made.frame())) is None


@pytest.mark.parametrize(
    "phases",
    [
        {"a": (0.0, 2.0), "b": (9.0, 1.0), "c": (100.0, 1.99), "d": (50.0, 2.0), "e": (3.0, 5.0)},
        {"a": (5.0, 1.0), "b": (5.0, 0.5)},
        {"a": (1.0, 1.0)},
    ],
)
def test_break_even_is_the_first_call_that_is_no_dearer(phases):
    cell = pd.DataFrame(
        [(method, *phase) for method, phase in phases.items()],
        columns=["method", "prepare_seconds", "run_seconds"],
    )
    prepare, run = min(phases.values(), key=lambda phase: phase[0])
    found = costs.break_even(cell)
    for method, (p, r) in phases.items():
        if r < run:
            assert found[method] == next(n for n in count(1) if p + n * r <= prepare + n * run + 1e-9)
        else:
            assert math.isnan(found[method])


def test_the_fastest_method_and_its_lead(run):
    plane = rows.plane(run)
    found = costs.fastest_methods(plane).set_index(["inputs", "outputs"])
    assert len(found) == 25
    for size, cell in rows.timed(plane).groupby(["inputs", "outputs"]):
        times = dict(zip(cell["run_seconds"], cell["method"], strict=True))
        first, second, *_ = sorted(times)
        assert found.loc[size, "method"] == times[first]
        assert found.loc[size, "lead"] == pytest.approx(second / first)


def test_one_method_alone_has_no_lead(run):
    alone = costs.fastest_methods(rows.plane(run[run["method"] == "reverse"]))
    assert set(alone["method"]) == {"reverse"}
    assert alone["lead"].isna().all()


def test_cost_in_evaluations_of_f(law):
    found = costs.relative_costs(law(overhead=0, noise=0).frame()).set_index(["problem", "method"])
    assert found.loc[("rosenbrock", "reverse"), "counted"] == pytest.approx(3.5, rel=0.01)
    assert found.loc[("rosenbrock", "forward"), "counted"] == pytest.approx(300, rel=0.01)
    assert found.loc[("rosenbrock", "finite-difference"), "timed"] == pytest.approx(200)


def test_best_steps_are_where_rounding_meets_truncation(run):
    best = costs.best_steps(rows.step_sizes(run))
    assert set(best.index) == {
        f"finite-difference(scheme={scheme})" for scheme in ("forward", "central", "complex-step")
    }
    assert best.loc["finite-difference(scheme=forward)", "step_size"] == 1e-8  # sqrt(eps)
    assert best.loc["finite-difference(scheme=central)", "step_size"] in (1e-6, 1e-5)  # cbrt(eps)
