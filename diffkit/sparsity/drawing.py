"""Drawing the entries of a matrix, as characters or into axes; large ones in groups."""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]
CHARACTERS = 64  # rows or columns, at most
PIXELS = 500


def characters(shape: tuple[int, int], rows: Numbers, columns: Numbers, marks: Numbers) -> str:
    """A character for each entry, a point for zero; groups of entries are all drawn as #."""
    height, width = (min(length, CHARACTERS) for length in shape)
    canvas = np.full((height, width), ".")
    grouped = (height, width) != shape
    canvas[_grouped(rows, shape[0], height), _grouped(columns, shape[1], width)] = "#" if grouped else marks
    return "\n".join("".join(line) for line in canvas)


def draw(ax: Any, shape: tuple[int, int], rows: Numbers, columns: Numbers, values: Numbers) -> Any:
    """An image of the values of entries in matplotlib axes, white where there are none."""
    height, width = (min(length, PIXELS) for length in shape)
    canvas = np.full((height, width), np.nan)
    canvas[_grouped(rows, shape[0], height), _grouped(columns, shape[1], width)] = values
    ax.set(xlabel="input", ylabel="output")
    extent = (-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5)
    return ax.imshow(canvas, extent=extent, interpolation="nearest", aspect="auto")


def _grouped(positions: Numbers, length: int, groups: int) -> Numbers:
    return positions.astype(np.int64) * groups // max(length, 1)
