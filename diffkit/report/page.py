"""What the page of a run says, before it is Markdown or HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from diffkit.benchmark.environment import ENVIRONMENT
from diffkit.report import fitting, rows, tables
from diffkit.report.drawing import Drawing, draw
from diffkit.report.figures import PICTURES, Picture
from diffkit.report.verdicts import Verdict, verdicts
from diffkit.report.words import listed, method_name, number, plural, seconds

MOST_SHOWN = 6
"""How many cells of one failure are named; the others are counted."""


@dataclass(frozen=True)
class Answer:
    """A question, and its picture with the numbers beside it; neither where the run does not hold them."""

    picture: Picture
    drawing: Drawing | None
    table: pd.DataFrame | None

    @property
    def left_out(self) -> str:
        """Why there is no picture."""
        return f"Left out: this run does not hold {self.picture.needs}."


@dataclass(frozen=True)
class Section:
    """A heading, and a sentence or a table of texts under it, or both."""

    heading: str
    text: str = ""
    table: pd.DataFrame | None = None


@dataclass(frozen=True)
class Page:
    """Words first, then verdicts, pictures with tables, and what one may doubt; all of it plain text."""

    title: str
    summary: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    answers: tuple[Answer, ...]
    sections: tuple[Section, ...]

    @property
    def findings(self) -> list[str]:
        """The page in short: what each picture found."""
        return [answer.drawing.finding for answer in self.answers if answer.drawing]


def describe(frame: pd.DataFrame, facts: Mapping[str, Any], pictures: Sequence[Picture] = PICTURES) -> Page:
    """Say what a run found.

    Parameters
    ----------
    frame
        A run, as `diffkit.benchmark.results.load` gives it; it may be empty.
    facts
        Its environment; empty where that was not recorded.
    pictures
        Which ones to draw.
    """
    suites = list(map(str, frame["suite"].unique()))
    return Page(
        title=f"Four ways to differentiate, measured{f': {listed(suites)}' if suites else ''}",
        summary=(_size_of_the_run(frame), _where(facts)),
        verdicts=tuple(verdicts(frame)),
        answers=tuple(_answer(picture, frame) for picture in pictures),
        sections=tuple(_sections(frame, facts)),
    )


def _size_of_the_run(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "Nothing was measured: the run has no rows yet."
    counts = frame["status"].value_counts()
    statuses = listed(f"{count:,} {status}" for status, count in counts.items())
    problems = plural(frame["problem"].nunique(), "problem")
    methods = listed(method_name(label) for label in rows.methods(frame))
    return f"{plural(len(frame), 'measurement')} of {problems} by {methods}: {statuses}."


def _where(facts: Mapping[str, Any]) -> str:
    """Name machine, software and time, as far as they were recorded."""
    machine = [str(facts[name]) for name in ("cpu", "platform") if facts.get(name)]
    machine[1:1] = [plural(facts["cores"], "core")] if isinstance(facts.get("cores"), int) else []
    names = {"python": "Python", "numpy": "NumPy", "diffkit": "diffkit"}
    software = [f"{name} {facts[key]}" for key, name in names.items() if facts.get(key)]
    parts = [
        f" on {', '.join(machine)}" if machine else "",
        f" with {listed(software)}" if software else "",
        f", started {_moment(str(facts['started']))}" if facts.get("started") else "",
    ]
    return f"Measured{''.join(parts)}." if any(parts) else "Where it was measured was not recorded."


def _moment(text: str) -> str:
    """Write a time as people do: 2026-11-20T07:09:12+00:00 is 2026-11-20 07:09:12 UTC."""
    return text.replace("T", " ").replace("+00:00", " UTC")


def _answer(picture: Picture, frame: pd.DataFrame) -> Answer:
    drawing = draw(picture, frame)
    return Answer(picture, drawing, picture.table(frame) if drawing else None)


def _sections(frame: pd.DataFrame, facts: Mapping[str, Any]) -> Iterator[Section]:
    yield _exponents(frame)
    yield from _engines(frame)
    yield from _limits(frame)
    yield _not_measured(frame)
    yield from _trust(frame)
    yield _environment(facts)


def _exponents(frame: pd.DataFrame) -> Section:
    """Show every fit, and say how it was made."""
    heading, growths = "Fitted exponents", fitting.growths(frame)
    if not growths:
        return Section(heading, f"Left out: no problem was measured at {fitting.ENOUGH} of A or B.")
    text = (
        "Cost grows as size to this power, with its standard error: least squares of log(cost) on log(size), "
        "over the larger half of the sizes (at least four), where the constant cost of a call matters least."
    )
    columns = ["line", "method", "measured by", "exponent", "in evaluations of f"]
    table = [[g.place, method_name(g.method), g.measured_by, str(g.cost), str(g.relative)] for g in growths]
    return Section(heading, text, pd.DataFrame(table, columns=columns))


def _engines(frame: pd.DataFrame) -> Iterator[Section]:
    """Compare engines where the same cell ran on several."""
    right = rows.timed(rows.study(frame, "cells"))
    table = right.pivot_table("run_seconds", ["problem", "inputs", "outputs", "method"], "engine")
    table = table.dropna(thresh=2)
    if table.empty:
        return
    text = tables.sized(table.map(seconds).reset_index())
    text = text.assign(method=text["method"].map(method_name))
    yield Section("Engines", "Median time of one run of the same cell on each engine.", text)


def _limits(frame: pd.DataFrame) -> Iterator[Section]:
    """Set run times beside what the machine allows, where that was measured."""
    if frame["bound_seconds"].isna().all():
        return
    text = (
        "The share of the machine's own limit that one run reaches: the time that its counted memory traffic takes at "
        "the speed of a copy, or its operations at the speed of a matrix product, whichever is longer, by its own time."
    )
    yield Section("Close to the limit", text, tables.limits(frame))


def _trust(frame: pd.DataFrame) -> Iterator[Section]:
    """Say how far times can be trusted, and which answers had no independent reference."""
    timed = rows.timed(rows.study(frame, "cells"))
    timed = timed[timed["reference_seconds"].notna()]
    if timed.empty:
        return
    width = (timed["run_seconds_high"] - timed["run_seconds_low"]) / timed["run_seconds"]
    overhead = 1 - timed["timed_seconds"].sum() / timed["cell_seconds"].sum()
    doubted = timed[timed["warning"] != ""]
    middle, widest = f"{width.median():.1%}", f"{width.max():.1%}"
    text = (
        "Times are set beside a fixed piece of work in the same round, and written as on the machine at its best. The "
        f"95% interval of a median is {middle} wide in the middle cell and {widest} in the widest; "
        f"{len(doubted):,} of {plural(len(timed), 'timed cell')} carry a warning. {overhead:.0%} of the time of these "
        f"cells went into other things than the code that was timed.{_judges(timed)}"
    ).replace("%", " %")
    yield Section("How far to trust the times", text, _doubts(doubted) if len(doubted) else None)


def _judges(timed: pd.DataFrame) -> str:
    """Say which problems have no independent reference."""
    judged = timed[timed["judge"] != ""]
    if judged.empty:
        return ""
    judges = listed(method_name(label) for label in judged["judge"].unique())
    return (
        f" {listed(judged['problem'].unique())} has no independent reference: its answers were compared with those of "
        f"another method ({judges}), which may share an error."
    )


def _doubts(doubted: pd.DataFrame) -> pd.DataFrame:
    """Count the reasons, whatever numbers they hold."""
    reasons = doubted["warning"].str.split("; ").explode()
    kinds = reasons.str.replace(r" ?[\d.]+ ?(%|x)?", " …", regex=True)
    found = pd.DataFrame({"kind": kinds, "reason": reasons}).groupby("kind", sort=False)["reason"]
    return pd.DataFrame({"cells": found.size().map(number), "warning (the first)": found.first()}).reset_index(
        drop=True
    )


def _not_measured(frame: pd.DataFrame) -> Section:
    """Group what failed, was skipped or did not agree by its reason, whatever numbers that holds."""
    heading = "What was not measured"
    if frame.empty:
        return Section(heading, "Nothing was measured.")
    shown = (frame["study"] == "step-size") & frame["error"].notna()  # however large: that is its point
    missed = frame[(frame["status"] != "ok") & ~shown]
    if missed.empty:
        return Section(heading, "Everything that was asked for was measured, and agreed with its reference.")
    sizes = missed["inputs"].astype(str) + ", " + missed["outputs"].astype(str)
    sizes = sizes.where(missed["depth"].isna(), missed["depth"].map("depth {:.0f}".format))
    place = missed["problem"] + " (" + sizes + ")"
    kind = missed["reason"].str.replace(r"[\d.,e+-]+", "0", regex=True)
    groups = missed.assign(place=place, kind=kind).groupby(["status", "method", "engine", "kind"], sort=False)
    table = groups.agg(place=("place", _some), reason=("reason", "first")).reset_index().drop(columns="kind")
    table["method"] = table["method"].map(method_name)
    table = table.rename(columns={"place": "problem (A, B or depth)", "reason": "reason (of the first)"})
    return Section(heading, table=table)


def _some(places: pd.Series[str]) -> str:
    shown = list(places.unique())
    more = len(shown) - MOST_SHOWN
    return "; ".join(shown[:MOST_SHOWN] + ([f"and {more} more"] if more > 0 else []))


def _environment(facts: Mapping[str, Any]) -> Section:
    if not facts:
        return Section("Environment", f"Not recorded: {ENVIRONMENT} is missing or unreadable.")
    table = pd.DataFrame({"fact": list(facts), "value": list(map(_fact, facts.values()))})
    return Section("Environment", table=table)


def _fact(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_fact(part)}" for key, part in value.items())
    return "not set" if value is None else str(value)
