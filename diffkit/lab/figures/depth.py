"""Figures of vanishing gradients and of loss surfaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from diffkit.lab.depth import INITIALISATIONS, LayerGradients, Surface, layer_gradients, repeated, surface
from diffkit.lab.figures import LabFigure
from diffkit.operators import grad
from diffkit.pictures import BASE, MARKERS, REFERENCE, SPARE, headline

ACTIVATIONS = {"sigmoid": "#D55E00", "softplus": "#CC79A7", "relu": "#0072B2", "tanh": "#009E73"}
"""The activations of hidden layers, and their colours."""


def repeated_sigmoid() -> Figure:
    """Draw a sigmoid of a sigmoid, and its derivative by two methods against the bound."""
    figure = Figure(figsize=(8, 3.3), layout="constrained")
    curves, slopes = figure.subplots(1, 2)
    x = np.linspace(-6, 6, 121)
    for times, shade in zip((1, 2, 5), np.linspace(0.9, 0.35, 3), strict=True):
        y = repeated("sigmoid", times)(x)
        curves.plot(x, y, color=(0, 0.45 * shade, 0.7 * shade), linewidth=2.8 - 0.4 * times)
        curves.annotate(f"n = {times}", (6, y[-1]), (4, -9 if times == 5 else -3), textcoords="offset points")
    curves.set(xlabel="x", ylabel="sigmoid applied n times", ylim=(0, 1.05))
    headline(curves, "The fifth sigmoid is all but flat", "and near 0.66, the value that it leaves where it is")
    _slopes(slopes)
    return figure


def _slopes(axes: Axes) -> None:
    times = np.arange(1, 26)
    axes.semilogy(times, 0.25**times, "--", color=REFERENCE, label="bound, $(1/4)^n$")
    for method in ("reverse", "finite-difference"):
        slopes = np.array([abs(grad(repeated("sigmoid", int(n)), method=method)(1.0)) for n in times])
        look: dict[str, Any] = {"color": BASE[method], "marker": MARKERS[method], "linestyle": "none"}
        axes.semilogy(times[slopes > 0], slopes[slopes > 0], label=method, **look)  # 0 has no logarithm
    axes.set(xlabel="n, how often the sigmoid is applied", ylabel="derivative at x = 1")
    axes.yaxis.set_major_locator(LogLocator(base=1e4))
    axes.legend(frameon=False)
    headline(axes, "Each sigmoid takes 3/4 or more", "finite differences: 0 where no triangle is")


def gradients_by_layer() -> Figure:
    """Draw the norm of each layer's gradient, for four activations and two initialisations."""
    figure = Figure(figsize=(7.4, 4.4), layout="constrained")
    grid = figure.subplots(2, 2, sharex=True, sharey="row")
    for column, initialisation in zip(grid.T, INITIALISATIONS, strict=True):
        found = [layer_gradients(activation, initialisation) for activation in ACTIVATIONS]
        _layers(column[0], found, lambda one: one.Z)
        _layers(column[1], found, lambda one: one.W)
        column[1].set_xlabel("layer, from the inputs to the outputs")
    for row, name in zip(grid, ("Z", "W"), strict=True):
        row[0].set_ylabel(f"norm of dCost/d{name}")
    grid[0, 0].legend(frameon=False, ncols=2, loc="lower right")
    headline(grid[0, 0], "Gradients shrink on the way back", "dCost/dZ, weights from U[-1/√n, 1/√n]")
    headline(grid[0, 1], "Normalised weights spare tanh", "dCost/dZ, weights from U[-√(6/(n+n')), √(6/(n+n'))]")
    headline(grid[1, 0], "tanh and relu: all layers learn alike", "dCost/dW, the same networks as above")
    headline(grid[1, 1], "Sigmoid and softplus do not recover", "dCost/dW, the same networks as above")
    return figure


def _layers(axes: Axes, found: list[LayerGradients], norms: Callable[[LayerGradients], Any]) -> None:
    for one in found:
        layers = np.arange(1, len(one.Z) + 1)
        axes.semilogy(layers, norms(one), marker="o", ms=3, color=ACTIVATIONS[one.activation], label=one.activation)
    axes.set_xticks(range(1, len(found[0].Z) + 1, 2))


def loss_surfaces() -> Figure:
    """Draw cross-entropy and the quadratic cost over two weights, with their plateaus in another colour."""
    figure = Figure(figsize=(8, 3.4))
    for left, loss in ((0.0, "cross-entropy"), (0.5, "quadratic")):
        axes = figure.add_axes((left, -0.02, 0.44, 0.9), projection="3d")
        found = surface(loss, points=51)
        _surface(axes, found)
        share = np.mean(found.plateau)
        finding = f"plateaus on {share:.0%} of it" if share else "no plateau"
        context = (
            "orange: high, and less than half as steep as on average"
            if share
            else "the same network, examples and weights"
        )
        figure.text(left + 0.02, 0.97, f"{loss.capitalize()}: {finding}", size=11, weight="bold")
        figure.text(left + 0.02, 0.91, context, color="0.35")
    return figure


def _surface(axes: Any, found: Surface) -> None:
    first, second = np.meshgrid(found.weights, found.weights, indexing="ij")
    height = (found.cost - found.cost.min()) / np.ptp(found.cost)
    colours = colormaps["Blues"](0.2 + 0.6 * height.round(1))
    colours[found.plateau] = to_rgba(SPARE[0])
    axes.plot_surface(
        first, second, found.cost, facecolors=colours, rstride=1, cstride=1, shade=False, lw=0, antialiased=False
    )
    axes.view_init(elev=38, azim=-55)
    axes.set(xlabel="weight of layer 1", ylabel="weight of layer 2", xticks=(-5, 0, 5), yticks=(-5, 0, 5))
    axes.zaxis.set_rotate_label(False)
    axes.set_zlabel("cost per example", rotation=90)
    axes.locator_params(axis="z", nbins=4)


FIGURES = (
    LabFigure("repeated-sigmoid", "What is left of a derivative after n sigmoids?", repeated_sigmoid),
    LabFigure("gradients-by-layer", "How much gradient reaches each layer of a deep network?", gradients_by_layer),
    LabFigure("loss-surfaces", "Which cost has plateaus, cross-entropy or the quadratic?", loss_surfaces),
)
