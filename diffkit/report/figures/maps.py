"""Pictures made of places: who wins over the (A, B) plane, and what a derivative costs on every problem."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from diffkit.pictures import REFERENCE, headline, looks
from diffkit.report import costs, rows
from diffkit.report.figures.labels import is_narrow, legend, on_decades
from diffkit.report.words import factor, method_name, number

PALE = 0.45
"""How much of a method's colour is left behind the numbers written on it."""

BOUND = 5
"""Evaluations of f that a reverse gradient takes at most (Griewank 1989, On automatic differentiation)."""

NAMES_LEFT = (0.46, 0.13, 0.52, 0.84)
"""Where the axes lie in a narrow picture that needs room for names of problems."""

APART = 0.13
"""How far the filled markers stand above a problem's line, and the open ones below it."""


def winners(frame: pd.DataFrame, axes: Axes) -> Axes:
    """Which method is fastest at which A and B, and where do forward and reverse cost the same?"""
    plane = rows.plane(frame)
    axes.set(xscale="log", yscale="log", xlabel="inputs A (count)", ylabel="outputs B (count)")
    _name(axes, [*_tiles(plane, axes), *_borders(plane, axes)])
    ratio = costs.crossing_ratio(plane)
    where = "nowhere between the measured sizes" if ratio is None else f"at A ≈ {ratio:.2g} B"
    key = "colour: fastest; number: runner-up's time over the fastest's"
    context = f"{plane['problem'].iloc[0]}, engine {plane['engine'].iloc[0]}; {key}"
    headline(axes, f"Forward and reverse cost the same {where}", context)
    return axes


def _tiles(plane: pd.DataFrame, axes: Axes) -> list[Patch]:
    """Paint each cell in its winner's colour, with the lead on it; hand back what explains the colours."""
    fastest = costs.fastest_methods(plane)
    pale = {method: _pale(look.colour) for method, look in looks(rows.methods(plane)).items()}
    shown = [method for method in pale if method in set(fastest["method"])]
    places = fastest.assign(place=fastest["method"].map(shown.index))
    places = places.pivot_table("place", "outputs", "inputs")
    inputs, outputs = list(map(int, places.columns)), list(map(int, places.index))
    across, up = _edges(inputs), _edges(outputs)
    axes.pcolormesh(
        across, up, np.ma.masked_invalid(places), edgecolors="white", linewidth=1.5,
        cmap=ListedColormap([pale[method] for method in shown]), vmin=-0.5, vmax=len(shown) - 0.5,
    )  # fmt: skip
    leads = fastest.pivot_table("lead", "outputs", "inputs").reindex_like(places).to_numpy()
    drawn = places.to_numpy()
    for (row, column), lead in np.ndenumerate(leads):
        if np.isfinite(lead):  # at the lower right, mostly out of the way of the lines along the diagonal
            tile = pale[shown[int(drawn[row, column])]]
            axes.annotate(
                factor(lead), (across[column + 1], up[row]), (-2, 2), textcoords="offset points",
                ha="right", va="bottom", fontsize="small", bbox={"color": tile, "pad": 0.5},
            )  # fmt: skip
    axes.grid(visible=False)
    for axis, sizes in ((axes.xaxis, inputs), (axes.yaxis, outputs)):
        axis.set_ticks(sizes, [number(size) for size in sizes])
        axis.set_ticks([], minor=True)
    return [Patch(color=pale[method], label=method_name(method)) for method in shown]


def _borders(plane: pd.DataFrame, axes: Axes) -> list[Line2D]:
    """Draw the diagonal and the measured crossover of forward and reverse."""
    crossings = costs.crossovers(plane)
    axes.autoscale(enable=False)
    ends = [1, max(axes.get_xlim()[1], axes.get_ylim()[1])]
    lines = axes.plot(ends, ends, color=REFERENCE, linestyle="--", linewidth=1, label="A = B")
    if crossings:
        label = "forward as fast as reverse"
        lines += axes.plot(*zip(*crossings, strict=True), color="black", marker="o", markersize=4, label=label)
    return lines


def relative_cost(frame: pd.DataFrame, axes: Axes) -> Axes:
    """What does a Jacobian cost, in evaluations of f?"""
    if is_narrow(axes):
        axes.set_position(NAMES_LEFT)
    table = costs.relative_costs(frame)
    sizes = table.groupby("problem")[["inputs", "outputs"]].first().sort_values(["inputs", "outputs"])
    heights = table["problem"].map(sizes.index.get_loc)
    shown: list[Artist] = []
    for method, look in looks(rows.methods(table)).items():
        part, height = table[table["method"] == method], heights[table["method"] == method]
        axes.plot(part["counted"], height - APART, look.marker, color=look.colour, markerfacecolor="white")
        name = method_name(method)
        shown += axes.plot(part["timed"], height + APART, look.marker, color=look.colour, label=name)
    shown.append(axes.axvline(BOUND, color=REFERENCE, linestyle="--", linewidth=1, label=f"{BOUND} evaluations"))
    _name(axes, [_key("white", "open: counted operations"), _key(REFERENCE, "filled: time"), *shown])
    axes.set(xscale="log", xlabel="cost of one Jacobian (evaluations of f)", ylabel="problem and its size (A, B)")
    names = [f"{problem} ({a:,}, {b:,})" for problem, a, b in sizes.itertuples()]
    axes.set_yticks(range(len(sizes)), names, parse_math=False)
    axes.set_ylim(-0.6, len(sizes) - 0.4)
    on_decades(axes)
    where = "every problem at its largest size that most methods finished"
    headline(axes, _reverse_bound(table), f"{where}, engine {rows.main_engine(frame)}")
    return axes


def _reverse_bound(table: pd.DataFrame) -> str:
    worst = table.loc[(table["method"] == "reverse") & (table["outputs"] == 1), "counted"].max()
    if np.isnan(worst):
        return "Cost of one Jacobian in evaluations of f"
    return f"Counted, a reverse gradient (B = 1) costs at most {number(worst)} evaluations of f"


def _key(face: str, label: str) -> Line2D:
    return Line2D([], [], color=REFERENCE, linestyle="", marker="o", markerfacecolor=face, label=label)


def _name(axes: Axes, shown: Sequence[Artist]) -> None:
    legend(axes, shown, [str(artist.get_label()) for artist in shown])


def _pale(colour: str) -> tuple[float, float, float]:
    red, green, blue = (1 - PALE * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def _edges(sizes: Sequence[int]) -> NDArray[np.float64]:
    """Place the borders of cells half-way between sizes, on a logarithmic axis."""
    size = np.log(np.array(sizes, dtype=np.float64))
    half = np.diff(size) / 2
    edges: NDArray[np.float64] = np.exp([size[0] - half[0], *(size[:-1] + half), size[-1] + half[-1]])
    return edges
