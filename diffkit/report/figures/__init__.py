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
from diffkit.report.figures.style import HEIGHT, STYLE, WIDTH

__all__ = [
    "PICTURES",
    "STYLE",
    "WIDTH",
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
    """One question: the rows that answer it, how to draw them, the numbers beside them.

    Attributes
    ----------
    name
        The stem of its files.
    question
        Its heading in the report.
    needs
        What a run must hold for it.
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
    select: Callable[[pd.DataFrame], pd.DataFrame]
    draw: Callable[[pd.DataFrame, Axes], Axes]
    table: Callable[[pd.DataFrame], pd.DataFrame]
    height: Callable[[pd.DataFrame], float] = lambda _: HEIGHT


PICTURES = (
    Picture(
        "time-against-inputs",
        "How does time grow with the number of inputs A?",
        "a problem measured at two values of A or more",
        lambda frame: rows.longest_line(frame, "inputs"),
        time_against_inputs,
        tables.times_against_inputs,
    ),
    Picture(
        "time-against-outputs",
        "How does time grow with the number of outputs B?",
        "a problem measured at two values of B or more",
        lambda frame: rows.longest_line(frame, "outputs"),
        time_against_outputs,
        tables.times_against_outputs,
    ),
    Picture(
        "winners",
        "Which method is fastest at which A and B?",
        "a problem measured over a grid of A and B",
        rows.plane,
        winners,
        tables.winners,
        height=lambda frame: max(HEIGHT, 1.3 + 0.5 * rows.plane(frame)["outputs"].nunique()),
    ),
    Picture(
        "relative-cost",
        "What does a Jacobian cost, in evaluations of f?",
        "cells that were timed",
        rows.fullest_cells,
        relative_cost,
        tables.relative_cost,
        height=lambda frame: max(3.4, 1.3 + 0.24 * frame["problem"].nunique()),
    ),
    Picture(
        "time-against-calls",
        "When does preparation pay?",
        "a problem measured at two values of A or more, with its preparation timed",
        rows.preparation,
        time_against_calls,
        tables.preparation,
    ),
    Picture(
        "error-against-step-size",
        "How exact can finite differences be?",
        "the study of step sizes",
        rows.step_sizes,
        error_against_step_size,
        tables.step_sizes,
    ),
    Picture(
        "operations-against-depth",
        "How much do expressions swell?",
        "the study of expression swell",
        rows.swell,
        operations_against_depth,
        tables.operations_against_depth,
    ),
)
