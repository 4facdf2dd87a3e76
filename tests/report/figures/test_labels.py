from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy.optimize import isotonic_regression

from diffkit.report.figures.labels import End, label_ends, spread

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
    axes.plot([1, 10], [1, 1e6])
    axes.set(xscale="log", yscale="log")
    label_ends(axes, [End(10, 1e6, f"name {i}", "black") for i in range(8)])
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without its leader
    assert len(boxes) == 8
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_leader_starts_where_its_line_ends():
    axes = Figure().add_subplot()
    axes.plot([1, 10, 100], [1, 10, 100])
    axes.set(xscale="log", yscale="log", xlim=(1, 10_000), ylim=(1, 10_000))
    label_ends(axes, [End(100, 100, "line", "black")])
    assert axes.texts[0].xy == pytest.approx((0.5, 0.5))
