"""The pictures of matrix calculus show what their titles say."""

import matplotlib as mpl
import numpy as np
import pytest

from diffkit.lab.figures import choose
from diffkit.pictures import STYLE


@pytest.fixture(scope="module")
def figures():
    with mpl.rc_context(STYLE):
        return {name: figure.make() for name in NAMES for figure in choose([name])}


NAMES = ("matrix-calculus-shapes", "matrix-calculus-diagonal")

# Entries that are drawn: of both layouts, of one, or of the flattened Jacobian.
SQUARES = [2, 2 * 4, 2 * 20, 2 * 2, 2 * 8, 2 * 20, 6, 6 * 4, 6 * 20]


def test_each_of_the_nine_has_a_square_per_entry(figures):
    assert [len(ax.patches) for ax in figures["matrix-calculus-shapes"].axes] == SQUARES


def test_five_have_two_layouts_and_three_have_none(figures):
    labels = [[text.get_text() for text in ax.texts[1:]] for ax in figures["matrix-calculus-shapes"].axes]
    assert [len(found) for found in labels] == [2, 2, 2, 2, 2, 1, 1, 1, 1]
    assert labels[4] == ["2 × 4", "4 × 2"]
    assert ["in blocks" in found[0] for found in labels].count(True) == 3
    assert labels[8] == ["6 × 20, in blocks 2 × 3 × 4 × 5"]


def test_squares_and_texts_stay_in_their_panels(figures):
    for ax in figures["matrix-calculus-shapes"].axes:
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        for square in ax.patches:
            assert left <= square.get_x()
            assert square.get_x() + square.get_width() <= right
            assert top <= square.get_y()
            assert square.get_y() + square.get_height() <= bottom


def test_one_direction_finds_the_diagonal_one_alone(figures):
    axes = figures["matrix-calculus-diagonal"].axes
    assert [ax.texts[0].get_text() for ax in axes] == [
        "12 of 144 entries, 1 direction",
        "24 of 144 entries, 2 directions",
        "144 of 144 entries, 12 directions",
    ]
    drawn = [np.ma.count(ax.images[0].get_array()) for ax in axes]
    assert drawn == [12, 24, 144]
