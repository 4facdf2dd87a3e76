"""The drawn examples show the numbers that a course finds by hand."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.lab.figures.graphs import EXAMPLES, example, hidden_layer


def shown(figure):
    """What stands below each name: its value and the derivative of the result by it."""
    (axes,) = figure.axes
    texts = {text.get_gid(): text.get_text() for text in axes.texts}
    return {
        name: (texts[gid.replace("name", "value")], texts[gid.replace("name", "gradient")])
        for gid, name in texts.items()
        if gid.startswith("name") and gid.replace("name", "value") in texts
    }


def by_hand():
    x, z = 2.0, 3.0
    log = np.log(x)
    sine = {"x": 0.7, "J": np.cos(np.sin(0.49) + 3 * 0.49)}
    sine_by_x = -np.sin(np.sin(0.49) + 3 * 0.49) * (np.cos(0.49) + 3) * 1.4
    sigma = 1 / (1 + np.exp(-1.0))
    slope = sigma * (1 - sigma)
    return {
        "worked-example": {
            "x": (x, z * np.exp(6) + z / log - z / log**2 + (np.cos(log) - np.sin(log)) / (x**2 * z)),
            "z": (z, x * np.exp(6) + x / log - np.sin(log) / (x * z**2)),
            "J": (np.exp(6) + 6 / log + np.sin(log) / 6, 1.0),
        },
        "composition": {"x": (sine["x"], sine_by_x), "J": (sine["J"], 1.0)},
        "product-of-sum": {"x": (-2.0, -4.0), "y": (5.0, -4.0), "z": (-4.0, 3.0), "J": (-12.0, 1.0)},
        "sigmoid-neuron": {
            "w0": (2.0, -slope), "x0": (-1.0, 2 * slope), "w1": (-3.0, -2 * slope), "x1": (-2.0, -3 * slope),
            "w2": (-3.0, slope), "J": (sigma, 1.0),
        },
    }  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_worked_example_shows_the_numbers_found_by_hand(name):
    found = shown(example(name))
    for variable, numbers in by_hand()[name].items():
        assert found[variable] == tuple(f"{number:.4g}" for number in numbers)


def test_the_network_shows_its_parameters_by_name_and_shape():
    (axes,) = hidden_layer().axes
    texts = {text.get_gid(): text.get_text() for text in axes.texts}
    shapes = {texts[gid]: texts.get(gid.replace("name", "shape")) for gid in texts if gid.startswith("name")}
    expected = {"W1": "(5, 2)", "b1": "(5, 1)", "W2": "(1, 5)", "b2": "(1, 1)", "X": "(2, 4)", "Y": "(1, 4)", "J": None}
    assert shapes.items() >= expected.items()
