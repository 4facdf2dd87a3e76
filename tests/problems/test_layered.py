"""What both networks share, and what both are held to: their own reference, written one number at a time."""

import cmath
from itertools import product

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError
from diffkit.lab.networks import Model
from diffkit.problems.convolutional import ConvolutionalNetwork
from diffkit.problems.layered import columns, flat
from diffkit.problems.recurrent import RecurrentNetwork

MODELS = [ConvolutionalNetwork(2, 3, side=4), RecurrentNetwork(2, 3, steps=4, features=4)]
every_model = pytest.mark.parametrize("model", MODELS, ids=["convolutional", "recurrent"])
NETWORKS = [
    *(
        ConvolutionalNetwork(filters, 3, side, hidden, pool)
        for (filters, side), hidden, pool in product([(1, 4), (2, 8)], ("tanh", "relu"), ("mean", "max"))
    ),
    *(RecurrentNetwork(*numbers) for numbers in [(1, 2, 1, 1), (1, 2, 4, 2), (3, 3, 5, 2)]),
]
every_network = pytest.mark.parametrize("network", NETWORKS, ids=str)
SMALL = [ConvolutionalNetwork(1, 2, 4), ConvolutionalNetwork(1, 2, 4, "relu", "max"), *NETWORKS[-3:-1]]
LONG = [RecurrentNetwork(4, 3, steps, 2) for steps in (1, 8, 32)]


def sample(network, m=3):
    """Parameters, of which none is 0, and m examples with their labels."""
    rng = np.random.default_rng(0)
    parameters = network.initial() + rng.normal(size=network.count) / 4
    inputs, classes = network.rows
    return parameters, rng.normal(size=(inputs, m)), np.eye(classes)[:, rng.integers(classes, size=m)]


# ---------------------------------------------------------------- each network, one number at a time


def pixel_by_pixel(network, parameters, image):
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
            pooled.append(sum(four) / 4 if network.pool == "mean" else max(four, key=lambda z: z.real))
    return [b + sum(w * p for w, p in zip(row, pooled, strict=True)) for row, b in zip(dense, last, strict=True)]


def step_by_step(network, parameters, sequence):
    """One number at a time, as Gers et al. (2000) write the cell; also for complex parameters."""
    H, K, D = network.width, network.classes, network.features
    rows = list(parameters[: 4 * H * (D + H)].reshape(4 * H, D + H))
    rest = parameters[4 * H * (D + H) :]
    intercepts, dense, last = rest[: 4 * H], rest[4 * H : -K].reshape(K, H), rest[-K:]
    c, h = [0] * H, [0] * H
    for t in range(network.steps):
        read = [*sequence[t * D : (t + 1) * D], *h]
        net = [b + sum(w * v for w, v in zip(row, read, strict=True)) for row, b in zip(rows, intercepts, strict=True)]
        for unit in range(H):
            i, f, o = (1 / (1 + cmath.exp(-net[gate * H + unit])) for gate in range(3))
            c[unit] = f * c[unit] + i * cmath.tanh(net[3 * H + unit])
            h[unit] = o * cmath.tanh(c[unit])
    return [b + sum(w * v for w, v in zip(row, h, strict=True)) for row, b in zip(dense, last, strict=True)]


def shares(network, parameters, X):
    """The softmax of each example's scores, in columns."""
    scores = pixel_by_pixel if isinstance(network, ConvolutionalNetwork) else step_by_step
    E = np.exp(np.transpose([scores(network, parameters, x) for x in X.T]))
    return E / E.sum(axis=0)


def plain_cost(network, parameters, X, Y):
    return -np.mean(np.log(shares(network, parameters, X)[Y == 1]))


@every_network
def test_the_network_is_that_written_number_by_number(network):
    parameters, X, Y = sample(network)
    assert network.cost(parameters, X, Y) == pytest.approx(plain_cost(network, parameters, X, Y).real, rel=1e-13)
    np.testing.assert_allclose(network.predict(parameters, X), shares(network, parameters, X).real, rtol=1e-13)


@every_network
def test_backward_is_what_a_complex_step_finds_number_by_number(network):
    parameters, X, Y = sample(network, m=2)
    expected = []
    for k in range(network.count):
        shifted = parameters.astype(complex)
        shifted[k] += 1e-30j
        expected.append(plain_cost(network, shifted, X, Y).imag / 1e-30)
    np.testing.assert_allclose(network.backward(parameters, X, Y), expected, rtol=1e-11, atol=1e-15)


# ---------------------------------------------------------------- and every method on it


@pytest.mark.parametrize(
    ("network", "method", "engine"),
    [
        *product(NETWORKS, ("finite-difference", "forward", "reverse"), ("numpy",)),
        *product(SMALL, ("finite-difference", "symbolic", "forward", "reverse"), ("llvm",)),
    ],
    ids=str,
)
def test_every_method_finds_what_backward_does(network, method, engine):
    parameters, X, Y = sample(network)
    plan = dk.get(method, engine=engine).prepare(network.cost, parameters, X, Y, product="gradient")
    tolerance = 1e-8 if method == "finite-difference" else 1e-13
    np.testing.assert_allclose(plan.run(parameters, X, Y), network.backward(parameters, X, Y), rtol=0, atol=tolerance)


@every_network
def test_one_example_may_be_a_vector(network):
    parameters, X, Y = sample(network)
    outputs = np.transpose([network.predict(parameters, x) for x in X.T])
    np.testing.assert_allclose(outputs, network.predict(parameters, X), rtol=1e-13)
    gradients = [network.backward(parameters, x, y) for x, y in zip(X.T, Y.T, strict=True)]
    np.testing.assert_allclose(np.mean(gradients, axis=0), network.backward(parameters, X, Y), rtol=0, atol=1e-14)
    plan = dk.get("reverse").prepare(network.cost, parameters, X[:, 0], Y[:, 0], product="gradient")
    for x, y, gradient in zip(X.T, Y.T, gradients, strict=True):  # one plan serves every example
        np.testing.assert_allclose(plan.run(parameters, x, y), gradient, rtol=0, atol=1e-14)


@pytest.mark.parametrize("network", [*NETWORKS, *LONG], ids=str)
def test_a_gradient_costs_at_most_five_times_the_cost(network):
    plan = dk.get("reverse").prepare(network.cost, *sample(network), product="gradient")
    assert plan.operations.total <= 5 * plan.function_operations.total


# ---------------------------------------------------------------- what they share


@pytest.mark.parametrize("kind", [ConvolutionalNetwork, RecurrentNetwork])
def test_it_is_a_model(kind):
    assert isinstance(kind(), Model)


@every_model
def test_parameters_are_w_and_b_of_each_layer(model):
    numbers = np.arange(float(model.count))
    layers = model.layers(numbers)
    assert [W.shape for W, _ in layers] == list(model.shapes)
    assert [b.shape for _, b in layers] == [(units, 1) for units, _ in model.shapes]
    assert np.array_equal(flat(layers), numbers)
    assert all(np.shares_memory(part, numbers) for pair in layers for part in pair)


@every_model
def test_parameters_by_name_are_those_of_the_vector_in_its_order(model):
    rng = np.random.default_rng(0)
    numbers, X, Y = rng.normal(size=model.count), rng.normal(size=(16, 2)), np.eye(3)[:, [0, 2]]
    named = model.named(numbers)
    assert list(named) == ["W1", "b1", "W2", "b2"]
    assert all(np.shares_memory(part, numbers) for part in named.values())
    assert model.cost(named, X, Y) == model.cost(dict(named), X, Y) == model.cost(numbers, X, Y)
    gradient = dk.grad(model.cost)(named, X, Y)
    assert {name: part.shape for name, part in gradient.items()} == {name: part.shape for name, part in named.items()}
    found = np.concatenate([gradient[name].ravel() for name in ("W1", "b1", "W2", "b2")])
    np.testing.assert_allclose(found, model.backward(numbers, X, Y), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(model.backward(named, X, Y), model.backward(numbers, X, Y))
    assert dk.check(lambda p: model.cost(p, X, Y), named, model.backward(numbers, X, Y))  # a vector has that order too


@every_model
def test_names_and_shapes_that_are_not_the_networks_are_refused(model):
    named = model.named(np.zeros(model.count))
    for wrong in ({}, {**named, "W3": np.zeros((1, 1))}, {**named, "b1": np.zeros(3)}):
        with pytest.raises(InputError, match=r"this network has .* as named"):
            model.predict(wrong, np.zeros(16))


@every_model
@pytest.mark.parametrize("size", [0, 1, 1000])
def test_parameters_of_another_number_are_refused(model, size):
    with pytest.raises(InputError, match=rf"parameters of shape \({size},\); this network has {model.count}, in one"):
        model.predict(np.zeros(size), np.zeros(16))


@every_model
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 16), r"X has shape \(5, 16\); give \(16, m\) .* examples are columns, so give X.T"),
        ((5,), r"give \(16, m\) for m examples, or \(16,\) for one$"),
        ((16, 0), "no example; a mean needs one or more"),
        ((16, 2, 2), r"X has shape \(16, 2, 2\)"),
        ((), r"X has shape \(\)"),
    ],
)
def test_inputs_of_another_shape_are_refused_with_the_one_that_fits(model, shape, message):
    with pytest.raises(InputError, match=message):
        model.predict(model.initial(), np.zeros(shape))


@every_model
def test_labels_are_checked_where_they_are_numbers(model):
    with pytest.raises(InputError, match="Y holds numbers that are no labels; give columns of shares from 0 to 1"):
        model.cost(model.initial(), np.zeros((16, 2)), np.ones((3, 2)))
    with pytest.raises(InputError, match="Y holds numbers that are no labels"):  # they sum to 1
        model.cost(model.initial(), np.zeros((16, 2)), np.array([[2.0, 0.5], [-1.0, 0.5], [0.0, 0.0]]))
    with pytest.raises(InputError, match=r"give Y of shape \(3, 2\), examples in columns"):
        model.backward(model.initial(), np.zeros((16, 2)), np.ones((2, 3)))


@every_model
@pytest.mark.parametrize("scale", [-1.0, np.nan, np.inf, "large"])
def test_a_scale_that_is_no_deviation_is_refused(model, scale):
    with pytest.raises(InputError, match=r"scale=.*; it must be a positive number, 0, or None"):
        model.initial(scale=scale)


@every_model
def test_parameters_start_from_a_seed_with_intercepts_0(model):
    assert np.array_equal(model.initial(5), model.initial(5))
    assert not np.array_equal(model.initial(5), model.initial(6))
    assert not any(b.any() for _, b in model.layers(model.initial()))
    assert not model.initial(scale=0).any()


def test_one_example_is_one_column():
    assert columns(np.arange(3)).tolist() == [[0], [1], [2]]
    assert columns(np.ones((3, 2))).shape == (3, 2)
