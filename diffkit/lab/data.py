"""Data to train networks on: examples in columns, classes that a straight line cannot part, and scanned digits.

>>> from diffkit.lab import data
>>> training, test = data.get("band", samples=400).split(test=0.25)
>>> training.X.shape, training.Y.shape, test.X.shape
((2, 300), (1, 300), (2, 100))
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from diffkit.errors import InputError, UnknownNameError, check_name, check_whole, is_whole, needing
from diffkit.problems.base import generator

__all__ = ["Data", "classes", "get", "names"]

Array: TypeAlias = npt.NDArray[np.float64]
Labels: TypeAlias = npt.NDArray[np.int64]
Drawn: TypeAlias = tuple[Array, Labels, int]
"""What a generator makes: points ``(n, m)``, the class of each ``(m,)``, and how many classes there are."""

BAND = 2 - math.sqrt(2)
"""How far ``|x1 - x2|`` reaches in the band: half of the square [-1, 1]^2 lies in it."""

RADIUS = 0.55
"""Of the pocket, a disc around the origin."""

SPREAD = 0.2
"""Standard deviation of each of the four Gaussians, whose means are (-1/2, -1/2) to (1/2, 1/2)."""


@dataclass(frozen=True, eq=False)
class Data:
    """Examples in columns, and what a network shall say of them.

    Attributes
    ----------
    X
        ``(n, m)``: n features of m examples.
    Y
        ``(K, m)``: with two classes K = 1, and a column holds 0 or 1; with more, K is their number, and a column holds
        1 in the row of its class and 0 elsewhere.
    name
        What the data are called.
    """

    X: Array
    Y: Array
    name: str

    @property
    def labels(self) -> Labels:
        """The class of each example, ``(m,)``."""
        return classes(self.Y)

    def split(self, test: float = 0.25, seed: int = 0) -> tuple[Data, Data]:
        """Part the examples at random: those to train on, and those to test with.

        Parameters
        ----------
        test
            The share of the examples to test with, between 0 and 1; each part gets one example at least.
        seed
            Of the order that the examples are put into.

        Raises
        ------
        InputError
            The share is no number between 0 and 1, the seed no whole number from 0, or there are fewer than 2 examples.

        Examples
        --------
        >>> training, test = get("pocket", samples=10).split(test=0.3)
        >>> training.Y.shape, test.Y.shape
        ((1, 7), (1, 3))
        """
        if not (_real(test) and 0 < test < 1):
            raise InputError(f"test={test!r}; it is the share of the examples to test with, between 0 and 1")
        count = self.X.shape[1]
        if count < 2:
            raise InputError(f"{self.name!r} has {count} example; a split needs 2 or more, so ask for more samples")
        order = generator(seed).permutation(count)
        first = min(max(round(test * count), 1), count - 1)
        return self._some(np.sort(order[first:])), self._some(np.sort(order[:first]))

    def _some(self, columns: Labels) -> Data:
        return Data(self.X[:, columns], self.Y[:, columns], self.name)


def classes(Y: Array) -> Labels:
    """Which class do targets, or a network's predictions, name? ``(K, m)`` to ``(m,)``.

    One row names class 1 from 1/2 on; more rows name the row of the largest entry.

    Examples
    --------
    >>> classes(np.array([[0.2, 0.7]])), classes(np.array([[0.2, 0.1], [0.3, 0.7], [0.5, 0.2]]))
    (array([0, 1]), array([2, 1]))
    """
    return (Y[0] >= 0.5).astype(np.int64) if len(Y) == 1 else np.argmax(Y, axis=0)


def names() -> list[str]:
    """Which data are there?

    Examples
    --------
    >>> names()
    ['band', 'pocket', 'four-gaussians', 'spirals', 'digits']
    """
    return list(_GENERATORS)


def get(name: str, *, samples: int | None = None, noise: float = 0.0, seed: int = 0, **options: float) -> Data:
    """Draw data by name; equal arguments give equal data.

    - "band": class 1 lies between two parallel diagonals of the square [-1, 1]^2.
    - "pocket": class 1 lies in a disc, and class 0 all around it.
    - "four-gaussians": a cloud in each quadrant. Two classes, in opposite quadrants, as in exclusive or; with
      ``classes=4``, one each.
    - "spirals": two classes, wound around each other one and a half times.
    - "digits": the digits 0 to 9 as 8 x 8 pixels from 0 to 1, scanned, and bundled with scikit-learn (extra `data`).

    Parameters
    ----------
    name
        One of the above.
    samples
        How many examples; 400 if not given, and all 1,797 of "digits".
    noise
        The share of the examples that are given a wrong class at random, from 0 to below 1.
    seed
        Of the random numbers.
    **options
        ``margin`` of "band", "pocket" and "four-gaussians": every example lies farther than this from the border
        between the classes; 0.05 if not given, and 0 for clouds that overlap. ``classes`` of "four-gaussians": 2 or 4.

    Raises
    ------
    UnknownNameError
        No data have that name, or these have no such option.
    InputError
        A value cannot be used.
    UnsupportedError
        "digits" lacks scikit-learn.

    Examples
    --------
    >>> four = get("four-gaussians", samples=100, classes=4)
    >>> four.X.shape, four.Y.shape, four.labels[:3]
    ((2, 100), (4, 100), array([3, 2, 2]))
    """
    check_name(name, _GENERATORS, kind="data")
    draw = _GENERATORS[name]
    parameters = list(signature(draw).parameters)[2:]
    for option in options:
        if option not in parameters:
            raise UnknownNameError(option, [*parameters, "samples", "noise", "seed"], f"option of data {name!r} called")
    if samples is not None:
        check_whole(samples, "samples")
    if not (_real(noise) and 0 <= noise < 1):
        raise InputError(f"noise={noise!r}; it is the share of the examples given a wrong class, from 0 to below 1")
    rng = generator(seed)
    X, labels, count = draw(rng, samples, **options)
    labels = _mistaken(rng, labels, count, noise)
    Y = labels[np.newaxis] if count == 2 else np.arange(count)[:, np.newaxis] == labels
    return Data(X, Y.astype(float), name)


# ---------------------------------------------------------------- the generators


def _band(rng: np.random.Generator, samples: int | None, margin: float = 0.05) -> Drawn:
    return _two_regions(rng, samples or 400, margin, lambda X: (BAND - np.abs(X[0] - X[1])) / math.sqrt(2))


def _pocket(rng: np.random.Generator, samples: int | None, margin: float = 0.05) -> Drawn:
    return _two_regions(rng, samples or 400, margin, lambda X: RADIUS - np.hypot(X[0], X[1]))


def _two_regions(rng: np.random.Generator, samples: int, margin: float, depth: Callable[[Array], Array]) -> Drawn:
    """Points of the square; ``depth`` is their distance from the border, positive in class 1."""

    def draw() -> tuple[Array, Labels, Array]:
        X = rng.uniform(-1, 1, size=(2, samples))
        distance = depth(X)
        return X, (distance > 0).astype(np.int64), np.abs(distance)

    return *_beyond(margin, samples, draw), 2


def _four_gaussians(rng: np.random.Generator, samples: int | None, margin: float = 0.05, classes: float = 2) -> Drawn:
    if not (is_whole(classes) and classes in {2, 4}):
        raise InputError(f"classes={classes!r}; four Gaussians are 2 classes, opposite ones alike, or 4: choose 2 or 4")
    count = samples or 400

    def draw() -> tuple[Array, Labels, Array]:
        quadrant = rng.integers(4, size=count)
        signs = np.array([[1, -1, -1, 1], [1, 1, -1, -1]])[:, quadrant]  # counter-clockwise from the upper right
        X = signs / 2 + rng.normal(scale=SPREAD, size=(2, count))
        # A margin keeps a cloud in its quadrant; without one the clouds overlap, and no distance is asked.
        distance = np.min(signs * X, axis=0) if margin else np.ones(count)
        return X, quadrant if classes == 4 else 1 - quadrant % 2, distance

    return *_beyond(margin, count, draw), int(classes)


def _beyond(margin: float, samples: int, draw: Callable[[], tuple[Array, Labels, Array]]) -> tuple[Array, Labels]:
    """Draw until so many examples lie farther from the border than the margin."""
    if not (_real(margin) and margin >= 0):
        raise InputError(f"margin={margin!r}; it is a distance from the border between the classes: a number from 0")
    kept: list[tuple[Array, Labels]] = []
    for _ in range(100):
        X, labels, distance = draw()
        kept.append((X[:, distance > margin], labels[distance > margin]))
        if sum(len(part) for _, part in kept) >= samples:
            X, labels = np.concatenate([x for x, _ in kept], axis=1), np.concatenate([part for _, part in kept])
            return X[:, :samples], labels[:samples]
    raise InputError(f"margin={margin!r} leaves hardly any room for examples; choose a smaller one, such as 0.05")


def _spirals(rng: np.random.Generator, samples: int | None) -> Drawn:
    count = samples or 400
    labels = rng.integers(2, size=count)
    turn = 3 * np.pi * np.sqrt(rng.uniform(0.02, 1, size=count))  # the root spreads them evenly along the arm
    angle = turn + np.pi * labels
    X = turn / (3 * np.pi) * np.array([np.cos(angle), np.sin(angle)]) + rng.normal(scale=0.02, size=(2, count))
    return X, labels, 2


def _digits(rng: np.random.Generator, samples: int | None) -> Drawn:
    with needing("data 'digits'", extra="data"):
        from sklearn.datasets import load_digits
    pixels, digits = load_digits(return_X_y=True)
    if samples is not None and samples > len(digits):
        raise InputError(f"samples={samples}; there are {len(digits):,} scanned digits, so ask for that many or fewer")
    chosen = slice(None) if samples is None else np.sort(rng.permutation(len(digits))[:samples])
    return pixels[chosen].T / 16, digits[chosen].astype(np.int64), 10


_GENERATORS: dict[str, Callable[..., Drawn]] = {
    "band": _band,
    "pocket": _pocket,
    "four-gaussians": _four_gaussians,
    "spirals": _spirals,
    "digits": _digits,
}


# ---------------------------------------------------------------- what they share


def _mistaken(rng: np.random.Generator, labels: Labels, count: int, noise: float) -> Labels:
    """Give a share of the examples another class than theirs."""
    wrong = rng.permutation(len(labels))[: round(noise * len(labels))]
    labels = labels.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, count, size=len(wrong))) % count
    return labels


def _real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
