"""What the lab's figures of data and of depth share: headlines, colours of classes."""

from __future__ import annotations

from matplotlib.axes import Axes

CLASSES = ("#0072B2", "#D55E00")
"""Class 0 and class 1; Okabe and Ito."""


def headline(axes: Axes, finding: str, context: str = "") -> None:
    """Write what was found as the title, and under it what it was found on."""
    axes.set_title(finding)
    axes.annotate(context, (0, 1), (0, 7), "axes fraction", "offset points", color="0.35")
