"""Files stay short enough to read in one sitting, and say nothing about the machine they were written on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "diffkit").rglob("*.py"))
LONGEST = 400  # lines; a longer module reads better as a folder of its families

TEXT = {".css", ".html", ".json", ".jsonl", ".md", ".py", ".svg", ".toml", ".yaml", ".yml", ""}
OURS = ["diffkit", "tests", "docs", "benchmarks", "examples", "reports/reference", ".ci"]
PUBLISHED = sorted(
    file
    for file in [*ROOT.iterdir(), *(file for folder in OURS for file in (ROOT / folder).rglob("*"))]
    if file.is_file() and file.suffix in TEXT
)
# A path from the root of a file system, not the same words within an address.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|Users|root|work|tmp|mnt)/|\b[A-Z]:\\Users\b")


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_module_is_long(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST


@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_file_names_a_path_of_one_machine(file: Path) -> None:
    found = MACHINE_PATH.findall(file.read_text(encoding="utf-8"))
    assert found == []


def test_the_files_were_found() -> None:
    assert len(MODULES) > 20
    assert {"pyproject.toml", "Makefile", "run", "test_files.py"} <= {file.name for file in PUBLISHED}
