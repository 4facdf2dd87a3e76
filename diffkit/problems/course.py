"""Four small expressions that a course on backpropagation works through by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.problems.base import Array, Problem, fixed


def _expression(v: Array) -> Any:
    x, z = v[0], v[1]
    return np.exp(x * z) + x * z / np.log(x) + np.sin(np.log(x)) / (x * z)


def _expression_jacobian(v: Array) -> Array:
    x, z = v
    log = np.log(x)
    by_x = z * np.exp(x * z) + z / log - z / log**2 + (np.cos(log) - np.sin(log)) / (x**2 * z)
    by_z = x * np.exp(x * z) + x / log - np.sin(log) / (x * z**2)
    return np.array([[by_x, by_z]])


def _composition(v: Array) -> Any:
    square = v[0] ** 2
    return np.cos(np.sin(square) + 3 * square)


def _composition_jacobian(v: Array) -> Array:
    x = v[0]
    return np.array([[-np.sin(np.sin(x**2) + 3 * x**2) * (np.cos(x**2) + 3) * 2 * x]])


def _product(v: Array) -> Any:
    x, y, z = v[0], v[1], v[2]
    return (x + y) * z


def _product_jacobian(v: Array) -> Array:
    x, y, z = v
    return np.array([[z, z, x + y]])


def _neuron(v: Array) -> Any:
    w0, x0, w1, x1, w2 = v[0], v[1], v[2], v[3], v[4]
    # As on the blackboard, for each of its operations is a node of the graph.
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))


def _neuron_jacobian(v: Array) -> Array:
    w0, x0, w1, x1, w2 = v
    y = 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
    return np.array([[y * (1 - y) * factor for factor in (x0, w0, x1, w1, 1.0)]])


_NOTES = "Stanford CS231n, course notes, Backpropagation, Intuitions"

PROBLEMS = (
    Problem(
        "worked-example",
        "exp(xz) + xz/log(x) + sin(log(x))/(xz) at (2, 3); its partials round to 1208 and 810.",
        "a course on backpropagation, the example for computation graphs",
        fixed(2),
        lambda: (_expression, np.array([2.0, 3.0]), _expression_jacobian, 1.0),
    ),
    Problem(
        "composition",
        "cos(sin(x^2) + 3 x^2), where x^2 is used twice.",
        "a course on backpropagation, the example for the chain rule",
        fixed(1),
        lambda: (_composition, np.array([0.7]), _composition_jacobian, 1.0),
    ),
    Problem(
        "product-of-sum",
        "(x + y) z at (-2, 5, -4).",
        _NOTES,
        fixed(3),
        lambda: (_product, np.array([-2.0, 5.0, -4.0]), _product_jacobian, 1.0),
    ),
    Problem(
        "sigmoid-neuron",
        "1/(1 + exp(-(w0 x0 + w1 x1 + w2))) of (w0, x0, w1, x1, w2).",
        _NOTES,
        fixed(5),
        lambda: (_neuron, np.array([2.0, -1.0, -3.0, -2.0, -3.0]), _neuron_jacobian, 1.0),
    ),
)
