"""Pictures of training: its course, what each method takes, and how to begin."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from diffkit.lab import data
from diffkit.lab.figures import LabFigure
from diffkit.lab.networks import Network
from diffkit.lab.training import Comparison, compare_methods, train
from diffkit.pictures import BASE, MARKERS, REFERENCE, SPARE, headline

SAMPLES = 100
"""Of the epochs that are timed."""
METHODS = ("reverse", "forward", "symbolic", "finite-difference")


def curves() -> Figure:
    """Draw the mean cross-entropy of both sets after each epoch, for three ways to descend."""
    training, test = data.get("band").split()
    ways: dict[str, dict[str, Any]] = {
        "sample by sample": {},
        "batches of 10": {"batch": 10},
        "batches of 10, momentum 0.9": {"batch": 10, "momentum": 0.9},
    }
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    for colour, (label, way) in zip(SPARE[1:], ways.items(), strict=False):
        history = train(Network((2, 3, 1)), training, test, epochs=60, rate=0.1, seed=1, **way).history
        epochs = [row.epoch for row in history]
        axes.plot(epochs, [row.training for row in history], color=colour, label=label)
        axes.plot(epochs, [row.test for row in history], color=colour, linestyle=":")
    axes.plot([], [], color=REFERENCE, linestyle=":", label="each dotted: test set")
    axes.set(xlabel="epoch", ylabel="mean cross-entropy", yscale="log", xlim=(0, 60))
    headline(
        axes,
        "Momentum makes up for the steps that batches save",
        "diagonal band, 300 training and 100 test samples, 3 hidden units, rate 0.1",
    )
    axes.legend(frameon=False)
    return figure


def comparisons(widths: tuple[int, ...] = (2, 8, 30, 120), samples: int = SAMPLES) -> dict[int, Comparison]:
    """Time epochs of networks with more and more hidden units, by the number of parameters."""
    few = data.get("band", samples=samples)
    networks = [Network((2, width, 1)) for width in widths]
    return {model.count: compare_methods(model, few, methods=METHODS, epochs=5) for model in networks}


def methods() -> Figure:
    """Draw what an epoch and the preparation take by each method, as the network widens."""
    found = comparisons()
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True)
    for number, method in enumerate(METHODS):
        rows = {A: comparison.rows[number] for A, comparison in found.items() if not comparison.rows[number].trouble}
        look = {"color": BASE[method], "marker": MARKERS[method], "label": method}
        left.plot(list(rows), [1e3 * row.epoch_seconds for row in rows.values()], **look)
        right.plot(list(rows), [1e3 * row.prepare_seconds for row in rows.values()], **look)
    for axes, label in ((left, f"an epoch of {SAMPLES} steps, ms"), (right, "preparation, ms")):
        axes.set(xlabel="parameters A", ylabel=label, xscale="log", yscale="log")
    engine = next(iter(found.values())).rows[0].engine
    headline(left, "Reverse mode hardly sees A", f"median of 5 epochs, sample by sample, engine {engine}")
    headline(right, "Symbolic pays before the first step", "once for a network and a batch size")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def agreement() -> Figure:
    """Draw how far the trajectories of the methods are from that of reverse mode."""
    few = data.get("band", samples=10)
    trails = {method: _trail(method, few) for method in METHODS}
    reference = trails["reverse"]
    size = np.max(np.abs(reference), axis=1)
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axes = figure.subplots()
    steps = 10 * np.arange(1, len(reference) + 1)
    for method in METHODS[1:]:
        distance = np.max(np.abs(trails[method] - reference), axis=1) / size
        axes.plot(steps, np.maximum(distance, 1e-17), color=BASE[method], label=method)
    axes.set(xlabel="steps", ylabel="distance from reverse, relative", yscale="log", ylim=(3e-18, 1e-8), xlim=(0, 500))
    headline(
        axes,
        "Four methods, one trajectory",
        "largest difference of a parameter, over the largest parameter; 3 hidden units, 13 parameters",
    )
    axes.legend(frameon=False, loc="center right")
    return figure


def _trail(method: str, few: data.Data) -> Any:
    trail: list[Any] = []
    train(Network((2, 3, 1)), few, method=method, epochs=50, rate=0.3, watch=lambda _, point: trail.append(point))
    return np.array(trail)


def symmetry() -> Figure:
    """Draw the first weight of each hidden unit, started at zero and at random."""
    training, test = data.get("band").split()
    network = Network((2, 3, 1), hidden="sigmoid")
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    for axes, scale, title in zip(
        figure.subplots(1, 2, sharey=True),
        (0.0, 1.0),
        ("From zero, three units stay one", "From random weights, they part"),
        strict=True,
    ):
        weights: list[Any] = []

        def watch(_row: Any, parameters: Any, weights: list[Any] = weights) -> None:
            weights.append(network.layers(parameters)[0][0][:, 0].copy())

        trained = train(network, training, test, rate=0.5, epochs=30, scale=scale, seed=5, watch=watch)
        for unit, (dashes, width) in enumerate((("-", 4.0), ("--", 2.4), (":", 1.4))):
            label = f"hidden unit {unit + 1}"
            axes.plot(range(1, 31), np.array(weights)[:, unit], dashes, color=SPARE[unit], linewidth=width, label=label)
        axes.set(xlabel="epoch", xlim=(1, 30))
        headline(axes, title, f"cross-entropy after 30 epochs: {trained.history[-1].training:.2g}")
    figure.axes[0].set_ylabel("weight of the first feature")
    figure.axes[0].legend(frameon=False)
    return figure


def scales() -> Figure:
    """Draw what training reaches from initial weights of several sizes."""
    training, test = data.get("digits", samples=400).split()
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    sizes = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
    for hidden, colour in (("sigmoid", SPARE[0]), ("tanh", SPARE[1])):
        network = Network((64, 16, 10), hidden=hidden, output="softmax")
        costs = np.array([[_reached(network, training, test, scale, seed) for seed in range(4)] for scale in sizes])
        axes.plot(sizes, np.median(costs, axis=1), color=colour, label=f"{hidden}, median")
        axes.plot(np.repeat(sizes, 4), costs.ravel(), "o", color=colour, alpha=0.5, markersize=3)
    axes.axhline(np.log(10), color=REFERENCE, linestyle="--", label="knowing nothing: log 10")
    axes.set(xlabel="standard deviation of the initial weights", ylabel="training cross-entropy")
    axes.set(xscale="log", yscale="log")
    headline(
        axes,
        "Large initial weights saturate the units, and learning is slow",
        "300 digits, 16 hidden units, after 20 epochs at rate 0.5; 4 seeds each",
    )
    axes.legend(frameon=False)
    return figure


def _reached(network: Network, training: data.Data, test: data.Data, scale: float, seed: int) -> float:
    given: dict[str, Any] = {"engine": "numpy", "rate": 0.5, "batch": 10, "epochs": 20, "scale": scale, "seed": seed}
    return train(network, training, test, **given).history[-1].training


class Slip(Network):
    """A network whose cross-entropy is the one of the slides: without the minus sign."""

    def cost(self, parameters: Any, X: Any, Y: Any) -> Any:
        """Compute the mean of y log a + (1 - y) log(1 - a), which has no minimum."""
        A = self.predict(parameters, X)
        return np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))


def sign() -> Figure:
    """Draw the cross-entropy under descent with the minus sign, and without."""
    training, test = data.get("band").split()
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axes = figure.subplots()
    for kind, factor, colour, label in (
        (Slip, -1, SPARE[0], "descent on it without the minus sign"),
        (Network, 1, SPARE[1], "descent on it"),
    ):
        trained = train(kind((2, 3, 1)), training, test, rate=0.01, epochs=40)
        costs = [factor * row.training for row in trained.history]
        axes.plot(range(1, len(costs) + 1), costs, color=colour, label=label)
        if not trained.finite:
            axes.plot(len(costs), costs[-1], "X", color=colour, markersize=9)
            said = f"epoch {len(costs) + 1}: log 0, stopped"
            axes.annotate(said, (len(costs), costs[-1]), (10, -3), textcoords="offset points")
    axes.set(xlabel="epoch", ylabel="mean cross-entropy", yscale="log", xlim=(1, 40))
    headline(
        axes, "Without its minus sign, the cross-entropy climbs until log 0", "diagonal band, 3 hidden units, rate 0.01"
    )
    axes.legend(frameon=False)
    return figure


FIGURES: tuple[LabFigure, ...] = (
    LabFigure("training-curves", "How does the cost fall, sample by sample, in batches, and with momentum?", curves),
    LabFigure("training-methods", "What do an epoch and the preparation take by each method?", methods),
    LabFigure("training-agreement", "Do the four methods train the same network?", agreement),
    LabFigure("training-symmetry", "Why do networks not start from zero?", symmetry),
    LabFigure("training-scale", "How large should initial weights be?", scales),
    LabFigure("training-sign", "What does descent do on a cross-entropy without minus sign?", sign),
)
