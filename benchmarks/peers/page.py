"""The page and the numbers: reports/peers/peers.md and peers.json."""

import json
import statistics

import pandas as pd

from diffkit.report.words import escaped, listed, markdown_table, number, seconds
from peers.findings import contested, geometric_mean, ratio, targets
from peers.rows import TITLES
from peers.ways import PLAIN

PICTURE = "peers.png"


def summary(findings):
    """The rows won and lost, the geometric mean and the targets, as Markdown."""
    ratios = contested(findings)
    lines = ["## In short", ""]
    if ratios:
        won = sum(found.median <= 1.0 for found in ratios.values())
        mean = geometric_mean(1.0 / found.median for found in ratios.values())
        text = (
            f"diffkit is the fastest on {won} of {len(ratios)} rows of P1 to P7. The time of each row's best peer over "
            f"diffkit's, as a geometric mean over these rows: **{number(mean)}**. NumPy by hand counts as a peer; "
            "Numba by hand has targets of its own."
        )
        lines += [text, ""]
    return "\n".join([*lines, "### Targets", "", _targets(findings), "", "### Rows lost", "", _lost(findings), ""])


def _targets(findings):
    verdict = {True: "yes", False: "**no**", None: "not measured"}
    return markdown_rows(
        ["target", "wanted", "measured", "decided by", "met"],
        [
            [
                target.what,
                f"{'at least' if target.at_least else 'at most'} {number(target.limit)} {target.unit}",
                "–" if target.value is None else f"{number(target.value)} {target.unit}",
                target.place,
                verdict[target.met],
            ]
            for target in targets(findings)
        ],
        bold=True,
    )


def _lost(findings):
    ratios = contested(findings)
    rows = [
        [
            finding.row.name,
            f"{number(found.median)} ({number(found.first)} to {number(found.third)})",
            f"{finding.ours.way.label}, {seconds(finding.ours.timing.median)}",
            f"{finding.rival.way.label}, {seconds(finding.rival.timing.median)}",
        ]
        for finding in findings
        if (found := ratios.get(finding.row.name)) and found.median > 1.0
    ]
    rows.sort(key=lambda row: -ratios[row[0]].median)
    if not rows:
        return "None."
    return markdown_rows(["row", "time over the best peer's (quartiles)", "diffkit", "best peer"], rows)


def page(findings, facts, absent):
    """The whole report."""
    problems = list(dict.fromkeys(finding.row.problem for finding in findings))
    setting = (
        f"{facts['cpu']}, one core of {facts['cores']}; Python {facts['python']}; {facts['started']}. Each way takes "
        "an array of float64 and gives one, and agrees with the derivative by hand before it is timed; ~ marks finite "
        f"differences. Medians of {facts['repeats']} interleaved rounds; in brackets the time of diffkit's fastest way "
        "over this way's, median over the rounds: **below 1 diffkit is faster**."
    )
    versions = listed(f"{name} {version}" for name, version in facts["versions"].items())
    missing = f"Not installed, left out: {listed(absent)}." if absent else "No peer is missing."
    picture = f"![Time of each peer over diffkit's, row by row]({PICTURE})"
    lines = ["# diffkit beside its peers", setting, f"Versions: {versions}. {missing}", summary(findings), picture]
    lines += [_preparations(findings), *("\n".join(_problem(problem, findings)) for problem in problems)]
    return "\n\n".join(line.strip() for line in lines if line) + "\n"


def _preparations(findings):
    chosen = [finding for finding in findings if finding.preparations]
    if not chosen:
        return ""
    ways = list(dict.fromkeys(way for finding in chosen for way in finding.preparations))
    lines = [[way, *(_span(finding.preparations.get(way)) for finding in chosen)] for way in ways]
    text = "Tracing, compiling and the first call, each in a new process after the library's own start: median, range."
    return f"## Preparation\n\n{text}\n\n{markdown_rows(['way', *(f.row.name for f in chosen)], lines)}"


def _span(taken):
    if not taken:
        return "–"
    return f"{seconds(statistics.median(taken))} ({seconds(min(taken))} to {seconds(max(taken))})"


def _problem(problem, findings):
    chosen = [finding for finding in findings if finding.row.problem == problem]
    yield f"## {problem}: {TITLES[problem]}"
    yield ""
    yield _table(chosen, _time)
    yield ""
    yield "Preparation in this process, once, the first call included:"
    yield ""
    yield _table(chosen, lambda finding, outcome: seconds(outcome.prepare_seconds))
    yield ""
    reasons = [
        f"- {outcome.way.label}, {finding.row.size}: {escaped(outcome.reason)}"
        for finding in chosen
        for outcome in finding.outcomes
        if outcome.reason
    ]
    if reasons:
        yield from ("Left out:", "", *reasons, "")


def _table(chosen, cell):
    """A line per way, a column per size."""
    ways = list(dict.fromkeys(outcome.way.label for finding in chosen for outcome in finding.outcomes))
    columns = [{outcome.way.label: outcome for outcome in finding.outcomes if outcome.timing} for finding in chosen]
    lines = [
        [way, *(cell(f, column[way]) if way in column else "–" for f, column in zip(chosen, columns, strict=True))]
        for way in ways
    ]
    return markdown_rows(["way", *(finding.row.size for finding in chosen)], lines)


def _time(finding, outcome):
    text = seconds(outcome.timing.median) + ("" if outcome.way.exact or outcome.way.peer == PLAIN else " ~")
    if finding.ours is None:
        return text
    return f"{text} ({number(ratio(finding.ours, outcome).median)})"


def markdown_rows(header, lines, *, bold=False):
    """A table in Markdown; with `bold`, marks in it are meant."""
    text = markdown_table(pd.DataFrame(lines, columns=header))
    return text.replace("\\*", "*") if bold else text


def as_json(findings, facts, absent):
    """Every number, short enough to keep."""
    rows = [
        {
            "problem": finding.row.problem,
            "size": finding.row.size,
            "inputs": finding.row.point.size,
            "outputs": finding.row.outputs,
            "ways": [_outcome(finding, outcome) for outcome in finding.outcomes],
            "preparations": {way: [_short(taken) for taken in sample] for way, sample in finding.preparations.items()},
        }
        for finding in findings
    ]
    found = [vars(target) | {"met": target.met} for target in targets(findings)]
    return json.dumps({"environment": facts, "absent": absent, "targets": found, "rows": rows}, indent=1) + "\n"


def _outcome(finding, outcome):
    facts = {
        "peer": outcome.way.peer,
        "way": outcome.way.name,
        "exact": outcome.way.exact,
        "error": _short(outcome.error),
        "prepare_seconds": _short(outcome.prepare_seconds),
    }
    if outcome.timing is None:
        return facts | {"reason": outcome.reason}
    facts |= {"seconds": _short(outcome.timing.median), "seconds_iqr": _short(outcome.timing.iqr)}
    if finding.ours:
        quartiles = ratio(finding.ours, outcome)
        facts["diffkit_over_this"] = [_short(q) for q in (quartiles.first, quartiles.median, quartiles.third)]
    return facts


def _short(value):
    return None if value is None else float(f"{value:.4g}")
