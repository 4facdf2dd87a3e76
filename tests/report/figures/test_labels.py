from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy.optimize import isotonic_regression

from diffkit.pictures import headline
from diffkit.report.figures.labels import End, label_ends, on_decades, spread, take_headline
from diffkit.report.figures.style import NARROW

places = st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=9)


@given(places, st.floats(0.01, 0.3))
def test_spread_positions_are_apart_within_bounds_and_in_order(wanted, gap):
    found = np.array(spread(wanted, gap))
    fitting_gap = min(gap, 1 / max(len(wanted) - 1, 1))
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(found[order]) >= fitting_gap - 1e-9).all()
    assert found.min() >= -1e-9
    assert found.max() <= 1 + 1e-9


@given(places, st.floats(0.01, 0.1))
def test_spread_moves_no_more_than_isotonic_regression(wanted, gap):
    order = np.argsort(wanted, kind="stable")
    shift = gap * np.arange(len(wanted))
    nearest = isotonic_regression(np.array(wanted)[order] - shift).x
    expected = nearest.clip(0, 1 - shift[-1]) + shift
    assert np.array(spread(wanted, gap))[order] == pytest.approx(expected, abs=1e-9)


def test_what_is_apart_stays():
    assert spread([0.9, 0.1, 0.5], gap=0.1) == [0.9, 0.1, 0.5]


def test_nothing_to_spread():
    assert spread([], gap=0.1) == []


def test_more_labels_than_fit_share_the_space_evenly():
    assert spread([0.5] * 5, gap=1.0) == pytest.approx([0, 0.25, 0.5, 0.75, 1])


@pytest.mark.parametrize("dpi", [50, 100, 200])
def test_labels_of_lines_that_end_together_do_not_collide(dpi):
    figure = Figure(dpi=dpi)
    axes = figure.add_subplot()
    (line,) = axes.plot([1, 10], [1, 1e6])
    axes.set(xscale="log", yscale="log")
    label_ends(axes, [End(line, f"name {i}", "black") for i in range(8)])
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without its leader
    assert len(boxes) == 8
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_leader_starts_where_its_line_ends():
    axes = Figure().add_subplot()
    (line,) = axes.plot([1, 10, 100], [1, 10, 100])
    axes.set(xscale="log", yscale="log", xlim=(1, 10_000), ylim=(1, 10_000))
    label_ends(axes, [End(line, "line", "black")])
    assert axes.texts[0].xy == pytest.approx((0.5, 0.5))


def test_a_line_without_points_has_no_name():
    axes = Figure().add_subplot()
    (line,) = axes.plot([], [])
    label_ends(axes, [End(line, "line", "black")])
    assert list(axes.texts) == []


def test_names_stand_below_a_narrow_picture_from_top_to_bottom():
    figure = Figure(figsize=(NARROW.width, 4))
    axes = figure.add_axes(NARROW.box)
    lines = [axes.plot([1, 10], [1, height])[0] for height in (2, 30, 5)]
    label_ends(axes, [End(line, f"line to {line.get_ydata()[-1]}", "black") for line in lines])
    figure.draw_without_rendering()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["line to 30", "line to 5", "line to 2"]
    assert axes.get_legend().get_window_extent().y1 < axes.get_window_extent().y0 - 20


@pytest.mark.parametrize(("values", "limits"), [([3.5, 80], (1, 100)), ([12, 15], (10, 100)), ([0.02, 3000], None)])
def test_a_logarithmic_axis_shows_two_powers_of_ten(values, limits):
    axes = Figure().add_subplot()
    axes.plot(values, values)
    axes.set(xscale="log")
    before = axes.get_xlim()
    on_decades(axes)
    assert axes.get_xlim() == pytest.approx(limits or before)
    axes.figure.draw_without_rendering()
    assert {tick.get_text() for tick in axes.get_xticklabels(minor=True)} <= {""}


def test_a_title_is_taken_off_with_its_context():
    axes = Figure().add_subplot()
    axes.annotate("a note", (0, 0))
    headline(axes, "what was $found$", "where")
    assert take_headline(axes) == ("what was $found$", "where")
    assert axes.get_title(loc="left") == ""
    assert [text.get_text() for text in axes.texts] == ["a note"]
