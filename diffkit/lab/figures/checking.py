"""Figures of docs/lab/checking.md: the step-size study behind a verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffkit.checking import Check, check
from diffkit.lab.figures import LabFigure
from diffkit.pictures import BASE, REFERENCE, headline

RIGHT, WRONG, ROUGH = BASE["reverse"], BASE["finite-difference"], BASE["forward"]
POINT = 0.7


def _loss(w: Any) -> Any:
    """Cross-entropy of one neuron."""
    return np.log(1 + np.exp(-3 * w)) + np.cos(w)


def _slope(w: Any) -> Any:
    return np.asarray(-3 / (1 + np.exp(3 * w)) - np.sin(w))


def _relu(w: Any) -> Any:
    return np.maximum(w, 0.0) + w**2


def verdicts() -> Figure:
    """A right derivative, a wrong one and a kink, as the step size shrinks."""
    figure = Figure(figsize=(8.6, 3.3), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    cases = (
        ("right", "falls like h², then rounding", check(_loss, POINT, _slope), RIGHT),
        (
            "wrong",
            "stays away by the error",
            check(_loss, POINT, lambda w: _slope(w) * (1 + 1e-4), raises=False),
            WRONG,
        ),
        ("kink", "one side fits, not the other", check(_relu, 0.0, np.zeros(()), raises=False), ROUGH),
    )
    for axes, (title, what, found, colour) in zip(panels, cases, strict=True):
        _panel(axes, found, colour)
        headline(axes, title, what)
    panels[0].set_ylabel("| difference − given |")
    _slopes(panels[0])
    _note(panels[1], "the planted error,\n1e-4 of the derivative", (1e-9, 2e-4), (1e-12, 3e-2))
    _sides(panels[2], cases[2][2])
    return figure


def _panel(axes: Axes, found: Check, colour: str) -> None:
    study = found.study
    assert study is not None  # noqa: S101  # f has an entry
    axes.loglog(study.steps, np.maximum(study.distances, 1e-17), "o-", color=colour, markersize=3)
    axes.loglog(study.steps, study.rounding, ":", color=REFERENCE)
    axes.set_xlabel("step size h")
    axes.set_ylim(1e-14, 30)
    axes.set_xticks([1e-12, 1e-9, 1e-6, 1e-3, 1])


def _slopes(axes: Axes) -> None:
    axes.text(3e-4, 2e-9, "truncation,\nlike h²", color=RIGHT, ha="left", va="top", fontsize=8)
    axes.text(3e-11, 3e-4, "rounding, like\nepsilon |f| / h", color=REFERENCE, ha="left", fontsize=8)


def _sides(axes: Axes, found: Check) -> None:
    study = found.study
    assert study is not None  # noqa: S101  # f has an entry
    for side, style in ((study.above, "^-"), (study.below, "v-")):
        axes.loglog(study.steps, np.abs(side - study.given), style, color=ROUGH, markersize=3, linewidth=1, alpha=0.6)
    axes.text(1e-12, 2.2, "from above", color=ROUGH, fontsize=8)
    axes.text(1e-12, 0.25, "central", color=ROUGH, fontsize=8, va="top")
    axes.text(1e-6, 1e-8, "from below:\nfalls like h", color=ROUGH, fontsize=8)


def _note(axes: Axes, text: str, at: tuple[float, float], where: tuple[float, float]) -> None:
    axes.annotate(text, at, where, fontsize=8, arrowprops={"arrowstyle": "-", "color": REFERENCE, "linewidth": 0.8})


NOISES = np.logspace(-14, -3, 23)


def resolutions() -> Figure:
    """What can be told of a derivative, where f is noisy."""
    figure = Figure(figsize=(8.0, 3.4), layout="constrained")
    axes = figure.subplots()
    found = [
        check(lambda w, size=noise: _loss(w) + size * np.sin(1e14 * w), POINT, _slope, raises=False) for noise in NOISES
    ]
    told = np.array([one.verdict == "holds" for one in found])
    resolution = np.array([one.resolution for one in found])
    error = np.array([max(one.error, 1e-17) for one in found])
    axes.loglog(NOISES[told], resolution[told], "o-", color=RIGHT, label="largest error that could hide: holds")
    axes.loglog(NOISES[~told], resolution[~told], "o", color=WRONG, label="the same: undecided")
    axes.loglog(NOISES, error, ".", color=REFERENCE, label="how far the differences are off")
    axes.axhline(1e-6, color=REFERENCE, linestyle="--", linewidth=1)
    axes.text(1.2e-14, 1.6e-6, "a fixed tolerance of 1e-6", color=REFERENCE, fontsize=8)
    axes.set_xlabel("noise of f")
    axes.set_ylabel("relative to the derivative")
    headline(
        axes, "What a check can tell follows the noise of f", "slope of a smooth loss with noise added, at one point"
    )
    axes.legend(frameon=False, loc="lower right")
    return figure


FIGURES: tuple[LabFigure, ...] = (
    LabFigure(
        "checking-verdicts",
        "How do a right derivative, a wrong one and a kink look as the step size shrinks?",
        verdicts,
    ),
    LabFigure("checking-noise", "How small an error can a check find, where f is noisy?", resolutions),
)
