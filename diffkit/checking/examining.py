"""The way of a check: noise first, then directions, then the worst entry and the study of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.checking.around import Around
from diffkit.checking.culprit import culprit
from diffkit.checking.found import ANY, Check, nothing
from diffkit.checking.judging import DIRECTIONS, EVALUATIONS, Judged, bisect, judge, random_directions
from diffkit.checking.kinks import ROUGH
from diffkit.checking.naming import entry_name, name_of_input
from diffkit.checking.noise import estimate_noise
from diffkit.checking.study import study


def examine(f: Around, given: Any, tolerance: float) -> Check:
    """Check a derivative ``(B, A)``: input by input, or along random directions where these are too many."""
    if not given.size:
        return nothing(f.x.size, f.calls)
    f.noise = estimate_noise(f)
    sampled = f.x.size * 2 * len(f.steps(_unit(f, 0))) > EVALUATIONS
    directions = random_directions(f) if sampled else [_unit(f, j) for j in range(f.x.size)]
    judged = judge(f, directions, given, tolerance)
    b, j = judged.worst()
    if sampled and judged.verdict[b, j] != "holds":
        single = bisect(f, directions[j], b, given, tolerance)
        alone = judge(f, [_unit(f, single)], given, tolerance)
        if alone.verdict[b, 0] != "holds":
            return _check(f, alone, (b, 0), _unit(f, single), DIRECTIONS)
    return _check(f, judged, (b, j), directions[j], DIRECTIONS if sampled else 0)


def _unit(f: Around, j: int) -> Any:
    return np.where(np.arange(f.x.size) == j, 1.0, 0.0)


def _check(f: Around, judged: Judged, spot: tuple[int, int], v: Any, sampled: int) -> Check:
    output, _ = spot
    inputs = np.flatnonzero(v)
    entry = entry_name(name_of_input(f.f), f.layout.structures[0], f.arrays, int(inputs[0]))
    verdict = str(judged.verdict[spot])
    rough, relative = verdict in ROUGH, judged.allowed / judged.scale
    shown = study(f, v, output, float(judged.given[spot]), rough=rough)
    return Check(
        verdict=verdict,
        entry=entry if inputs.size == 1 else ANY,
        output=entry_name("f", f.structure, f.like, output),
        worst=(output, int(inputs[0])),
        given=float(judged.given[spot]),
        expected=float(judged.value[spot]),
        error=float(judged.distance[spot] / judged.scale[output, 0]),
        resolution=float(np.max(relative[np.isfinite(relative)], initial=0.0)),
        below=float(judged.below[spot]),
        above=float(judged.above[spot]),
        cause=culprit(f, v) if rough else "",
        sampled=sampled,
        inputs=f.x.size,
        calls=f.calls,
        study=shown,
    )
