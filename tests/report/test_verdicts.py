from __future__ import annotations

import pytest

from diffkit.benchmark.results import to_frame
from diffkit.report.verdicts import verdicts

FINITE, SYMBOLIC, REVERSE, FORWARD = range(4)


def words(frame):
    return [verdict.verdict for verdict in verdicts(frame)]


def as_frame(*parts):
    return to_frame(vars(row) for part in parts for row in part)


def test_four_claims_hold_where_costs_follow_the_theory(run):
    found = verdicts(run)
    assert [verdict.verdict for verdict in found] == ["held"] * 4
    assert [verdict.claim.partition(":")[0] for verdict in found] == [
        "Finite differences",
        "Symbolic",
        "Reverse",
        "Forward",
    ]


def test_evidence_states_exponent_error_sizes_and_problems(law):
    evidence = verdicts(law(overhead=0, noise=0).frame())[FORWARD].evidence
    assert evidence[2] == (
        "By counted operations, the cost of forward over that of f grows as A to the power 1.00 ± 0.00 "
        "(tanh-map, B = 1, A = 30 to 1,000); it is nearer to 1, as claimed, on 2 of 2 problems."
    )
    assert evidence[-1].startswith(
        "Forward and reverse cost the same on tanh-map at A ≈ 1.2 B: at (A, B) = (1.17, 1), "
    )


def test_evidence_states_crossovers(law):
    made = law(overhead=0, noise=0)
    made.powers["reverse"] = (30.0, 0.0, 1.0)
    made.powers["forward"] = (3.0, 1.0, 0.0)
    _, _, reverse, forward = verdicts(made.frame())
    assert "Reverse is faster than forward from A = 10 on (tanh-map, B = 1)." in reverse.evidence
    assert "Forward is faster than reverse at every B (tanh-map, A = 1)." in forward.evidence
    made.powers["reverse"] = (3e5, 0.0, 0.0)
    assert (
        "Reverse is faster than forward not at the largest A (tanh-map, B = 1)."
        in verdicts(made.frame())[REVERSE].evidence
    )


@pytest.mark.parametrize(
    ("method", "powers", "broken"),
    [
        ("reverse", (3.5, 1.0, 1.0), REVERSE),
        ("reverse", (3.5, 0.0, 0.0), REVERSE),
        ("forward", (3.0, 0.0, 0.0), FORWARD),
        ("forward", (3.0, 1.0, 1.0), FORWARD),
        ("finite-difference", (2.0, 0.0, 0.0), FINITE),
    ],
)
def test_a_planted_violation_is_found_and_nothing_else(law, method, powers, broken):
    made = law(overhead=0)
    made.powers[method] = powers
    assert words(made.frame()) == ["did not hold" if claim == broken else "held" for claim in range(4)]


@pytest.mark.parametrize("column", ["operations", "run_seconds"])
def test_counts_or_time_alone_can_break_a_claim(run, column):
    slow = (run["method"] == "reverse") & (run["outputs"] == 1) & (run["study"] == "cells")
    frame = run.assign(**{column: run[column].where(~slow, run[column] * run["inputs"])})
    assert words(frame)[REVERSE] == "did not hold"


def test_a_promise_is_broken_by_one_problem_and_named(law):
    made, other = law(), law(overhead=0)
    other.powers["reverse"] = (3.5, 1.0, 1.0)
    odd = other.rows("odd-one", [(n, 1) for n in (1, 10, 100, 1000)])
    found = verdicts(as_frame(made.measurements(), odd))[REVERSE]
    assert found.verdict == "did not hold"
    assert "on 2 of 3 problems, not on odd-one (1.00 ± 0.00)." in found.evidence[0]


def test_a_warning_is_about_most_problems_and_names_the_others(law):
    made, other = law(), law(overhead=0)
    other.powers["forward"] = (3.0, 0.0, 0.0)
    odd = list(other.rows("odd-one", [(n, 1) for n in (1, 10, 100, 1000)]))
    found = verdicts(as_frame(made.measurements(), odd))[FORWARD]
    assert found.verdict == "held"
    assert "not on odd-one" in found.evidence[2]
    half = made.rows("tanh-map", [(n, 1) for n in (1, 10, 100, 1000)])
    plane = made.rows("tanh-map", [(1, n) for n in (3, 10, 100, 1000)])
    assert words(as_frame(half, plane, odd))[FORWARD] == "undecided"


def test_finite_differences_that_disagree_are_not_great_for_testing(run):
    wrong = (run["method"] == "finite-difference") & (run["problem"] == "rosenbrock") & (run["inputs"] == 100)
    frame = run.assign(status=run["status"].where(~wrong, "disagrees"), error=run["error"].where(~wrong, 0.5))
    found = verdicts(frame)[FINITE]
    assert found.verdict == "did not hold"
    assert "35 of 36 cells, not on rosenbrock" in found.evidence[0]
    assert "0.5" in found.evidence[0]


@pytest.mark.parametrize(
    ("form", "count"), [("symbolic(form=expression)", lambda n: 9 * n), ("symbolic", lambda n: 3 * 2**n)]
)
def test_expression_swell_that_is_not_as_claimed(run, form, count):
    changed = (run["study"] == "swell") & (run["method"] == form)
    frame = run.assign(operations=run["operations"].where(~changed, count(run["depth"])))
    assert words(frame) == ["held", "did not hold", "held", "held"]


def test_swell_evidence_states_the_rate(run):
    first, second, _ = verdicts(run)[SYMBOLIC].evidence
    assert first == "Counted operations of symbolic (expression) grow by a factor of 2 per step (depth 1 to 9)."
    assert "as depth to the power" in second


@pytest.mark.parametrize(
    "select",
    [
        lambda run: run.iloc[:0],
        lambda run: run[run["status"] == "failed"],
        lambda run: run[(run["study"] == "cells") & (run["inputs"] <= 10) & (run["outputs"] <= 10)],
        lambda run: run[(run["study"] == "swell") & (run["depth"] < 4)],
    ],
    ids=["nothing", "failures", "three sizes", "three depths"],
)
def test_too_little_data_is_undecided(run, select):
    assert words(select(run)) == ["undecided"] * 4


def test_an_exponent_between_the_claims_is_undecided(law):
    made = law(overhead=0, noise=0)
    made.powers["reverse"] = (3.5, 0.5, 1.0)
    frame = made.frame()
    bump = frame["inputs"].isin([100, 300]) & (frame["method"] == "reverse")  # the middle two of the larger half
    bumped = {column: frame[column].where(~bump, 3 * frame[column]) for column in ("operations", "run_seconds")}
    assert words(frame.assign(**bumped))[REVERSE] == "undecided"


def test_one_missing_study_leaves_only_its_claim_undecided(run):
    assert words(run[run["study"] != "swell"]) == ["held", "undecided", "held", "held"]


def test_a_run_that_counted_nothing_is_undecided(run):
    assert words(run.assign(operations=float("nan"))) == ["undecided"] * 4
