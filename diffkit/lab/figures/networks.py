"""Pictures of networks: the shapes of values and gradients, and the activations with their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from diffkit.lab.figures import LabFigure
from diffkit.lab.networks import ACTIVATIONS, Network
from diffkit.pictures import BASE, REFERENCE, SPARE

EXAMPLES = 6
NETWORK = Network((2, 5, 3, 1))
COLUMNS = (0, 8, 17, 21.5)  # left edges of W[l], A[l-1], b[l], Z[l], in entries
GRADIENTS = 34  # how far right the gradients stand of the values
ROWS = (0, 8, 16)  # upper edges of layers


def shapes() -> Figure:
    """Draw every array of a network, and its gradient beside it, entry by entry."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(2, EXAMPLES))
    Y = (X[:1] * X[1:] > 0).astype(float)
    parameters = rng.normal(size=NETWORK.count)
    Z, A = NETWORK.forward(parameters, X)
    dZ, dA = _backward(parameters, Z, A, Y)
    layers, gradients = NETWORK.layers(parameters), NETWORK.layers(NETWORK.backward(parameters, X, Y))
    figure = Figure(figsize=(8.0, 3.9), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(-4.5, GRADIENTS + 28.5), ylim=(20.5, -4.8), aspect="equal")
    axes.axis("off")
    axes.set_title("A gradient has the shape of what it is the gradient of")
    for layer, top in enumerate(ROWS):
        (W, b), (dW, db) = layers[layer], gradients[layer]
        axes.text(-0.8, top + 2.5, f"l = {layer + 1}", ha="right", va="center", color=REFERENCE)
        values = f"W[{layer + 1}]", f"A[{layer}]", f"b[{layer + 1}]", f"Z[{layer + 1}]"
        for left, name, array in zip(COLUMNS, values, (W, A[layer], b, Z[layer]), strict=True):
            _matrix(axes, left, top, name, array)
        for left, sign in zip(COLUMNS[1:], ("·", "+", "="), strict=True):
            axes.text(left - 1.3, top + 2.5, sign, ha="center", va="center", fontsize=12)
        for left, name, array in zip(COLUMNS, values, (dW, dA[layer], db, dZ[layer]), strict=True):
            _matrix(axes, GRADIENTS + left, top, f"d{name}", array)
    context = f"Network 2-5-3-1 on {EXAMPLES} examples; blue is positive, red negative, of each array's largest entry"
    axes.text(0, 1.035, context, transform=axes.transAxes, color=REFERENCE)
    axes.text(0, -3.6, "forward, from l = 1 down", color=BASE["forward"], fontweight="bold")
    axes.text(GRADIENTS, -3.6, "backward, from l = 3 up", color=BASE["reverse"], fontweight="bold")
    return figure


def _backward(parameters: Any, Z: Any, A: Any, Y: Any) -> tuple[list[Any], list[Any]]:
    """Compute dZ[1], ..., dZ[L] and dA[0], ..., dA[L-1], which `Network.backward` does not keep."""
    dZ: list[Any] = [A[-1] - Y]
    dA: list[Any] = []
    for layer, (W, _) in reversed(list(enumerate(NETWORK.layers(parameters)))):
        dA.insert(0, W.T @ dZ[0])
        if layer:
            dZ.insert(0, NETWORK.activations[layer - 1].backward(dA[0], Z[layer - 1], A[layer]))
    return dZ, dA


def _matrix(axes: Any, left: float, top: float, name: str, array: Any) -> None:
    """Draw a matrix as squares, coloured by sign and size relative to its largest entry."""
    rows, columns = array.shape
    down = top + (5 - rows) / 2
    relative = array / np.max(np.abs(array))
    box = (left, left + columns, down + rows, down)
    axes.imshow(relative, extent=box, cmap="RdBu", vmin=-1.4, vmax=1.4, interpolation="nearest")
    axes.add_patch(Rectangle((left, down), columns, rows, fill=False, edgecolor="0.3", linewidth=0.6))
    axes.text(left + columns / 2, down - 0.35, f"{name}\n{rows} × {columns}", ha="center", va="bottom", fontsize=7)


def activations() -> Figure:
    """Draw the activations of hidden layers, and their derivatives by hand."""
    z = np.linspace(-5, 5, 501)
    figure = Figure(figsize=(8.0, 3.2), layout="constrained")
    values, slopes = figure.subplots(1, 2, gridspec_kw={"wspace": 0.08})
    for name, colour in zip(("sigmoid", "tanh", "relu", "softplus"), SPARE, strict=True):
        values.plot(z, ACTIVATIONS[name].value(z), color=colour, label=name)
        slopes.plot(z, ACTIVATIONS[name].derivative(z), color=colour, label=name)
    values.set(xlabel="z", ylabel="g(z)", ylim=(-1.2, 3.2), title="Two saturate, two grow")
    slopes.set(xlabel="z", ylabel="g'(z)", ylim=(-0.05, 1.08), title="Where g is flat, nothing goes back")
    values.text(0, 1.035, "Activations of hidden layers", transform=values.transAxes, color=REFERENCE)
    slopes.text(0, 1.035, "Their derivatives, by hand", transform=slopes.transAxes, color=REFERENCE)
    values.legend(loc="upper left", frameon=False)
    return figure


FIGURES: tuple[LabFigure, ...] = (
    LabFigure("network-shapes", "Which shapes do the arrays of a network have, and their gradients?", shapes),
    LabFigure("activations", "What do the activations do, and what do they pass back?", activations),
)
