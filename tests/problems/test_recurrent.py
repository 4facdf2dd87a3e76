import cmath

import numpy as np
import pytest

import diffkit as dk
from diffkit import problems
from diffkit.errors import InputError
from diffkit.lab.networks import Model
from diffkit.problems.recurrent import RecurrentNetwork

NETWORKS = [RecurrentNetwork(1, 2, 1, 1), RecurrentNetwork(1, 2, 4, 2), RecurrentNetwork(3, 3, 5, 2)]
SMALL = NETWORKS[:2]
every_network = pytest.mark.parametrize("network", NETWORKS, ids=str)


def sample(network, m=3):
    rng = np.random.default_rng(0)
    parameters = network.initial() + rng.normal(size=network.count) / 4
    labels = np.eye(network.classes)[:, rng.integers(network.classes, size=m)]
    return parameters, rng.normal(size=(network.steps * network.features, m)), labels


def sigmoid(z):
    return 1 / (1 + cmath.exp(-z))


def plain_scores(network, parameters, sequence):
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
            i, f, o = (sigmoid(net[gate * H + unit]) for gate in range(3))
            c[unit] = f * c[unit] + i * cmath.tanh(net[3 * H + unit])
            h[unit] = o * cmath.tanh(c[unit])
    return np.array([b + sum(w * v for w, v in zip(row, h, strict=True)) for row, b in zip(dense, last, strict=True)])


def plain_cost(network, parameters, X, Y):
    total = 0
    for sequence, label in zip(X.T, Y.T, strict=True):
        scores = np.exp(plain_scores(network, parameters, sequence))
        total -= np.log(scores[label == 1][0] / scores.sum())
    return total / X.shape[1]


@every_network
def test_the_network_is_that_written_number_by_number(network):
    parameters, X, Y = sample(network)
    assert network.cost(parameters, X, Y) == pytest.approx(plain_cost(network, parameters, X, Y).real, rel=1e-13)
    scores = np.exp(np.real([plain_scores(network, parameters, x) for x in X.T]))
    np.testing.assert_allclose(network.predict(parameters, X), scores.T / scores.sum(axis=1), rtol=1e-13)


@every_network
def test_backpropagation_through_time_is_what_a_complex_step_finds(network):
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


@every_network
def test_a_sequence_may_be_a_vector(network):
    parameters, X, Y = sample(network)
    outputs = np.transpose([network.predict(parameters, x) for x in X.T])
    np.testing.assert_allclose(outputs, network.predict(parameters, X), rtol=1e-13)
    plan = dk.get("reverse").prepare(network.cost, parameters, X[:, 0], Y[:, 0], product="gradient")
    gradients = [network.backward(parameters, x, y) for x, y in zip(X.T, Y.T, strict=True)]
    for x, y, gradient in zip(X.T, Y.T, gradients, strict=True):  # one plan serves every sequence
        np.testing.assert_allclose(plan.run(parameters, x, y), gradient, rtol=0, atol=1e-14)
    np.testing.assert_allclose(np.mean(gradients, axis=0), network.backward(parameters, X, Y), rtol=0, atol=1e-14)


@pytest.mark.parametrize("steps", [1, 8, 32])
def test_a_gradient_costs_at_most_five_times_the_cost(steps):
    network = RecurrentNetwork(4, 3, steps, 2)
    plan = dk.get("reverse").prepare(network.cost, *sample(network), product="gradient")
    assert plan.operations.total <= 5 * plan.function_operations.total


def test_gates_that_are_closed_or_open_do_not_overflow():
    network = RecurrentNetwork(2, 2, 3, 1)
    _, X, Y = sample(network)
    parameters = 1e4 * network.initial()
    assert np.isfinite(network.cost(parameters, X, Y))
    assert np.all(np.isfinite(network.backward(parameters, X, Y)))
    np.testing.assert_allclose(dk.grad(network.cost)(parameters, X, Y), network.backward(parameters, X, Y), rtol=1e-10)


def test_the_problem_reads_as_many_steps_as_are_asked_for():
    counts = []
    for steps in (1, 2, 4):
        instance = problems.get("lstm-network").at(20, steps=steps)
        counts.append(dk.get("reverse").prepare(instance.function, instance.point, product="value").operations.total)
        found = dk.jacobian(instance.function)(instance.point)
        np.testing.assert_allclose(found, instance.jacobian(instance.point), rtol=0, atol=1e-14)
    assert counts[2] - counts[1] == pytest.approx(2 * (counts[1] - counts[0]), rel=0.1)
    with pytest.raises(InputError, match="steps=0; it must be a whole number from 1"):
        problems.get("lstm-network").at(20, steps=0)


def test_it_is_a_model():
    assert isinstance(RecurrentNetwork(), Model)


@pytest.mark.parametrize("field", ["width", "classes", "steps", "features"])
def test_numbers_that_cannot_be_are_refused(field):
    with pytest.raises(InputError, match=f"{field}=0; it must be a whole number from 1"):
        RecurrentNetwork(**{field: 0})
