"""What the page says of training, as facts: the symmetry of zero, the size of initial weights, the sign."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.lab import data
from diffkit.lab.figures.training import Slip, comparisons
from diffkit.lab.networks import ConvolutionalNetwork, Network, RecurrentNetwork
from diffkit.lab.training import train


@pytest.fixture(scope="module")
def band():
    return data.get("band", samples=100)


def hidden_rows(network, parameters):
    W, b = network.layers(parameters)[0]
    return np.hstack([W, b])


@pytest.mark.parametrize("method", ["reverse", "forward", "symbolic"])
@pytest.mark.parametrize("engine", ["numpy", "llvm", "interpreted"])
def test_from_zero_hidden_units_stay_exactly_equal(band, method, engine):
    network = Network((2, 3, 1), hidden="sigmoid")
    seen = []
    train(
        network, band, method=method, engine=engine, scale=0, rate=0.5, epochs=5,
        watch=lambda _, parameters: seen.append(hidden_rows(network, parameters)),
    )  # fmt: skip
    assert all((rows == rows[0]).all() for rows in seen)
    assert np.abs(seen[-1]).max() > 0.01  # they move, together


def test_from_zero_tanh_units_do_not_move_at_all(band):
    network = Network((2, 3, 1))
    parameters = train(network, band, scale=0, rate=0.5, epochs=5).parameters
    assert np.count_nonzero(parameters) == 1  # the intercept of the output


def test_from_random_weights_units_part_and_learn(band):
    network = Network((2, 3, 1), hidden="sigmoid")
    zero, drawn = (train(network, band, scale=scale, rate=0.5, epochs=80, seed=5) for scale in (0, 1))
    rows = hidden_rows(network, drawn.parameters)
    assert min(np.abs(rows[i] - rows[j]).max() for i, j in ((0, 1), (0, 2), (1, 2))) > 1
    assert drawn.history[-1].training < 0.1
    assert zero.history[-1].training > 0.3


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh"])
def test_small_initial_weights_beat_large_ones_where_units_saturate(hidden):
    digits = data.get("digits", samples=150)
    network = Network((64, 16, 10), hidden=hidden, output="softmax")
    reached = {
        scale: [
            train(network, digits, engine="numpy", rate=0.5, batch=5, epochs=10, scale=scale, seed=seed)
            for seed in range(4)
        ]
        for scale in (0.1, 1, 10)
    }
    costs = {scale: [one.history[-1].training for one in found] for scale, found in reached.items()}
    assert max(costs[0.1]) < min(costs[10])
    assert max(costs[1]) < min(costs[10])


def test_without_its_minus_sign_descent_on_the_cross_entropy_diverges(band):
    given = {"rate": 0.03, "epochs": 500}
    right, wrong = (train(kind((2, 3, 1)), band, **given) for kind in (Network, Slip))
    climbing = [-row.training for row in wrong.history]
    assert climbing == sorted(climbing)
    assert climbing[-1] > 10
    assert not wrong.finite
    assert right.finite
    assert right.history[-1].training < right.history[0].training < climbing[0]


@pytest.mark.parametrize("network", [ConvolutionalNetwork(2, 10), RecurrentNetwork(3, 10)], ids=repr)
def test_the_same_algorithm_trains_convolutional_and_recurrent_networks(network):
    digits = data.get("digits", samples=60)
    way = {"rate": 0.1, "batch": 10, "order": "in-order", "epochs": 20}
    found = train(network, digits, **way)
    parameters = network.initial(0)
    for _ in range(20):
        for start in range(0, 60, 10):
            batch = slice(start, start + 10)
            parameters = parameters - 0.1 * network.backward(parameters, digits.X[:, batch], digits.Y[:, batch])
    np.testing.assert_allclose(found.parameters, parameters, rtol=1e-10, atol=1e-12)
    assert found.history[-1].training < found.history[0].training


def test_the_figure_of_methods_is_of_networks_that_all_methods_train():
    found = comparisons(widths=(1, 2), samples=3)
    assert list(found) == [5, 9]
    assert all(row.epoch_seconds > 0 and not row.trouble for one in found.values() for row in one.rows)
