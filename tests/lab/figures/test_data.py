import re

import numpy as np
from matplotlib.figure import Figure

from diffkit.lab.figures import data
from diffkit.lab.questions import Answers


def said(figure):
    """The line under each panel's title."""
    return [axes.texts[0].get_text() for axes in figure.axes]


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def test_a_line_fails_on_the_band_and_two_units_do_not():
    line, network = said(data.band())
    assert min(numbers(line)) > 25
    assert numbers(network) == [0, 0]


def test_the_two_half_planes_make_the_band_together():
    figure = data.hidden_units()
    assert numbers(said(figure)[2]) == [0, 300]
    weights = [float(re.search(r"[+-][\d.]+", text)[0]) for text in said(figure)[:2]]
    assert min(np.abs(weights)) > 5  # each unit counts


def test_three_units_close_the_pocket():
    two, three, four = (numbers(text)[0] for text in said(data.pocket()))
    assert two > 40
    assert three == four == 0


def test_more_starts_are_stuck_with_three_units_than_with_four():
    figure = data.four_gaussians()
    stuck_3, three, stuck_4, four = numbers(said(figure)[0])
    assert (three, four) == (3, 4)
    assert stuck_3 > stuck_4
    stuck, best_3, best_4 = (numbers(text)[0] for text in said(figure)[1:])
    assert stuck > 40
    assert max(best_3, best_4) < 10


def test_the_digits_drawn_are_those_read_wrong():
    figure = data.digits()
    wrong, of = numbers(figure.get_suptitle())
    assert of == 449  # a quarter of 1,797
    assert 0 < wrong < 45
    pairs = [numbers(axes.texts[0].get_text()) for axes in figure.axes if axes.texts]
    assert len(pairs) == min(wrong, 20)
    assert all(label != read for label, read in pairs)
    assert all(len(axes.images) == len(axes.texts) for axes in figure.axes)


def test_a_table_shows_every_number():
    axes = Figure().add_subplot()
    data.table(axes, Answers("misses", (0, 2), {"band": (20, 0), "pocket": (9, 8)}), "{:.0f}", np.sqrt)
    assert [text.get_text() for text in axes.texts] == ["20", "0", "9", "8"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["band", "pocket"]
