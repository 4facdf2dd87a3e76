"""A graph in the DOT language of Graphviz: for other programs, at any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from diffkit.explaining.lines import Line

Notes = tuple[tuple[str, str], ...]
"""Lines of small letters below a node: (kind, text)."""

COLOURS = {"shape": "#737373", "value": "#262626", "gradient": "#006B4F"}
"""Of the notes, by their kind; pictures have the same."""


def noted(line: Line, notes: Mapping[str, Notes]) -> Notes:
    """What stands below a node: the shape of an array, then what is noted of the name."""
    return ((("shape", str(line.shape)),) if line.shape else ()) + notes.get(line.name, ())


def dot(lines: Sequence[Line], notes: Mapping[str, Notes]) -> str:
    """Write lines as a directed graph: functions in boxes, names beside them (``xlabel``), and the shapes of arrays.

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
        rows = [f"n{line.position} [shape=plain, label=<{_table(line, noted(line, notes))}>];" for line in lines]
    else:
        rows = [f"n{line.position} [{_words(line)}];" for line in lines]
    end = ":f" if notes else ""
    rows += [f"n{operand}{end} -> n{line.position}{end};" for line in lines for operand in line.operands]
    return "\n".join(["digraph {", "  rankdir=LR;", *(f"  {row}" for row in rows), "}"])


def _words(line: Line) -> str:
    name = quoted("\n".join([line.name, *(text for _, text in noted(line, {}))]))
    if line.function:
        return f"shape=box, label={quoted(line.function)}, xlabel={name}"
    return f"shape=plaintext, label={name}"


def _table(line: Line, notes: Notes) -> str:
    """What Graphviz reads as HTML."""
    name = [(' port="f"', escape(line.name))]
    if line.function:
        name = [("", escape(line.name)), (' port="f" border="1" width="36" height="28"', escape(line.function))]
    below = [("", f'<font color="{COLOURS[kind]}">{escape(text)}</font>') for kind, text in notes]
    cells = "".join(f"<tr><td{look}>{text}</td></tr>" for look, text in [*name, *below])
    return f'<table border="0" cellspacing="0">{cells}</table>'


def quoted(text: str) -> str:
    r"""A string of the DOT language: quotes and backslashes mean themselves, a new line begins a line.

    Examples
    --------
    >>> print(quoted('a "b" \\n'))
    "a \"b\" \\n"
    """
    return '"' + text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") + '"'
