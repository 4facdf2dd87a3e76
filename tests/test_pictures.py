from __future__ import annotations

from io import BytesIO
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from diffkit.errors import InputError, UnsupportedError
from diffkit.pictures import Drawing, looks
from diffkit.report.rows import METHODS

# What red-green colour blindness leaves of a colour: Viénot, Brettel and Mollon (1999), on linear RGB.
SEEN = {
    "protanopia": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deuteranopia": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
}


def linear(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] if isinstance(colour, str) else colour
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def lab(rgb):
    """CIELAB, where a distance of about 2 can just be seen."""
    scaled = np.array([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8728]]) @ rgb
    x, y, z = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("kind", SEEN)
def test_the_four_colours_stay_apart_for_the_colour_blind(kind):
    seen = [lab(np.array(SEEN[kind]) @ linear(look.colour)) for look in looks(METHODS).values()]
    assert min(np.linalg.norm(first - second) for first, second in combinations(seen, 2)) > 15


def test_methods_differ_in_more_than_colour():
    assert len({look.marker for look in looks(METHODS).values()}) == len(METHODS)


def test_variants_are_told_apart():
    labels = ["symbolic", "symbolic(form=expression)", "reverse", "jax", "torch"]
    found = looks(labels)
    assert list(found) == labels
    assert len({look.colour for look in found.values()}) == len(labels)
    assert found["symbolic"].linestyle != found["symbolic(form=expression)"].linestyle
    assert found["symbolic"].marker == found["symbolic(form=expression)"].marker


@pytest.mark.parametrize("label", [*METHODS, "jax", "torch", "autograd"])
def test_text_has_enough_contrast_on_white(label):
    """The Web Content Accessibility Guidelines ask for 4.5."""
    red, green, blue = linear(looks(["jax", "torch", "autograd", *METHODS])[label].ink)
    assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) > 4.5


# ---------------------------------------------------------------- drawings


def plotted():
    figure = Figure()
    figure.subplots().plot([1, 3, 2])
    return figure


def test_a_drawing_is_drawn_anew_in_the_style_of_the_pictures_each_time():
    made = []

    def make():
        made.append(mpl.rcParams["svg.hashsalt"])
        return plotted()

    drawing = Drawing(make)
    assert made == []
    assert drawing.svg() == drawing._repr_svg_()
    assert drawing.png() == drawing.png()
    assert made == ["diffkit"] * 4
    assert mpl.rcParams["svg.hashsalt"] is None


def test_few_letters_in_a_colour_keep_it():
    def make():
        figure = Figure(figsize=(4, 2))
        for line, colour in enumerate(["0.15", "#006B4F"] * 5):
            figure.text(0.1, 0.05 + 0.09 * line, "many numbers 0.1234, 5.678", color=colour)
        figure.text(0.9, 0.5, "x", color="#004B78")
        return figure

    shown = np.array(Image.open(BytesIO(Drawing(make).png())).convert("RGB")).reshape(-1, 3)
    assert np.abs(shown.astype(int) - (0x00, 0x4B, 0x78)).sum(axis=1).min() <= 6


def test_a_drawing_without_a_source_has_no_dot_form(tmp_path):
    with pytest.raises(UnsupportedError, match="no form in the DOT language"):
        Drawing(plotted).dot()
    with pytest.raises(InputError, match=r"'a\.dot' ends in '\.dot'; a drawing is saved as \.png or \.svg"):
        Drawing(plotted).save(tmp_path / "a.dot")


def test_a_drawing_with_a_source_is_saved_as_it_is_named(tmp_path):
    drawing = Drawing(plotted, lambda: 'digraph { "ä" }')
    assert drawing.save(tmp_path / "a.dot").read_text(encoding="utf-8") == 'digraph { "ä" }'
    assert drawing.save(str(tmp_path / "a.png")).read_bytes() == drawing.png()
    assert drawing.save(tmp_path / "a.svg").read_text(encoding="utf-8") == drawing.svg()
