"""Two runs, compared: simulated machines with bursts first, then two real runs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from diffkit.benchmark.changes import compare_runs
from diffkit.benchmark.environment import write_environment
from diffkit.benchmark.results import Measurement, append
from diffkit.benchmark.run import run_suite
from diffkit.benchmark.suite import Suite
from diffkit.errors import InputError, ResultsError

BURST = 1.9
CELLS = 300


def samples(chance, seconds, *, visits=3, rounds=7):
    """Rounds on a machine with bursts: seconds of a run, and of the reference beside it.

    A burst lasts a whole visit or begins within one; it slows code by 1.9, some a little less, and one sample in ten is
    disturbed by itself.
    """
    run, reference = [], []
    sensitivity = chance.uniform(0.9, 1.0)
    for _ in range(visits):
        layout = chance.lognormal(sigma=0.015)  # of the memory of this process
        begin = chance.integers(-rounds, 2 * rounds)
        burst = np.where((np.arange(rounds) >= begin) & (np.arange(rounds) < begin + rounds), BURST, 1.0)
        for taken, level in ((run, seconds * layout * burst**sensitivity), (reference, 2e-5 * burst)):
            wild = np.where(chance.random(rounds) < 0.1, chance.uniform(1.0, 1.5, rounds), 1.0)
            taken.extend(level * wild * chance.lognormal(sigma=0.01, size=rounds))
    return tuple(run), tuple(reference)


def row(number, run, reference, **more):
    return replace(
        Measurement("simulated", "tanh-map", "reverse", "numpy", number + 1, 1),
        run_samples=run,
        function_samples=run,
        reference_samples=reference,
        **more,
    )


def write(folder, rows, **environment):
    folder.mkdir()
    for one in rows:
        append(folder, one)
    write_environment(folder, {"cpu": "simulated", "cores": 2, **environment})
    return folder


def simulated(folder, seed, slowdown=1.0):
    chance = np.random.default_rng(seed)
    times = np.geomspace(1e-6, 1e-2, CELLS)
    return write(folder, [row(n, *samples(chance, slowdown * time)) for n, time in enumerate(times)])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    return {seed: simulated(folder / str(seed), seed) for seed in range(4)}


def test_repeated_runs_show_no_change_in_bursts(runs):
    counts = [compare_runs(runs[a], runs[b]).counts for a in runs for b in runs if a < b]
    unchanged = sum(count["no change"] for count in counts)
    assert unchanged >= 0.99 * sum(count.total() for count in counts)
    assert sum(count.total() for count in counts) == 6 * CELLS


@pytest.mark.parametrize("slowdown", [1.2, 1.5])
def test_a_slowdown_is_flagged_in_bursts(runs, slowdown, tmp_path):
    found = compare_runs(runs[0], simulated(tmp_path / "slow", 9, slowdown))
    assert found.counts["slower"] >= 0.95 * CELLS
    assert found.regressed
    assert found.factor == pytest.approx(slowdown, rel=0.03)


def test_what_became_faster_is_no_regression(runs, tmp_path):
    found = compare_runs(simulated(tmp_path / "slow", 9, 1.3), runs[0])
    assert found.counts["faster"] >= 0.95 * CELLS
    assert not found.regressed


def test_a_change_within_the_factor_does_not_count(runs, tmp_path):
    slow = simulated(tmp_path / "slow", 9, 1.3)
    assert compare_runs(runs[0], slow, beyond=1.6).counts["slower"] == 0


def test_a_burst_over_a_whole_run_is_no_change(tmp_path):
    chance = np.random.default_rng(1)
    before = [row(n, *samples(chance, 1e-4)) for n in range(50)]
    loud = [
        replace(
            one,
            run_samples=tuple(BURST * sample for sample in one.run_samples),
            reference_samples=tuple(BURST * sample for sample in one.reference_samples),
        )
        for one in (row(n, *samples(chance, 1e-4)) for n in range(50))
    ]
    found = compare_runs(write(tmp_path / "a", before), write(tmp_path / "b", loud))
    assert found.counts["no change"] >= 49


def one_cell(folder, run=(1e-4,) * 7, reference=(2e-5,) * 7, **more):
    return write(folder, [row(0, run, reference, **more)])


def verdict(before, after, **options):
    (change,) = compare_runs(before, after, **options).changes
    return change


def test_fewer_than_seven_samples_a_side_are_undecided(tmp_path):
    few = one_cell(tmp_path / "few", (1e-3,) * 6, (2e-5,) * 6)
    change = verdict(one_cell(tmp_path / "enough"), few)
    assert change.verdict == "undecided"
    assert change.note == "6 samples with a reference; 7 a side are needed"
    assert verdict(one_cell(tmp_path / "also"), one_cell(tmp_path / "slow", (1e-3,) * 7)).verdict == "slower"


def test_a_run_without_reference_is_undecided(tmp_path):
    old = write(tmp_path / "old", [row(0, (1e-4,) * 7, ())])
    assert verdict(old, one_cell(tmp_path / "new")).verdict == "undecided"


def test_a_cell_that_broke_is_a_regression_and_one_that_was_mended_is_none(tmp_path):
    right = one_cell(tmp_path / "right")
    wrong = one_cell(tmp_path / "wrong", status="failed", reason="ValueError: no")
    broken = compare_runs(right, wrong)
    assert broken.regressed
    assert (broken.changes[0].verdict, broken.changes[0].note) == ("broken", "ok -> failed: ValueError: no")
    mended = compare_runs(wrong, right)
    assert not mended.regressed
    assert mended.changes[0].verdict == "mended"


def test_other_failures_and_cells_on_one_side_are_said(tmp_path):
    one = write(tmp_path / "one", [row(0, (), (), status="failed"), row(1, (), (), status="skipped")])
    other = write(tmp_path / "other", [row(0, (), (), status="timed out"), row(2, (), (), status="skipped")])
    found = {change.cell.inputs: change for change in compare_runs(one, other).changes}
    assert (found[1].verdict, found[1].note) == ("no change", "failed -> timed out")
    assert (found[2].verdict, found[3].verdict) == ("only before", "only after")


def test_another_processor_is_said(tmp_path):
    here, there = one_cell(tmp_path / "here"), tmp_path / "there"
    write(there, [row(0, (1e-4,) * 7, (2e-5,) * 7)], cpu="another")
    assert compare_runs(here, there).environments == (("cpu", "simulated", "another"),)
    assert compare_runs(here, here).environments == ()


def test_facts_can_be_written_as_json(tmp_path):
    found = compare_runs(one_cell(tmp_path / "a"), one_cell(tmp_path / "b", status="failed"))
    facts = json.loads(json.dumps(found.as_facts(), allow_nan=False))
    assert facts["counts"] == {"broken": 1}
    assert facts["changes"][0]["factor"] is None
    assert facts["changes"][0]["cell"] == "tanh-map, reverse, numpy, A = 1, B = 1"


@pytest.mark.parametrize("factor", [1.0, 0.5, float("nan"), float("inf")])
def test_a_factor_that_makes_no_sense_is_an_error(factor, tmp_path):
    folder = one_cell(tmp_path / "a")
    with pytest.raises(InputError, match="give a factor above 1"):
        compare_runs(folder, folder, beyond=factor)


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(ResultsError, match="no run in"):
        compare_runs(one_cell(tmp_path / "a"), tmp_path / "nowhere")


def test_two_real_runs_are_compared_cell_by_cell(tmp_path):
    text = """
        [limits]
        budget_seconds = 0.002
        visits = 2
        [[grid]]
        problems = ["tanh-map"]
        methods = ["forward", "reverse"]
        inputs = [{}]
    """
    for name, inputs in (("before", "10, 20"), ("after", "20, 30")):
        run_suite(Suite.parse(text.format(inputs), name), tmp_path / name)
    found = compare_runs(tmp_path / "before", tmp_path / "after")
    assert found.environments == ()
    verdicts = {(change.cell.inputs, change.cell.method): change for change in found.changes}
    assert [verdicts[10, "forward"].verdict, verdicts[30, "reverse"].verdict] == ["only before", "only after"]
    assert 0.1 < verdicts[20, "reverse"].factor < 10
    assert 0 < verdicts[20, "reverse"].p <= 1
