"""A given derivative beside differences of f: direction by direction, and the worst entry of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from diffkit.checking.around import Around
from diffkit.checking.extrapolation import SAFETY, Estimate, central
from diffkit.checking.kinks import ROUGH, behaviour
from diffkit.checking.tolerance import allowed, conditioning

EVALUATIONS = 20_000
"""Calls of f that a check may take; where entry by entry would take more, random directions are checked."""
DIRECTIONS = 3
"""So many then; one finds any error that does not cancel along it."""
UNRESOLVED = 0.25
"""Where so large an error of the largest entry could hide, differences settle nothing."""
GRAVITY = ("holds", "undecided", "kink", "jump", "pole", "wrong")
"""Verdicts; where entries differ, the last one counts."""
NEAR = 3
"""The step size at which a change of f counts as its size: 1/256 of x's."""


class Column(NamedTuple):
    """What differences along one direction say, an entry per output; ``blur`` is their own part of the margin."""

    given: Any
    value: Any
    margin: Any
    blur: Any
    below: Any
    above: Any
    size: Any
    kind: Any


@dataclass(frozen=True)
class Judged:
    """Directions judged together: arrays ``(B, N)``.

    Attributes
    ----------
    given, value, allowed
        The derivative given, the one that differences find, and how far apart they may be.
    below, above
        One-sided derivatives.
    verdict
        "holds", "wrong", "kink", "jump", "pole" or "undecided".
    scale
        What errors are relative to, ``(B, 1)``: the largest derivative of an output; where all may be zero, its size.
    """

    given: Any
    value: Any
    allowed: Any
    below: Any
    above: Any
    verdict: Any
    scale: Any

    @property
    def distance(self) -> Any:
        """How far the given derivative is from the differences."""
        apart = np.abs(self.given - self.value)
        return np.where(np.isnan(apart), np.inf, apart)

    def worst(self, outputs: Any = slice(None)) -> tuple[int, int]:
        """Output and direction of the gravest verdict; the furthest off if wrong, else nearest its limit."""
        rank = np.select([self.verdict == name for name in GRAVITY], range(len(GRAVITY)))[outputs]
        excess = self.distance / np.fmax(self.allowed, np.finfo(float).tiny)
        key = np.where(self.verdict == "wrong", self.distance / self.scale, excess)[outputs]
        b, j = np.unravel_index(int(np.argmax(np.where(rank == rank.max(), key, -1.0))), rank.shape)
        return int(np.arange(len(self.given))[outputs][b]), int(j)


def judge(f: Around, directions: Sequence[Any], given: Any, tolerance: float) -> Judged:
    """Judge a derivative ``(B, A)`` along directions, ``(A,)`` each."""
    columns = [_column(f, v, _along(given, v)) for v in directions]
    along, value, margin, blur, below, above, size, kind = (
        np.stack(part, axis=1) for part in zip(*columns, strict=True)
    )
    sure = np.where(np.abs(value) > margin, np.abs(value), 0.0)  # other than zero, for sure
    largest = sure.max(axis=1, keepdims=True)
    seen = np.fmax(largest, size)
    quarter = UNRESOLVED * np.where(seen > 0, seen, 1.0)
    unsure = margin > quarter
    scale = np.where(largest > 0, largest, size.max(axis=1, keepdims=True))
    scale = np.where(scale > 0, scale, 1.0)
    margin = margin + tolerance * scale
    apart = ~(np.abs(along - value) <= margin)
    verdict = np.select(
        [np.isin(kind, ROUGH), ~(blur <= quarter), apart, unsure],
        [kind, "undecided", "wrong", "undecided"],
        "holds",
    )
    return Judged(along, value, margin, below, above, verdict.astype(object), scale)


def _along(given: Any, v: Any) -> Any:
    moving = np.flatnonzero(v)
    return given[:, moving] @ v[moving]


def _column(f: Around, v: Any, given: Any) -> Column:
    line = f.line(v)
    found, (kind, above, below) = central(line), behaviour(line)
    for side in (above, below):  # at an edge, the side that is there
        edge = (kind == "edge") & np.isfinite(side.value)
        found = Estimate(*(np.where(edge, one, other) for one, other in zip(side, found, strict=True)))
    margin = allowed(found, conditioning(f, v, found, line.steps), given, f.epsilon)
    near = np.abs([line.ahead[NEAR % len(line.steps)], line.behind[NEAR % len(line.steps)], line.here])
    size = np.nan_to_num(np.fmax.reduce(near)) / np.max(f.sizes)
    return Column(given, found.value, margin, SAFETY * found.error, below.value, above.value, size, kind)


def random_directions(f: Around) -> list[Any]:
    """Directions that move every input, each by a different part of its size."""
    generator = np.random.default_rng(2)
    shape = (DIRECTIONS, f.x.size)
    drawn = generator.choice([-1.0, 1.0], shape) * generator.uniform(0.5, 1.0, shape) * f.sizes
    return list(drawn / np.max(np.abs(drawn), axis=1, keepdims=True))


def bisect(f: Around, v: Any, output: int, given: Any, tolerance: float) -> int:
    """Which input has the worst entry of an output's row? By halving a direction that does not hold."""
    inputs = np.flatnonzero(v)
    while inputs.size > 1:
        halves = np.array_split(inputs, 2)
        parts = [np.where(np.isin(np.arange(v.size), half), v, 0.0) for half in halves]
        judged = judge(f, [part / np.max(np.abs(part)) for part in parts], given, tolerance)
        inputs = halves[judged.worst([output])[1]]
    return int(inputs[0])
