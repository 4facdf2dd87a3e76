from itertools import pairwise

import numpy as np
import pytest

from diffkit.problems.networks import network


def plain_loss(widths, parameters, features, classes):
    """One example and one unit at a time, as the textbook draws it."""
    total = 0.0
    for example, label in zip(features, classes, strict=True):
        values, rest = list(example), list(parameters)
        for layer, (fan_in, fan_out) in enumerate(pairwise(widths)):
            weights, rest = rest[: fan_in * fan_out], rest[fan_in * fan_out :]
            biases, rest = rest[:fan_out], rest[fan_out:]
            z = [
                biases[unit] + sum(values[i] * weights[i * fan_out + unit] for i in range(fan_in))
                for unit in range(fan_out)
            ]
            values = z if layer == len(widths) - 2 else [np.tanh(entry) for entry in z]
        total += -np.log(np.exp(values[label]) / sum(np.exp(entry) for entry in values))
    return total / len(features)


@pytest.mark.parametrize("widths", [(4, 3), (4, 5, 3), (2, 3, 4, 2), (3, 2, 2, 2, 2, 3)])
def test_loss_is_that_of_the_network_drawn_unit_by_unit(widths):
    rng = np.random.default_rng(0)  # the network's own data, by their documented shapes
    features, classes = rng.normal(size=(6, widths[0])), rng.integers(widths[-1], size=6)
    loss, parameters, _, _ = network(widths, samples=6)
    assert parameters.size == sum((a + 1) * b for a, b in pairwise(widths))
    np.testing.assert_allclose(loss(parameters), plain_loss(widths, parameters, features, classes), rtol=1e-13)


def test_loss_does_not_overflow():
    loss, parameters, jacobian, _ = network([4, 5, 3])
    assert loss(1e4 * parameters) > 1e3
    assert np.isfinite(jacobian(1e4 * parameters)).all()


def test_gradient_of_equal_scores_is_the_excess_of_each_class():
    # With all parameters 0 only the last biases have a gradient: 1/3 less the share of the class.
    _, parameters, jacobian, _ = network([4, 5, 3], samples=30)
    gradient = jacobian(np.zeros_like(parameters))[0]
    rng = np.random.default_rng(0)
    rng.normal(size=(30, 4))
    share = np.bincount(rng.integers(3, size=30), minlength=3) / 30
    np.testing.assert_allclose(gradient[-3:], 1 / 3 - share, atol=1e-15)
    assert not gradient[:-3].any()
