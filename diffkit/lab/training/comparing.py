"""The same training by several methods: what an epoch of each takes, and whether they go the same way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from diffkit.differentiators import Differentiator
from diffkit.errors import DiffkitError, InputError
from diffkit.lab.networks import Model, check_model
from diffkit.lab.training.settings import Settings
from diffkit.lab.training.sgd import Descent
from diffkit.lab.training.steps import checked, pinned, prepared
from diffkit.problems.base import Array

METHODS = ("reverse", "forward", "symbolic", "finite-difference")


@dataclass(frozen=True)
class Row:
    """One method in a comparison.

    Attributes
    ----------
    method, engine
        How the gradients were had.
    prepare_seconds
        The one-off cost, before the first step.
    epoch_seconds
        The median of the epochs.
    distance
        The largest distance of its parameters from those of the reference after any epoch, relative to their size.
    trouble
        Why it could not go on; empty where it could.
    """

    method: str
    engine: str
    prepare_seconds: float = math.nan
    epoch_seconds: float = math.nan
    distance: float = math.nan
    trouble: str = ""


@dataclass(frozen=True)
class Comparison:
    """What each method took; printed, it is a table.

    Attributes
    ----------
    rows
        One for each method, in the order named.
    reference
        The method that distances are taken from: the first that could go on; empty where none could.
    """

    rows: tuple[Row, ...]
    reference: str

    @property
    def fastest(self) -> float:
        """Seconds of an epoch by the fastest method; NaN where none succeeded."""
        return min((row.epoch_seconds for row in self.rows if not row.trouble), default=math.nan)

    def __str__(self) -> str:
        head = f"{'method':<20}{'engine':<13}{'epoch, ms':>10}{'ratio':>8}{'prepare, ms':>13}"
        lines = [f"{head}  distance from {self.reference}"]
        for row in self.rows:
            ratio = row.epoch_seconds / self.fastest
            numbers = f"{_short(1e3 * row.epoch_seconds):>10}{_short(ratio):>8}{_short(1e3 * row.prepare_seconds):>13}"
            lines.append(f"{row.method:<20}{row.engine:<13}{numbers}  {row.trouble or f'{row.distance:.1e}'}")
        return "\n".join(lines)


def compare_methods(
    model: Model,
    training: Any,
    *,
    methods: Sequence[str | Differentiator] = METHODS,
    engine: str = "auto",
    start: Array | None = None,
    **settings: Any,
) -> Comparison:
    """What does an epoch of training take by each method, and do they go the same way?

    The methods take turns, an epoch each, so that a busy moment of the machine falls on all of them. All start from the
    same parameters and visit the same samples in the same order.

    Parameters
    ----------
    model, training, engine, start, **settings
        As in `train`; 5 epochs if not given.
    methods
        Names or differentiators; the way of the first one is the reference.

    Raises
    ------
    InputError, UnknownNameError
        For data, settings, methods or engines that cannot be used. A method that cannot go on costs only its row.

    Examples
    --------
    >>> from diffkit.lab import data
    >>> from diffkit.lab.networks import Network
    >>> found = compare_methods(Network((2, 3, 1)), data.get("band", samples=20), epochs=2)
    >>> [row.method for row in found.rows], max(row.distance for row in found.rows) < 1e-5
    (['reverse', 'forward', 'symbolic', 'finite-difference'], True)
    """
    if not isinstance(methods, (list, tuple)) or not methods:
        raise InputError(f"methods={methods!r}; give a list of one name or more, such as ['reverse', 'forward']")
    chosen = Settings.of({"epochs": 5, **settings})
    found = [pinned(method, engine) for method in methods]
    _warm_up(model, training, engine, chosen)
    runners = [_Runner(model, training, method, chosen, start) for method in found]
    for turn in range(chosen.epochs):
        k = turn % len(runners)  # whoever follows a slow one finds the caches full of something else
        for runner in [*runners[k:], *runners[:k]]:
            runner.epoch()
    first = next((runner for runner in runners if not runner.trouble), runners[0])
    reference = "" if first.trouble else first.method.name
    return Comparison(tuple(runner.row(first) for runner in runners), reference)


def _warm_up(model: Model, training: Any, engine: str, settings: Settings) -> None:
    """Let what a process loads and measures once be done; on batches of another size, whose code nobody shares."""
    check_model(model)
    X, Y = checked(training, "training")
    X, Y = (part[:, [0] * (min(settings.batch, X.shape[1]) + 1)] for part in (X, Y))
    prepared(model, pinned("reverse", engine), settings.rate, settings.momentum, (model.initial(), X, Y))


class _Runner:
    """One method under way; what stops it is kept."""

    def __init__(
        self, model: Model, training: Any, method: Differentiator, settings: Settings, start: Array | None
    ) -> None:
        self.method, self.trouble, self.points = method, "", list[Array]()
        self.descent: Descent | None = None
        try:
            method.prepare(np.sum, np.ones(1), product="value_and_gradient")  # the method's own share of that
            self.descent = Descent(model, training, None, method, settings, start)
        except InputError:  # the user's, and so the same for all methods
            raise
        except DiffkitError as error:
            self.trouble = str(error)

    def epoch(self) -> None:
        if self.descent and not self.trouble:
            self.trouble = self.descent.epoch()
            self.points.append(self.descent.state.parameters)

    def row(self, reference: _Runner) -> Row:
        name, engine = self.method.name, self.method.engine
        if self.trouble or self.descent is None:
            return Row(name, engine, trouble=self.trouble)
        pairs = zip(self.points, reference.points, strict=False)
        distance = max((float(np.max(np.abs(p - q)) / np.max(np.abs(q))) for p, q in pairs), default=math.nan)
        taken = median(epoch.seconds for epoch in self.descent.state.history)
        return Row(name, engine, self.descent.prepare_seconds, taken, distance)


def _short(value: float) -> str:
    """Three significant digits, without an exponent."""
    return f"{float(f'{value:.3g}'):,.10g}" if math.isfinite(value) else "–"
