"""The pictures of a report: one question each, drawn by a function (frame, axes) -> axes.

A frame is a run as `diffkit.benchmark.results.load` gives it. To draw one yourself::

    figure = matplotlib.figure.Figure()
    time_against_inputs(load("reports/quick"), figure.add_subplot())
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from diffkit.report import rows, tables
from diffkit.report.figures.lines import (
    error_against_step_size,
    operations_against_depth,
    time_against_calls,
    time_against_inputs,
    time_against_outputs,
)
from diffkit.report.figures.maps import relative_cost, winners
from diffkit.report.figures.style import HEIGHT, NARROW, WIDE, Form

__all__ = [
    "NARROW",
    "PICTURES",
    "WIDE",
    "Form",
    "Picture",
    "error_against_step_size",
    "operations_against_depth",
    "relative_cost",
    "time_against_calls",
    "time_against_inputs",
    "time_against_outputs",
    "winners",
]


@dataclass(frozen=True)
class Picture:
    """One question: the rows that answer it, how to draw them, what to see, the numbers beside them.

    Attributes
    ----------
    name
        The stem of its files.
    question
        Its heading in the report.
    needs
        What a run must hold for it.
    caption
        How to read the picture, whatever it shows.
    select
        The rows it is drawn from; none where the run does not hold them.
    draw, table
        The picture, and the table beside it, both of a whole run.
    height
        Of the picture, in inches.
    """

    name: str
    question: str
    needs: str
    caption: str
    select: Callable[[pd.DataFrame], pd.DataFrame]
    draw: Callable[[pd.DataFrame, Axes], Axes]
    table: Callable[[pd.DataFrame], pd.DataFrame]
    height: Callable[[pd.DataFrame], float] = lambda _: HEIGHT


PICTURES = (
    Picture(
        "time-against-inputs",
        "How does time grow with the number of inputs A?",
        "a problem measured at two values of A or more",
        "Both axes are logarithmic: a straight line is a power of A, and its slope the exponent. A level line costs "
        "the same at every A. Each marker is a median; a line that ends early says why.",
        lambda frame: rows.longest_line(frame, "inputs"),
        time_against_inputs,
        tables.times_against_inputs,
    ),
    Picture(
        "time-against-outputs",
        "How does time grow with the number of outputs B?",
        "a problem measured at two values of B or more",
        "Both axes are logarithmic: a straight line is a power of B, and its slope the exponent. A level line costs "
        "the same at every B. Each marker is a median; a line that ends early says why.",
        lambda frame: rows.longest_line(frame, "outputs"),
        time_against_outputs,
        tables.times_against_outputs,
    ),
    Picture(
        "winners",
        "Which method is fastest at which A and B?",
        "a problem measured over a grid of A and B",
        "Each tile is one pair of A and B in the colour of its fastest method; 1.0× is a tie. Above the dashed "
        "diagonal there are more outputs than inputs, below it more inputs.",
        rows.plane,
        winners,
        tables.winners,
        height=lambda frame: max(HEIGHT, 1.3 + 0.5 * rows.plane(frame)["outputs"].nunique()),
    ),
    Picture(
        "relative-cost",
        "What does a Jacobian cost, in evaluations of f?",
        "cells that were timed",
        "Filled markers are time, open ones counted operations, each over that of f itself; further left is cheaper. "
        "The dashed line is the bound that theory gives for a reverse gradient.",
        rows.fullest_cells,
        relative_cost,
        tables.relative_cost,
        height=lambda frame: max(3.4, 1.3 + 0.24 * frame["problem"].nunique()),
    ),
    Picture(
        "time-against-calls",
        "When does preparation pay?",
        "a problem measured at two values of A or more, with its preparation timed",
        "A line begins at the cost of preparation and one call. It is level while preparation dominates, and rises in "
        "proportion once calls do. A dot marks the call from which a method has repaid its preparation.",
        rows.preparation,
        time_against_calls,
        tables.preparation,
    ),
    Picture(
        "error-against-step-size",
        "How exact can finite differences be?",
        "the study of step sizes",
        "To the right the error is that of cutting off the series, to the left that of rounding: the lowest point "
        "between them is the best step size. Methods that take no step are level lines.",
        rows.step_sizes,
        error_against_step_size,
        tables.step_sizes,
    ),
    Picture(
        "operations-against-depth",
        "How much do expressions swell?",
        "the study of expression swell",
        "The vertical axis is logarithmic: exponential growth is a straight line, and growth in proportion to depth a "
        "curve that flattens.",
        rows.swell,
        operations_against_depth,
        tables.operations_against_depth,
    ),
)
