from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from diffkit.benchmark.results import to_frame
from diffkit.pictures import STYLE
from diffkit.report import figures, rows

EVERY = pytest.mark.parametrize("picture", figures.PICTURES, ids=lambda picture: picture.name)

FORMS = pytest.mark.parametrize("form", [figures.WIDE, figures.NARROW], ids=["wide", "narrow"])


def drawn(picture, frame, form=figures.WIDE):
    """Draw a picture as the report does, laid out but not written."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(form.width, picture.height(frame)))
        axes = figure.add_axes(form.box)
        assert picture.draw(frame, axes) is axes
        figure.draw_without_rendering()
    return axes


def words(axes):
    """Every word that is drawn, and its box: titles, labels, legend, and ticks within the limits."""
    found = set(axes.figure.findobj(Text))
    for axis, (low, high), coordinate in ((axes.xaxis, axes.get_xlim(), 0), (axes.yaxis, axes.get_ylim(), 1)):
        ticks = axis.get_ticklabels(which="both")
        found -= {tick for tick in ticks if not low <= tick.get_position()[coordinate] <= high}
    drawn = [text for text in found if text.get_visible() and text.get_text().strip()]
    return {text: Text.get_window_extent(text).padded(-1) for text in drawn}  # without the leaders of labels


def collisions(axes):
    pairs = combinations(words(axes).items(), 2)
    return [(a.get_text(), b.get_text()) for (a, first), (b, second) in pairs if first.overlaps(second)]


@EVERY
def test_axes_name_what_they_show_and_its_unit(picture, run):
    axes = drawn(picture, run)
    for label in (axes.get_xlabel(), axes.get_ylabel()):
        assert re.fullmatch(r".+ \([^()]+\)", label), label
    assert axes.get_title(loc="left")


@EVERY
@FORMS
def test_no_text_covers_another(picture, run, form):
    axes = drawn(picture, run, form)
    assert len(words(axes)) > 10
    assert collisions(axes) == []


def crowded(law):
    """Twenty problems, eight methods, and lines that all end at one place."""
    made = law(noise=0, overhead=1.0)
    names = ["jax", "torch", "symbolic(form=expression)", "finite-difference(scheme=complex-step)"]
    measured = list(made.measurements())
    measured += [row for i in range(20) for row in made.rows(f"problem-number-{i}", [(10, 1)])]
    frame = to_frame(map(vars, measured))
    reverse = frame[frame["method"] == "reverse"]
    return pd.concat([frame, *(reverse.assign(method=name) for name in names)])


@EVERY
@FORMS
def test_no_text_covers_another_in_a_crowd(picture, law, form):
    assert collisions(drawn(picture, crowded(law), form)) == []


@EVERY
@FORMS
def test_no_text_covers_another_where_little_was_measured(picture, run, form):
    """Numbers that are close together make an axis shorter than one power of ten."""
    few = run[run["inputs"].isin([10, 30]) | run["outputs"].isin([10, 30]) | (run["study"] != "cells")]
    assert collisions(drawn(picture, few, form)) == []


@EVERY
def test_one_row_or_one_method_can_be_drawn(picture, run):
    alone = run[run["method"].isin(["reverse", "finite-difference(scheme=central)"])]
    assert drawn(picture, alone).get_title(loc="left")


def line_to(axes, name):
    """The points of the line whose name begins so, found by where its leader starts."""
    label = next(text for text in axes.texts if text.get_text().startswith(name))
    to_axes = axes.transData + axes.transAxes.inverted()
    ends = {line: to_axes.transform(line.get_xydata()[-1]) for line in axes.lines}
    return min(ends, key=lambda line: np.abs(ends[line] - label.xy).max()).get_xydata()


def test_time_lines_are_the_measured_medians(run):
    axes = drawn(figures.PICTURES[0], run)
    for method in ("reverse", "finite-difference"):
        part = run[(run["problem"] == "tanh-map") & (run["outputs"] == 1) & (run["method"] == method)]
        expected = part.sort_values("inputs")[["inputs", "run_seconds"]].to_numpy()
        assert line_to(axes, method) == pytest.approx(expected)


def test_a_line_that_stops_says_why(run):
    assert "symbolic: too large" in [text.get_text() for text in drawn(figures.PICTURES[0], run).texts]


def test_titles_state_what_was_found(law):
    frame = law(noise=0, overhead=0).frame()
    titles = {picture.name: drawn(picture, frame).get_title(loc="left") for picture in figures.PICTURES}
    assert titles["time-against-inputs"] == "A = 1,000: reverse takes 7 µs, forward 857 times that"
    assert titles["time-against-outputs"] == "B = 1,000: finite-difference takes 6 µs, reverse 1,750 times that"
    assert titles["winners"] == "Forward and reverse cost the same at A ≈ 1.2 B"
    assert titles["relative-cost"] == "Counted, a reverse gradient (B = 1) costs at most 3.5 evaluations of f"
    assert titles["time-against-calls"] == "Finite-difference is cheapest for one call, reverse for many"
    assert titles["error-against-step-size"] == "Best step size: 1e-08 for forward, 1e-06 for central"
    assert titles["operations-against-depth"] == "Depth 9: 2,560 operations for symbolic (expression), 57 for symbolic"


def test_a_method_can_be_best_at_once_and_for_good(law):
    made = law()
    made.prepare["reverse"] = 0.0
    picture = next(picture for picture in figures.PICTURES if picture.name == "time-against-calls")
    assert drawn(picture, made.frame()).get_title(loc="left") == "Reverse is cheapest for one call, and for many"


def test_every_cell_of_the_plane_shows_the_lead_of_its_winner(run):
    picture = next(picture for picture in figures.PICTURES if picture.name == "winners")
    shown = [text.get_text() for text in drawn(picture, run).texts if text.get_text().endswith("×")]
    assert len(shown) == 25
    times = rows.timed(rows.plane(run)).query("inputs == 100 and outputs == 3")["run_seconds"].sort_values()
    assert f"{times.iloc[1] / times.iloc[0]:.0f}×" in shown


def test_importing_the_report_leaves_pyplot_and_settings_alone():
    program = (
        "import matplotlib, sys; before = dict(matplotlib.rcParams); import diffkit.report;"
        "assert dict(matplotlib.rcParams) == before; print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
