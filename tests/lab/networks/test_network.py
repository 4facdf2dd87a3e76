import cmath
import pickle
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError, UnknownNameError
from diffkit.lab.networks import ACTIVATIONS, Model, Network

# ---------------------------------------------------------------- one unit and one example at a time, without arrays


def positive(z):
    return z if z.real > 0 else 0


UNITS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + cmath.exp(-z)),
    "tanh": cmath.tanh,
    "relu": positive,
    "softplus": lambda z: cmath.log(1 + cmath.exp(z)),
}


def plain_output(network, parameters, x):
    """Weights and intercepts in the order of the notes: W[1], b[1], W[2], b[2], ..."""
    names = [network.hidden] * (len(network.widths) - 2) + [network.output]
    rest, values = list(parameters), list(x)
    squares = 0
    for name, (before, after) in zip(names, pairwise(network.widths), strict=True):
        weights, rest = rest[: before * after], rest[before * after :]
        intercepts, rest = rest[:after], rest[after:]
        squares += sum(w * w for w in weights)
        z = [intercepts[i] + sum(weights[i * before + j] * values[j] for j in range(before)) for i in range(after)]
        if name == "softmax":
            values = [cmath.exp(entry) / sum(cmath.exp(other) for other in z) for entry in z]
        else:
            values = [UNITS[name](entry) for entry in z]
    assert not rest
    return values, squares


def plain_cost(network, parameters, X, Y):
    total, squares = 0, 0
    for x, y in zip(X.T, Y.T, strict=True):
        a, squares = plain_output(network, parameters, x)
        pairs = list(zip(a, y, strict=True))
        if network.loss == "quadratic":
            total += sum((p - label) ** 2 for p, label in pairs) / 2
        elif network.output == "softmax":
            total -= sum(label * cmath.log(p) for p, label in pairs)
        else:
            total -= sum(label * cmath.log(p) + (1 - label) * cmath.log(1 - p) for p, label in pairs)
    return total / X.shape[1] + network.l2 / 2 * squares


def complex_step(network, parameters, X, Y):
    found = []
    for k in range(network.count):
        shifted = parameters.astype(complex)
        shifted[k] += 1e-30j
        found.append(plain_cost(network, shifted.tolist(), X, Y).imag / 1e-30)
    return np.array(found)


METHODS = ("finite-difference", "symbolic", "forward", "reverse")

# ---------------------------------------------------------------- the kinds of networks


KINDS = {"logistic": (3, 1), "one hidden": (2, 3, 1), "two hidden": (2, 3, 2, 1), "four hidden": (2, 2, 2, 2, 2, 3)}
NETWORKS = [
    *[Network(widths) for widths in KINDS.values()],
    Network((2, 5, 3, 1)),
    *[Network((2, 3, 2), hidden) for hidden in UNITS],
    *[Network((2, 2, 3), output=output, loss="quadratic") for output in ACTIVATIONS],
    Network((2, 2, 3), output="softmax"),
    Network((4, 3), output="softmax"),
    Network((3, 1), output="identity", loss="quadratic"),
]
NETWORKS += [replace(network, l2=0.3) for network in NETWORKS]
SMALL = [n for n in NETWORKS if n.count < (25 if n.l2 else 18) or n == Network((2, 5, 3, 1))]


def sample(network, m=3, seed=0):
    rng = np.random.default_rng(seed)
    parameters = network.initial(seed) + rng.normal(size=network.count) / 4
    classes = rng.integers(max(2, network.widths[-1]), size=m)
    Y = np.eye(network.widths[-1])[:, classes] if network.widths[-1] > 1 else classes[np.newaxis] * 1.0
    return parameters, rng.normal(size=(network.widths[0], m)), Y


def error(found, expected):
    return np.max(np.abs(found - expected)) / np.max(np.abs(expected))


every_network = pytest.mark.parametrize("network", NETWORKS, ids=str)


@every_network
def test_cost_is_that_of_the_network_drawn_unit_by_unit(network):
    parameters, X, Y = sample(network)
    assert network.cost(parameters, X, Y) == pytest.approx(plain_cost(network, parameters, X, Y).real, rel=1e-13)
    outputs = [plain_output(network, parameters, x)[0] for x in X.T]
    np.testing.assert_allclose(network.predict(parameters, X).T, np.real(outputs), rtol=1e-13)


@every_network
def test_backward_is_what_a_complex_step_finds_in_that_network(network):
    parameters, X, Y = sample(network)
    assert error(network.backward(parameters, X, Y), complex_step(network, parameters, X, Y)) < 1e-13


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
@pytest.mark.parametrize("method", ["finite-difference", "forward", "reverse"])
@every_network
def test_every_method_finds_what_backward_does(network, method, engine):
    parameters, X, Y = sample(network)
    plan = dk.get(method, engine=engine).prepare(network.cost, parameters, X, Y, product="gradient")
    tolerance = 1e-8 if method == "finite-difference" else 1e-13
    assert error(plan.run(parameters, X, Y), network.backward(parameters, X, Y)) < tolerance


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
@pytest.mark.parametrize("network", SMALL, ids=str)
def test_symbolic_finds_what_backward_does(network, engine):
    parameters, X, Y = sample(network, m=2)
    plan = dk.get("symbolic", engine=engine).prepare(network.cost, parameters, X, Y, product="gradient")
    assert error(plan.run(parameters, X, Y), network.backward(parameters, X, Y)) < 1e-13


def test_symbolic_was_tried_on_each_activation_and_each_loss():
    assert {n.hidden for n in SMALL} == set(UNITS)
    assert {(n.output, n.chosen_loss.name) for n in SMALL} == {(n.output, n.chosen_loss.name) for n in NETWORKS}


# ---------------------------------------------------------------- examples in columns, or one as a vector


@every_network
def test_vectors_and_columns_agree(network):
    parameters, X, Y = sample(network, m=4)
    outputs = [network.predict(parameters, x) for x in X.T]
    assert outputs[0].shape == (network.widths[-1],)
    np.testing.assert_allclose(np.transpose(outputs), network.predict(parameters, X), rtol=1e-13)
    columns = list(zip(X.T, Y.T, strict=True))
    costs = [network.cost(parameters, x, y) for x, y in columns]
    assert np.mean(costs) == pytest.approx(network.cost(parameters, X, Y), rel=1e-14)
    gradients = [network.backward(parameters, x, y) for x, y in columns]
    np.testing.assert_allclose(np.mean(gradients, axis=0), network.backward(parameters, X, Y), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("vector", [True, False])
def test_one_plan_serves_every_sample(vector):
    network = Network((2, 5, 3, 1))
    parameters, X, Y = sample(network, m=6)
    examples = [(x, y) if vector else (x[:, None], y[:, None]) for x, y in zip(X.T, Y.T, strict=True)]
    plan = dk.get("reverse").prepare(network.cost, parameters, *examples[0], product="gradient")
    for x, y in examples:
        assert error(plan.run(parameters, x, y), network.backward(parameters, x, y)) < 1e-13


# ---------------------------------------------------------------- scores so large that probabilities round


@pytest.mark.parametrize(
    ("network", "Y", "cost"),
    [
        (Network((1, 1)), [[0.0, 1.0]], 1000.0),
        (Network((1, 2)), [[0.0, 1.0], [0.0, 1.0]], 1000.0),  # each column has one right, one wrong by 1000
        (Network((1, 2), output="softmax"), [[0.0, 1.0], [1.0, 0.0]], 2000.0),
    ],
)
def test_scores_of_a_thousand_are_no_trouble(network, Y, cost):
    weights = [1.0, -1.0][: network.widths[1]]
    parameters, X, Y = np.array([*weights, *np.zeros(len(weights))]), np.array([[1000.0, -1000.0]]), np.array(Y)
    assert network.cost(parameters, X, Y) == cost
    gradient = network.backward(parameters, X, Y)
    for method in ("forward", "reverse"):
        found = dk.get(method).prepare(network.cost, parameters, X, Y, product="gradient").run(parameters, X, Y)
        np.testing.assert_allclose(found, gradient, rtol=1e-15)
    A = network.predict(parameters, X)
    np.testing.assert_allclose(gradient[: len(weights)], ((A - Y) @ X.T / 2).ravel(), rtol=1e-15)


# ---------------------------------------------------------------- facts of the course


@pytest.mark.parametrize("activation", UNITS)
@pytest.mark.parametrize(("widths", "output"), [(w, o) for w, o in product(KINDS.values(), ("sigmoid", "softmax"))])
def test_a_gradient_costs_at_most_five_times_the_cost(widths, output, activation):
    network = Network(widths, activation, output, l2=0.1)
    X, Y = np.ones((widths[0], 10)), np.full((widths[-1], 10), 1 / widths[-1])
    plan = dk.get("reverse").prepare(network.cost, network.initial(), X, Y, product="gradient")
    assert plan.operations.total <= 5 * plan.function_operations.total


def test_descent_along_the_gradient_lowers_the_cost():
    network = Network((2, 5, 3, 1))
    parameters, X, Y = sample(network, m=20)
    lower = parameters - 0.1 * network.backward(parameters, X, Y)
    assert network.cost(lower, X, Y) < network.cost(parameters, X, Y)


def test_hidden_units_that_are_equal_have_equal_gradients():
    network = Network((2, 3, 1))
    _, X, Y = sample(network, m=9)
    dW, _ = network.layers(network.backward(np.full(network.count, 0.3), X, Y))[0]
    assert np.all(dW == dW[0])
    assert np.any(dW)


def test_intercepts_are_not_regularised():
    network = Network((2, 3, 1))
    parameters, X, Y = sample(network)
    with_l2, without = (one.layers(one.backward(parameters, X, Y)) for one in (replace(network, l2=2.0), network))
    for (dW, db), (dW_without, db_without) in zip(with_l2, without, strict=True):
        assert np.array_equal(db, db_without)
        assert not np.array_equal(dW, dW_without)
    added = replace(network, l2=2.0).cost(parameters, X, Y) - network.cost(parameters, X, Y)
    assert added == pytest.approx(sum(np.sum(W**2) for W, _ in network.layers(parameters)), rel=1e-13)


def test_layers_have_the_shapes_of_the_notes_and_are_views():
    network = Network((2, 5, 3, 1))
    parameters = network.initial()
    layers = network.layers(parameters)
    n = network.widths
    for layer, (W, b) in enumerate(layers, start=1):
        assert (W.shape, b.shape) == ((n[layer], n[layer - 1]), (n[layer], 1))
    layers[0][0][1, 0] = 7.0
    layers[0][1][0, 0] = 8.0
    assert parameters[2] == 7
    assert parameters[10] == 8


def test_forward_keeps_every_layer():
    network = Network((2, 5, 3, 1), ("relu", "tanh"))
    parameters, X, _ = sample(network, m=4)
    Z, A = network.forward(parameters, X)
    assert [a.shape for a in A] == [(2, 4), (5, 4), (3, 4), (1, 4)]
    assert np.array_equal(A[1], np.maximum(Z[0], 0))
    assert np.array_equal(A[2], np.tanh(Z[1]))


# ---------------------------------------------------------------- where to start


def test_initial_parameters_are_drawn_by_seed_with_intercepts_0():
    network = Network((100, 200, 10), output="softmax")
    parameters = network.initial(3)
    assert np.array_equal(parameters, network.initial(3))
    assert not np.array_equal(parameters, network.initial(4))
    for W, b in network.layers(parameters):
        assert not b.any()
        assert W.std() == pytest.approx(1 / np.sqrt(W.shape[1]), rel=0.1)
    assert all(W.std() == pytest.approx(3, rel=0.1) for W, _ in network.layers(network.initial(scale=3.0)))
    assert not network.initial(scale=0.0).any()


def test_a_network_is_a_model_that_can_be_a_key_and_be_sent_elsewhere():
    network = Network([2, 5, 1], hidden=["relu"])
    assert isinstance(network, Model)
    assert {network: 1}[Network((2, 5, 1), hidden=("relu",))] == 1
    assert pickle.loads(pickle.dumps(network)) == network  # noqa: S301 - our own


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": 5}, "widths=5; give two or more: features"),
        ({"widths": (2,)}, r"widths=\(2,\); give two or more: features"),
        ({"widths": (2, 0, 1)}, r"widths\[1\]=0; it must be a whole number from 1"),
        ({"widths": (2, 1.5)}, r"widths\[1\]=1\.5"),
        ({"widths": (2, 3, 3, 1), "hidden": ("relu",)}, "hidden names 1 activations for 2 hidden layers"),
        ({"widths": (2, 3, 1), "hidden": "softmax"}, "softmax is an activation of the last layer"),
        ({"widths": (2, 3), "output": "softmax", "loss": "binary-cross-entropy"}, "take loss='quadratic' or"),
        ({"widths": (2, 1), "l2": -1.0}, r"l2=-1\.0; it must be a positive number, or 0 for none"),
        ({"widths": (2, 1), "l2": np.nan}, "l2=nan"),
    ],
)
def test_networks_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Network(**arguments)


@pytest.mark.parametrize("name", [None, 3])
def test_what_is_no_name_is_no_activation(name):
    with pytest.raises(UnknownNameError, match=f"no activation {name};"):
        Network((2, 3, 1), hidden=name)


@pytest.mark.parametrize("field", ["hidden", "output"])
def test_an_unknown_activation_is_answered_with_its_neighbour(field):
    with pytest.raises(UnknownNameError, match="no activation 'sigmod'; did you mean 'sigmoid'"):
        Network((2, 3, 1), **{field: "sigmod"})


@pytest.mark.parametrize(
    ("network", "Y", "message"),
    [
        (
            Network((2, 1)),
            [[2.0, -1.0]],
            "Y holds numbers that are no labels; give labels from 0 to 1, a row for each output",
        ),
        (Network((2, 3), output="softmax"), [[1, 1], [1, 0], [0, 0]], "that sum to 1; of K classes"),
        (Network((2, 1), output="identity", loss="quadratic"), [[np.nan, 0.0]], "give finite numbers"),
        (Network((2, 1)), [[np.nan, 0.0]], "give labels from 0 to 1"),
        (Network((2, 1)), [0.0, 1.0], r"Y has shape \(2,\) and X \(2, 2\); give Y of shape \(1, 2\)"),
    ],
)
def test_labels_that_cannot_be_are_refused(network, Y, message):
    for use, given in product((network.cost, network.backward), (Y, np.array(Y))):
        with pytest.raises(InputError, match=message):
            use(network.initial(), np.ones((2, 2)), given)


def test_examples_may_be_lists():
    network = Network((2, 1))
    parameters, X, Y = sample(network)
    for use in (network.cost, network.backward):
        assert np.array_equal(use(parameters.tolist(), X.tolist(), Y.tolist()), use(parameters, X, Y))


@pytest.mark.parametrize("method", METHODS)
def test_labels_in_a_list_may_be_traced(method):
    network = Network((2, 1), output="identity", loss="quadratic")
    parameters, X, _ = sample(network)
    found = dk.grad(lambda y: network.cost(parameters, X, [[y[0], y[1], y[2]]]), method=method)(np.zeros(3))
    np.testing.assert_allclose(found, -network.predict(parameters, X)[0] / 3, rtol=1e-7)


def test_what_does_not_fit_is_refused_while_a_method_traces_too():
    network = Network((2, 1))
    with pytest.raises(InputError, match=r"Y has shape \(2, 4\) and X \(2, 4\); give Y of shape \(1, 4\)"):
        dk.grad(network.cost)(network.initial(), np.ones((2, 4)), np.ones((2, 4)))
