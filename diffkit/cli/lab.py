"""Commands of the lab: what a course on backpropagation teaches, running."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diffkit.cli.shared import app, console


@app.command()
def lab(
    names: Annotated[list[str] | None, typer.Argument(help="Figures by name; all if not given.")] = None,
    *,
    out: Annotated[Path, typer.Option(help="Folder of the pictures.")] = Path("docs/lab/figures"),
    show_names: Annotated[bool, typer.Option("--list", help="List the figures and draw none.")] = False,
) -> None:
    """Draw the figures of the lab again, each from running code."""
    from diffkit.cli.shared import print_list
    from diffkit.lab.figures import choose, draw

    chosen = choose(names or ())
    if show_names:
        print_list({figure.name: figure.question for figure in chosen})
        return
    for figure in chosen:
        console.print(str(draw(figure, out)), markup=False)
