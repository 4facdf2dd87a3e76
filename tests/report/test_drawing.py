from __future__ import annotations

import re
from html.parser import HTMLParser

import matplotlib as mpl
import pytest

from diffkit.report.drawing import draw, write_files
from diffkit.report.figures import PICTURES

EVERY = pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)


class Words(HTMLParser):
    """The texts of a picture, as a browser reads them."""

    def __init__(self, svg):
        super().__init__()
        self.texts: list[str] = []
        self.feed(svg)

    def handle_starttag(self, tag, attrs):
        if tag == "text":
            self.texts.append("")

    def handle_data(self, data):
        if self.texts:
            self.texts[-1] += data


def words(svg):
    return [text.strip() for text in Words(svg).texts]


@pytest.fixture(scope="module")
def drawings(described):
    return {answer.picture: answer.drawing for answer in described.answers}


@EVERY
def test_words_stay_words_in_both_forms(picture, drawings):
    drawing = drawings[picture]
    for svg in (drawing.wide, drawing.narrow):
        shown = words(svg)
        assert any(re.fullmatch(r".+ \([^()]+\)", text) for text in shown)  # an axis with its unit
        assert any(text.startswith(("forward", "finite-difference (forward)")) for text in shown)
        assert "font-family" not in svg


@EVERY
def test_the_page_says_the_title_itself(picture, drawings):
    drawing = drawings[picture]
    assert drawing.finding
    assert drawing.context
    for svg in (drawing.wide, drawing.narrow):
        assert not {drawing.finding, drawing.context} & set(words(svg))


def test_all_pictures_fit_into_one_page(drawings):
    """An identifier names one thing, and everything that is pointed at is there."""
    parts = [svg for drawing in drawings.values() for svg in (drawing.wide, drawing.narrow)]
    names = [name for part in parts for name in re.findall(r'\bid="([^"]+)"', part)]
    assert len(names) == len(set(names)) > len(parts)
    for part in parts:
        own = set(re.findall(r'\bid="([^"]+)"', part))
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', part)) == own


@EVERY
def test_a_picture_brings_no_style_and_no_address(picture, drawings):
    drawing = drawings[picture]
    for svg in (drawing.wide, drawing.narrow):
        assert "<style" not in svg
        assert "//" not in svg


@EVERY
def test_the_same_rows_give_the_same_picture(picture, run, drawings):
    settings = dict(mpl.rcParams)
    assert draw(picture, run) == drawings[picture]
    assert dict(mpl.rcParams) == settings


@EVERY
def test_names_are_shown_as_they_are(picture, run):
    """A name may hold what XML or TeX would read as its own."""
    name = '</text><script>$x_$ & id="figure_1" url(#clip)'
    drawing = draw(picture, run.replace({"problem": {"tanh-map": name}}))
    shown = " ".join([drawing.context, *words(drawing.wide), *words(drawing.narrow)])
    studies = {"error-against-step-size", "operations-against-depth"}  # about other problems
    assert (name in shown) == (picture.name not in studies)
    assert "<script" not in drawing.wide + drawing.narrow


@EVERY
def test_no_rows_are_no_picture(picture, run, tmp_path):
    assert draw(picture, run.iloc[:0]) is None
    write_files(picture, run, tmp_path)
    assert {file.suffix for file in tmp_path.iterdir()} == {".png", ".svg"}
    write_files(picture, run.iloc[:0], tmp_path)
    assert list(tmp_path.iterdir()) == []
