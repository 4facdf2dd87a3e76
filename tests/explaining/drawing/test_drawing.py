"""Drawings by their geometry, as it is drawn: boxes, words and the curves between them."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import PathPatch, Polygon, Rectangle
from matplotlib.transforms import Bbox

import diffkit as dk
from diffkit import problems
from diffkit.errors import InputError, NotScalarError, TooLargeError
from diffkit.explaining.drawing.dot import COLOURS, dot
from diffkit.explaining.formulas import parse
from diffkit.explaining.lines import lines

GRAPHVIZ = shutil.which("dot")
COURSE = {"worked-example": 2, "composition": 1, "product-of-sum": 3, "sigmoid-neuron": 5}


def network(W, b, V, c, x):
    return np.sum((V @ np.tanh(W @ x + b) + c) ** 2)


WEIGHTS = [np.full((4, 3), 0.1), np.zeros(4), np.full((2, 4), -0.2), np.ones(2), np.arange(3.0)]


def deep(x, z):
    for _ in range(26):
        x = np.sin(x) * z + x
    return x


def course(name):
    return problems.get(name).at(COURSE[name])


def plan_of(name):
    return dk.get("reverse").prepare(course(name).function, course(name).point, product="gradient")


DRAWINGS = {
    **{name: lambda name=name: dk.draw(plan_of(name)) for name in COURSE},
    **{
        f"{name} with values": lambda name=name: dk.draw(course(name).function, course(name).point, values=True)
        for name in COURSE
    },
    **{f"derivative of {name}": lambda name=name: dk.draw(plan_of(name).graph) for name in COURSE},
    "network": lambda: dk.draw(network, *WEIGHTS, values=True),
    "80 steps": lambda: dk.draw(deep, 0.3, 1.1),
}


@pytest.fixture(params=DRAWINGS)
def drawing(request):
    return DRAWINGS[request.param]()


def drawn(drawing):
    """The axes of a drawing, and the extent of what is drawn there, by gid, in pixels."""
    figure = drawing.figure()
    renderer = FigureCanvasAgg(figure).get_renderer()
    (axes,) = figure.axes
    words = {text.get_gid(): text.get_window_extent(renderer) for text in axes.texts}
    boxes = {
        patch.get_gid(): patch.get_window_extent(renderer) for patch in axes.patches if isinstance(patch, Rectangle)
    }
    return figure, axes, boxes, words


def overlap(first, second):
    both = Bbox.intersection(first, second)
    return both is not None and both.width > 0.01 and both.height > 0.01


def step(gid):
    return gid.rpartition("-")[2]


def test_no_box_or_word_covers_another(drawing):
    figure, _, boxes, words = drawn(drawing)
    for (name, box), (other, second) in combinations([*boxes.items(), *words.items()], 2):
        inside = {name, other} == {f"box-{step(name)}", f"function-{step(name)}"}
        assert inside or not overlap(box, second), f"{name} and {other}"
    for gid, word in words.items():
        assert figure.bbox.padded(1).containsx(word.x0)
        assert figure.bbox.padded(1).containsx(word.x1)
        assert figure.bbox.padded(1).containsy(word.y0)
        assert figure.bbox.padded(1).containsy(word.y1)
        if gid.startswith("function"):
            box = boxes[f"box-{step(gid)}"]
            assert box.x0 < word.x0
            assert word.x1 < box.x1


def test_edges_lead_from_border_to_border_and_meet_nothing_else(drawing):
    _, axes, boxes, words = drawn(drawing)
    places = {gid.removeprefix("name-"): extent for gid, extent in words.items() if gid.startswith("name")}
    places |= {gid.removeprefix("box-"): extent for gid, extent in boxes.items()}
    edges = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    corners = {start: set() for start in places}  # of the edges that begin at the border of their start
    begins = []
    for edge in edges:
        _, start, end = edge.get_gid().split("-")
        drawn_path = edge.get_transform().transform_path(edge.get_path())
        way = drawn_path.to_polygons(closed_only=False)[0]
        points = np.vstack([np.linspace(a, b, 20) for a, b in pairwise(way)])
        if -0.01 <= points[0, 0] - places[start].x1 < 8:  # a name ends a little before its edge starts
            assert places[start].y0 <= points[0, 1] <= places[start].y1
            corners[start] |= {tuple(corner) for corner in drawn_path.vertices.round(3)}
        begins.append((start, tuple(points[0].round(3))))
        assert points[-1, 0] == pytest.approx(boxes[f"box-{end}"].x0, abs=0.01)
        assert boxes[f"box-{end}"].y0 < points[-1, 1] < boxes[f"box-{end}"].y1
        others = {gid: extent for gid, extent in (boxes | words).items() if gid not in (f"box-{start}", f"box-{end}")}
        low, high = (np.array([getattr(extent, corner) for extent in others.values()]) for corner in ("min", "max"))
        inside = np.all((points[:, None] > low + 0.5) & (points[:, None] < high - 0.5), axis=-1)
        assert [gid for gid, crossed in zip(others, inside.any(axis=0), strict=True) if crossed] == []
    assert all(begin in corners[start] for start, begin in begins)  # at the border, or on an edge from the same start
    heads = [patch for patch in axes.patches if isinstance(patch, Polygon)]
    assert [head.get_gid()[5:] for head in heads] == [edge.get_gid()[5:] for edge in edges]


# ---------------------------------------------------------------- what is drawn


def texts(drawing):
    (axes,) = drawing.figure().axes
    return {text.get_gid(): text.get_text() for text in axes.texts}


def test_functions_stand_inside_and_names_outside():
    words = texts(dk.draw(parse("sin(x)*z + 2"), 1.0, 3.0))
    assert [text for gid, text in words.items() if gid.startswith("function")] == ["sin", "×", "+"]
    assert [text for gid, text in words.items() if gid.startswith("name")] == ["x", "z", "t", "u", "2", "J"]


def test_values_and_derivatives_stand_below():
    words = texts(dk.draw(parse("x*z"), 2.0, -0.5, values=True))
    assert [text for gid, text in words.items() if gid.startswith("value")] == ["2", "-0.5", "-1"]
    assert [text for gid, text in words.items() if gid.startswith("gradient")] == ["-0.5", "2", "1"]
    assert words["legend-gradient"] == "derivative of the result by it"


def test_arrays_show_their_shape_and_small_ones_their_entries():
    words = texts(dk.draw(network, *WEIGHTS, values=True))
    assert {"(4, 3)", "(4,)", "(2,)"} <= set(words.values())
    assert "[0, 1, 2]" in words.values()
    assert f"norm {np.sqrt(12) * 0.1:.3g}" in words.values()


def test_a_constant_array_shows_its_shape_and_zero_no_sign():
    words = texts(dk.draw(lambda x: np.sum(x * (x > 0)) + x @ np.array([1.0, 2.0]), np.array([1.0, -2.0]), values=True))
    (constant,) = (gid for gid, text in words.items() if text == "c1")
    assert words[constant.replace("name", "shape")] == "(2,)"
    assert "[1, 0]" in words.values()
    assert "[1, -0]" not in words.values()


@pytest.mark.parametrize(("entry", "words"), [(1e200, "norm 2e+200"), (np.inf, "norm inf"), (np.nan, "norm nan")])
def test_norms_of_huge_numbers_and_of_none(entry, words):
    assert words in texts(dk.draw(np.sum, np.full(4, entry), values=True)).values()


def test_constants_that_a_function_says_are_no_nodes():
    words = texts(dk.draw(parse("1/(x^3 + 3)"), 2.0))
    assert [text for gid, text in words.items() if gid.startswith("name")].count("3") == 1
    assert "1" not in words.values()
    assert {"^3", "1/x"} <= set(words.values())


def test_a_value_read_twice_has_two_edges():
    (axes,) = dk.draw(lambda x: np.multiply(x, x), 2.0).figure().axes
    assert sum(isinstance(patch, PathPatch) for patch in axes.patches) == 2


@pytest.mark.parametrize("f", [lambda x: x, lambda x: np.float64(3.0) + 0 * x])
def test_the_smallest_graphs_are_drawn(f):
    assert dk.draw(f, 1.0).svg().startswith("<?xml")


# ---------------------------------------------------------------- files


def test_the_same_drawing_is_the_same_file_of_each_kind(tmp_path):
    drawing = dk.draw(parse("x*z"), 2.0, 3.0)
    for suffix, begin in {".svg": b"<?xml", ".png": b"\x89PNG", ".dot": b"digraph {"}.items():
        first, second = (drawing.save(tmp_path / f"{name}{suffix}").read_bytes() for name in ("a", "b"))
        assert first == second
        assert first.startswith(begin)
    assert ET.fromstring(drawing.svg()).tag.endswith("svg")  # noqa: S314 (our own file)
    assert drawing._repr_svg_() == drawing.svg()


@pytest.mark.parametrize("name", ["graph.pdf", "graph", "graph.SVGZ"])
def test_an_unknown_kind_of_file_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"saved as \.dot, \.png or \.svg"):
        dk.draw(np.sin, 1.0).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no folder; make it first"):
        dk.draw(np.sin, 1.0).save(tmp_path / "none" / "graph.svg")


# ---------------------------------------------------------------- what cannot be drawn


def test_a_large_graph_is_refused_as_picture_and_written_as_dot(tmp_path):
    def long(x):
        for _ in range(150):
            x = np.sin(x) + 0.5
        return x

    drawing = dk.draw(long, 1.0)
    with pytest.raises(TooLargeError, match=r"has 302 nodes.*more than 200.*save it as \.dot"):
        drawing.png()
    assert drawing.save(tmp_path / "long.dot").read_text(encoding="utf-8").count("shape=box") == 300


def test_wrong_uses_are_refused():
    plan = dk.get("reverse").prepare(np.sin, 1.0)
    with pytest.raises(InputError, match="holds no values"):
        dk.draw(plan.graph, values=True)
    with pytest.raises(InputError, match="a Graph takes no arguments"):
        dk.draw(plan.graph, 1.0)
    with pytest.raises(InputError, match="drawn for arguments, and draw was given none"):
        dk.draw(np.sin)
    with pytest.raises(InputError, match="not a function"):
        dk.draw(3.0, 1.0)
    with pytest.raises(NotScalarError):
        dk.draw(np.sin, np.ones(3), values=True)
    with pytest.raises(InputError, match="black box"):
        dk.draw(dk.get("finite-difference").prepare(lambda x: float(x) ** 2, 1.0))


def test_a_plan_is_drawn_as_its_function():
    def f(x, scale):
        return np.array([np.sin(x[0]), x[0] * x[1] * scale])

    drawing = dk.draw(dk.get("forward").prepare(f, np.ones(2), 3.0))
    names = {words[-1] for words in read(drawing.dot())[0].values()}
    assert {"x[0]", "x[1]", "scale"} < names
    assert drawing.dot() == dk.draw(f, np.ones(2), 3.0).dot()


def test_arrays_that_a_function_reads_from_outside_are_parameters():
    offset = np.arange(3.0)
    drawing = dk.draw(lambda x: x * offset, np.ones(3))
    (axes,) = drawing.figure().axes
    colours = {text.get_text(): text.get_color() for text in axes.texts}
    assert colours["offset"] != colours["x"]


# ---------------------------------------------------------------- the DOT language, read by a small reader of its own

STRING = r'"(?:[^"\\]|\\.)*"'
NODE = re.compile(rf"(n\d+) \[shape=(box|plaintext), label=({STRING})(?:, xlabel=({STRING}))?\];")
TABLE = re.compile(r"(n\d+) \[shape=plain, label=<(<table .*</table>)>\];")
ARROW = re.compile(r"(n\d+)(?::f)? -> (n\d+)(?::f)?;")


def unquoted(word):
    return re.sub(r"\\(.)", lambda found: found[1].replace("n", "\n"), word[1:-1])


def read(source):
    """Notes, function and, last, name of each node, and pairs of nodes; each line must be one of these."""
    first, direction, *rows, last = source.split("\n")
    assert (first, direction.strip(), last) == ("digraph {", "rankdir=LR;", "}")
    nodes, pairs = {}, []
    for row in rows:
        if found := NODE.fullmatch(row.strip()):
            node, shape, label, outside = found.groups()
            assert (shape == "box") == (outside is not None)
            name, *shape = unquoted(outside or label).split("\n")
            nodes[node] = [*shape, *([unquoted(label)] if outside else []), name]
        elif found := TABLE.fullmatch(row.strip()):
            cells = list(ET.fromstring(found[2]).iter("td"))  # noqa: S314 (our own text)
            (boxed,) = (k for k, cell in enumerate(cells) if cell.get("port") == "f")
            assert [k for k, cell in enumerate(cells) if cell.get("border")] == [1] * boxed
            nodes[found[1]] = ["".join(cell.itertext()) for cell in reversed(cells)]
        else:
            pairs.append(ARROW.fullmatch(row.strip()).groups())
    assert {node for pair in pairs for node in pair} <= set(nodes)
    return nodes, pairs


def test_dot_holds_the_graph():
    nodes, pairs = read(dk.draw(parse("exp(x*z) + x"), 1.0, 2.0).dot())
    assert sorted(nodes.values()) == sorted([["x"], ["z"], ["×", "t"], ["exp", "u"], ["+", "J"]])
    named = {(nodes[start][-1], nodes[end][-1]) for start, end in pairs}
    assert named == {("x", "t"), ("z", "t"), ("t", "u"), ("u", "J"), ("x", "J")}


@pytest.mark.parametrize("values", [False, True])
def test_dot_shows_the_shape_of_each_array_as_the_picture_does(values):
    drawing = dk.draw(network, *WEIGHTS, values=values)
    nodes, _ = read(drawing.dot())
    for gid, text in texts(drawing).items():
        if gid.startswith("shape"):
            assert text in nodes[f"n{step(gid)}"]
    assert sum("(4, 3)" in words for words in nodes.values()) == 1
    assert sum(any(word.startswith("(") for word in words) for words in nodes.values()) == len(nodes) - 1  # all but J


def test_a_shape_is_the_second_line_of_a_name_or_a_grey_row():
    plain, table = (dk.draw(lambda A: np.sum(np.sin(A)), np.ones((2, 4)), values=values).dot() for values in (0, 1))
    assert r'xlabel="t\n(2, 4)"' in plain
    assert r'label="A\n(2, 4)"' in plain
    assert 'xlabel="J"]' in plain
    assert table.count('<font color="#737373">(2, 4)</font>') == 2


@pytest.mark.skipif(not GRAPHVIZ, reason="Graphviz is not installed")
@pytest.mark.parametrize("values", [False, True])
def test_graphviz_reads_it_and_shows_the_shapes(values):
    source = dk.draw(network, *WEIGHTS, values=values).dot()
    made = subprocess.run([GRAPHVIZ, "-Tsvg"], input=source, capture_output=True, check=True, encoding="utf-8")
    words = ["".join(text.itertext()) for text in ET.fromstring(made.stdout).iter() if text.tag.endswith("}text")]  # noqa: S314 (our own graph)
    assert words.count("(4, 3)") == 1
    assert words.count("(4,)") == 4


def test_quotes_and_backslashes_are_escaped():
    def f(x):
        return np.sin(x['a "b"\\']) * 2.0

    nodes, _ = read(dk.draw(f, {'a "b"\\': 1.0}).dot())
    assert any('a "b"\\' in name for (*_, name) in nodes.values())


def test_dot_and_picture_have_the_same_nodes_and_edges(drawing):
    nodes, pairs = read(drawing.dot())
    (axes,) = drawing.figure().axes
    names = [text.get_text() for text in axes.texts if text.get_gid().startswith("name")]
    assert sorted(words[-1] for words in nodes.values()) == sorted(names)
    drawn_edges = [patch.get_gid() for patch in axes.patches if isinstance(patch, PathPatch)]
    assert sorted(f"edge-{start[1:]}-{end[1:]}" for start, end in pairs) == sorted(drawn_edges)


def test_dot_with_values_says_what_the_picture_says():
    drawing = dk.draw(lambda x, z: np.where(x < z, np.exp(x * z), z), 1.0, 2.0, values=True)
    nodes, _ = read(drawing.dot())
    drawn = {f"n{gid.split('-')[1]}": set() for gid in texts(drawing) if gid.startswith("name")}
    for gid, text in texts(drawing).items():
        drawn.get(f"n{gid.split('-')[1]}", set()).add(text)
    assert drawn == {node: set(words) for node, words in nodes.items()}
    assert any("<" in words for words in nodes.values())
    assert any("7.389" in words for words in nodes.values())  # exp(2)


def test_notes_are_escaped_and_coloured_and_edges_lead_to_boxes():
    graph = dk.get("reverse").prepare(np.sin, 2.0).function_graph
    made = dot(lines(graph, ["x"]), {"x": (("value", "a < b & c"), ("gradient", "2"))})
    assert f'<font color="{COLOURS["value"]}">a &lt; b &amp; c</font>' in made
    assert f'<font color="{COLOURS["gradient"]}">2</font>' in made
    assert len(set(COLOURS.values())) == 3
    assert "n0:f -> n1:f;" in made
