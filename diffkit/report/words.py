"""Numbers and tables in words that a reader takes in at a glance."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

import pandas as pd

UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Write a number to three significant digits, with thousands apart.

    Examples
    --------
    >>> number(1234.5), number(12.345), number(0.5)
    ('1,234', '12.3', '0.5')
    >>> number(2.5e-9), number(3e12), number(float("nan"))
    ('2.5e-09', '3e+12', '–')
    """
    if not math.isfinite(value):
        return "–"
    if value and not 1e-3 <= abs(value) < 1e7:
        return f"{value:.3g}"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    text = f"{value:,.{max(digits, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def seconds(value: float) -> str:
    """Write a time in the unit that suits it.

    Examples
    --------
    >>> seconds(1.234e-5), seconds(0.25), seconds(float("nan"))
    ('12.3 µs', '250 ms', '–')
    """
    if not math.isfinite(value):
        return "–"
    unit, scale = next((pair for pair in UNITS if value >= pair[1]), UNITS[-1])
    return f"{number(value / scale)} {unit}"


def typeset(text: str) -> str:
    """Write powers of ten and minus signs in a text as print does.

    Examples
    --------
    >>> typeset("4.43e-08 at 1e+12, to the power -0.05 (2e-3), not 1e-3.5 or x86-64. The end: 5e-9.")
    '4.43 × 10⁻⁸ at 10¹², to the power −0.05 (2 × 10⁻³), not 1e-3.5 or x86-64. The end: 5 × 10⁻⁹.'
    """
    text = re.sub(r"(?<![\w.-])(-?)(\d+(?:\.\d+)?)e([+-]\d+)(?!\w|\.\d)", _power_of_ten, text)
    return re.sub(r"(?<![\w.)-])-(?=\d)", "−", text)


def _power_of_ten(found: re.Match[str]) -> str:
    sign, digits, exponent = found.groups()
    return f"{sign}{'' if digits == '1' else f'{digits} × '}10{str(int(exponent)).translate(RAISED)}"


def factor(value: float) -> str:
    """Write how many times as large something is.

    Examples
    --------
    >>> factor(1.04), factor(123.4), factor(float("nan"))
    ('1.0×', '123×', '–')
    """
    return f"{value:,.{int(value < 10)}f}×" if math.isfinite(value) else "–"


def method_name(label: str) -> str:
    """Write the label of a method as pictures do: its options without their names.

    Examples
    --------
    >>> method_name("finite-difference(scheme=central)"), method_name("reverse")
    ('finite-difference (central)', 'reverse')
    """
    name, _, options = label.partition("(")
    values = ", ".join(option.partition("=")[2] for option in options.rstrip(")").split(",") if option)
    return f"{name} ({values})" if values else name


def listed(words: Iterable[str]) -> str:
    """Join words as in a sentence.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def plural(count: int, noun: str) -> str:
    """Count something.

    Examples
    --------
    >>> plural(1, "cell"), plural(1200, "cell")
    ('1 cell', '1,200 cells')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def markdown_table(table: pd.DataFrame) -> str:
    """Write a table of texts as Markdown.

    Examples
    --------
    >>> print(markdown_table(pd.DataFrame({"A": ["1"], "reverse": ["2 µs"]})))
    | A | reverse |
    | --- | --- |
    | 1 | 2 µs |
    """
    rows = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join(_table_row(row) for row in rows)


def _table_row(entries: Sequence[object]) -> str:
    return "| " + " | ".join(escaped(str(entry)) for entry in entries) + " |"


def escaped(text: str) -> str:
    r"""Keep what a message holds from being read as Markdown.

    Examples
    --------
    >>> escaped("a | <b>\n_c_")
    'a \\| &lt;b> \\_c\\_'
    """
    text = " ".join(text.split()).replace("<", "&lt;")
    for mark in "|*_`":
        text = text.replace(mark, f"\\{mark}")
    return text
