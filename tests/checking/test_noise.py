"""f's own noise is measured, and what it hides is not judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk
from diffkit.checking.around import Around
from diffkit.checking.noise import estimate_noise

AMPLITUDES = [1e-12, 1e-9, 1e-6, 1e-3]


def noisy(amplitude: float) -> Any:
    """exp with reproducible noise: digits of x far behind those that matter, as More and Wild plant it."""
    return lambda x: np.exp(x) + amplitude * np.sin(x * 1e14)


@pytest.mark.parametrize("amplitude", AMPLITUDES)
def test_planted_noise_is_measured(amplitude: float) -> None:
    found = float(estimate_noise(Around(noisy(amplitude), 0.7))[0])
    assert amplitude / 3 < found * np.sqrt(2) < 3 * amplitude  # a sine's deviation is its amplitude over sqrt(2)


def test_noise_that_one_grid_hides_on_either_side_is_measured() -> None:
    called: list[float] = []
    estimate_noise(Around(lambda x: called.append(float(x)) or np.exp(x), 0.7))
    moves = np.array([x - 0.7 for x in called if x != 0.7])
    places = np.abs(moves) / np.min(np.abs(moves))
    fine = np.abs(places - np.round(places)) < 1e-3  # the finer of two grids; the other one is 1.618 times as wide
    quiet = {0.7 + move for move, first in zip(moves, fine, strict=True) if first == (move > 0)}

    def f(x: Any) -> Any:
        return np.exp(x) + (0.0 if float(x) in quiet else 1e-9 * np.sin(x * 1e14))

    assert 1e-10 < float(estimate_noise(Around(f, 0.7))[0]) < 1e-8


@pytest.mark.parametrize("amplitude", AMPLITUDES[:3])
def test_noisy_functions_are_judged_as_far_as_they_can_be(amplitude: float) -> None:
    right = np.exp(np.asarray(0.7))
    found = dk.check(noisy(amplitude), 0.7, right)
    assert found
    assert amplitude < found.resolution < 1e4 * amplitude
    assert dk.check(noisy(amplitude), 0.7, right * (1 + 3 * found.resolution), raises=False).verdict == "wrong"


def test_where_noise_hides_everything_nothing_is_claimed() -> None:
    for amplitude in (1e-3, 10.0):
        found = dk.check(noisy(amplitude), 0.7, np.exp(np.asarray(0.7)), raises=False)
        assert found.verdict == "undecided"
    with pytest.raises(dk.CheckError, match="cannot tell whether the derivative holds"):
        dk.check(noisy(10.0), 0.7, np.exp(np.asarray(0.7)))


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.sin(300.0 * x), 1.7e9),  # seconds since 1970: no step follows these waves
        (lambda x: np.sin(1e7 * x), 1.7e6),
        (np.sin, 1e15),
        (np.sqrt, 1e-300),
        (np.log, 1e-300),
    ],
)
def test_where_differences_lead_nowhere_nothing_is_claimed(f: Any, x: float) -> None:
    found = dk.check(f, x, raises=False)
    assert found.verdict == "undecided"
    assert dk.check(f, x, 1.1 * dk.grad(f)(x), raises=False).verdict == "undecided"


@pytest.mark.parametrize(("x", "largest"), [(1e-300, 1e-20), (np.float32(1e-38), 1e-3)])
def test_what_underflows_is_rounded_too(x: Any, largest: float) -> None:
    found = dk.check(lambda x: x * x, x)  # 2 x, where all differences are 0
    assert 0 < found.resolution < largest
    assert dk.check(lambda x: x * x, x, np.asarray(1e-2), raises=False).verdict == "wrong"


def test_what_is_zero_all_around_has_the_derivative_zero() -> None:
    for f in (lambda x: np.maximum(x, 0.0), lambda x: 0 * x, lambda x: np.exp(-1 / x**2)):
        assert dk.check(f, -0.01)
        assert dk.check(f, -0.01, np.asarray(1e-3), raises=False).verdict == "wrong"


@pytest.mark.parametrize(
    "f", [lambda x: np.exp(np.float64(np.float32(x))), lambda x: np.float64(np.float32(np.exp(x)))]
)
@pytest.mark.parametrize("x", [0.3, 0.7, 1.0, 1.9, 2.2, 2.7])
def test_functions_with_fewer_digits_inside_are_judged_by_those(f: Any, x: float) -> None:
    assert 1e-9 < float(estimate_noise(Around(f, x))[0]) < 1e-5
    found = dk.check(f, x, np.exp(np.asarray(x)))
    assert found
    assert dk.check(f, x, 1.01 * np.exp(np.asarray(x)), raises=False).verdict == "wrong"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_alone_is_about_epsilon(dtype: Any) -> None:
    around = Around(lambda x: np.sum(np.sin(x) * np.exp(x)), np.linspace(0.1, 2, 50, dtype=dtype))
    noise = float(estimate_noise(around)[0])
    assert 0.01 < noise / (np.finfo(dtype).eps * abs(around.here[0])) < 100


def test_a_derivative_in_fewer_digits_than_f_is_off_by_these() -> None:
    x = np.array([0.3, 0.7])
    rounded = np.cos(x).astype(np.float32)
    assert dk.check(lambda x: np.sum(np.sin(x)), x, rounded, raises=False).verdict == "wrong"
    assert dk.check(lambda x: np.sum(np.sin(x)), x, rounded, tolerance=1e-6)
