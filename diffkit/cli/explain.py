"""The command that explains a formula: forward and backward columns, and a drawing."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from diffkit.cli.shared import app, complaints, console
from diffkit.errors import InputError


class Version(StrEnum):
    """How gradients are collected."""

    A = "A"
    B = "B"


class Format(StrEnum):
    """How the columns are written."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    LATEX = "latex"
    HTML = "html"


def _rows(limit: str) -> int | None:
    """A number of rows as it is typed; None for all."""
    if limit in ("0", "all"):
        return None
    if not limit.isdecimal():
        raise InputError(f"--limit {limit}: give a whole number of rows, or 0 or all to show all")
    return int(limit)


@app.command(context_settings={"ignore_unknown_options": True})  # a formula may begin with a minus sign
def explain(
    formula: Annotated[str, typer.Argument(help='A formula of numbers and variables, such as "exp(x*z) + sin(x)/z".')],
    *,
    at: Annotated[str, typer.Option(help="Where: a value for each variable, such as x=2,z=3.")],
    version: Annotated[Version, typer.Option(help="Sum gradients over readers (A), or increment them from 0 (B).")] = (
        Version.B
    ),
    format: Annotated[Format, typer.Option(help="How to write the columns.")] = Format.TERMINAL,  # noqa: A002 (the option's name)
    limit: Annotated[
        str, typer.Option(metavar="N", help="How many rows a column may have; 0 or all: any number.")
    ] = "60",
    draw: Annotated[Path | None, typer.Option(help="Also draw the graph, into a file .svg, .png or .dot.")] = None,
) -> None:
    """Show backpropagation through a formula, line by line, as on a blackboard."""
    from diffkit.explaining import explain as explained
    from diffkit.explaining.formulas import parse

    function = parse(formula)
    point = function.point(at)
    function.check(*point)
    explanation = explained(function, *point, version=version.value, limit=_rows(limit))
    if draw:
        from diffkit.explaining.drawing import draw as drawn

        drawn(explanation, values=True).save(draw)
        complaints.print(Text(f"drawn into {draw}"))
    terminal = format is Format.TERMINAL
    shown = explanation.text("--limit all") if terminal else getattr(explanation, format.value)()
    console.print(Text(shown))
    for name, gradient in explanation.gradient.items():
        if not math.isfinite(gradient):
            complaints.print(Text(f"warning: the derivative by {name} is {gradient:g} here: it has no finite value"))
