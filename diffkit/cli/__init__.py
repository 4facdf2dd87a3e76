"""The command line: parses and prints; computes nothing. A file a group of commands."""

from __future__ import annotations

import warnings
from typing import Annotated, Any

import typer
from rich.markup import escape

from diffkit import __version__
from diffkit.cli import bench, explain, lab, lists, train
from diffkit.cli.shared import app, complaints, console
from diffkit.errors import DiffkitError

__all__ = ["bench", "explain", "lab", "lists", "main", "train"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; an error of the user's is one line, and exit code 2; a warning is one line too."""
    with warnings.catch_warnings():
        warnings.showwarning = _warned
        try:
            app(arguments)
        except DiffkitError as error:
            complaints.print(f"[bold red]error:[/] {escape(str(error))}")
            raise SystemExit(2) from None


def _warned(message: Warning | str, *_where: Any, **_line: Any) -> None:
    complaints.print(f"[bold yellow]warning:[/] {escape(str(message))}")


@app.callback(invoke_without_command=True)
def diffkit(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Differentiate plain-NumPy functions by four methods, measure which one to use, and see how they work."""
    if version:
        console.print(f"diffkit {__version__}")
        raise typer.Exit
