from __future__ import annotations

import re

import matplotlib as mpl
import pytest

from diffkit.benchmark.results import SUITE, Measurement, append
from diffkit.benchmark.suite import FIGURES
from diffkit.errors import ResultsError
from diffkit.report import write_report
from diffkit.report.figures import PICTURES

NAMES = [picture.name for picture in PICTURES]


@pytest.fixture
def page(reported):
    return (reported / "report.md").read_text(encoding="utf-8")


def section(page, heading):
    return page.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def table_rows(text):
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]


def test_words_come_first_then_verdicts_then_pictures(page):
    headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert headings == [
        "Four claims, judged",
        "Pictures",
        "Fitted exponents",
        "Engines",
        "What was not measured",
        "Environment",
    ]
    summary = page.partition("## ")[0]
    assert "Measured on one \\| two with Python 3.11." in summary
    assert "244 measurements of 5 problems" in summary
    assert "224 ok, 19 too large and 1 failed" in summary
    assert summary.count("\n- ") == len(PICTURES)


def test_every_claim_has_its_verdict_and_evidence(page):
    found = section(page, "Four claims, judged")
    assert [row[1].strip() for row in table_rows(found)] == ["verdict", "---", "held", "held", "held", "held"]
    assert found.count("\n**") == 4
    assert found.count("\n- ") > 12


def test_pictures_are_written_twice_and_linked(reported, page):
    assert sorted(file.name for file in (reported / "figures").iterdir()) == sorted(
        name + suffix for name in NAMES for suffix in (".png", ".svg")
    )
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert len(links) == 2 * len(NAMES)
    assert all((reported / link).is_file() for link in links)


def test_tables_have_as_many_entries_in_each_row(page):
    tables = [block for block in page.split("\n\n") if block.startswith("|")]
    assert len(tables) == len(PICTURES) + 5
    for table in tables:
        assert len({len(row) for row in table_rows(table)}) == 1


def test_tables_hold_the_measured_numbers(page, run):
    reverse = run[(run["problem"] == "tanh-map") & (run["outputs"] == 1) & (run["method"] == "reverse")]
    last = reverse.loc[reverse["inputs"].idxmax(), "run_seconds"]
    table = table_rows(page.partition("(figures/time-against-inputs.svg)")[2].partition("###")[0])
    assert [cell.strip() for cell in table[0]] == [
        "A",
        "f itself",
        "finite-difference",
        "symbolic",
        "forward",
        "reverse",
    ]
    assert table[-1][0].strip() == "1,000"
    assert table[-1][3].strip() == "too large"
    assert float(table[-1][5].split()[0]) == pytest.approx(last * 1e6, rel=5e-3)


def test_what_was_not_measured_is_named_with_its_reason(page):
    found = [[cell.strip() for cell in row] for row in table_rows(section(page, "What was not measured"))[2:]]
    assert [row[:3] for row in found] == [
        ["too large", "symbolic", "numpy"],
        ["failed", "symbolic", "numpy"],
        ["too large", "symbolic (expression)", "numpy"],
    ]
    assert found[0][3].endswith("and 10 more")
    assert found[1][3:] == ["odd (3, 1)", r"ValueError: a \| b &lt;c>"]
    assert found[2][3:] == [
        "logistic-map (depth 10); logistic-map (depth 11); logistic-map (depth 12)",
        "more than 3,000 operations",
    ]


def test_the_environment_is_shown(page):
    found = section(page, "Environment")
    assert r"| cpu | one \| two |" in found
    assert "| commit | not set |" in found
    assert r"| threads | OMP\_NUM\_THREADS: 1 |" in found


def failed_run(folder):
    append(folder, Measurement("planted", "odd", "reverse", "numpy", 3, 1, status="failed", reason="no"))


@pytest.mark.parametrize("text", [None, "{torn", "[]"])
def test_a_missing_environment_is_said(tmp_path, text):
    failed_run(tmp_path)
    if text is not None:
        (tmp_path / "environment.json").write_text(text, encoding="utf-8")
    page = write_report(tmp_path)[0].read_text(encoding="utf-8")
    assert "Not recorded: environment.json is missing or unreadable." in page
    assert "Where it was measured was not recorded." in page


@pytest.mark.parametrize(
    ("keep", "missing"),
    [
        (lambda row: row.study == "cells", {"error-against-step-size", "operations-against-depth"}),
        (lambda row: row.study == "swell", set(NAMES) - {"operations-against-depth"}),
        (lambda row: row.study == "step-size", set(NAMES) - {"error-against-step-size"}),
        (lambda row: row.status == "failed", set(NAMES)),
        (lambda row: row.method == "symbolic" and row.status == "too large", set(NAMES)),
        (lambda row: (row.study, row.inputs, row.outputs) == ("cells", 1, 1), set(NAMES) - {"relative-cost"}),
    ],
    ids=["cells", "swell", "step sizes", "failures", "too large", "one cell"],
)
def test_missing_studies_are_left_out_with_one_sentence(tmp_path, law, keep, missing):
    for row in filter(keep, law().measurements()):
        append(tmp_path, row)
    page = write_report(tmp_path)[0].read_text(encoding="utf-8")
    assert {name for name in NAMES if f"(figures/{name}.png)" not in page} == missing
    assert page.count("Left out: this run does not hold ") == len(missing)
    assert {file.stem for file in (tmp_path / "figures").iterdir()} == set(NAMES) - missing


def test_everything_measured_is_said(tmp_path, law):
    for row in law().rows("tanh-map", [(1, 1)]):
        append(tmp_path, row)
    assert "Everything that was asked for was measured" in write_report(tmp_path)[0].read_text(encoding="utf-8")


def test_a_picture_of_an_earlier_run_does_not_stay(tmp_path):
    failed_run(tmp_path)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "winners.svg").touch()
    write_report(tmp_path)
    assert list((tmp_path / "figures").iterdir()) == []


def test_a_run_without_rows_has_a_page_that_says_so(tmp_path):
    (tmp_path / "measurements.jsonl").touch()
    page = write_report(tmp_path)[0].read_text(encoding="utf-8")
    assert page.startswith("# Four ways to differentiate, measured\n\nNothing was measured: the run has no rows yet.\n")
    assert "In short" not in page
    assert page.count("Left out: this run does not hold ") == len(NAMES)


def test_no_run_is_an_error(tmp_path):
    with pytest.raises(ResultsError):
        write_report(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_written_is_an_error(folder):
    (folder / "figures").touch()
    with pytest.raises(ResultsError, match="cannot write the report"):
        write_report(folder)


def test_the_same_run_gives_the_same_files(reported, folder):
    settings = dict(mpl.rcParams)
    write_report(folder)
    files = [file.relative_to(folder) for file in folder.rglob("*") if file.is_file()]
    assert len(files) == 2 * len(NAMES) + 4
    assert all((folder / file).read_bytes() == (reported / file).read_bytes() for file in files)
    assert dict(mpl.rcParams) == settings


def test_a_report_is_small_enough_to_be_kept(reported):
    assert sum(file.stat().st_size for file in reported.rglob("*") if file.is_file()) < 2_000_000


def test_svg_says_neither_date_nor_machine(reported):
    for name in NAMES:
        text = (reported / "figures" / f"{name}.svg").read_text(encoding="utf-8")
        assert "<dc:date>" not in text
        assert str(reported) not in text


def test_a_suite_names_the_figures_of_its_report(folder):
    assert tuple(picture.name for picture in PICTURES) == FIGURES
    (folder / SUITE).write_text('figures = ["winners"]', encoding="utf-8")
    write_report(folder)
    assert {file.stem for file in (folder / "figures").iterdir()} == {"winners"}
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert text.count("![") == 1
    (folder / SUITE).unlink()
    write_report(folder)
    assert {file.stem for file in (folder / "figures").iterdir()} == set(FIGURES)
