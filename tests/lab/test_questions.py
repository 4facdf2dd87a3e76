from collections import Counter

import numpy as np
import pytest

from diffkit.errors import InputError, UnknownNameError
from diffkit.lab import data, questions
from diffkit.lab.fitting import fit
from diffkit.lab.networks import Network


def least_misses_of_a_line(X, labels):
    """Try lines of 720 directions through the gaps between all examples."""
    least = len(labels)
    for angle in np.linspace(0, np.pi, 720, endpoint=False):
        ordered = labels[np.argsort(np.cos(angle) * X[0] + np.sin(angle) * X[1])]
        ones_before = np.concatenate([[0], np.cumsum(ordered)])
        zeros_after = np.cumsum(np.concatenate([[0], 1 - ordered[::-1]]))[::-1]
        wrong = ones_before + zeros_after
        least = min(least, wrong.min(), (len(labels) - wrong).min())
    return least


def test_a_line_and_one_unit_fail_where_every_line_does_and_more_units_do_not():
    found = questions.answer_a((0, 1, 2, 3), data=["band", "pocket", "four-gaussians"], samples=200)
    enough = {"band": 2, "pocket": 3, "four-gaussians": 3}
    for name, misses in found.rows.items():
        drawn = data.get(name, samples=200)
        line = least_misses_of_a_line(drawn.X, drawn.labels)
        assert line > 20
        assert min(misses[:2]) >= line - 1  # a line between two of the 720 may part one example more
        assert misses[enough[name]] == 0


def test_of_several_starts_the_one_that_gets_fewest_wrong_counts():
    drawn = data.get("spirals", samples=100)
    fits = [fit(Network((2, 3, 1)), drawn.X, drawn.Y, seed=seed) for seed in range(4)]
    least = min(one.misses for one in fits)
    assert least < min(fits, key=lambda one: one.cost).misses  # not the one of the least cost
    assert questions.answer_a((3,), data="spirals", samples=100, starts=4).rows["spirals"] == (least,)


def test_two_units_leave_a_pocket_open():
    (misses,) = questions.answer_a((2,), data=["pocket"], samples=200).rows["pocket"]
    assert misses > 10


def test_contradictions_stay_wrong_and_nothing_else():
    drawn = questions.CLASSES["contradictory band"](200)
    seen = Counter((*point, label) for point, label in zip(drawn.X.T.tolist(), drawn.labels.tolist(), strict=True))
    contradictions = sum((*point, 1 - label) in seen for *point, label in seen) // 2
    assert contradictions == 10
    found = questions.answer_a((1, 4), data=["contradictory band"], samples=200, starts=5)
    assert found.rows["contradictory band"][0] > contradictions
    assert found.rows["contradictory band"][1] == contradictions


def test_spirals_and_digits_take_more_units():
    found = questions.answer_a((1, 16), data=["spirals", "digits"], samples=200, starts=3)
    for few, many in found.rows.values():
        assert few > 40
        assert many == 0


def test_without_hidden_units_the_fit_is_the_line_of_least_squares():
    found = questions.answer_b((0,), samples=50, starts=1)
    x = np.linspace(-1, 1, 50)
    beyond = np.linspace(1, 3, 50)
    y = {"sin(3x)": np.sin(3 * x), "x^2": x**2, "|x|": abs(x), "step": 1.0 * (x > 0)}
    for name, values in y.items():
        line = np.polyval(np.polyfit(x, values, 1), x)
        assert found.rows[name][0] == pytest.approx(np.sqrt(np.mean((line - values) ** 2)), rel=1e-6)
    line = np.polyval(np.polyfit(x, x**2, 1), beyond)
    assert found.rows["x^2, from 1 to 3"][0] == pytest.approx(np.sqrt(np.mean((line - beyond**2) ** 2)), rel=1e-5)


def test_curves_fit_and_noise_does_not():
    found = questions.answer_b((1, 4), samples=60, starts=3)
    for name in ("sin(3x)", "x^2", "|x|"):
        one, four = found.rows[name]
        assert one > 0.1
        assert four < 0.02
    assert max(found.rows["step"]) < 0.01
    added = np.sqrt(np.mean(np.random.default_rng(0).normal(scale=0.1, size=60) ** 2))
    assert 0.75 * added < found.rows["noisy sin(3x)"][1] < added
    assert found.rows["x^2, from 1 to 3"][1] > 10 * found.rows["x^2"][1]


def test_answers_print_as_a_table():
    text = str(questions.Answers("misses", (0, 12), {"one": (3, 0), "another": (0.25, 1.0)}))
    assert text.splitlines() == [
        "misses, by number of hidden units",
        "              0      12",
        "one           3       0",
        "another  0.2500  1.0000",
    ]


def test_names_that_nobody_has_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'band'"):
        questions.answer_a(data=["bands"])
    with pytest.raises(UnknownNameError, match="did you mean 'step'"):
        questions.answer_b(curves=["steps"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"starts": 0}, "starts=0"),
        ({"samples": 0}, "samples=0"),
        ({"widths": (-1,)}, r"widths\[0\]=-1; it must be a whole number from 0"),
        ({"widths": 3}, "widths=3; give a list of one number"),
        ({"widths": ()}, "give a list of one number"),
        ({"data": []}, "no data is named; choose from band"),
    ],
)
def test_what_cannot_be_asked_is_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        questions.answer_a(**{"widths": (0,), "data": "band"} | wrong)


def test_one_name_need_not_be_a_list():
    assert list(questions.answer_a((0,), data="band", samples=20).rows) == ["band"]
