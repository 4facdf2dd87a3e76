import numpy as np

from diffkit.lab.figures.training import agreement, sign, symmetry


def test_from_zero_three_lines_are_one_and_from_random_weights_they_are_not():
    zero, drawn = ([line.get_ydata() for line in axes.lines] for axes in symmetry().axes)
    assert len(zero) == len(drawn) == 3
    assert (np.array(zero) == zero[0]).all()
    assert np.ptp([line[-1] for line in drawn]) > 10


def test_the_line_without_the_minus_sign_climbs_and_ends_in_a_cross():
    (axes,) = sign().axes
    wrong, cross, right = (line.get_ydata() for line in axes.lines)
    assert list(wrong) == sorted(wrong)
    assert cross[0] == wrong[-1] > 10
    assert right[-1] < right[0] < wrong[1]


def test_the_trajectories_in_the_picture_agree():
    (axes,) = agreement().axes
    largest = {line.get_label(): line.get_ydata().max() for line in axes.lines}
    assert max(largest["forward"], largest["symbolic"]) < 1e-10
    assert 1e-10 < largest["finite-difference"] < 1e-5
