"""Typical mistakes in a hand-written backward pass, each planted once: found, and the right parameter named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk

M, L2 = 7, 0.1
GENERATOR = np.random.default_rng(4)
X, Y = GENERATOR.standard_normal((3, M)), (GENERATOR.uniform(size=(2, M)) > 0.5) * 1.0
POINT = {
    "W1": GENERATOR.standard_normal((4, 3)),
    "W2": GENERATOR.standard_normal((2, 4)),
    "b1": GENERATOR.standard_normal((4, 1)),
    "b2": GENERATOR.standard_normal((2, 1)),
}


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def loss(p: Any) -> Any:
    """Two layers, m samples at once, mean cross-entropy, and a penalty on the weights only."""
    A1 = np.tanh(p["W1"] @ X + p["b1"])
    A2 = sigmoid(p["W2"] @ A1 + p["b2"])
    entropy = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / M
    return entropy + L2 / 2 * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))


def backward(p: Any, mistake: str = "") -> Any:
    A1 = np.tanh(p["W1"] @ X + p["b1"])
    A2 = sigmoid(p["W2"] @ A1 + p["b2"])
    dZ2 = {"sign": Y - A2}.get(mistake, A2 - Y)
    dA1 = p["W2"].T @ dZ2
    slope = {"no g'(z)": 1.0, "g' of a": 1 - np.tanh(A1) ** 2}.get(mistake, 1 - A1**2)
    dZ1 = dA1 * slope
    dW2 = dZ2 @ A1.T / M
    dW1 = dZ1 @ X.T / {"no 1/m": 1, "off by one": M - 1}.get(mistake, M)
    db1 = np.sum(dZ1, axis=1, keepdims=True) / M
    if mistake == "swapped factors":
        dW2 = (A1 @ dZ2.T / M).reshape(2, 4)
    if mistake == "transposed":
        dW2 = dW2.T
    if mistake == "mean over units":
        db1 = np.broadcast_to(np.sum(dZ1, axis=0, keepdims=True)[:, :4].T / M, (4, 1)).copy()
    if mistake != "no l2 term":
        dW1 = dW1 + L2 * p["W1"]
    dW2 = dW2 + L2 * (p["W2"].T if mistake == "transposed" else p["W2"])
    if mistake == "one entry":
        dW1[2, 0] *= 1 + 1e-5
    return {"W1": dW1, "W2": dW2, "b1": db1, "b2": np.sum(dZ2, axis=1, keepdims=True) / M}


MISTAKES = {
    "no 1/m": "W1",
    "off by one": "W1",
    "no g'(z)": "W1|b1",
    "g' of a": "W1|b1",
    "sign": "W1|W2|b1|b2",
    "swapped factors": "W2",
    "transposed": "W2",
    "mean over units": "b1",
    "no l2 term": "W1",
    "one entry": r"W1\[2, 0\]",
}


def flat(p: Any) -> Any:
    return np.concatenate([np.ravel(p[name]) for name in sorted(p)])


def test_the_right_backward_pass_holds() -> None:
    found = dk.check(loss, POINT, backward)
    assert found
    assert found.resolution < 1e-9


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_mistake_is_found_and_its_parameter_is_named(mistake: str) -> None:
    with pytest.raises(dk.CheckError, match=rf"does not hold: f by ({MISTAKES[mistake]})"):
        dk.check(loss, POINT, lambda p: backward(p, mistake))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_entry_named_is_the_one_furthest_off_shown_with_its_right_value(mistake: str) -> None:
    found = dk.check(loss, POINT, lambda p: backward(p, mistake), raises=False)
    right, wrong = flat(backward(POINT)), flat(backward(POINT, mistake))
    j = int(np.argmax(np.abs(right - wrong)))
    assert (found.verdict, found.worst, found.given) == ("wrong", (0, j), wrong[j])
    assert found.expected == pytest.approx(right[j], rel=1e-9)
    assert found.error == pytest.approx(abs(wrong[j] - right[j]) / np.max(np.abs(right)), rel=1e-6)


def test_one_wrong_entry_is_named_by_its_index() -> None:
    found = dk.check(loss, POINT, lambda p: backward(p, "one entry"), raises=False)
    assert (found.entry, found.output, found.worst) == ("W1[2, 0]", "f", (0, 6))
