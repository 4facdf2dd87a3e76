"""Conditioning: what rounding x changes in the derivative, against second derivatives in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diffkit.checking.around import Around
from diffkit.checking.extrapolation import SAFETY, central
from diffkit.checking.tolerance import allowed, conditioning

EPSILON = np.finfo(float).eps


def conditioned(f: Any, x: Any, j: int) -> float:
    around = Around(f, x)
    v = np.eye(around.x.size)[j]
    line = around.line(v)
    return float(conditioning(around, v, central(line), line.steps)[0])


@pytest.mark.parametrize("k", [1.0, 30.0, 1000.0])
def test_of_one_input_it_is_epsilon_x_times_the_second_derivative(k: float) -> None:
    found = conditioned(lambda x: np.sin(k * x), 0.7, 0)
    assert found == pytest.approx(EPSILON * 0.7 * k**2 * abs(np.sin(0.7 * k)), rel=0.5)


def test_of_many_inputs_it_is_of_the_size_of_the_sum_over_all() -> None:
    x = np.array([2.0, -3.0, 5.0])
    found = conditioned(lambda x: x[0] * x[1] * x[2], x, 0)  # J = x1 x2 has the second derivatives 0, x2 and x1
    whole = EPSILON * (3.0 * 5.0 + 5.0 * 3.0)
    assert whole / 3 < found <= whole * 1.01


def test_a_linear_function_has_no_conditioning_to_speak_of() -> None:
    assert conditioned(lambda x: 3 * x, 0.7, 0) < 1e-5 * EPSILON


def test_what_is_allowed_adds_up() -> None:
    around = Around(np.exp, 1.0)
    line = around.line(np.ones(1))
    found = central(line)
    margin = allowed(found, np.array([1e-9]), np.array([np.nan]), EPSILON)
    assert margin[0] == pytest.approx(SAFETY * (found.error[0] + 1e-9 + EPSILON / 2 * np.e), rel=1e-6)
