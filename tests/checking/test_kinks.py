"""Where f has no derivative, the check says so: what kind of point, with which one-sided slopes, from which step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import diffkit as dk

INF, NAN = math.inf, math.nan
#        f, x, verdict, from below, from above, the step
ROUGH = {
    "abs": (np.abs, 0.0, "kink", -1.0, 1.0, "absolute"),
    "relu": (lambda x: np.maximum(x, 0) + 3 * x, 0.0, "kink", 3.0, 4.0, "maximum"),
    "clip": (lambda x: np.clip(x, 0.0, 1.0), 1.0, "kink", 1.0, 0.0, ""),
    "a small kink": (lambda x: 1e4 * x + np.abs(x - 1), 1.0, "kink", 9999.0, 10001.0, "absolute"),
    "max at a tie": (lambda x: np.max(np.array([x**2, x])), 1.0, "kink", 1.0, 2.0, "max"),
    "if": (lambda x: 2 * x if x > 0 else 3 * x, 0.0, "kink", 3.0, 2.0, "a branch of f, on `v2 = greater"),
    "sign": (np.sign, 0.0, "jump", INF, INF, "sign"),
    "floor": (lambda x: np.floor(x) + x, 1.0, "jump", INF, 1.0, "floor"),
    "where": (lambda x: np.where(x >= 1, 5 + x, x), 1.0, "jump", INF, 1.0, "where"),
    "sqrt at its edge": (np.sqrt, 0.0, "pole", NAN, INF, "sqrt"),
    "cbrt": (np.cbrt, 0.0, "pole", INF, INF, "cbrt"),
    "x log x": (lambda x: np.where(x == 0, 0.0, x * np.log(np.abs(x) + (x == 0))), 0.0, "pole", -INF, -INF, ""),
    "1 / x": (lambda x: 1 / x, 0.0, "pole", NAN, NAN, "divide"),
    "log": (np.log, 0.0, "pole", NAN, NAN, "log"),
}


@pytest.mark.parametrize("name", ROUGH)
def test_the_kind_of_point_its_sides_and_its_step(name: str) -> None:
    f, x, verdict, below, above, step = ROUGH[name]
    found = dk.check(f, x, np.zeros(()), raises=False)
    assert not found
    assert found.verdict == verdict
    assert [found.below, found.above] == pytest.approx([below, above], rel=1e-5, nan_ok=True)
    assert step in found.cause
    with pytest.raises(dk.CheckError, match="there is no derivative of f by x"):
        dk.check(f, x, np.zeros(()))


SMOOTH = {
    "a kink next door": (lambda x: 7 * np.maximum(x - 1e-9, 0) + 2 * x, 0.0, 2.0),
    "x |x|": (lambda x: x * np.abs(x), 0.0, 0.0),
    "narrow": (lambda x: np.sqrt(x * x + 1e-20), 0.0, 0.0),
    "steep": (lambda x: np.logaddexp(0.0, 1e6 * x), 0.0, 5e5),
    "a pole next door": (lambda x: 1 / x, 1e-9, -1e18),
    "tiny x": (np.log, 1e-30, 1e30),
    "a tiny scale": (lambda x: np.tanh(x / 1e-30), 1e-30, 1e30 / np.cosh(1) ** 2),
    "periodic in the largest step sizes": (lambda x: np.sin(256 * np.pi * x), 0.0, 256 * np.pi),
    "a huge x": (np.sin, 1e8, np.cos(1e8)),
    "an edge with a slope": (lambda x: x**1.5, 0.0, 0.0),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_what_only_looks_rough_has_its_derivative(name: str) -> None:
    f, x, right = SMOOTH[name]
    assert dk.check(f, x, np.asarray(right))
    wrong = dk.check(f, x, np.asarray(right * 1.01 + (right == 0)), raises=False)
    assert wrong.verdict == "wrong"


def test_the_rough_one_of_many_entries_is_named() -> None:
    p = {"W": np.array([[1.0, 2.0], [3.0, -3.0]]), "b": np.array([0.5, 0.0])}
    found = dk.check(lambda p: np.maximum(p["W"] @ np.ones(2) + p["b"], 0.0), p, raises=False)
    assert (found.verdict, found.output) == ("kink", "f[1]")
    assert found.entry in ("W[1, 0]", "W[1, 1]", "b[1]")
    assert found.cause.endswith("entry [1]")
    assert "from below" in str(found)


def test_a_wrong_entry_counts_more_than_a_kink() -> None:
    f: Any = lambda x: np.abs(x[0]) + x[1] ** 2  # noqa: E731
    found = dk.check(f, np.array([0.0, 3.0]), np.array([0.0, 5.0]), raises=False)
    assert (found.verdict, found.entry) == ("wrong", "x[1]")


def test_a_black_box_has_kinks_without_a_step() -> None:
    found = dk.check(lambda x: math.fabs(float(x)), 0.0, np.zeros(()), raises=False)
    assert (found.verdict, found.below, found.above, found.cause) == ("kink", -1.0, 1.0, "")
