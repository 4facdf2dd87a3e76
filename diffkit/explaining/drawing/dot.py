"""A graph in the DOT language of Graphviz: for other programs, at any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from diffkit.explaining.lines import Line

Notes = tuple[tuple[str, str], ...]
"""Lines of small letters below a node: (kind, text)."""

COLOURS = {"value": "#000000", "gradient": "#006B4F"}


def dot(lines: Sequence[Line], notes: Mapping[str, Notes]) -> str:
    """Write lines as a directed graph: functions in boxes, names beside them (``xlabel``).

    With notes, a node is a small table instead: the name, the box, and the notes below, where no edge crosses them.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> from diffkit.explaining.lines import lines
    >>> graph = dk.get("reverse").prepare(np.sin, 2.0).function_graph
    >>> print(dot(lines(graph, ["x"]), {}))
    digraph {
      rankdir=LR;
      n0 [shape=plaintext, label="x"];
      n1 [shape=box, label="sin", xlabel="J"];
      n0 -> n1;
    }
    """
    if notes:
        rows = [f"n{line.position} [shape=plain, label=<{_table(line, notes.get(line.name, ()))}>];" for line in lines]
    else:
        rows = [f"n{line.position} [{_words(line)}];" for line in lines]
    end = ":f" if notes else ""
    rows += [f"n{operand}{end} -> n{line.position}{end};" for line in lines for operand in line.operands]
    return "\n".join(["digraph {", "  rankdir=LR;", *(f"  {row}" for row in rows), "}"])


def _words(line: Line) -> str:
    if line.function:
        return f"shape=box, label={quoted(line.function)}, xlabel={quoted(line.name)}"
    return f"shape=plaintext, label={quoted(line.name)}"


def _table(line: Line, notes: Notes) -> str:
    """What Graphviz reads as HTML."""
    name = [(' port="f"', escape(line.name))]
    if line.function:
        name = [("", escape(line.name)), (' port="f" border="1" width="36" height="28"', escape(line.function))]
    below = [("", f'<font color="{COLOURS[kind]}">{escape(text)}</font>') for kind, text in notes]
    cells = "".join(f"<tr><td{look}>{text}</td></tr>" for look, text in [*name, *below])
    return f'<table border="0" cellspacing="0">{cells}</table>'


def quoted(text: str) -> str:
    r"""A string of the DOT language: quotes and backslashes mean themselves.

    Examples
    --------
    >>> print(quoted('a "b" \\n'))
    "a \"b\" \\n"
    """
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
