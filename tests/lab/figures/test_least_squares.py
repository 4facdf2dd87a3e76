"""The picture of three algorithms shows what its title and its page say."""

import re

import matplotlib as mpl
import numpy as np
import pytest

from diffkit.lab.figures import choose
from diffkit.pictures import STYLE


@pytest.fixture(scope="module")
def panels():
    (figure,) = choose(["least-squares-rates"])
    with mpl.rc_context(STYLE):
        axes = figure.make().axes
    return [{line.get_label(): np.asarray(line.get_ydata(), float) for line in ax.lines} for ax in axes], axes


def test_three_algorithms_in_three_panels(panels):
    lines, axes = panels
    assert all(set(panel) == {"gauss-newton", "levenberg-marquardt", "gradient-descent"} for panel in lines)
    assert [ax.get_xlabel() for ax in axes] == ["iteration"] * 3


def test_near_the_solution_both_need_about_ten_steps_and_descent_many(panels):
    unit, near, _ = panels[0]
    for panel, left in ((unit, 1e-5), (near, 1e-3)):
        assert panel["gauss-newton"][10:].max(initial=0.0) < 1e-8
        assert panel["levenberg-marquardt"][-1] < 1e-9
        assert panel["gradient-descent"][-1] > left


def test_from_far_gauss_newton_is_told_to_be_singular(panels):
    far, ax = panels[0][2], panels[1][2]
    assert far["gauss-newton"][-1] > 0.1
    assert far["levenberg-marquardt"][-1] < 1e-12
    assert re.fullmatch(r"J'J is singular:\nJ has rank 3\d of 37", ax.texts[0].get_text())
