"""The picture: per row, how many times diffkit's time each peer takes."""

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter

from diffkit.pictures import STYLE, headline, write
from diffkit.report.words import number
from peers.findings import contested, geometric_mean
from peers.ways import BY_HAND

LIBRARY, NUMPY, NUMBA, OTHERS = "#D55E00", "#0072B2", "#009E73", "0.75"
"""Okabe and Ito (2008); grey for whoever is not the best."""
INKS = {LIBRARY: "#A34700", NUMPY: "#005A8F", NUMBA: "#006B4E"}
"""The same, dark enough for text."""
WIDEST = 300.0
"""Ways that take more times diffkit's time than this lie outside."""


def draw(findings, path):
    """Write the picture."""
    shown = [finding for finding in findings if finding.row.problem != "maps" and finding.ours and finding.rival]
    if not shown:
        return
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(9.0, 1.2 + 0.27 * len(shown)))
        axes.set_xscale("log")
        axes.axvline(1.0, color="0.15", linewidth=1.2)
        explained = _clearest(shown)
        for height, finding in enumerate(shown):
            _row(axes, height, finding, by_name=finding is explained)
        axes.set_yticks(range(len(shown)), [_name(finding) for finding in shown])
        axes.set_ylim(len(shown) - 0.1, -1.3)
        axes.set_xlim(right=WIDEST)
        axes.annotate("diffkit", (1.0, -0.9), (3, 0), textcoords="offset points", va="center", weight="bold")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(value)}×"))
        axes.set_xlabel("time over diffkit's: right of the line diffkit is faster")
        _title(axes, findings)
        write(figure, path)
        plt.close(figure)


def _row(axes, height, finding, *, by_name):
    ours = finding.ours.timing.median
    best = finding.library
    marks = {LIBRARY: best, NUMPY: finding.best(BY_HAND[0]), NUMBA: finding.best(BY_HAND[1])}
    others = [
        outcome.timing.median / ours
        for outcome in finding.outcomes
        if outcome.timing
        and outcome.way.exact
        and outcome.way.peer not in ("diffkit", "f in NumPy", *BY_HAND)
        and outcome is not best
    ]
    axes.plot([o for o in others if o < WIDEST], [height] * sum(o < WIDEST for o in others), "|", color=OTHERS, ms=7)
    for colour, outcome in marks.items():
        if outcome is None:
            continue
        place = outcome.timing.median / ours
        axes.plot(place, height, "o", color=colour, ms=6 if colour == LIBRARY else 5, zorder=3)
        if colour == LIBRARY or by_name:
            below = {"textcoords": "offset points", "size": 7, "ha": "center", "va": "center"}
            axes.annotate(outcome.way.peer.partition(" ")[0], (place, height), (0, -9.5), color=INKS[colour], **below)


def _clearest(shown):
    """The row where the three marks lie farthest apart: their names fit there."""

    def gap(finding):
        marks = [finding.library, finding.best(BY_HAND[0]), finding.best(BY_HAND[1])]
        if None in marks:
            return 0.0
        a, b, c = sorted(mark.timing.median for mark in marks)
        return min(b / a, c / b)

    return max(shown, key=gap)


def _name(finding):
    return "a call" if finding.row.problem == "call" else finding.row.name.replace(" x ", " × ")


def _title(axes, findings):
    ratios = contested(findings)
    context = "orange: the fastest library; blue, green: NumPy, Numba by hand; grey: other libraries; one core, medians"
    if not ratios:
        headline(axes, "Time of each peer over diffkit's", context)
        return
    won = sum(found.median <= 1.0 for found in ratios.values())
    mean = number(geometric_mean(1.0 / found.median for found in ratios.values()))
    finding = f"Faster than the best peer on {won} of {len(ratios)} rows; {mean} times as fast in geometric mean"
    headline(axes, finding, context)
