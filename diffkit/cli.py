"""The command line: parses and prints; computes nothing."""

from __future__ import annotations

import inspect
import os
from collections import Counter
from pathlib import Path
from typing import Annotated

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # before NumPy is loaded: threads of BLAS make times of small products noise

import typer
from rich.console import Console
from rich.markup import escape

from diffkit import __version__
from diffkit import problems as problem_table
from diffkit.differentiators import Differentiator, get, names
from diffkit.errors import DiffkitError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(highlight=False, soft_wrap=True)
complaints = Console(highlight=False, soft_wrap=True, stderr=True)

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C has ended: 128 + SIGINT."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; an error of the user's is one line, and exit code 2."""
    try:
        app(arguments)
    except DiffkitError as error:
        complaints.print(f"[bold red]error:[/] {escape(str(error))}")
        raise SystemExit(2) from None


@app.callback(invoke_without_command=True)
def diffkit(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Differentiate plain-NumPy functions by four methods, and measure which one to use."""
    if version:
        console.print(f"diffkit {__version__}")
        raise typer.Exit


@app.command()
def bench(
    suite: Annotated[str, typer.Argument(help="A suite by name (quick, scaling), or a .toml file.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the run; reports/SUITE if not given.")] = None,
) -> None:
    """Measure a suite, and write the report; replaces what an earlier run left in the folder."""
    from diffkit.benchmark.run import run_suite  # what only this command needs is imported only by it
    from diffkit.benchmark.suite import Suite

    grid = Suite.load(suite)
    folder = out or Path("reports") / grid.name
    try:
        rows = run_suite(grid, folder, console)
    except KeyboardInterrupt:
        console.print(f"stopped; the finished cells are in {folder}, and `diffkit plot {folder}` draws them")
        raise typer.Exit(INTERRUPTED) from None
    statuses = Counter(row.status for row in rows).items()
    console.print(f"{len(rows)} cells: " + ", ".join(f"{count} {status}" for status, count in statuses))
    plot(folder)


@app.command()
def plot(folder: Annotated[Path, typer.Argument(help="Folder that `diffkit bench` wrote.")]) -> None:
    """Draw the pictures of a run again, and write its report as Markdown and as HTML."""
    from diffkit.report import write_report

    for page in write_report(folder):
        console.print(f"report: {page}")


@app.command()
def methods() -> None:
    """List the methods of differentiation that are installed."""
    _print_list({name: _summary(get(name)) for name in names()})


@app.command()
def problems() -> None:
    """List the functions that suites measure."""
    _print_list({name: problem_table.get(name).summary for name in problem_table.names()})


def _summary(differentiator: Differentiator) -> str:
    return (inspect.getdoc(differentiator) or "").partition("\n")[0]


def _print_list(lines: dict[str, str]) -> None:
    width = max(map(len, lines))
    for name, summary in lines.items():
        console.print(f"{name:{width}}  {summary}", markup=False)
