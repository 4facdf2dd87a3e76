"""The study behind a verdict: truncation falls as h^2, rounding rises as 1/h, and a wrong derivative stays away."""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk


def test_truncation_falls_with_the_square_of_the_step_size_as_taylor_says() -> None:
    study = dk.check(np.exp, 1.0).study
    assert study is not None
    coarse = study.steps > 1e-4
    np.testing.assert_allclose(study.distances[coarse], np.e * study.steps[coarse] ** 2 / 6, rtol=0.02)


def test_rounding_rises_as_epsilon_over_h() -> None:
    study = dk.check(np.exp, 1.0).study
    assert study is not None
    fine = study.steps < 1e-8
    expected = np.finfo(float).eps / 2 * np.e / study.steps[fine]
    np.testing.assert_allclose(study.rounding[fine], expected, rtol=1e-3)
    assert np.all(study.distances[fine] < 4 * expected)
    assert study.distances[-1] > 1e3 * study.distances.min()


def test_a_wrong_derivative_stays_away() -> None:
    study = dk.check(np.exp, 1.0, np.asarray(np.e * 1.001), raises=False).study
    assert study is not None
    plateau = (study.steps < 1e-3) & (study.steps > 1e-11)
    np.testing.assert_allclose(study.distances[plateau], 0.001 * np.e, rtol=1e-2)


def test_the_table_has_a_row_per_step_size_and_the_message_fewer() -> None:
    found = dk.check(np.exp, 1.0, np.asarray(3.0), raises=False)
    assert found.study is not None
    rows = found.study.table().splitlines()
    assert len(rows) == 1 + len(found.study.steps)
    assert rows[0].split("  ")[0] == "step size h"
    assert found.study.table() in str(found)
    with pytest.raises(dk.CheckError) as caught:
        dk.check(np.exp, 1.0, np.asarray(3.0))
    assert found.study.table(every=4) in str(caught.value)
    assert len(str(caught.value).splitlines()) < 10


def test_the_study_can_be_drawn() -> None:
    from matplotlib.figure import Figure

    study = dk.check(np.exp, 1.0).study
    assert study is not None
    axes = study.plot(Figure().subplots())
    assert axes.get_xscale() == axes.get_yscale() == "log"
    x, y = axes.lines[0].get_data()
    np.testing.assert_array_equal(x, study.steps)
    np.testing.assert_array_equal(y, study.distances)
