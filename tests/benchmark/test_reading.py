from __future__ import annotations

import pytest

from diffkit.benchmark.reading import Source
from diffkit.errors import InputError

TEXT = """# a comment with seconds = 1
summary = "methods"
[limits]
seconds = 1
[[grid]]
methods = ["a", 'b']  # seconds
inputs = [
    1,
    10,
]
[[ grid ]] # the second
methods = ["b"]
"""
SOURCE = Source(TEXT, "my.toml")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("", 1, "summary"), 2),
        (("limits", 1), 3),
        (("limits", 1, "seconds"), 4),
        (("grid", 1), 5),
        (("grid", 1, "methods", "b"), 6),
        (("grid", 1, "inputs", 1), 8),
        (("grid", 1, "inputs", 10), 9),
        (("grid", 1, "inputs", 100), 7),
        (("grid", 2, "methods", "b"), 12),
        (("grid", 2, "inputs"), 11),
    ],
)
def test_the_line_is_found(place, line):
    assert SOURCE.line(*place) == line


@pytest.mark.parametrize("place", [("grid", 1), ("grid", 1, "methods"), ("grid", 1, "methods", "b")])
def test_what_is_written_inline_is_found_where_it_begins(place):
    assert Source("summary = ''\n\ngrid = {methods = ['b']}\n", "x").line(*place) == 3


def test_an_error_says_where():
    with pytest.raises(InputError, match=r"^my\.toml, line 4: no$"), SOURCE.at("limits", 1, "seconds"):
        raise InputError("no")


@pytest.mark.parametrize(("text", "line"), [("a = 1\nb = = 2\n", 2), ("a = [1,\n2,\n", 2), ("a = 1\na = 2", 2)])
def test_what_is_not_toml_says_where(text, line):
    with pytest.raises(InputError, match=f"^x, line {line}: this is not TOML: "):
        Source(text, "x").document()
