"""Commands of the benchmark: run a suite, write its report, compare two runs."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from diffkit.cli.shared import INTERRUPTED, app, console, print_parts
from diffkit.errors import InputError

if TYPE_CHECKING:
    from diffkit.benchmark.live import View
    from diffkit.benchmark.run import Place
    from diffkit.benchmark.suite import Suite


@app.command()
def bench(
    suite: Annotated[str | None, typer.Argument(help="A suite by name (quick, scaling), or a .toml file.")] = None,
    *,
    problem: Annotated[
        str, typer.Option(help="Instead of a suite: a function of your own, package.module:name, or a problem.")
    ] = "",
    inputs: Annotated[str, typer.Option(help="Of that problem: numbers of inputs, as 2,10,100.")] = "",
    outputs: Annotated[str, typer.Option(help="Of that problem: numbers of outputs; what it gives if left out.")] = "",
    methods: Annotated[str, typer.Option(help="For that problem: methods, as forward,reverse.")] = "",
    engines: Annotated[str, typer.Option(help="For that problem: engines, as numpy,llvm.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the grid and the time it will take.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; reports/SUITE if not given.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    repeat: Annotated[
        str, typer.Option(help="Resume, and measure cells again that ended so: failed,timed-out,crashed,...")
    ] = "",
    quiet: Annotated[bool, typer.Option("--quiet", help="Show nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per finished cell.")] = False,
    scheduler: Annotated[
        str | None, typer.Option(help="Measure on the Dask cluster with this scheduler: tcp://HOST:8786")
    ] = None,
    local_workers: Annotated[
        int | None, typer.Option(min=1, help="Measure so many cells at a time, on this machine.")
    ] = None,
) -> None:
    """Measure a suite, and write the report; replaces what an earlier run left in the folder, unless it is resumed."""
    from diffkit.benchmark.run import run_suite  # what only this command needs is imported only by it

    grid = _grid(suite, problem, {"inputs": inputs, "outputs": outputs, "methods": methods, "engines": engines})
    folder = out or Path("reports") / grid.name
    if dry_run:
        _forecast(grid, folder)
        return
    again = [word.strip() for word in repeat.split(",") if word.strip()]
    shown = Console(file=io.StringIO()) if quiet or as_json else console
    try:
        rows = run_suite(
            grid,
            folder,
            place=_place(scheduler, local_workers),
            view=_view(quiet=quiet, as_json=as_json),
            resume=resume or bool(again),
            repeat=again,
        )
    except KeyboardInterrupt:
        shown.print(
            f"stopped; the finished cells are in {folder}: `diffkit plot {folder}` draws them, "
            "and --resume measures the rest",
            markup=False,
        )
        raise typer.Exit(INTERRUPTED) from None
    statuses = Counter(row.status for row in rows).items()
    shown.print(f"{len(rows)} cells: " + ", ".join(f"{count} {status}" for status, count in statuses))
    _plot(folder, shown)


def _grid(suite: str | None, problem: str, options: dict[str, str]) -> Suite:
    """Read the suite, or make that of one problem; modules of one's own are looked for here, too."""
    from diffkit.benchmark.own import suite_of
    from diffkit.benchmark.suite import Suite

    sys.path.append(str(Path.cwd()))
    given = {name: text for name, text in options.items() if text}
    if (suite is None) == (not problem):
        raise InputError("name a suite, or a function of your own with --problem package.module:name, and not both")
    if suite is None:
        return suite_of(problem, **given)
    if given:
        raise InputError(f"--{next(iter(given))} belongs to --problem; a suite says so itself, in a .toml file")
    return Suite.load(suite)


def _forecast(grid: Suite, folder: Path) -> None:
    from diffkit.benchmark.forecast import forecast
    from diffkit.report.terminal import forecast_table

    print_parts(forecast_table(forecast(grid, folder)))


def _view(*, quiet: bool, as_json: bool) -> View:
    from diffkit.benchmark import live

    if quiet:
        return live.View()
    if as_json:
        return live.Objects(console)
    return live.Picture(console) if console.is_terminal else live.Lines(console)


def _place(scheduler: str | None, local_workers: int | None) -> AbstractContextManager[Place] | None:
    if scheduler is None and local_workers is None:
        return None
    from diffkit.benchmark.cluster import Cluster

    return Cluster(scheduler, local_workers)


@app.command()
def plot(folder: Annotated[Path, typer.Argument(help="Folder that `diffkit bench` wrote.")]) -> None:
    """Draw the pictures of a run again, and write its report as Markdown and as HTML."""
    _plot(folder, console)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="Folder of a run.")],
    after: Annotated[Path, typer.Argument(help="Folder of a later run of the same cells.")],
    *,
    fail_above: Annotated[float, typer.Option(help="A cell that takes so many times as long has regressed.")] = 1.1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object with every cell.")] = False,
) -> None:
    """Say what changed between two runs; exit code 1 where a cell became slower or broke."""
    from diffkit.benchmark.changes import compare_runs
    from diffkit.report.terminal import tables

    found = compare_runs(before, after, beyond=fail_above)
    if as_json:
        console.out(json.dumps(found.as_facts(), indent=2), highlight=False)
    else:
        print_parts(tables(found))
    raise typer.Exit(int(found.regressed))


def _plot(folder: Path, shown: Console) -> None:
    from diffkit.report import write_report

    for page in write_report(folder):
        shown.print(f"report: {page}", markup=False)
