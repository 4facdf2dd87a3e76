"""Commands that list what there is."""

from __future__ import annotations

import inspect

from diffkit import problems as problem_table
from diffkit.cli.shared import app, print_list
from diffkit.differentiators import Differentiator, get, names


@app.command()
def methods() -> None:
    """List the methods of differentiation that are installed."""
    print_list({name: _summary(get(name)) for name in names()})


@app.command()
def problems() -> None:
    """List the functions that suites measure."""
    print_list({name: problem_table.get(name).summary for name in problem_table.names()})


def _summary(differentiator: Differentiator) -> str:
    return (inspect.getdoc(differentiator) or "").partition("\n")[0]
