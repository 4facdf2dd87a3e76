"""What a run says, in words, about the four claims that every course makes.

A claim is made of parts. "In time proportional to f" is a promise: it has to hold on every problem that was
measured at enough sizes. "Slow for large A" is a warning: it has to hold on most of them. Both are judged by
the fitted exponent of the cost in evaluations of f (see `fitting.Fit`), by counted operations and by time:
nearer to 0 is proportional to f, nearer to 1 grows with the size. A claim held when all its parts held, it
did not hold when one of them did not, and it is undecided when the run says too little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from diffkit.report import costs, fitting, rows
from diffkit.report.words import listed, method_name, number, plural

FINITE, SYMBOLIC, FORWARD, REVERSE = rows.METHODS

CARELESS = f"{SYMBOLIC}(form=expression)"
"""Symbolic differentiation as in high school, one closed expression; other forms share what occurs twice."""


@dataclass(frozen=True)
class Verdict:
    """A claim, what became of it, and the sentences that say why."""

    claim: str
    verdict: Literal["held", "did not hold", "undecided"]
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One part of a claim: did it hold (None: too little data), and why."""

    held: bool | None
    sentence: str


def verdicts(frame: pd.DataFrame) -> list[Verdict]:
    """Judge the four claims by a run.

    Parameters
    ----------
    frame
        A run, as `diffkit.benchmark.results.load` gives it.

    Returns
    -------
    list of Verdict
        For finite differences, symbolic, reverse and forward, in this order.

    Examples
    --------
    >>> from diffkit.benchmark.results import to_frame
    >>> [verdict.verdict for verdict in verdicts(to_frame([]))]
    ['undecided', 'undecided', 'undecided', 'undecided']
    """
    growths = fitting.growths(frame)
    return [
        _judge(
            "Finite differences: great for testing, slow for high dimensions.",
            [_agreement(frame), *_growth(growths, FINITE, "inputs", promised=False)],
            _crossing(frame, "inputs", FINITE, REVERSE),
        ),
        _judge(
            "Symbolic: interpretable, but exponential if not carefully implemented.",
            _swell(rows.swell(frame)),
            ["Whether an expression is interpretable is not a number, and was not judged."],
        ),
        _judge(
            "Reverse: all inputs in time proportional to f, slow for large B.",
            [
                *_growth(growths, REVERSE, "inputs", promised=True),
                *_growth(growths, REVERSE, "outputs", promised=False),
            ],
            _crossing(frame, "inputs", FORWARD, REVERSE),
        ),
        _judge(
            "Forward: all outputs in time proportional to f, slow for large A.",
            [
                *_growth(growths, FORWARD, "outputs", promised=True),
                *_growth(growths, FORWARD, "inputs", promised=False),
            ],
            [*_crossing(frame, "outputs", REVERSE, FORWARD), *_crossings(rows.plane(frame))],
        ),
    ]


def _judge(claim: str, findings: Iterable[Finding], remarks: Iterable[str]) -> Verdict:
    findings = list(findings)
    evidence = (*(finding.sentence for finding in findings), *remarks)
    return Verdict(claim, _WORDS[_everywhere([finding.held for finding in findings])], evidence)


def _everywhere(outcomes: list[bool | None]) -> bool | None:
    """One failure is enough to fail; what is not known leaves the rest undecided."""
    if False in outcomes:
        return False
    return None if None in outcomes else True


def _mostly(outcomes: list[bool | None]) -> bool | None:
    return next((answer for answer in (True, False) if outcomes.count(answer) > len(outcomes) / 2), None)


_WORDS: dict[bool | None, Literal["held", "did not hold", "undecided"]] = {
    True: "held",
    False: "did not hold",
    None: "undecided",
}


def _agreement(frame: pd.DataFrame) -> Finding:
    """Are finite differences good enough to test with? They are if every cell agreed with its reference."""
    found = rows.study(frame, "cells")
    found = found[(found["method"] == FINITE) & found["status"].isin(["ok", "disagrees"])]
    if found.empty:
        return Finding(None, "No cell compared finite differences with a reference.")
    wrong = found[found["status"] == "disagrees"]
    agreed = f"{len(found) - len(wrong):,} of {plural(len(found), 'cell')}"
    where = f", not on {listed(wrong['problem'].unique())}" if len(wrong) else ""
    largest = f"their largest relative error was {number(found['error'].max())}"
    return Finding(wrong.empty, f"Finite differences agreed with the reference in {agreed}{where}; {largest}.")


def _growth(growths: list[fitting.Growth], method: str, axis: rows.Axis, *, promised: bool) -> Iterator[Finding]:
    """Does the cost in evaluations of f stay (promised) or grow with one size, by counts and by time?"""
    for measured_by in fitting.COSTS:
        found = [g for g in growths if (g.method, g.axis, g.measured_by) == (method, axis, measured_by)]
        what = f"By {measured_by}, the cost of {method} over that of f"
        if found:
            yield _growth_over(found, what, promised=promised)
        else:
            yield Finding(None, f"{what} is not known at {fitting.ENOUGH} of {rows.LETTER[axis]}.")


def _growth_over(found: list[fitting.Growth], what: str, *, promised: bool) -> Finding:
    """Judge one method by its fits on all problems; the first is the longest line, as in the picture."""
    first = found[0]
    outcomes = [None if g.relative.grows is None else g.relative.grows != promised for g in found]
    against = [f"{g.problem} ({g.relative})" for g, held in zip(found, outcomes, strict=True) if not held]

    power = f"{what} grows as {rows.LETTER[first.axis]} to the power {first.relative} ({first.place})"
    share = f"on {outcomes.count(True)} of {plural(len(found), 'problem')}"
    exceptions = f", not on {listed(against)}" if against else ""
    held = _everywhere(outcomes) if promised else _mostly(outcomes)
    return Finding(held, f"{power}; it is nearer to {0 if promised else 1}, as claimed, {share}{exceptions}.")


def _crossing(frame: pd.DataFrame, axis: rows.Axis, first: str, second: str) -> Iterator[str]:
    """Say from which size on the second method is faster than the first."""
    line = rows.longest_line(frame, axis)
    size = costs.crossover(line, axis, first, second)
    if size is None:
        return
    letter, other = rows.LETTER[axis], rows.OTHER[axis]
    where = f"from {letter} = {number(size)} on" if size else f"at every {letter}"
    where = f"not at the largest {letter}" if math.isinf(size) else where
    place = f"{line['problem'].iloc[0]}, {rows.LETTER[other]} = {line[other].iloc[0]}"
    yield f"{second.capitalize()} is faster than {first} {where} ({place})."


def _crossings(plane: pd.DataFrame) -> Iterator[str]:
    """Say where forward and reverse cost the same over the (A, B) plane."""
    ratio = costs.crossing_ratio(plane)
    if ratio is not None:
        found = listed(f"({number(inputs)}, {outputs})" for inputs, outputs in costs.crossovers(plane))
        problem = plane["problem"].iloc[0]
        yield f"Forward and reverse cost the same on {problem} at A ≈ {ratio:.2g} B: at (A, B) = {found}."


def _swell(found: pd.DataFrame) -> Iterator[Finding]:
    """Does one closed expression grow exponentially with depth, and does one with shared parts not?"""
    yield _swell_of(found, CARELESS, exponential=True)
    careful = [label for label in rows.methods(found) if label.startswith(SYMBOLIC) and label != CARELESS]
    for label in careful or [SYMBOLIC]:
        yield _swell_of(found, label, exponential=False)


def _swell_of(found: pd.DataFrame, label: str, *, exponential: bool) -> Finding:
    line = found[(found["method"] == label) & (found["operations"] > 0)].sort_values("depth")
    what = f"Counted operations of {method_name(label)}"
    growth = fitting.growth_with_depth(line["depth"], line["operations"])
    if growth is None:
        return Finding(None, f"{what} are not known at {fitting.FEWEST_SIZES} depths or more.")
    is_exponential, rate = growth
    how = f"by a factor of {number(rate)} per step" if is_exponential else f"as depth to the power {number(rate)}"
    depths = f"depth {number(line['depth'].iloc[0])} to {number(line['depth'].iloc[-1])}"
    return Finding(is_exponential == exponential, f"{what} grow {how} ({depths}).")
