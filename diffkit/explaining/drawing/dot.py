"""A graph in the DOT language of Graphviz: for other programs, at any size."""

from __future__ import annotations

from collections.abc import Sequence

from diffkit.explaining.lines import Line


def dot(lines: Sequence[Line]) -> str:
    """Write lines as a directed graph: functions in boxes, names beside them (``xlabel``).

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> from diffkit.explaining.lines import lines
    >>> graph = dk.get("reverse").prepare(np.sin, 2.0).function_graph
    >>> print(dot(lines(graph, ["x"])))
    digraph {
      rankdir=LR;
      n0 [shape=plaintext, label="x"];
      n1 [shape=box, label="sin", xlabel="J"];
      n0 -> n1;
    }
    """
    rows = [_node(line) for line in lines]
    rows += [f"n{operand} -> n{line.position};" for line in lines for operand in line.operands]
    return "\n".join(["digraph {", "  rankdir=LR;", *(f"  {row}" for row in rows), "}"])


def _node(line: Line) -> str:
    words = {"shape": "plaintext", "label": quoted(line.name)}
    if line.function:
        words = {"shape": "box", "label": quoted(line.function), "xlabel": quoted(line.name)}
    return f"n{line.position} [{', '.join(f'{word}={value}' for word, value in words.items())}];"


def quoted(text: str) -> str:
    r"""A string of the DOT language: quotes and backslashes mean themselves.

    Examples
    --------
    >>> print(quoted('a "b" \\n'))
    "a \"b\" \\n"
    """
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
