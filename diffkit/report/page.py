"""The report of a run: one page of Markdown, with its pictures beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from diffkit.benchmark.results import ENVIRONMENT, load
from diffkit.errors import ResultsError
from diffkit.report import fitting, rows, tables
from diffkit.report.figures import PICTURES, STYLE, WIDTH, Picture
from diffkit.report.verdicts import Verdict, verdicts
from diffkit.report.words import escaped, listed, markdown_table, method_name, plural, seconds

PAGE = "report.md"
PICTURE_FOLDER = "figures"
WRITTEN: dict[str, dict[str, str | None]] = {".png": {"Software": None}, ".svg": {"Date": None}}
"""Kinds of picture files, and what they leave unsaid, so that the same picture is the same file."""

AXES = (0.1, 0.13, 0.61, 0.72)
"""Left, bottom, width and height of the axes; what stands outside of them widens the picture."""

MOST_SHOWN = 6
"""How many cells of one failure are named; the others are counted."""


def write_report(folder: Path | str) -> Path:
    """Write what a run found: ``report.md``, and its pictures as PNG and SVG in ``figures/``.

    Parameters
    ----------
    folder
        A folder that ``diffkit bench`` wrote.

    Returns
    -------
    Path
        The page. What the run does not hold is left out, with a sentence that says so.

    Raises
    ------
    ResultsError
        The folder holds no run or no rows, or the report cannot be written there.
    """
    folder = Path(folder)
    frame = load(folder)
    if frame.empty:
        raise ResultsError(f"the run in {folder} has no rows, so there is nothing to report; run `diffkit bench` first")
    page = folder / PAGE
    try:
        (folder / PICTURE_FOLDER).mkdir(exist_ok=True)
        findings = {picture.name: _write_picture(picture, frame, folder / PICTURE_FOLDER) for picture in PICTURES}
        page.write_text("\n\n".join(_page(frame, findings, _environment(folder))) + "\n", encoding="utf-8")
    except OSError as error:
        raise ResultsError(
            f"cannot write the report into {folder}: {error}; choose a folder you may write to"
        ) from error
    return page


def _write_picture(picture: Picture, frame: pd.DataFrame, folder: Path) -> str | None:
    """Write one picture as PNG and SVG, and hand back what its title found; None without rows for it."""
    files = {suffix: folder / f"{picture.name}{suffix}" for suffix in WRITTEN}
    if picture.select(frame).empty:
        for file in files.values():
            file.unlink(missing_ok=True)  # of an earlier run in this folder
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, picture.height(frame)))
        axes = picture.draw(frame, figure.add_axes(AXES))
        for suffix, file in files.items():
            figure.savefig(file, metadata=WRITTEN[suffix])
    return axes.get_title(loc="left")


def _page(frame: pd.DataFrame, findings: dict[str, str | None], facts: dict[str, Any]) -> Iterator[str]:
    """Write the page, block by block: words first, then pictures with tables, then what one may doubt."""
    judged = verdicts(frame)
    yield f"# Four ways to differentiate, measured: {escaped(listed(map(str, frame['suite'].unique())))}"
    yield _size_of_the_run(frame)
    short = [f"- {escaped(finding)}." for finding in findings.values() if finding]
    if short:
        yield "\n".join(["In short:", "", *short])
    yield "## Four claims, judged"
    yield markdown_table(pd.DataFrame({"claim": [v.claim for v in judged], "verdict": [v.verdict for v in judged]}))
    for verdict in judged:
        yield from _verdict(verdict)
    yield "## Pictures"
    for picture in PICTURES:
        yield from _picture(picture, frame, findings[picture.name])
    yield "## Fitted exponents"
    yield from _exponents(frame)
    yield from _engines(frame)
    yield from _limits(frame)
    yield "## What was not measured"
    yield _not_measured(frame)
    yield "## Environment"
    yield _facts(facts)


def _size_of_the_run(frame: pd.DataFrame) -> str:
    counts = frame["status"].value_counts()
    statuses = listed(f"{count:,} {status}" for status, count in counts.items())
    problems = plural(frame["problem"].nunique(), "problem")
    methods = listed(method_name(label) for label in rows.methods(frame))
    return f"{plural(len(frame), 'measurement')} of {problems} by {methods}: {statuses}."


def _verdict(verdict: Verdict) -> Iterator[str]:
    yield f"**{escaped(verdict.claim)}** {verdict.verdict.capitalize()}."
    yield "\n".join(f"- {escaped(sentence)}" for sentence in verdict.evidence)


def _picture(picture: Picture, frame: pd.DataFrame, finding: str | None) -> Iterator[str]:
    yield f"### {picture.question}"
    if finding is None:
        yield f"Left out: this run does not hold {picture.needs}."
        return
    file = f"{PICTURE_FOLDER}/{picture.name}"
    yield f"[![{escaped(finding)}]({file}.png)]({file}.svg)"
    yield markdown_table(picture.table(frame))


def _exponents(frame: pd.DataFrame) -> Iterator[str]:
    """Show every fit, and say how it was made."""
    growths = fitting.growths(frame)
    if not growths:
        yield f"Left out: no problem was measured at {fitting.ENOUGH} of A or B."
        return
    yield (
        "Cost grows as size to this power, with its standard error: least squares of log(cost) on log(size), "
        "over the larger half of the sizes (at least four), where the constant cost of a call matters least."
    )
    columns = ["line", "method", "measured by", "exponent", "in evaluations of f"]
    table = [[g.place, method_name(g.method), g.measured_by, str(g.cost), str(g.relative)] for g in growths]
    yield markdown_table(pd.DataFrame(table, columns=columns))


def _engines(frame: pd.DataFrame) -> Iterator[str]:
    """Compare engines where the same cell ran on several."""
    right = rows.timed(rows.study(frame, "cells"))
    table = right.pivot_table("run_seconds", ["problem", "inputs", "outputs", "method"], "engine")
    table = table.dropna(thresh=2)
    if table.empty:
        return
    yield "## Engines"
    text = table.map(seconds).reset_index().rename(columns={"inputs": "A", "outputs": "B"})
    yield markdown_table(text.assign(method=text["method"].map(method_name)))


def _limits(frame: pd.DataFrame) -> Iterator[str]:
    """Set run times beside what the machine allows, where that was measured."""
    if frame["bound_seconds"].isna().all():
        return
    yield "## Close to the limit"
    yield (
        "The share of the machine's own limit that one run reaches: the time that its counted memory traffic takes at "
        "the speed of a copy, or its operations at the speed of a matrix product, whichever is longer, by its own time."
    )
    yield markdown_table(tables.limits(frame))


def _not_measured(frame: pd.DataFrame) -> str:
    """Group what failed, was skipped or did not agree by its reason, whatever numbers that holds."""
    shown = (frame["study"] == "step-size") & frame["error"].notna()  # however large: that is its point
    missed = frame[(frame["status"] != "ok") & ~shown]
    if missed.empty:
        return "Everything that was asked for was measured, and agreed with its reference."
    sizes = missed["inputs"].astype(str) + ", " + missed["outputs"].astype(str)
    sizes = sizes.where(missed["depth"].isna(), missed["depth"].map("depth {:.0f}".format))
    place = missed["problem"] + " (" + sizes + ")"
    kind = missed["reason"].str.replace(r"[\d.,e+-]+", "0", regex=True)
    groups = missed.assign(place=place, kind=kind).groupby(["status", "method", "engine", "kind"], sort=False)
    table = groups.agg(place=("place", _some), reason=("reason", "first")).reset_index().drop(columns="kind")
    table["method"] = table["method"].map(method_name)
    return markdown_table(table.rename(columns={"place": "problem (A, B or depth)", "reason": "reason (of the first)"}))


def _some(places: pd.Series[str]) -> str:
    shown = list(places.unique())
    more = len(shown) - MOST_SHOWN
    return "; ".join(shown[:MOST_SHOWN] + ([f"and {more} more"] if more > 0 else []))


def _environment(folder: Path) -> dict[str, Any]:
    """Read where the run was made; nothing where that was not recorded."""
    try:
        facts = json.loads((folder / ENVIRONMENT).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _facts(facts: dict[str, Any]) -> str:
    if not facts:
        return f"Not recorded: `{ENVIRONMENT}` is missing or unreadable."
    return markdown_table(pd.DataFrame({"fact": list(facts), "value": list(map(_fact, facts.values()))}))


def _fact(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_fact(part)}" for key, part in value.items())
    return "not set" if value is None else str(value)
