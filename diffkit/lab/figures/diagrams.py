"""Networks unit by unit: symbols on the edges, numbers on the edges, and layers too wide for either."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from diffkit.lab.diagrams import diagram
from diffkit.lab.figures import LabFigure

BAND = (np.array([[6.0, 6.0], [-6.0, -6.0]]), np.array([[9.0, 9.0]]))
"""Weights that tell a band along x1 + x2 = 0 from what lies beside it: each hidden unit knows one of its sides."""


def symbols() -> Figure:
    """The network of the exercises, each weight by its symbol."""
    return diagram([2, 5, 3, 1]).figure()


def numbers() -> Figure:
    """Two hidden units for a diagonal band, each weight by its value."""
    return diagram(BAND).figure()


def wide() -> Figure:
    """A network for pictures of digits, 8 by 8 pixels."""
    return diagram([64, 32, 10]).figure()


FIGURES = (
    LabFigure("diagram-symbols", "What are the units and weights of the network 2-5-3-1 called?", symbols),
    LabFigure("diagram-numbers", "Which weights do two hidden units need for a diagonal band?", numbers),
    LabFigure("diagram-wide", "What does a network look like that is too wide to show whole?", wide),
)
