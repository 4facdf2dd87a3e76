"""Difference quotients of a vector function at one point, input by input, inside its domain.

Press et al. (2007), "Numerical Recipes", section 5.7 for the step sizes; Ridders (1982), "Accurate computation of
F'(x) and F'(x) F''(x)", for the extrapolation.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffkit.errors import DiffkitError, InputError

LEVELS = 10  # of the extrapolation
HALVINGS = 40  # until a step size is as good as zero
POWERS = {"forward": 1 / 2, "central": 1 / 3}  # of the dtype's epsilon: truncation and rounding in balance


@dataclass(eq=False)
class Differences:
    """Differences of f at x.

    Attributes
    ----------
    f
        From a vector ``(A,)`` to a vector ``(B,)``.
    x
        Where, ``(A,)``.
    sizes
        The step size per input, ``(A,)``.
    scheme
        "forward", "central" or "richardson".
    low, high
        Bounds per input; f is not evaluated outside.
    one_sided
        Inputs of which one side was left out, filled by `columns`.
    """

    f: Callable[[Any], Any]
    x: Any
    sizes: Any
    scheme: str
    low: Any
    high: Any
    one_sided: set[int] = field(default_factory=set)

    def columns(self) -> tuple[Any, Any]:
        """The Jacobian ``(B, A)``, and an estimate of its error."""
        outside = np.flatnonzero((self.x < self.low) | (self.x > self.high))
        if outside.size:
            j = int(outside[0])
            raise InputError(
                f"input {j} is {self.x[j]}, outside of its bounds {self.low[j]} to {self.high[j]}; "
                "differentiate at a point inside, or give other bounds"
            )
        rule = {"central": self._central, "forward": self._forward, "richardson": self._richardson}[self.scheme]
        found = [rule(j, float(self.sizes[j])) for j in range(self.x.size)]
        if not found:
            empty = np.zeros((self.here.size, 0))
            return empty, empty
        errors = [np.full_like(value, np.nan) if error is None else error for value, error in found]
        return np.stack([value for value, _ in found], axis=1), np.stack(errors, axis=1)

    @functools.cached_property
    def here(self) -> Any:
        """The value of f at x, where a rule needs it."""
        return self.f(self.x)

    def _at(self, j: int, move: float) -> Any:
        """The value of f with input j moved; None outside the bounds or the domain (not finite, an error)."""
        target = self.x[j] + move
        if not self._inside(j, target) or target == self.x[j]:  # a move lost in rounding is none
            return None
        moved = self.x.copy()
        moved[j] = target
        try:
            value = self.f(moved)
        except DiffkitError:
            raise
        except (ArithmeticError, ValueError):
            return None if np.isfinite(self.here).all() else self.here
        if math.isfinite(value @ value):  # the quick answer; a product that overflows itself is none
            return value
        finite = np.isfinite(value)
        return value if finite.all() or np.all(finite | ~np.isfinite(self.here)) else None

    def _inside(self, j: int, target: float) -> bool:
        return not (target < self.low[j] or target > self.high[j])

    def _sides(self, j: int, h: float) -> tuple[Any, Any] | None:
        """The values of f on both sides; None where one is missing."""
        ahead = self._at(j, h)
        behind = None if ahead is None else self._at(j, -h)
        return None if behind is None else (ahead, behind)

    def _quotient(self, j: int, h: float) -> tuple[Any, Any] | None:
        """``(f(x + h) - f(x - h)) / (2 h)``, of second order, and its rounding error; None where a side is missing."""
        sides = self._sides(j, h)
        if sides is None:
            return None
        ahead, behind = sides
        rounding = np.finfo(ahead.dtype).eps * (np.abs(ahead) + np.abs(behind)) / (2 * h)
        return (ahead - behind) / (2 * h), rounding

    def _central(self, j: int, h: float) -> tuple[Any, Any]:
        sides = self._sides(j, h)
        if sides is not None:
            return (sides[0] - sides[1]) / (2 * h), None
        if self._inside(j, self.x[j] + h) and self._inside(j, self.x[j] - h):
            return self._richardson(j, h)  # an edge of the domain is near, where f may be steep
        return self._one_sided(j, h)

    def _forward(self, j: int, h: float) -> tuple[Any, Any]:
        """``(f(x + h) - f(x)) / h``, of first order; backward where there is no forward."""
        for move in (h, -h):
            value = self._at(j, move)
            if value is not None:
                if move < 0:
                    self.one_sided.add(j)
                return (value - self.here) / move, None
        return self._central(j, h / 2)

    def _one_sided(self, j: int, h: float) -> tuple[Any, Any]:
        """``(-3 f(x) + 4 f(x + h) - f(x + 2 h)) / (2 h)``, of second order like the central difference."""
        self.one_sided.add(j)
        for halving in range(HALVINGS):
            for move in (h / 2**halving, -h / 2**halving):
                near = self._at(j, move)
                far = None if near is None else self._at(j, 2 * move)
                if far is not None:
                    value = (4 * near - 3 * self.here - far) / (2 * move)
                    return value, np.abs(value - (near - self.here) / move)
        nowhere = np.full(self.here.shape, np.nan)
        return nowhere, nowhere

    def _richardson(self, j: int, h: float) -> tuple[Any, Any]:
        """Ridders' extrapolation of central differences to h = 0; the best of the table, entry by entry."""
        first, start = self._quotient(j, h), h
        while first is None and start > h / 2**HALVINGS:
            start /= 2.0
            first = self._quotient(j, start)
        if first is None:
            return self._one_sided(j, min(h, 1e-5 * max(1.0, abs(float(self.x[j])))))
        best = first[0]
        previous, error = [best], np.full(best.shape, np.inf)
        for level in range(1, LEVELS):
            found = self._quotient(j, start / 2**level)
            if found is None:  # the domain has a hole
                break
            row, rounding = [found[0]], found[1]
            for power, older in enumerate(previous, start=1):
                row.append(row[-1] + (row[-1] - older) / (4.0**power - 1.0))
                guess = np.max([np.abs(row[-1] - row[-2]), np.abs(row[-1] - older), rounding], axis=0)
                better = guess < error
                best, error = np.where(better, row[-1], best), np.where(better, guess, error)
            previous = row
        return best, error
