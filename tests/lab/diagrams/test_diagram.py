"""Diagrams of networks by what is drawn: circles, edges, and labels that cover nothing."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Circle
from matplotlib.transforms import Bbox

from diffkit.errors import InputError, TooLargeError, UnsupportedError
from diffkit.lab.diagrams import diagram

SMALL = [[1, 1], [2, 1], [2, 2, 1], [2, 5, 3, 1], [3, 4, 3], [4, 6, 4], [8, 3, 8], [5, 4, 4, 5]]


def weights_of(widths):
    random = np.random.default_rng(3)
    return [100 * random.normal(size=(after, before)) for before, after in pairwise(widths)]


def drawn(drawing):
    """Circles, edges by gid and texts of a diagram."""
    figure = drawing.figure()
    (axes,) = figure.axes
    circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
    edges = {line.get_gid(): line for line in axes.lines}
    return figure, circles, edges, axes.texts


def labels(texts):
    return [text for text in texts if text.get_gid() == "weight"]


@pytest.mark.parametrize("widths", SMALL)
def test_a_circle_for_each_unit_and_an_edge_for_each_weight(widths):
    _, circles, edges, texts = drawn(diagram(widths))
    assert len(circles) == sum(widths)  # and none for intercepts or a loss
    assert len(edges) == len(labels(texts)) == sum(before * after for before, after in pairwise(widths))


def test_weights_are_named_by_layer_then_row_then_column():
    _, circles, edges, texts = drawn(diagram([2, 3, 1]))
    named = {text.get_text() for text in labels(texts)}
    expected = {rf"$w^{{[1]}}_{{{i}{j}}}$" for i in (1, 2, 3) for j in (1, 2)}
    assert named == expected | {rf"$w^{{[2]}}_{{1{j}}}$" for j in (1, 2, 3)}
    assert {"edge-1-2-0", "edge-2-0-2"} <= set(edges)  # rows and columns from 0
    centres = {circle.get_gid(): np.array(circle.center) for circle in circles}
    (x0, y0), (x1, y1) = edges["edge-1-2-0"].get_xydata()
    assert np.hypot(*(centres["unit-0-0"] - (x0, y0))) == pytest.approx(circles[0].radius)
    assert np.hypot(*(centres["unit-1-2"] - (x1, y1))) == pytest.approx(circles[0].radius)


@pytest.mark.parametrize("widths", SMALL)
@pytest.mark.parametrize("numbers", [False, True])
def test_no_label_covers_a_label_or_a_unit(widths, numbers):
    figure, circles, _, texts = drawn(diagram(weights_of(widths) if numbers else widths))
    renderer = FigureCanvasAgg(figure).get_renderer()
    extents = [text.get_window_extent(renderer) for text in texts if not text.get_text().startswith(("$x", "$a"))]
    units = [circle.get_window_extent(renderer) for circle in circles]
    for first, second in [*combinations(extents, 2), *((extent, unit) for extent in extents for unit in units)]:
        both = Bbox.intersection(first, second)
        assert both is None or min(both.width, both.height) < 0.5
    for text in texts:
        extent = text.get_window_extent(renderer)
        assert figure.bbox.containsx(extent.x0)
        assert figure.bbox.containsx(extent.x1)
        assert figure.bbox.containsy(extent.y0)
        assert figure.bbox.containsy(extent.y1)


def test_each_number_stands_on_the_edge_of_its_weight():
    W = np.array([[1.5, -0.25], [0.001, 40.0], [-3.0, 2.0]])
    _, _, edges, texts = drawn(diagram([W]))
    places = {text.get_text(): text.get_position() for text in labels(texts)}
    assert set(places) == {"1.5", "-0.25", "0.001", "40", "-3", "2"}
    for (i, j), weight in np.ndenumerate(W):
        start, end = edges[f"edge-1-{i}-{j}"].get_xydata()
        along, across = end - start, np.array(places[f"{weight:.2g}"]) - start
        assert along[0] * across[1] == pytest.approx(along[1] * across[0], abs=1e-9)
        assert 0 < across[0] < along[0]


def test_signs_have_colours_and_sizes_widths():
    _, _, edges, texts = drawn(diagram([np.array([[2.0, -1.0, 0.0, -0.0]])]))
    positive, negative, zero, minus = (edges[f"edge-1-0-{j}"] for j in range(4))
    assert len({line.get_color() for line in (positive, negative, zero)}) == 3
    assert minus.get_color() == zero.get_color()
    assert sorted(text.get_text() for text in labels(texts)) == ["-1", "0", "0", "2"]
    assert positive.get_linewidth() > negative.get_linewidth() > zero.get_linewidth() > 0
    assert any("blue: positive" in text.get_text() for text in texts)


def test_wide_layers_show_five_units_and_no_labels():
    _, circles, edges, texts = drawn(diagram([64, 8, 10, 1]))
    assert len(circles) == 5 + 8 + 5 + 1
    assert len(edges) == 5 * 8 + 8 * 5 + 5
    assert labels(texts) == []
    words = [text.get_text() for text in texts]
    assert words.count("⋮") == 2
    assert {"$x_{64}$", "$a^{[2]}_{10}$"} <= set(words)
    assert r"$W^{[1]}$: 8 × 64" in words


def test_many_edges_have_no_labels():
    _, _, edges, texts = drawn(diagram([5, 5]))
    assert len(edges) == 25
    assert labels(texts) == []


def test_a_network_is_drawn_by_its_widths():
    class Network:
        widths = (2, 3, 1)

    assert diagram(Network()).svg() == diagram([2, 3, 1]).svg() == diagram(np.array([2, 3, 1])).svg()


def test_it_is_written_as_svg_and_png_and_not_as_dot(tmp_path):
    drawing = diagram([2, 1])
    assert drawing.save(tmp_path / "net.png").read_bytes().startswith(b"\x89PNG")
    assert re.match(r"<\?xml", drawing.save(tmp_path / "net.svg").read_text(encoding="utf-8"))
    with pytest.raises(InputError, match=r"saved as \.png or \.svg"):
        drawing.save(tmp_path / "net.dot")
    with pytest.raises(UnsupportedError, match="DOT"):
        drawing.dot()


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ([], "give its widths"),
        (3, "give its widths"),
        ("2-5-3-1", "give its widths"),
        (None, "give its widths"),
        ([3], "two layers or more"),
        ([2, 0, 1], r"widths\[1\]=0; it must be a whole number from 1"),
        ([2, -1], r"widths\[1\]=-1"),
        ([2, 3.0], r"widths\[1\]=3.0"),
        ([2, True], r"widths\[1\]=True"),
        ([2, "3"], r"widths\[1\]='3'"),
        ([np.ones((3, 2)), 4], r"widths\[0\]=array"),
        ([np.ones((3, 2)), np.ones((1, 4))], r"W\[2\] has shape \(1, 4\), but W\[1\] has 3 rows"),
        ([np.ones((3, 0))], r"W\[1\] has shape \(3, 0\)"),
        ([np.array([[np.nan]])], "finite real numbers"),
        ([np.array([[1j]])], "finite real numbers"),
    ],
)
def test_what_is_no_network_is_refused(network, words):
    with pytest.raises(InputError, match=words):
        diagram(network)


def test_many_layers_are_refused():
    assert diagram([1] * 21).svg()
    with pytest.raises(TooLargeError, match="21 layers of weights; a diagram shows 20"):
        diagram([1] * 22)
