"""What a right derivative may differ by: the error of the differences, and what rounding does to the derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.checking.around import Around
from diffkit.checking.extrapolation import SAFETY, Estimate

SHIFTS = 3  # points beside x at which the derivative is estimated again, so that effects seldom cancel at all of them


def conditioning(f: Around, v: Any, estimate: Estimate, steps: Any) -> Any:
    """How much does the derivative along v change when each entry of x is rounded? ``(B,)``.

    That is ``epsilon |x_j| |d2f / dv dx_j|`` over all inputs j, found by the same difference beside x. Rounding within
    any program for the derivative has effects of this size, so that no program can be held to less.
    """
    chosen = estimate.level[np.isfinite(estimate.error)]
    if not chosen.size:
        return np.zeros(f.here.shape)
    h, move = float(steps[int(chosen.max())]), f.epsilon ** (1 / 3)

    def quotient(x: Any) -> Any:
        return (f(x + h * v) - f(x - h * v)) / (2 * h)

    generator, here, change = np.random.default_rng(1), quotient(f.x), np.zeros(f.here.shape)
    for _ in range(SHIFTS):
        part = generator.choice([-1.0, 1.0], f.x.size) * generator.uniform(0.5, 1.0, f.x.size)
        change = np.fmax(change, np.abs(quotient(f.x + move * part * f.x) - here))
    return f.epsilon * change / move


def allowed(estimate: Estimate, conditioned: Any, given: Any, epsilon: float) -> Any:
    """How far a given derivative may be from the estimate, entry by entry."""
    size = np.fmax(np.abs(np.where(np.isfinite(given), given, 0.0)), np.abs(estimate.value))
    return SAFETY * (estimate.error + conditioned + epsilon / 2 * size)
