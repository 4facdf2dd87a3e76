from itertools import product

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError, UnknownNameError
from diffkit.lab.networks import Model
from diffkit.problems.convolutional import ConvolutionalNetwork

NETWORKS = [
    ConvolutionalNetwork(filters, 3, side, hidden, pool)
    for (filters, side), hidden, pool in product([(1, 4), (2, 8)], ("tanh", "relu"), ("mean", "max"))
]
SMALL = [ConvolutionalNetwork(1, 2, 4), ConvolutionalNetwork(1, 2, 4, "relu", "max")]
every_network = pytest.mark.parametrize("network", NETWORKS, ids=str)


def sample(network, m=3):
    rng = np.random.default_rng(0)
    parameters = network.initial() + rng.normal(size=network.count) / 4
    return (
        parameters,
        rng.normal(size=(network.side**2, m)),
        np.eye(network.classes)[:, rng.integers(network.classes, size=m)],
    )


def real(z):
    return z.real


def plain_scores(network, parameters, image):
    """One pixel, one filter and one image at a time; also for complex parameters, as LeCun et al. draw it."""
    F, K, s = network.filters, network.classes, network.side
    filters, rest = parameters[: 9 * F].reshape(F, 3, 3), parameters[9 * F :]
    biases, rest = rest[:F], rest[F:]
    half = (s - 2) // 2
    dense, last = rest[:-K].reshape(K, F * half * half), rest[-K:]
    pixels = image.reshape(s, s)
    pooled = []
    for f in range(F):
        seen = np.empty((s - 2, s - 2), dtype=parameters.dtype)
        for row, column in np.ndindex(s - 2, s - 2):
            z = biases[f] + sum(filters[f, i, j] * pixels[row + i, column + j] for i in range(3) for j in range(3))
            seen[row, column] = np.tanh(z) if network.hidden == "tanh" else (z if z.real > 0 else 0)
        for row, column in np.ndindex(half, half):
            four = list(seen[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].ravel())
            pooled.append(sum(four) / 4 if network.pool == "mean" else max(four, key=real))
    return last + np.array([sum(w * p for w, p in zip(row, pooled, strict=True)) for row in dense])


def plain_cost(network, parameters, X, Y):
    total = 0
    for image, label in zip(X.T, Y.T, strict=True):
        scores = np.exp(plain_scores(network, parameters, image))
        total -= np.log(scores[label == 1][0] / scores.sum())
    return total / X.shape[1]


@every_network
def test_the_network_is_that_drawn_pixel_by_pixel(network):
    parameters, X, Y = sample(network)
    assert network.cost(parameters, X, Y) == pytest.approx(plain_cost(network, parameters, X, Y), rel=1e-13)
    scores = np.exp([plain_scores(network, parameters, image) for image in X.T])
    np.testing.assert_allclose(network.predict(parameters, X), (scores.T / scores.sum(axis=1)), rtol=1e-13)


@every_network
def test_backward_is_what_a_complex_step_finds_pixel_by_pixel(network):
    parameters, X, Y = sample(network, m=2)
    expected = []
    for k in range(network.count):
        shifted = parameters.astype(complex)
        shifted[k] += 1e-30j
        expected.append(plain_cost(network, shifted, X, Y).imag / 1e-30)
    np.testing.assert_allclose(network.backward(parameters, X, Y), expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("method", ["finite-difference", "forward", "reverse"])
@every_network
def test_every_method_finds_what_backward_does(network, method):
    parameters, X, Y = sample(network)
    plan = dk.get(method, engine="numpy").prepare(network.cost, parameters, X, Y, product="gradient")
    tolerance = 1e-8 if method == "finite-difference" else 1e-13
    np.testing.assert_allclose(plan.run(parameters, X, Y), network.backward(parameters, X, Y), rtol=0, atol=tolerance)


@pytest.mark.parametrize("method", ["finite-difference", "symbolic", "forward", "reverse"])
@pytest.mark.parametrize("network", SMALL, ids=str)
def test_so_does_machine_code(network, method):
    parameters, X, Y = sample(network)
    plan = dk.get(method, engine="llvm").prepare(network.cost, parameters, X, Y, product="gradient")
    tolerance = 1e-8 if method == "finite-difference" else 1e-13
    np.testing.assert_allclose(plan.run(parameters, X, Y), network.backward(parameters, X, Y), rtol=0, atol=tolerance)


@pytest.mark.parametrize("hidden", ["tanh", "relu"])
def test_pixels_that_are_equally_the_largest_share_as_the_methods_do(hidden):
    network = ConvolutionalNetwork(2, 3, hidden=hidden, pool="max")
    parameters, X, Y = sample(network)
    X[:] = 0.0
    X[20:30] = 1.0
    found = dk.grad(network.cost)(parameters, X, Y)
    np.testing.assert_allclose(network.backward(parameters, X, Y), found, rtol=0, atol=1e-15)


@every_network
def test_an_image_may_be_a_vector(network):
    parameters, X, Y = sample(network)
    outputs = np.transpose([network.predict(parameters, x) for x in X.T])
    np.testing.assert_allclose(outputs, network.predict(parameters, X), rtol=1e-13)
    gradients = [network.backward(parameters, x, y) for x, y in zip(X.T, Y.T, strict=True)]
    np.testing.assert_allclose(np.mean(gradients, axis=0), network.backward(parameters, X, Y), rtol=0, atol=1e-14)
    plan = dk.get("reverse").prepare(network.cost, parameters, X[:, 0], Y[:, 0], product="gradient")
    for x, y in zip(X.T, Y.T, strict=True):  # one plan serves every image
        np.testing.assert_allclose(plan.run(parameters, x, y), network.backward(parameters, x, y), rtol=0, atol=1e-14)


@every_network
def test_a_gradient_costs_at_most_five_times_the_cost(network):
    plan = dk.get("reverse").prepare(network.cost, *sample(network), product="gradient")
    assert plan.operations.total <= 5 * plan.function_operations.total


def test_it_is_a_model():
    assert isinstance(ConvolutionalNetwork(), Model)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters=0; it must be a whole number from 1"),
        ({"classes": 2.5}, r"classes=2\.5"),
        ({"side": 7}, "side=7; images need a side of 4, 6, 8"),
        ({"side": 2}, "side=2"),
    ],
)
def test_numbers_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        ConvolutionalNetwork(**arguments)


@pytest.mark.parametrize("arguments", [{"hidden": "sigmoid"}, {"pool": "median"}])
def test_names_that_nobody_has_are_refused(arguments):
    with pytest.raises(UnknownNameError):
        ConvolutionalNetwork(**arguments)
