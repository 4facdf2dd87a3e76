"""What the commands share: the application, where they print, and how they print it."""

from __future__ import annotations

from collections.abc import Iterable

import typer
from rich.console import Console, RenderableType
from rich.text import Text

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(highlight=False, soft_wrap=True)
complaints = Console(highlight=False, soft_wrap=True, stderr=True)

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C has ended: 128 + SIGINT."""


def print_parts(parts: Iterable[RenderableType]) -> None:
    """Print tables, which fold their words, and sentences, one line each."""
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text))


def print_list(lines: dict[str, str]) -> None:
    """Print a name and a sentence a line, in two columns."""
    width = max(map(len, lines))
    for name, summary in lines.items():
        console.print(f"{name:{width}}  {summary}", markup=False)
