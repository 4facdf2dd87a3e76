from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from diffkit.benchmark.results import Measurement, append
from diffkit.report import write_report
from diffkit.report.html import html
from diffkit.report.words import typeset

REFERENCE = Path(__file__).parents[2] / "reports" / "reference" / "measurements.jsonl"
VOID = {"meta", "link", "input"}


@dataclass
class Element:
    """One element of a page: its attributes, and all text within it."""

    tag: str
    attributes: dict[str, str | None]
    texts: list[str] = field(default_factory=list)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


class Reader(HTMLParser):
    """Reads a page as a browser does, and checks that what is opened is closed."""

    def __init__(self, text):
        super().__init__()
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        for element in self.open:
            element.texts.append(data)

    def all(self, tag, **wanted):
        return [e for e in self.elements if e.tag == tag and wanted.items() <= e.attributes.items()]


def read(folder):
    return Reader((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(reported):
    return read(reported)


def raw_rows(page):
    """The rows within a page, by name."""
    (script,) = page.all("script", id="rows")
    columns, *rows = json.loads("".join(script.texts))
    return [dict(zip(columns, row, strict=True)) for row in rows]


def texts(page, tag, **wanted):
    return [element.text for element in page.all(tag, **wanted)]


def test_both_pages_say_the_same(reported, page, described):
    """The same findings, verdicts, evidence and captions: one model, two ways to write it."""
    markdown = re.sub(r"\\(.)", r"\1", (reported / "report.md").read_text(encoding="utf-8"))
    whole = page.all("body")[0].text
    evidence = [sentence for verdict in described.verdicts for sentence in verdict.evidence]
    captions = [answer.picture.caption for answer in described.answers]
    headings = [section.heading for section in described.sections]
    sentences = [*described.summary, *described.findings, *evidence, *captions, *headings]
    assert len(sentences) > 30
    for sentence in sentences:
        assert sentence in markdown
        assert typeset(sentence) in whole


def test_verdicts_have_a_sign_and_a_word(page):
    badges = [e.text for e in page.all("p") if (e.attributes.get("class") or "").startswith("badge")]
    assert badges == ["✓ held"] * 4


def test_every_measurement_is_a_row(page, run):
    table = texts(page, "table", id="measurements")
    assert len(table) == 1
    headings = [e for e in page.all("th", scope="col") if "data-column" in e.attributes]
    assert all(e.attributes["aria-sort"] == "none" for e in headings)
    assert [e.attributes["data-column"] for e in headings][:6] == [
        "problem", "method", "engine", "inputs", "outputs", "status",
    ]  # fmt: skip
    assert table[0].count("tanh-map") == (run["problem"] == "tanh-map").sum()
    assert "one run (µs)" in table[0]


def test_a_run_that_failed_says_why(page):
    found = [e.text for e in page.all("td", **{"class": "status missed"})]
    assert found.count("too large") == 19
    assert found.count("failed") == 1
    assert texts(page, "td", **{"class": "long"}).count("ValueError: a | b <c>") == 1


def test_the_raw_rows_are_in_the_page(page, reported):
    lines = (reported / "measurements.jsonl").read_text(encoding="utf-8").splitlines()
    assert raw_rows(page) == list(map(json.loads, lines))


def test_nothing_is_loaded_from_elsewhere(page, reported):
    assert page.all("link") == page.all("link", rel="icon", href="data:,")
    assert not [e for e in page.elements if "src" in e.attributes or "srcset" in e.attributes]
    links = [e.attributes.get("href") or e.attributes.get("xlink:href") for e in page.elements]
    assert {link[0] for link in links if link and link != "data:,"} == {"#"}
    text = (reported / "report.html").read_text(encoding="utf-8")
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert {target[:5] for target in re.findall(r"url\((.)", text)} == {"#"}


def test_links_within_the_page_lead_somewhere(page):
    names = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(names) == len(set(names))
    links = [e.attributes["href"] for e in page.all("a") if "href" in e.attributes]
    assert len(links) > 5
    assert {link[1:] for link in links} <= set(names)


def test_only_our_script_may_run(page):
    (policy,) = [e.attributes["content"] for e in page.all("meta") if "http-equiv" in e.attributes]
    (script,) = [e for e in page.all("script") if "type" not in e.attributes]
    digest = b64encode(sha256("".join(script.texts).encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


EVIL = "</script></td><script>alert(1)</script><img src=x onerror=alert(1)> & \"quoted\" '{{ 1 }}' $x_$"


def evil_run(folder):
    """Every text of a row and of the environment is what an attacker would write."""
    for size in (1, 2):
        for method in ("reverse", f"other(option={EVIL})"):
            facts = {"error": 0.0, "run_seconds": 1e-6, "function_seconds": 1e-6, "prepare_seconds": 1e-3}
            append(folder, Measurement(EVIL, EVIL, method, EVIL, size, 1, **facts))
    append(folder, Measurement(EVIL, EVIL, "forward", EVIL, 1, 1, status="failed", reason=EVIL))
    (folder / "environment.json").write_text(json.dumps({EVIL: EVIL, "cpu": EVIL}), encoding="utf-8")


def test_what_data_hold_is_text(tmp_path):
    evil_run(tmp_path)
    write_report(tmp_path)
    page = read(tmp_path)
    assert len(page.all("script")) == 2
    assert page.all("img") == []
    assert not [e for e in page.elements for name in e.attributes if name.startswith("on")]
    cells = texts(page, "td")
    assert cells.count(EVIL) >= 8
    assert EVIL in page.all("title")[0].text
    assert {row["problem"] for row in raw_rows(page)} == {EVIL}


def test_a_run_without_rows_has_a_page_that_says_so(tmp_path):
    (tmp_path / "measurements.jsonl").touch()
    write_report(tmp_path)
    page = read(tmp_path)
    assert page.all("table") == []
    assert page.all("a", id="csv") == []
    whole = page.all("body")[0].text
    assert "Nothing was measured: the run has no rows yet." in whole
    assert whole.count("Left out: this run does not hold ") == 7
    assert whole.count("? undecided") == 4


def test_a_run_of_one_cell_has_a_page(tmp_path, law):
    append(tmp_path, next(iter(law().rows("tanh-map", [(1, 1)]))))
    write_report(tmp_path)
    page = read(tmp_path)
    assert "1 measurement of 1 problem by finite-difference: 1 ok." in texts(page, "p")
    assert texts(page, "output") == ["Rows shown: 1 of 1"]
    assert len(page.all("figure")) == 1


def test_a_torn_last_row_is_in_neither_table_nor_raw_data(tmp_path, law):
    append(tmp_path, next(iter(law().rows("tanh-map", [(1, 1)]))))
    with (tmp_path / "measurements.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"suite": "pla')
    write_report(tmp_path)
    page = read(tmp_path)
    assert [row["problem"] for row in raw_rows(page)] == ["tanh-map"]
    assert texts(page, "output") == ["Rows shown: 1 of 1"]


def test_a_column_that_is_new_is_shown(run, described):
    page = Reader(html(described, run.assign(warning="the machine was busy")))
    assert texts(page, "td").count("the machine was busy") == len(run)
    assert {row["warning"] for row in raw_rows(page)} == {"the machine was busy"}


def test_a_thousand_rows_stay_below_3_megabytes(tmp_path):
    """As many as the scaling suite makes, with all their samples."""
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) | {"suite": f"copy {copy}"} for copy in range(4) for line in lines]  # a cell counts once
    (tmp_path / "measurements.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows[:1100]), "utf-8")
    write_report(tmp_path)
    assert 1_000_000 < (tmp_path / "report.html").stat().st_size < 3_000_000
