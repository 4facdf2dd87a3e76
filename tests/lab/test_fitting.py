import numpy as np
import pytest
from scipy.optimize import minimize

from diffkit.errors import InputError
from diffkit.lab import data, fitting
from diffkit.lab.networks import Network


def probabilities(parameters, X, units):
    """The outputs of a network with one hidden tanh layer and a sigmoid, written out."""
    n = len(X)
    W1, b1 = parameters[: units * n].reshape(units, n), parameters[units * n : units * (n + 1)]
    W2, b2 = parameters[units * (n + 1) : -1], parameters[-1]
    return 1 / (1 + np.exp(-(W2 @ np.tanh(W1 @ X + b1[:, None]) + b2)))


def test_misses_are_what_a_network_written_out_gets_wrong():
    drawn = data.get("four-gaussians", margin=0)
    found = fitting.fit(Network((2, 3, 1)), drawn.X, drawn.Y, steps=30)
    p = probabilities(found.parameters, drawn.X, 3)
    np.testing.assert_allclose(found.predict(drawn.X)[0], p, rtol=1e-10)
    assert found.misses == np.sum((p > 0.5) != (drawn.Y[0] == 1))
    assert found.misses > 0
    assert found.cost == pytest.approx(-np.mean(np.log(np.where(drawn.Y[0] == 1, p, 1 - p))), rel=1e-10)


def test_logistic_regression_ends_where_a_minimiser_without_gradients_does():
    drawn = data.get("band", noise=0.1, seed=4)

    def cost(w):
        z = w[:2] @ drawn.X + w[2]
        return -np.mean(np.log(1 / (1 + np.exp(np.where(drawn.Y[0] == 1, -z, z)))))

    found = fitting.fit(Network((2, 1)), drawn.X, drawn.Y)
    expected = minimize(
        cost, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-15, "maxiter": 2000}
    )
    np.testing.assert_allclose(found.parameters, expected.x, atol=1e-6)
    assert found.cost == pytest.approx(expected.fun, rel=1e-9)


def test_it_goes_as_many_steps_as_asked_from_the_start_asked_for():
    drawn, network = data.get("pocket", samples=50), Network((2, 3, 1))
    expected = minimize(
        lambda parameters: network.cost(parameters, drawn.X, drawn.Y),
        network.initial(seed=3, scale=0.5),
        jac=lambda parameters: network.backward(parameters, drawn.X, drawn.Y),
        method="L-BFGS-B",
        options={"maxiter": 4},
    )
    found = fitting.fit(network, drawn.X, drawn.Y, seed=3, scale=0.5, steps=4)
    np.testing.assert_allclose(found.parameters, expected.x, rtol=1e-6)


@pytest.mark.parametrize("method", ["forward", "symbolic", "finite-difference"])
def test_any_method_gives_the_gradient(method):
    drawn = data.get("band", samples=30)
    network = Network((2, 2, 1), l2=0.01)
    expected = fitting.fit(network, drawn.X, drawn.Y, seed=2)
    assert fitting.fit(network, drawn.X, drawn.Y, seed=2, method=method).cost == pytest.approx(expected.cost, rel=1e-6)


def test_equal_seeds_give_equal_fits_and_others_others():
    drawn = data.get("spirals", samples=60)
    network = Network((2, 4, 1))
    one, same, other = (fitting.fit(network, drawn.X, drawn.Y, seed=seed, steps=40) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.parameters, same.parameters)
    assert one.cost != other.cost


def test_a_fit_does_not_depend_on_how_the_examples_lie_in_memory():
    digits, network = data.get("digits", samples=400), Network((64, 1, 10), output="softmax")
    one, other = (
        fitting.fit(network, lie(digits.X), digits.Y, steps=30) for lie in (np.ascontiguousarray, np.asfortranarray)
    )
    np.testing.assert_array_equal(one.parameters, other.parameters)


def test_the_error_is_a_root_mean_square():
    X = np.linspace(-1, 1, 21)[np.newaxis]
    line = fitting.fit(Network((1, 1), output="identity", loss="quadratic"), X, X**2)
    assert line.error == pytest.approx(np.std(X**2), rel=1e-6)  # the best line is the mean, by symmetry


def test_the_best_of_several_is_the_first_without_loss():
    drawn = data.get("band", samples=40)
    seen = []

    def fits():
        for seed in range(8):
            seen.append(seed)
            yield fitting.fit(Network((2, 4, 1)), drawn.X, drawn.Y, seed=seed)

    found = fitting.best(fits(), lambda one: one.misses)
    assert found.misses == 0
    assert found.seed == seen[-1] < 7


def test_what_cannot_be_fitted_is_refused():
    drawn = data.get("band", samples=40)
    with pytest.raises(InputError, match="no fit to choose"):
        fitting.best([], lambda one: one.cost)
    with pytest.raises(InputError, match="steps=0; it must be a whole number from 1"):
        fitting.fit(Network((2, 1)), drawn.X, drawn.Y, steps=0)
    with pytest.raises(InputError, match="X"):
        fitting.fit(Network((3, 1)), drawn.X, drawn.Y)
    with pytest.raises(InputError, match="seed=-1"):
        fitting.fit(Network((2, 1)), drawn.X, drawn.Y, seed=-1)
    with pytest.raises(InputError, match="X holds numbers that are not finite"):
        fitting.fit(Network((2, 1)), np.full_like(drawn.X, np.nan), drawn.Y)
    with pytest.raises(InputError, match="Y is a str"):
        fitting.fit(Network((2, 1)), drawn.X, "Y")


def test_what_is_no_model_is_refused():
    with pytest.raises(InputError, match="'net' is no model; give a Network"):
        fitting.fit("net", np.ones((2, 3)), np.ones((1, 3)))
