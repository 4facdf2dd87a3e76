"""Two columns side by side: on a terminal, in Markdown, in LaTeX and in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import zip_longest

from diffkit.explaining.columns import Row
from diffkit.explaining.notation import LATEX, TEXT, Notation

HEADINGS = ("forward", "value", "backward", "value")
ROOM = r" \\[3pt]"  # after a row of LaTeX: fractions would touch
_CELL = "padding: 0.1em 1em; text-align: left; white-space: nowrap"
STYLES = (_CELL, _CELL, _CELL + "; border-left: 1px solid currentColor", _CELL)
"""Of the cells in HTML, the same wherever it is put."""


def shortened(rows: Sequence[Row], limit: int | None, whole: str) -> list[Row]:
    """The first and the last rows of a long column; between them how many are missing, and what shows the whole."""
    if limit is None or len(rows) <= limit:
        return list(rows)
    half = max(1, int(limit) // 2)
    missing = f"... {len(rows) - 2 * half} more" + (f" ({whole} shows all)" if whole else "")
    return [*rows[:half], Row(lambda n: n.verbatim(missing).string, None), *rows[-half:]]


def cells(n: Notation, forward: Sequence[Row], backward: Sequence[Row]) -> list[tuple[str, ...]]:
    """Four cells per row."""
    nothing = Row(lambda _n: "", None)
    return [
        tuple(cell for row in pair for cell in (row.written(n), _number(n, row)))
        for pair in zip_longest(forward, backward, fillvalue=nothing)
    ]


def _number(n: Notation, row: Row) -> str:
    return "" if row.value is None else n.value(row.value)


def text(forward: Sequence[Row], backward: Sequence[Row]) -> str:
    """Aligned columns."""
    table = [HEADINGS, *cells(TEXT, forward, backward)]
    widths = [max(len(row[k]) for row in table) for k in range(4)]
    gaps = ("  ", "   |   ", "  ", "")
    return "\n".join(
        "".join(f"{cell:<{width}}{gap}" for cell, width, gap in zip(row, widths, gaps, strict=True)).rstrip()
        for row in table
    )


def markdown(forward: Sequence[Row], backward: Sequence[Row]) -> str:
    """A table; formulas as code."""
    rows = [[_code(cell) for cell in row] for row in cells(TEXT, forward, backward)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [HEADINGS, ["---"] * 4, *rows])


def _code(cell: str) -> str:
    return f"`{cell.replace('|', chr(92) + '|').replace('`', chr(39))}`" if cell else ""


def latex(forward: Sequence[Row], backward: Sequence[Row]) -> str:
    """An array."""
    heading = " & ".join(LATEX.verbatim(word).string for word in HEADINGS)
    rows = [" & ".join(row) + ROOM for row in cells(LATEX, forward, backward)]
    return "\n".join([r"\begin{array}{ll|ll}", heading + r" \\ \hline", *rows, r"\end{array}"])


def html(forward: Sequence[Row], backward: Sequence[Row]) -> str:
    """A table; formulas as plain text."""
    head = "".join(f'<th style="{style}">{word}</th>' for word, style in zip(HEADINGS, STYLES, strict=True))
    body = "\n".join(f"<tr>{''.join(map(_cell, row, STYLES))}</tr>" for row in cells(TEXT, forward, backward))
    table = '<table style="border-collapse: collapse">'
    return f"{table}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _cell(cell: str, style: str) -> str:
    return f'<td style="{style}">{f"<code>{escape(cell)}</code>" if cell else ""}</td>'
