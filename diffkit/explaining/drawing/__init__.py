"""`draw`: a graph as a picture, by the conventions of the blackboard."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit.differentiators import get
from diffkit.differentiators.derivative import Derivative
from diffkit.errors import InputError, TooLargeError
from diffkit.explaining.drawing.dot import Notes, dot, noted
from diffkit.explaining.drawing.picture import Node, picture
from diffkit.explaining.explanation import Explanation, explain
from diffkit.explaining.lines import Board, Line, lines, tidy
from diffkit.explaining.names import name_inputs, name_parameters
from diffkit.expressions import as_callable
from diffkit.graph import Graph
from diffkit.pictures import Drawing

MOST = 200
"""Nodes of a picture; the DOT language has no limit."""
ENTRIES = 3
"""Entries of an array that is written out; of a larger one its norm is."""


def draw(what: Graph | Derivative | Explanation | Callable[..., Any], /, *args: Any, values: bool = False) -> Drawing:
    """What does this computation look like as a graph?

    Each intermediate variable is a rectangle, with the function inside and the variable's name above. Inputs,
    parameters (arrays that f reads from outside) and constants are nodes without a rectangle; the result has a colour
    of its own. Edges lead from operands to what reads them, from left to right. An exponent, and the 1 of ``1/x``,
    stand in the function's rectangle. Arrays show their shape.

    Parameters
    ----------
    what
        A function, with its arguments; a plan, whose function is drawn; what `explain` gave; or any graph, such as
        ``plan.graph``.
    *args
        Of the function.
    values
        Write at each node its value, and the derivative of the result by it in green; for explanations, and functions
        whose result is one number.

    Returns
    -------
    Drawing
        With ``svg()``, ``png()``, ``dot()`` and ``save(path)``; a notebook shows it.

    Raises
    ------
    InputError
        Values of a graph, which has none; arguments without a function, or a function without.
    NotScalarError
        Values of a function whose result is not one number.
    TooLargeError
        When the picture is made, for more than 200 nodes.
    UnsupportedError
        When the picture is made, where igraph or SciPy is not installed; ``dot()`` needs neither.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> drawing = dk.draw(lambda x, z: np.sin(x) * z, 2.0, 3.0)
    >>> print(drawing.dot())
    digraph {
      rankdir=LR;
      n0 [shape=plaintext, label="x"];
      n1 [shape=plaintext, label="z"];
      n2 [shape=box, label="sin", xlabel="t"];
      n3 [shape=box, label="×", xlabel="J"];
      n0 -> n2;
      n2 -> n3;
      n1 -> n3;
    }
    """
    if not isinstance(what, (Graph, Derivative, Explanation)):
        what = explain(what, *args) if values else _prepared(what, args)
    elif args:
        raise InputError(f"a {type(what).__name__} takes no arguments, and draw was given {len(args)} of them")
    written, numbers = _without_what_functions_say(_lines(what)), _numbers(what) if values else {}
    return Drawing(lambda: _picture(written, numbers), lambda: dot(written, numbers))


def _prepared(f: Callable[..., Any], args: Sequence[Any]) -> Derivative:
    if not args:
        raise InputError("a function is drawn for arguments, and draw was given none; give them after f, draw(f, x)")
    return get("reverse").prepare(as_callable(f), *args, product="value")


def _lines(what: Graph | Derivative | Explanation) -> list[Line]:
    if isinstance(what, Graph):
        return lines(what)
    if isinstance(what, Explanation):
        return what.lines
    if what.function_graph is None:
        raise InputError("this plan calls its function as a black box and has no graph; draw a plan of another method")
    graph = tidy(what.function_graph)
    names = name_inputs(what.function, what.layout, None)
    return Board(graph, *names, name_parameters(what.function, graph)).lines()


def _numbers(what: Graph | Derivative | Explanation) -> dict[str, Notes]:
    """Value and derivative of each line, by its name."""
    if not isinstance(what, Explanation):
        raise InputError("a graph holds no values; draw the function with its arguments, draw(f, x, values=True)")
    notes: dict[str, Notes] = {name: (("value", _short(value)),) for name, value in what.values.items()}
    for name, gradient in what.gradients.items():
        notes[name] = (*notes.get(name, ()), ("gradient", _short(gradient)))
    return notes


def _short(value: Any) -> str:
    array = np.asarray(value) + 0.0  # which makes 0 of -0
    if array.ndim == 0:
        return f"{array:.4g}"
    if array.size <= ENTRIES and array.ndim == 1:
        return "[" + ", ".join(f"{entry:.3g}" for entry in array) + "]"
    return f"norm {math.hypot(*array.ravel().tolist()):.3g}"  # squares of huge numbers would overflow


def _without_what_functions_say(shown: Sequence[Line]) -> list[Line]:
    """Drop the constants that stand in a function's rectangle: the exponent of a power, the 1 of ``1/x``."""
    constants = {line.position for line in shown if line.kind == "constant"}
    kept = [replace(line, operands=_operands(line)) for line in shown]
    read = {operand for line in kept for operand in line.operands}
    return [line for line in kept if line.position in read or line.position not in constants]


def _operands(line: Line) -> tuple[int, ...]:
    if len(line.operands) == 2 and line.function == "1/x":
        return line.operands[1:]
    return line.operands[:1] if line.function.startswith("^") and line.function != "^" else line.operands


def _picture(written: Sequence[Line], numbers: dict[str, Notes]) -> Any:
    if len(written) > MOST:
        raise TooLargeError(
            f"the graph has {len(written):,} nodes, and a picture of more than {MOST} shows nobody anything; draw a "
            "smaller case, or save it as .dot, which Graphviz draws"
        )
    return picture([Node(line, noted(line, numbers)) for line in written])
