"""The registry of figures, and the pages that show them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diffkit import cli
from diffkit.errors import UnknownNameError
from diffkit.lab import figures

DOCS = Path(__file__).parents[3] / "docs"
SHOWN = re.compile(r"!\[([^\]]*)\]\(figures/([\w-]+)\.png\)")
MOST_BYTES = 50_000
"""Of a picture: the pages stay quick to load, and the repository small."""
LONG = {
    *("band", "hidden-units", "pocket", "four-gaussians", "digits", "answers"),
    *("training-methods", "training-scale", "gradients-by-layer", "least-squares-rates"),
}
"""What takes seconds or minutes to draw, or shows times."""


def shown() -> dict[str, str]:
    """What each picture of the pages says to those who cannot see it, by name."""
    pages = sorted((DOCS / "lab").glob("*.md"))
    return {name: text for page in pages for text, name in SHOWN.findall(page.read_text(encoding="utf-8"))}


def test_every_topic_is_registered():
    files = Path(figures.__file__).parent.glob("*.py")
    assert sorted(figures.TOPICS) == sorted(file.stem for file in files if file.stem != "__init__")


def test_every_figure_is_on_a_page_and_every_picture_is_a_figure():
    files = {file.stem for file in (DOCS / "lab" / "figures").glob("*.png")}
    assert set(figures.all_figures()) == set(shown()) == files


def test_every_picture_is_described_and_small():
    assert all(len(text) > 30 for text in shown().values())
    sizes = {file.name: file.stat().st_size for file in (DOCS / "lab" / "figures").iterdir()}
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}


def test_every_figure_asks_a_question():
    assert all(figure.question.endswith("?") for figure in figures.choose())


@pytest.mark.parametrize("name", sorted(set(figures.all_figures()) - LONG))
def test_a_figure_is_a_small_file_and_the_same_each_time(name, tmp_path):
    (figure,) = figures.choose([name])
    first, second = (figures.draw(figure, tmp_path / folder).read_bytes() for folder in ("one", "two"))
    assert first == second
    assert first[1:4] == b"PNG"
    assert len(first) <= MOST_BYTES


def test_a_figure_that_nobody_has_is_an_error():
    with pytest.raises(UnknownNameError, match="did you mean 'pocket'"):
        figures.choose(["pockets"])


def test_a_figure_is_drawn_by_name_into_a_folder_given_as_text(tmp_path):
    (figure,) = figures.choose(["diagram-wide"])
    by_name = figures.draw("diagram-wide", str(tmp_path / "name"))
    assert by_name.read_bytes() == figures.draw(figure, tmp_path / "figure").read_bytes()


@pytest.mark.parametrize("figure", ["pockets", 3])
def test_what_is_no_figure_is_not_drawn(figure, tmp_path):
    with pytest.raises(UnknownNameError, match=str(figure)):
        figures.draw(figure, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_command_lists_and_draws(tmp_path, capsys):
    for arguments in (["lab", "--list"], ["lab", "graph-composition", "--out", str(tmp_path)]):
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in figures.all_figures())
    assert [file.name for file in tmp_path.iterdir()] == ["graph-composition.png"]
