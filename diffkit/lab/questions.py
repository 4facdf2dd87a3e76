"""Two questions of the course, answered by running them: what can one hidden layer classify, and what can it fit?

>>> from diffkit.lab import questions
>>> print(questions.answer_a(widths=(3, 4), samples=100, data=["band", "pocket"]))
examples of a wrong class, by number of hidden units
              3       4
band          0       0
pocket        0       0
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.errors import InputError, check_name, check_whole
from diffkit.lab.data import Array, Data, get
from diffkit.lab.fitting import Fit, best, fit
from diffkit.lab.networks import Network

__all__ = ["Answers", "answer_a", "answer_b"]


@dataclass(frozen=True)
class Answers:
    """What was found, a row for each set of examples and a column for each number of hidden units; prints as a table.

    Attributes
    ----------
    measured
        What the numbers are.
    widths
        How many hidden units; 0 is none, so that the output is a line's or a plane's.
    rows
        The numbers by width, by what the row is called.
    """

    measured: str
    widths: tuple[int, ...]
    rows: dict[str, tuple[float, ...]]

    def __str__(self) -> str:
        first = max(map(len, self.rows))
        lines = [f"{self.measured}, by number of hidden units", _line("", self.widths, first)]
        return "\n".join([*lines, *(_line(name, numbers, first) for name, numbers in self.rows.items())])


def _line(name: str, numbers: Sequence[float], first: int) -> str:
    return f"{name:{first}}" + "".join(
        f"{number:8d}" if isinstance(number, int) else f"{number:8.4f}" for number in numbers
    )


def _check(widths: Any, samples: int, starts: int) -> None:
    if not isinstance(widths, Sequence) or not widths:
        raise InputError(f"widths={widths!r}; give a list of one number of hidden units or more, as (2, 3)")
    for place, width in enumerate(widths):
        check_whole(width, f"widths[{place}]", least=0)
    check_whole(samples, "samples")
    check_whole(starts, "starts")


def _chosen(names: str | Sequence[str], known: Collection[str], kind: str) -> Sequence[str]:
    """The names as a list; refuse what nobody has."""
    names = [names] if isinstance(names, str) else names
    if not names:
        raise InputError(f"no {kind} is named; choose from {', '.join(known)}")
    for name in names:
        check_name(name, known, kind)
    return names


# ---------------------------------------------------------------- A: classes


def _contradictory(samples: int) -> Data:
    """Every point of a band twice, and a tenth of them with two different labels."""
    half = max(samples // 2, 1)
    once, again = get("band", samples=half), get("band", samples=half, noise=0.1)
    return Data(np.hstack([once.X, again.X]), np.hstack([once.Y, again.Y]), "contradictory band")


CLASSES: dict[str, Callable[[int], Data]] = {
    "band": lambda samples: get("band", samples=samples),
    "pocket": lambda samples: get("pocket", samples=samples),
    "four-gaussians": lambda samples: get("four-gaussians", samples=samples),
    "spirals": lambda samples: get("spirals", samples=samples),
    "digits": lambda samples: get("digits", samples=samples),
    "contradictory band": _contradictory,
}
"""What question A is asked of, made of so many examples."""


def answer_a(
    widths: Sequence[int] = (0, 1, 2, 3, 4, 8, 16),
    *,
    data: str | Sequence[str] = tuple(CLASSES),
    samples: int = 400,
    starts: int = 10,
) -> Answers:
    """Which data can one hidden layer classify without error? The least number of examples that it gets wrong.

    Parameters
    ----------
    widths
        How many hidden units.
    data
        Names from ``CLASSES``.
    samples
        How many examples of each.
    starts
        How many random starts, of which the best counts.

    Raises
    ------
    UnknownNameError
        No data have that name.
    InputError
        ``samples`` or ``starts`` is no whole number from 1, a width none from 0, or nothing is named.

    Examples
    --------
    >>> answer_a(widths=(1, 3), samples=100, data=["four-gaussians"]).rows["four-gaussians"][1]
    0
    """
    rows: dict[str, tuple[float, ...]] = {}
    _check(widths, samples, starts)
    for name in _chosen(data, CLASSES, "data"):
        drawn = CLASSES[name](samples)
        rows[name] = tuple(_classify(drawn, width, starts).misses for width in widths)
    return Answers("examples of a wrong class", tuple(widths), rows)


def _classify(drawn: Data, width: int, starts: int) -> Fit:
    features, outputs = len(drawn.X), len(drawn.Y)
    network = Network(_widths(features, width, outputs), output="sigmoid" if outputs == 1 else "softmax")
    return best((fit(network, drawn.X, drawn.Y, seed=seed) for seed in range(starts)), lambda one: one.misses)


def _widths(features: int, width: int, outputs: int) -> tuple[int, ...]:
    return (features, width, outputs) if width else (features, outputs)


# ---------------------------------------------------------------- B: curves

NOISE = 0.1
"""Standard deviation of what is added to the noisy sine."""


@dataclass(frozen=True)
class Curve:
    """A function of one variable, seen at some points, and where the fit is measured.

    Attributes
    ----------
    f
        The function.
    low, high
        The examples lie between these.
    noise
        Standard deviation of what is added to each example.
    seen
        Whether the fit is measured at the examples; else it is measured between ``high`` and ``high + 2``.
    """

    f: Callable[[Array], Array]
    low: float = -1.0
    high: float = 1.0
    noise: float = 0.0
    seen: bool = True


CURVES = {
    "sin(3x)": Curve(lambda x: np.sin(3 * x)),
    "x^2": Curve(np.square),
    "|x|": Curve(np.abs),
    "step": Curve(lambda x: (x > 0).astype(float)),
    "noisy sin(3x)": Curve(lambda x: np.sin(3 * x), noise=NOISE),
    "x^2, from 1 to 3": Curve(np.square, seen=False),
}
"""What question B is asked of; the examples lie between -1 and 1."""


def answer_b(
    widths: Sequence[int] = (0, 1, 2, 3, 4, 8, 16),
    *,
    curves: str | Sequence[str] = tuple(CURVES),
    samples: int = 100,
    starts: int = 5,
) -> Answers:
    """Which curves can one hidden layer fit with nearly no error? The root mean square of what is left.

    The hidden units are tanh, the output is linear, and the loss is half the squared difference.

    Parameters
    ----------
    widths
        How many hidden units.
    curves
        Names from ``CURVES``.
    samples
        How many examples of each, at equal distances.
    starts
        How many random starts, of which the one of the least cost counts.

    Raises
    ------
    UnknownNameError
        No curve has that name.
    InputError
        ``samples`` or ``starts`` is no whole number from 1, a width none from 0, or nothing is named.

    Examples
    --------
    >>> errors = answer_b(widths=(1, 4), curves=["sin(3x)"]).rows["sin(3x)"]
    >>> errors[0] > 0.01 > errors[1]
    True
    """
    rows: dict[str, tuple[float, ...]] = {}
    _check(widths, samples, starts)
    for name in _chosen(curves, CURVES, "curve"):
        rows[name] = tuple(_regress(CURVES[name], width, samples, starts) for width in widths)
    return Answers("root mean square of the differences", tuple(widths), rows)


def _regress(curve: Curve, width: int, samples: int, starts: int) -> float:
    X = np.linspace(curve.low, curve.high, samples)[np.newaxis]
    Y = curve.f(X) + np.random.default_rng(0).normal(scale=curve.noise, size=X.shape)
    network = Network(_widths(1, width, 1), output="identity", loss="quadratic")
    found = best((fit(network, X, Y, seed=seed, steps=1000) for seed in range(starts)), lambda one: one.cost)
    if curve.seen:
        return found.error
    X = np.linspace(curve.high, curve.high + 2, samples)[np.newaxis]
    return Fit(network, X, curve.f(X), found.parameters, found.cost, found.seed).error
