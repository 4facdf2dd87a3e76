"""The command `diffkit explain`, as it is typed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import diffkit as dk
from diffkit import cli
from diffkit.explaining.formulas import parse

EXAMPLE = "exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)"


def call(*arguments):
    """Run the command line here; hands back its exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["explain", *arguments])
    return ended.value.code


def test_the_worked_example(capsys):
    assert call(EXAMPLE, "--at", "x=2,z=3") == 0
    shown = capsys.readouterr().out
    for words in ("t = x z     6 ", "J = p + r   412.191", "dJ/dz += dJ/dt x", "809.707", "1208.38"):
        assert words in shown


def test_the_columns_are_not_cut_where_output_is_piped():
    code = "from diffkit.cli import main; main()"
    piped = subprocess.run(
        [sys.executable, "-c", code, "explain", EXAMPLE, "--at", "x=2,z=3", "--format", "html"],
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
    )
    assert max(map(len, piped.stdout.splitlines())) > 100
    assert piped.stdout.startswith("<table ")
    assert piped.stdout.rstrip().endswith("</table>")


@pytest.mark.parametrize(
    ("form", "begins"), [("markdown", "| forward |"), ("latex", r"\begin{array}"), ("html", "<table ")]
)
def test_every_format_is_only_that(capsys, form, begins):
    assert call(EXAMPLE, "--at", "x=2,z=3", "--format", form) == 0
    assert capsys.readouterr().out.startswith(begins)


def test_version_a_sums(capsys):
    assert call(EXAMPLE, "--at", "z=3, x=2", "--version", "A") == 0
    shown = capsys.readouterr().out
    assert "dJ/dx = dJ/dv 1/x + dJ/dt z" in shown
    assert "+=" not in shown


def test_a_formula_may_begin_with_a_minus_sign(capsys):
    assert call("-x*x", "--at", "x=2") == 0
    assert "-4" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["svg", "png", "dot"])
def test_a_drawing_is_saved_beside(capsys, tmp_path, suffix):
    file = tmp_path / f"graph.{suffix}"
    assert call("x*z", "--at", "x=2,z=3", "--draw", str(file), "--format", "markdown") == 0
    printed = capsys.readouterr()
    assert file.stat().st_size > 50
    assert str(file) in printed.err
    assert str(file) not in printed.out


@pytest.mark.parametrize(
    ("formula", "at", "words"),
    [
        ("__import__('os').system('echo x')", "x=1", "no function '__import__'"),
        ("x[red]+y[/red]", "x=1,y=2", "x[red]+y[/red]"),
        ("sine(x)", "x=1", "did you mean 'sin'?"),
        ("log(x)", "x=-1", "'log' gives nan here, at x = -1"),
        ("x*z", "x=2", "no value for z; give all variables, as x=2,z=3"),
        ("x*z", "x=2,z=3,[b]=1", "has no variable '[b]'; it has x, z"),
        ("x*z", "x=2,z=three", "'three' is no finite number for z"),
        ("x*z", "x=2,z=inf", "'inf' is no finite number"),
        ("x*z", "x=2,x=3,z=1", "x is given twice"),
        ("x*z", "", "is no value of a variable"),
        ("x*z", "2,3", "'2' is no value of a variable"),
        ("x*e", "x=2,e=1", "has no variable 'e'"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(capsys, formula, at, words):
    assert call(formula, "--at", at) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert words in printed.err


LONG = "+".join(f"sin({number}*x)" for number in range(2, 32))


def test_a_long_table_says_which_option_shows_all(capsys):
    assert call(LONG, "--at", "x=1") == 0
    cut = capsys.readouterr().out
    assert "more (--limit all shows all)" in cut
    assert "None" not in cut
    assert cut == dk.explain(parse(LONG), 1.0).text("--limit all") + "\n"  # the default is that of Python
    for every in ("all", "0"):
        assert call(LONG, "--at", "x=1", "--limit", every) == 0
        assert capsys.readouterr().out == str(dk.explain(parse(LONG), 1.0, limit=None)) + "\n"
    assert call(LONG, "--at", "x=1", "--limit", "4") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 5


@pytest.mark.parametrize("form", ["markdown", "latex", "html"])
def test_a_page_says_nothing_of_options(capsys, form):
    assert call(LONG, "--at", "x=1", "--format", form) == 0
    page = capsys.readouterr().out
    assert "more" in page
    assert "limit" not in page
    assert call(LONG, "--at", "x=1", "--format", form, "--limit", "all") == 0
    assert "more" not in capsys.readouterr().out


@pytest.mark.parametrize("limit", ["none", "-1", "2.5", ""])
def test_a_limit_that_is_no_number_of_rows_is_refused(capsys, limit):
    assert call("x*z", "--at", "x=2,z=3", f"--limit={limit}") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "give a whole number of rows, or 0 or all to show all" in printed.err


def test_the_caret_stands_under_the_place(capsys):
    assert call("1 + sine(x)", "--at", "x=1") == 2
    _, shown, caret = capsys.readouterr().err.rstrip("\n").split("\n")
    assert shown[caret.index("^") :].startswith("sine")


def test_nothing_is_printed_where_the_drawing_cannot_be_saved(capsys, tmp_path):
    assert call("x*z", "--at", "x=2,z=3", "--draw", str(tmp_path / "graph.bmp")) == 2
    assert capsys.readouterr().out == ""


def test_a_derivative_without_a_finite_value_is_warned_of(capsys):
    assert call("sqrt(x)", "--at", "x=0") == 0
    assert "warning: the derivative by x is inf here" in capsys.readouterr().err
