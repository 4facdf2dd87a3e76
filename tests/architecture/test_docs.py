"""Links in the pages lead somewhere, and every page can be reached from the README.

The examples in the pages are run by pytest itself (`--doctest-glob` in pyproject.toml).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scipy.special import expit

import diffkit as dk

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "reports" / "reference").rglob("*.md")])

BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"""\]\(\s*<?([^)\s>]+)|(?:src|href)=["']([^"']+)""")
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
ELSEWHERE = ("http://", "https://", "mailto:")


def prose(page: Path) -> str:
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Targets within the project, as written: ``file``, ``file#anchor`` or ``#anchor``."""
    found = (markdown or html for markdown, html in LINK.findall(CODE.sub("", prose(page))))
    return [link for link in found if not link.startswith(ELSEWHERE)]


def target(page: Path, link: str) -> Path:
    path = link.partition("#")[0]
    return (page.parent / path).resolve() if path else page


def anchors(page: Path) -> set[str]:
    """What renderers of Markdown make of the headings: lower case, hyphens, no punctuation."""
    headings = HEADING.findall(prose(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        aim, anchor = target(page, link), link.partition("#")[2]
        assert aim.exists(), f"{link}: no such file"
        assert aim.is_relative_to(ROOT), f"{link}: outside the project"
        assert not anchor or anchor in anchors(aim), f"{link}: no such heading"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            ahead += [aim for link in links(page) if (aim := target(page, link)).suffix == ".md"]
    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_table_has_a_head_and_rows_of_one_width(page: Path) -> None:
    """Rows behind an empty line are no table."""
    for table in re.findall(r"(?:^\|.*\n)+", prose(page), re.MULTILINE):
        head, rule, *rows = table.splitlines()
        assert set(rule) <= set("|-: "), f"{head}: no head above"
        cells = {len(re.findall(r"(?<!\\)\|", CODE.sub("", row).replace("`", ""))) for row in (head, rule, *rows)}
        assert len(cells) == 1, f"{head}: rows of {sorted(cells)} bars"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_fence_has_its_language_right_behind_it(page: Path) -> None:
    assert re.findall(r"^``` +.*", page.read_text(encoding="utf-8"), re.MULTILINE) == []


def test_a_function_with_two_names_has_a_row_in_the_glossary() -> None:
    (row,) = (
        line for line in (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines() if "`expit`" in line
    )
    plan = dk.get("reverse", engine="numpy").prepare(expit, 1.0)
    shown = {
        name: [name in text for text in (str(dk.explain(expit, 1.0)), plan.source)] for name in ("sigmoid", "expit")
    }
    assert shown == {"sigmoid": [True, False], "expit": [False, True]}
    assert "`sigmoid`" in row
