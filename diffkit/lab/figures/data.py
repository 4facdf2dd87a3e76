"""Figures of what hidden units do: bands, pockets and four Gaussians, and where training gets stuck."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from diffkit.lab import data, questions
from diffkit.lab.data import Array, Data
from diffkit.lab.figures import LabFigure
from diffkit.lab.fitting import Fit, best, fit
from diffkit.lab.networks import Network
from diffkit.lab.training import train
from diffkit.pictures import REFERENCE, headline

CLASSES = ("#0072B2", "#D55E00")
"""The colours of class 0 and class 1; Okabe and Ito."""

REGIONS = ListedColormap(["#BFDBEC", "#F4D4BF"])
"""The colours of the classes, pale."""

SHOWN = 200
"""Examples drawn on each picture; more would hide the regions."""

FAULTS = LinearSegmentedColormap.from_list("faults", ["w", "#F4D4BF"])
"""From nothing wrong to all that can be."""

STARTS = 24
"""Random starts of the four Gaussians."""


def band() -> Figure:
    """Train logistic regression and a network with two hidden units on the band, sample by sample."""
    figure, panels = _panels(2, height=4.7)
    findings = {(2, 1): "A straight line cannot part a band", (2, 2, 1): "Two hidden units can"}
    for axes, (widths, finding) in zip(panels, findings.items(), strict=True):
        network, parameters, training, test = _trained(widths)
        _regions(axes, partial(network.predict, parameters))
        _points(axes, training)
        wrong = [_misses(network, parameters, part) / len(part.labels) for part in (training, test)]
        headline(axes, finding, f"wrong: {wrong[0]:.0%} of the training set, {wrong[1]:.0%} of the test set")
    return _with_key(figure, panels)


def hidden_units() -> Figure:
    """Draw what each of the two hidden units of the network on the band says, and what the output makes of it."""
    figure, panels = _panels(3)
    network, parameters, training, _ = _trained((2, 2, 1))
    weights, _ = network.layers(parameters)[1]

    def hidden(X: Array, unit: int) -> Any:
        return network.forward(parameters, X)[1][1][unit]

    for unit, weight in enumerate(weights[0]):
        _regions(panels[unit], partial(hidden, unit=unit))
        headline(panels[unit], f"Unit {unit + 1}: a half-plane", f"it counts {weight:+.1f} times")
    _regions(panels[2], partial(network.predict, parameters))
    headline(
        panels[2], "Together: the band", f"{_misses(network, parameters, training)} of {len(training.labels)} wrong"
    )
    for axes in panels:
        _points(axes, training)
    return _with_key(figure, panels)


def _trained(widths: tuple[int, ...]) -> tuple[Network, Array, Data, Data]:
    training, test = data.get("band").split(test=0.25)
    network = Network(widths, hidden="sigmoid")
    found = train(network, training, test, engine="numpy", epochs=100, rate=0.5, scale=1.0)
    return network, found.parameters, training, test


def _misses(network: Network, parameters: Array, part: Data) -> int:
    return int(np.sum(data.classes(network.predict(parameters, part.X)) != part.labels))


def pocket() -> Figure:
    """Fit the pocket with 2, 3 and 4 hidden units: the best of ten starts each."""
    figure, panels = _panels(3)
    drawn = data.get("pocket")
    findings = {2: "2 units leave it open", 3: "3 units close it", 4: "4 units fit it closer"}
    for axes, (units, finding) in zip(panels, findings.items(), strict=True):
        network = Network((2, units, 1), hidden="sigmoid", l2=1e-4)  # without a penalty the weights grow for ever
        found = best((fit(network, drawn.X, drawn.Y, seed=seed) for seed in range(10)), lambda one: one.cost)
        _regions(axes, found.predict)
        _half_planes(axes, *network.layers(found.parameters)[0])
        _points(axes, drawn)
        headline(axes, finding, f"{found.misses} of {len(drawn.labels)} wrong")
    return _with_key(figure, panels)


def _half_planes(axes: Axes, weights: Array, intercepts: Array) -> None:
    """Draw the line on which each hidden unit is 1/2."""
    x1, x2 = np.meshgrid([-1.0, 1.0], [-1.0, 1.0])
    for (a, b), c in zip(weights, intercepts[:, 0], strict=True):
        axes.contour(x1, x2, a * x1 + b * x2 + c, levels=[0.0], colors=REFERENCE, linestyles="--", linewidths=1)
    axes.plot([], [], "--", color=REFERENCE, linewidth=1, label="where a hidden unit is 1/2")


def four_gaussians() -> Figure:
    """Fit four Gaussians from many starts with 3 and with 4 hidden units, and draw where some of them ended."""
    drawn = data.get("four-gaussians", margin=0)
    networks = {units: Network((2, units, 1), hidden="sigmoid") for units in (3, 4)}
    ends = {
        units: sorted((fit(network, drawn.X, drawn.Y, seed=seed) for seed in range(STARTS)), key=lambda one: one.cost)
        for units, network in networks.items()
    }
    figure, (costs, *panels) = _panels(4, height=2.7)
    _strip(costs, ends)
    shown = {"3 units, stuck": ends[3][-1], "3 units, best": ends[3][0], "4 units, best": ends[4][0]}
    for axes, (finding, one) in zip(panels, shown.items(), strict=True):
        _regions(axes, one.predict, reach=1.2)
        _points(axes, drawn)
        headline(axes, finding, f"{one.misses} of {len(drawn.labels)} wrong")
    return _with_key(figure, panels)


def _strip(axes: Axes, ends: dict[int, list[Fit]]) -> None:
    """Draw the cost at the end of each start, a column for each number of units."""
    for units, fits in ends.items():
        across = units + np.linspace(-0.25, 0.25, len(fits))
        axes.plot(across, [one.cost for one in fits], "o", color="k", markersize=3, alpha=0.6, markeredgewidth=0)
    stuck = {units: sum(10 * one.misses > len(one.Y[0]) for one in fits) for units, fits in ends.items()}
    axes.set(xticks=list(ends), xlim=(2.5, 4.5), xlabel="hidden units", ylabel="cost at the end", ylim=(0, None))
    headline(
        axes, f"{STARTS} starts each", "stuck: " + ", ".join(f"{many} with {units}" for units, many in stuck.items())
    )


def digits() -> Figure:
    """Train on the scanned digits, sample by sample, and draw the test digits that are read wrong."""
    training, test = data.get("digits").split(test=0.25)
    network = Network((64, 16, 10), output="softmax")
    found = train(network, training, test, engine="numpy", epochs=10, rate=0.1)
    read = data.classes(network.predict(found.parameters, test.X))
    wrong = np.flatnonzero(read != test.labels)
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    panels = figure.subplots(2, 10)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, example in zip(panels.flat, wrong, strict=False):
        axes.imshow(test.X[:, example].reshape(8, 8), cmap="Greys")
        axes.text(3.5, 9.2, f"{test.labels[example]}, read {read[example]}", ha="center", va="center")
    finding = f"{len(wrong)} of {len(read)} test digits are read wrong"
    figure.suptitle(finding, x=0.01, ha="left", size=11, weight="bold")
    return figure


def answers() -> Figure:
    """Answer both questions of the course, as two tables."""
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    top, bottom = figure.subplots(2, 1)
    wrong = questions.answer_a()
    table(top, wrong, "{:.0f}", np.sqrt)
    headline(top, "A. With enough units, only contradictions stay wrong", f"{wrong.measured}, of 400")
    left = questions.answer_b()
    table(bottom, left, "{:.4f}", lambda numbers: np.log10(numbers.clip(1e-4)))
    headline(bottom, "B. Curves fit; noise, and what was not seen, do not", left.measured)
    for axes in (top, bottom):
        axes.set_xlabel("hidden units")
    return figure


def table(axes: Axes, found: questions.Answers, form: str, shade: Callable[[Array], Array]) -> None:
    """Write every number into a cell, the darker the larger."""
    numbers = np.array(list(found.rows.values()), dtype=float)
    axes.pcolormesh(shade(numbers), cmap=FAULTS, edgecolors="w", linewidth=1)
    for (row, column), number in np.ndenumerate(numbers):
        axes.text(column + 0.5, row + 0.5, form.format(number), ha="center", va="center")
    axes.set_xticks(np.arange(len(found.widths)) + 0.5, [str(width) for width in found.widths])
    axes.set_yticks(np.arange(len(found.rows)) + 0.5, list(found.rows))
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


# ---------------------------------------------------------------- the pieces


def _panels(count: int, height: float = 3.2) -> tuple[Figure, Any]:
    figure = Figure(figsize=(8, height), layout="constrained")
    panels = figure.subplots(1, count)
    for axes in panels:
        axes.set_box_aspect(1)
    return figure, panels


def _with_key(figure: Figure, panels: Any) -> Figure:
    """Say below the panels what their colours and marks mean."""
    for axes in panels[1:]:
        axes.set_ylabel("")
    marks, names = panels[0].get_legend_handles_labels()
    marks += [Patch(color=REGIONS(0)), Patch(color=REGIONS(1))]
    names += ["below 1/2", "above 1/2"]
    chosen = dict(zip(names, marks, strict=True))
    figure.legend(chosen.values(), chosen.keys(), loc="outside lower center", ncols=len(chosen), frameon=False)
    return figure


def _regions(axes: Axes, predict: Callable[[Array], Any], reach: float = 1.0) -> None:
    """Paint where the output is below and above 1/2."""
    along = np.linspace(-reach, reach, 161)
    x1, x2 = np.meshgrid(along, along)
    outputs = predict(np.stack([x1.ravel(), x2.ravel()])).reshape(x1.shape)
    axes.contourf(x1, x2, outputs, levels=[-0.1, 0.5, 1.1], cmap=REGIONS)
    axes.set(xlabel="x1", ylabel="x2", xlim=(-reach, reach), ylim=(-reach, reach), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    axes.grid(visible=False)


def _points(axes: Axes, drawn: Data) -> None:
    """Mark the first examples: circles of class 0, crosses of class 1."""
    for label, (marker, size) in enumerate((("o", 9), ("x", 11))):
        X = drawn.X[:, :SHOWN][:, drawn.labels[:SHOWN] == label]
        axes.scatter(X[0], X[1], s=size, marker=marker, color=CLASSES[label], linewidths=0.8, label=f"class {label}")


FIGURES = (
    LabFigure("band", "Can a straight line part a band, and can two hidden units?", band),
    LabFigure("hidden-units", "What does each hidden unit say, and what do they say together?", hidden_units),
    LabFigure("pocket", "How many hidden units close a pocket?", pocket),
    LabFigure("four-gaussians", "Does training end in the same place from every start?", four_gaussians),
    LabFigure("digits", "Which scanned digits does a network read wrong?", digits),
    LabFigure("answers", "Which data can one hidden layer classify without error, and which curves fit?", answers),
)
