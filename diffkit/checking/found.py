"""What a check found, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffkit.checking.study import Study

ANY = "a random direction"
"""The entry of a check along random directions that no single input is to blame for."""


@dataclass(frozen=True)
class Check:
    """What a check found. It counts as true where the derivative holds; printed, it shows the study behind it.

    Attributes
    ----------
    verdict
        "holds"; "wrong"; where f has no derivative "kink", "jump" or "pole"; or "undecided", where differences of f
        cannot tell.
    entry, output
        The worst entry, by name: an input, such as ``W1[2, 0]``, and an output.
    worst
        The same as positions: output and input.
    given, expected
        That entry as given, and as differences of f find it.
    error
        Their distance, relative to the largest entry of that output.
    resolution
        The error that could hide in an entry, relative to the largest one of that output. Smaller ones cannot be found.
    below, above
        The one-sided derivatives there.
    cause
        Which step of f has the kink, jump or pole, where f can be traced.
    sampled
        How many random directions were checked instead of every input; 0 where every input was.
    calls
        How often f was called.
    inputs
        A.
    study
        Differences at many step sizes, for that entry; None for a Jacobian of no entries.
    advice
        Why the method checked is a dear one for this derivative, and which is not; empty where it is not dear.
    """

    verdict: str
    entry: str
    output: str
    worst: tuple[int, int]
    given: float
    expected: float
    error: float
    resolution: float
    below: float
    above: float
    cause: str
    sampled: int
    inputs: int
    calls: int
    study: Study | None
    advice: str = ""

    def __bool__(self) -> bool:
        return self.verdict == "holds"

    @property
    def summary(self) -> str:
        """The verdict in a sentence."""
        return {
            "holds": self._holds,
            "wrong": self._wrong,
            "undecided": self._undecided,
        }.get(self.verdict, self._nowhere)()

    def _of(self) -> str:
        return f"{self.output} {'along' if self.entry == ANY else 'by'} {self.entry}"

    def _holds(self) -> str:
        if self.study is None:
            return "the derivative holds: it has no entries"
        edge = f"; f is there on one side of {self.entry} only" if np.isnan([self.below, self.above]).any() else ""
        return (
            "the derivative holds: no entry is further from differences of f than these can tell; the worst, "
            f"{self._of()}, is {self.given:.6g}, off by {self.error:.1e} of the largest entry, where "
            f"{self.resolution:.1e} could hide{edge}"
        )

    def _wrong(self) -> str:
        return (
            f"the derivative does not hold: {self._of()} is {self.given:.6g}, but differences of f give "
            f"{self.expected:.6g} (error {self.error:.3g} of the largest entry; {self.resolution:.1e} could hide)"
        )

    def _undecided(self) -> str:
        return (
            f"differences of f cannot tell whether the derivative holds: {self._of()} is {self.given:.6g}, they give "
            f"{self.expected:.6g}, and an error of {self.resolution:.1e} of the largest entry could hide; f is noisy, "
            "or not defined around x: check at another point, or in higher precision"
        )

    def _nowhere(self) -> str:
        by = f", by {self.cause}" if self.cause else ""
        if np.isnan([self.below, self.above]).all():
            return f"there is no derivative of {self._of()}: f is not finite there{by}; given {self.given:.6g}"
        what = {"kink": "a kink", "jump": "f jumps", "pole": "f is infinitely steep"}[self.verdict]
        return (
            f"there is no derivative of {self._of()}: {what}{by}; the slope is {_slope(self.below)} from below and "
            f"{_slope(self.above)} from above, given {self.given:.6g}"
        )

    @property
    def effort(self) -> str:
        """What the check took, and what it would have taken input by input."""
        taken = f"f was called {self.calls:,} times, along "
        if not self.sampled or self.study is None:
            return taken + f"each of {self.inputs:,} inputs"
        each = 2 * len(self.study.steps) * self.inputs
        return (
            taken
            + f"{self.sampled} random directions and parts of them: differences by each of {self.inputs:,} inputs "
            f"would take {each:,} calls"
        )

    def __str__(self) -> str:
        table = self.study.table() if self.study else ""
        return "\n".join(filter(None, [self.summary, table, self.effort, self.advice]))


def _slope(value: float) -> str:
    if np.isnan(value):
        return "not there"
    return f"{value:.6g}" if np.isfinite(value) else "without bound"


def nothing(inputs: int, calls: int) -> Check:
    """What a Jacobian without entries is found to be."""
    none = float("nan")
    return Check("holds", "", "", (0, 0), none, none, 0.0, 0.0, none, none, "", 0, inputs, calls, None)
