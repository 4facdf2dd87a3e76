"""Limits of quotients, their errors, and how a finer step size refutes a coarser one."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.checking.extrapolation import SAFETY, extrapolate

STEPS = 0.25 / 4.0 ** np.arange(20)


def quotients(limit: float, *terms: tuple[float, int]) -> np.ndarray:
    return (limit + sum(factor * STEPS**power for factor, power in terms))[:, None]


ROUNDING = (1e-16 / STEPS)[:, None]


def test_a_series_in_h_squared_is_extrapolated_to_its_limit() -> None:
    found = extrapolate(quotients(3.0, (0.7, 2), (-2.0, 4), (5.0, 6)), ROUNDING, 16.0)
    assert found.value[0] == pytest.approx(3.0, abs=1e-12)
    assert abs(found.value[0] - 3.0) <= found.error[0] < 1e-11


def test_a_series_in_h_needs_the_other_factor() -> None:
    series = quotients(3.0, (0.7, 1), (-2.0, 2))
    right, wrong = (extrapolate(series, ROUNDING, factor) for factor in (4.0, 16.0))
    assert abs(right.value[0] - 3.0) <= right.error[0] < 1e-11
    assert right.error[0] < wrong.error[0] / 100


def test_a_plateau_that_finer_steps_leave_does_not_count() -> None:
    plateau = np.where(STEPS > 1e-6, 5.0, 3.0)[:, None]
    found = extrapolate(plateau, ROUNDING, 16.0)
    assert found.value[0] == 3.0
    assert STEPS[found.level[0]] < 1e-6


def test_rounding_alone_refutes_nothing() -> None:
    generator = np.random.default_rng(0)
    noisy = quotients(3.0, (1.0, 2)) + ROUNDING * generator.standard_normal((20, 1))
    found = extrapolate(noisy, ROUNDING, 16.0)
    assert STEPS[found.level[0]] > 1e-4
    assert abs(found.value[0] - 3.0) < SAFETY * found.error[0] < 1e-9


def test_holes_are_left_out_and_nothing_is_made_of_nothing() -> None:
    holes = quotients(3.0, (1.0, 2))
    holes[:8] = np.nan
    assert extrapolate(holes, ROUNDING, 16.0).value[0] == pytest.approx(3.0, abs=1e-7)
    nothing = extrapolate(np.full((20, 1), np.nan), ROUNDING, 16.0)
    assert np.isnan(nothing.value[0])
    assert np.isinf(nothing.error[0])


def test_outputs_are_judged_each_for_itself() -> None:
    both = np.hstack([quotients(3.0, (0.7, 2)), np.where(STEPS > 1e-6, 5.0, 1.0)[:, None]])
    found = extrapolate(both, np.hstack([ROUNDING, ROUNDING]), 16.0)
    np.testing.assert_allclose(found.value, [3.0, 1.0], atol=1e-9)
    assert found.level[0] < found.level[1]
