from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit import advising, problems
from diffkit.benchmark.results import Measurement
from diffkit.comparing import Comparison

CLOSE = np.linspace(-1, 1, 90).reshape(30, 3)
FOUR = {"finite-difference", "symbolic", "forward", "reverse"}


@pytest.fixture(scope="module")
def advice():
    return dk.advise(lambda x: np.prod(np.sin(x)), np.linspace(1, 2, 40), seconds=2.0)


def test_the_choice_is_that_of_auto_and_says_why(advice):
    assert advice.choice == "reverse"
    assert advice.reasons[0] == (
        'Use method="reverse": f has 40 inputs and 1 output; a Jacobian takes 40 sweeps forward, 1 in reverse.'
    )


def test_what_takes_more_sweeps_is_chosen_for_less_work_only():
    advice = dk.advise(lambda x: np.tanh(CLOSE @ x), np.ones(3), methods=["forward", "reverse"])
    fewer = "forward"  # 3 sweeps, not 30: a choice against that has to say why
    assert advice.choice == fewer or advice.reasons[0].endswith("but simplified reverse is less work.")


def test_predicted_and_measured_cost_stand_side_by_side(advice):
    table = advice.table
    assert set(table.index) == FOUR
    assert list(table["run_seconds"]) == sorted(table["run_seconds"])
    shown = ["operations", "bytes", "predicted_seconds", "run_seconds", "bound_seconds", "prepare_seconds"]
    assert (table[shown] > 0).all(axis=None)


def test_it_reads_as_sentences_and_a_table(advice):
    lines = str(advice).splitlines()
    assert tuple(lines[:3]) == advice.reasons
    assert lines[1].startswith("By counted work: ")
    assert lines[2].startswith("Measured, reverse takes ")
    assert {line.split()[0] for line in lines[3:]} >= FOUR


@pytest.fixture(scope="module")
def bottleneck():
    instance = problems.get("autoencoder").at(300, 200)
    return dk.advise(instance.function, instance.point, methods=["forward", "mixed"], seconds=2.0)


def test_a_bottleneck_is_told(bottleneck):
    assert bottleneck.choice == "mixed"
    assert bottleneck.reasons[:2] == (
        (
            'Use method="mixed": f has 300 inputs and 200 outputs; a Jacobian takes 300 sweeps forward, '
            "200 in reverse, 5 mixed."
        ),
        "Every path from inputs to outputs passes through 5 numbers.",
    )


def test_a_sparse_jacobian_is_told_and_measured_beside_the_others():
    instance = problems.get("reaction-diffusion").at(300, 300)
    methods = ["forward", "reverse", "mixed", "sparse(form=dense)"]
    advice = dk.advise(instance.function, instance.point, methods=methods)
    assert advice.choice == "sparse(form=dense)"
    assert advice.reasons[:2] == (
        (
            'Use method="sparse", form="dense": f has 300 inputs and 300 outputs; a Jacobian takes 300 sweeps forward, '
            "300 in reverse, 21 sparse."
        ),
        "The Jacobian is sparse: 21 of 300 directions find all of it.",
    )
    assert set(advice.table.index) == set(methods)
    for method in ("sparse(form=dense)", "forward"):
        assert (advice.table.loc[method, ["predicted_seconds", "run_seconds"]] > 0).all()


def test_what_cannot_be_traced_is_left_to_finite_differences():
    advice = dk.advise(lambda x: float(x[0]) ** 2, np.ones(2), methods=["finite-difference"])
    assert advice.choice == "finite-difference"
    assert "need a graph of f" in advice.reasons[0]


def planted(**runs):
    """A comparison of methods that take (prepare, run, predicted) seconds."""
    rows = [
        Measurement("compare", "f", name, "numpy", 3, 3, prepare_seconds=one, run_seconds=two, predicted_seconds=three)
        for name, (one, two, three) in runs.items()
    ]
    return Comparison(0.0, np.eye(3), "none", {}, tuple(rows))


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (
            {"reverse": (1.0, 1e-3, 2e-3), "forward": (1.0, 2e-3, 3e-3)},
            "Measured, reverse takes 1 ms, the shortest of all.",
        ),
        (
            {"reverse": (1.0, 3e-3, 2e-3), "forward": (1.5, 2e-3, 3e-3)},
            "Measured, reverse takes 3 ms; forward takes 2 ms, and repays its preparation after 500 calls.",
        ),
        (
            {"reverse": (1.0, 3e-3, 2e-3), "forward": (0.5, 2e-3, 3e-3)},
            "Measured, reverse takes 3 ms; forward takes 2 ms.",
        ),
    ],
)
def test_the_measured_cost_in_words(runs, said):
    counted, measured = advising.cost_sentences("reverse", planted(**runs))
    assert counted == "By counted work: reverse 2 ms and forward 3 ms."
    assert measured == said


def test_a_choice_that_was_not_measured_is_not_judged():
    assert len(advising.cost_sentences("reverse", planted(forward=(1.0, 1.0, 1.0)))) == 1
