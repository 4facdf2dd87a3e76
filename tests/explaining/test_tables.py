"""Tables: aligned, escaped, bounded, and LaTeX that a formula renderer takes."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import diffkit as dk


def f(x):
    t = x**2
    return np.cos(np.sin(t) + 3 * t)


def loop(x):
    for _ in range(100):
        x = 1.1 * np.sin(x)
    return x


ROOM = r" \\[3pt]"  # so that fractions of neighbouring rows do not touch


def rows_of_latex(latex):
    first, heading, *body, last = latex.splitlines()
    assert (first, last) == (r"\begin{array}{ll|ll}", r"\end{array}")
    assert heading.endswith(r" \\ \hline")
    assert all(line.endswith(ROOM) for line in body)
    return [line.removesuffix(ROOM).split(" & ") for line in body]


def test_columns_are_aligned():
    lines = str(dk.explain(f, 0.7)).splitlines()
    bars = {line.index("|") for line in lines}
    assert len(bars) == 1
    assert all(line == line.rstrip() for line in lines)
    assert lines[0].split() == ["forward", "value", "|", "backward", "value"]


def test_markdown_is_a_table_whose_bars_are_escaped():
    lines = dk.explain(lambda x: np.abs(x) * 2, -1.0).markdown().splitlines()
    assert lines[:2] == ["| forward | value | backward | value |", "| --- | --- | --- | --- |"]
    assert r"`t = \|x\|`" in lines[3]
    assert {line.replace(r"\|", "").count("|") for line in lines} == {5}


class Cells(HTMLParser):
    """The text of each cell, and the tags that are open."""

    def __init__(self, page):
        super().__init__()
        self.open, self.cells = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-2:] == ["td", "code"]:
            self.cells.append(data)


def test_html_is_well_formed_and_escaped():
    page = Cells(dk.explain(lambda x: 2 * x * (x > 0), 1.0, names=["<b>&x"]).html())
    assert page.open == []
    assert {"<b>&x", "t = 2 <b>&x", "u = <b>&x > 0"} <= set(page.cells)


@pytest.mark.parametrize("version", ["A", "B"])
def test_latex_is_an_array_of_four_columns_that_mathtext_takes(instance, version):
    rows = rows_of_latex(dk.explain(instance.function, instance.point, version=version, limit=12).latex())
    assert {len(row) for row in rows} == {4}
    parser = MathTextParser("path")
    for cell in {cell for row in rows for cell in row if cell.strip()}:
        parser.parse(f"${cell}$")


def test_latex_escapes_names():
    latex = dk.explain(lambda x: x * x, 3.0, names=[r"a_b&\input{x}%"]).latex()
    assert r"\input" not in latex
    assert {len(row) for row in rows_of_latex(latex.replace(r"\&", ""))} == {4}


def test_long_columns_are_cut_and_say_how_to_see_all():
    short = str(dk.explain(loop, 0.5, limit=10)).splitlines()
    assert len(short) == 1 + 11
    assert "... 191 more (limit=None shows all)" in short[6]
    whole = str(dk.explain(loop, 0.5, limit=None)).splitlines()
    assert len(whole) > 250
    assert "more" not in "".join(whole)
    assert whole[-1].split("|")[1].split() == short[-1].split("|")[1].split()


def test_a_page_says_how_many_rows_are_missing_and_a_notebook_how_to_see_them():
    explanation = dk.explain(loop, 0.5, limit=10)
    for page in (explanation.markdown(), explanation.latex(), explanation.html()):
        assert "... 191 more" in page
        assert "limit" not in page
    assert "... 191 more (limit=None shows all)" in explanation._repr_html_()
    assert "... 191 more (limit=None shows all)" in explanation._repr_latex_()
    assert "... 191 more (turning the page shows all)" in explanation.text("turning the page")


def test_short_columns_are_whole():
    assert "more" not in str(dk.explain(f, 0.7, limit=10, version="A"))
