"""The figures of the page on checking show what it says."""

from __future__ import annotations

import numpy as np

from diffkit.lab.figures.checking import resolutions, verdicts


def test_the_right_one_falls_and_rises_the_wrong_one_stays_and_the_kink_splits() -> None:
    right, wrong, kink = verdicts().axes
    steps, distances = right.lines[0].get_data()
    assert distances.min() < 1e-9
    assert min(distances[0], distances[-1]) > 1e-5
    assert 1e-7 < steps[np.argmin(distances)] < 1e-3
    plateau = wrong.lines[0].get_ydata()[6:15]
    np.testing.assert_allclose(plateau, plateau[0], rtol=1e-2)
    central, above, below = (kink.lines[k].get_ydata() for k in (0, 2, 3))
    np.testing.assert_allclose(central, 0.5, rtol=1e-6)
    assert abs(above[-1] - 1) < 1e-6
    assert below[-1] < 1e-10


def test_what_can_be_told_grows_with_noise_until_nothing_can() -> None:
    (axes,) = resolutions().axes
    told, untold, off = (line.get_data() for line in axes.lines[:3])
    assert told[1][0] < 1e-8
    assert told[1][-1] > 1e-2
    assert untold[0].size > 0
    assert untold[0].min() > told[0].max()
    assert np.all(off[1][: told[1].size] < told[1])
