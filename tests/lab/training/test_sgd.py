from __future__ import annotations

import math

import numpy as np
import pytest

from diffkit.differentiators import get
from diffkit.differentiators.derivative import Derivative
from diffkit.errors import InputError
from diffkit.lab.networks import ConvolutionalNetwork, Network, RecurrentNetwork
from diffkit.lab.training import Descent, Epoch, Settings, compare_methods, sgd, train
from diffkit.lab.training.sgd import converged, visits

ALGORITHM = {"epochs": 4, "rate": 0.3, "seed": 3}


def by_hand(model, data, parameters, orders, *, rate, batch=1, momentum=0.0):
    """Algorithm 1 with a backward pass by hand; the parameters after each epoch."""
    velocity, trail = 0.0, []
    for order in orders:
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            velocity = momentum * velocity - rate * model.backward(parameters, data.X[:, chosen], data.Y[:, chosen])
            parameters = parameters + velocity
        trail.append(parameters)
    return trail


def followed(model, data, **given):
    trail = []
    trained = train(model, data, watch=lambda _, parameters: trail.append(parameters), **given)
    return trail, trained


def test_it_is_algorithm_1_on_logistic_regression(neuron, samples):
    trail, _ = followed(neuron, samples, order="in-order", **ALGORITHM)
    expected = by_hand(neuron, samples, neuron.initial(3), [np.arange(30)] * 4, rate=0.3)
    np.testing.assert_allclose(trail, expected, rtol=1e-12)


@pytest.mark.parametrize("method", ["reverse", "forward", "symbolic", "mixed", "auto", "finite-difference"])
@pytest.mark.parametrize("widths", [(2, 3, 1), (2, 5, 3, 1)])
def test_every_method_goes_the_way_of_the_backward_pass_by_hand(method, widths, samples):
    model = Network(widths)
    trail, _ = followed(model, samples, method=method, order="in-order", epochs=4, rate=0.3)  # 120 steps
    expected = by_hand(model, samples, model.initial(0), [np.arange(30)] * 4, rate=0.3)
    tolerance = 1e-5 if method == "finite-difference" else 1e-10
    np.testing.assert_allclose(trail, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("engine", ["numpy", "llvm", "interpreted"])
def test_every_engine_goes_the_same_way(engine, samples):
    model = Network((2, 3, 1), hidden="relu", l2=0.01)
    trail, trained = followed(model, samples, engine=engine, order="in-order", epochs=4, rate=0.3)
    expected = by_hand(model, samples, model.initial(0), [np.arange(30)] * 4, rate=0.3)
    np.testing.assert_allclose(trail, expected, rtol=1e-10)
    assert trained.engine == engine


@pytest.mark.parametrize(("method", "tolerance"), [("reverse", 1e-12), ("finite-difference", 1e-7)])
@pytest.mark.parametrize(("batch", "momentum"), [(4, 0.0), (7, 0.9), (30, 0.5), (1000, 0.0)])
def test_batches_and_momentum(neuron, samples, batch, momentum, method, tolerance):
    given = {"rate": 0.3, "batch": batch, "momentum": momentum}
    trail, _ = followed(neuron, samples, order="in-order", epochs=3, method=method, **given)
    expected = by_hand(neuron, samples, neuron.initial(0), [np.arange(30)] * 3, **given)
    np.testing.assert_allclose(trail, expected, rtol=tolerance)


def test_a_method_with_an_engine_of_its_own_keeps_it(neuron, samples):
    assert train(neuron, samples, method=get("reverse", engine="interpreted"), epochs=1).engine == "interpreted"


def test_a_shuffled_epoch_visits_every_sample_once_in_an_order_of_its_own():
    rng = np.random.default_rng(0)
    first, second = (visits(Settings(batch=4), 30, rng) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(30))
    assert list(first) != list(second)


def test_random_order_draws_with_replacement_as_often_as_there_are_samples():
    drawn = visits(Settings(order="random"), 300, np.random.default_rng(0))
    assert len(drawn) == 300
    assert 150 < len(set(drawn)) < 240  # 1 - 1/e of them, about 190


def test_random_training_is_that_of_the_samples_drawn(neuron, samples):
    order = np.random.default_rng([3, 1]).integers(30, size=30)
    drawn = type("Drawn", (), {"X": samples.X[:, order], "Y": samples.Y[:, order]})
    given = {"rate": 0.3, "seed": 3, "epochs": 1}
    found, expected = train(neuron, samples, order="random", **given), train(neuron, drawn, order="in-order", **given)
    np.testing.assert_allclose(found.parameters, expected.parameters, rtol=1e-12)


@pytest.mark.parametrize("together", [1, 30, 70])
def test_how_much_is_gathered_at_a_time_changes_nothing(neuron, samples, together, monkeypatch):
    given = {"batch": 4, "momentum": 0.9, "rate": 0.3, "epochs": 3}
    expected = train(neuron, samples, **given)
    monkeypatch.setattr(sgd, "TOGETHER", together)
    np.testing.assert_array_equal(train(neuron, samples, **given).parameters, expected.parameters)


def test_an_epoch_is_one_fold(neuron, samples, monkeypatch):
    rounds, fold = [], Derivative.fold
    monkeypatch.setattr(
        Derivative, "fold", lambda plan, held, rows: rounds.append(len(rows[0])) or fold(plan, held, rows)
    )
    train(neuron, samples, epochs=2)
    assert rounds == [30, 30]


def test_parameters_that_leave_the_numbers_are_seen_where_the_cost_does_not(samples):
    class Slope(Network):
        """Descent goes on for ever."""

        def cost(self, parameters, X, Y):
            return np.sum(parameters / 4)

    found = train(Slope((2, 1)), samples, batch=30, rate=1.7e308, scale=0, epochs=9, order="in-order")
    assert found.stopped.startswith("the step of samples 0, 1, 2")
    assert "in epoch 5 " in found.stopped


def test_a_start_by_name_is_refused_in_words(samples):
    network = Network((2, 3, 1))
    with pytest.raises(InputError, match="start is a dictionary; give one vector"):
        train(network, samples, start=network.named(network.initial(0)))


def test_shuffled_training_is_that_of_the_orders_drawn(neuron, samples):
    trail, _ = followed(neuron, samples, epochs=3, rate=0.3, seed=8)
    rng = np.random.default_rng([8, 1])
    orders = [rng.permutation(30) for _ in range(3)]
    np.testing.assert_allclose(trail, by_hand(neuron, samples, neuron.initial(8), orders, rate=0.3), rtol=1e-12)


def test_the_history_holds_the_mean_cross_entropy_of_both_sets_without_penalty(samples, others):
    model = Network((2, 3, 1), l2=0.5)
    trained = train(model, samples, others, epochs=3)

    def mean(data):
        p = model.predict(trained.parameters, data.X)
        return -np.mean(data.Y * np.log(p) + (1 - data.Y) * np.log(1 - p))

    last = trained.history[-1]
    assert [row.epoch for row in trained.history] == [1, 2, 3]
    assert last.training == pytest.approx(mean(samples), rel=1e-12)
    assert last.test == pytest.approx(mean(others), rel=1e-12)
    assert all(math.isnan(row.test) for row in train(model, samples, epochs=2).history)


def test_one_seed_one_trajectory(neuron, samples):
    same = [train(neuron, samples, seed=4).parameters.tobytes() for _ in range(2)]
    assert same[0] == same[1] != train(neuron, samples, seed=5).parameters.tobytes()


def test_a_larger_penalty_leaves_smaller_weights(samples):
    norms = [np.linalg.norm(train(Network((2, 3, 1), l2=l2), samples).parameters) for l2 in (0, 0.01, 0.1)]
    assert norms == sorted(norms, reverse=True)


def test_samples_at_random_until_convergence_end_near_the_minimum(neuron, samples):
    trained = train(neuron, samples, order="random", rate=0.01, epochs=5000, tolerance=1e-4)
    assert trained.stopped == "converged"
    assert len(trained.history) < 5000
    parameters = np.zeros(3)
    for _ in range(20):  # Newton's method, with the Hessian of logistic regression
        p = neuron.predict(parameters, samples.X)[0]
        A = np.vstack([samples.X, np.ones(30)])
        parameters = parameters - np.linalg.solve((A * p * (1 - p)) @ A.T, A @ (p - samples.Y[0]))
    least = neuron.cost(parameters, samples.X, samples.Y)
    assert least < trained.history[-1].training < 1.05 * least


@pytest.mark.parametrize("tolerance", [1e-3, 0.5])
def test_convergence_compares_five_epochs_with_the_five_before(tolerance):
    rows = [Epoch(k, 1.0, math.nan, 0.0) for k in range(5)]
    lower = [Epoch(k, 1.0 - 1.1 * tolerance, math.nan, 0.0) for k in range(5)]
    assert not converged(rows + lower, tolerance)
    assert converged(rows + rows, tolerance)
    assert not converged([*rows, *rows][:9], tolerance)


def test_numbers_that_are_not_finite_end_the_training_and_cost_nothing_finished(samples):
    class Falling(Network):
        """The cost falls without end, and faster and faster."""

        def cost(self, parameters, X, Y):
            return -np.sum(np.exp(parameters))

    trail, trained = followed(Falling((2, 1)), samples, rate=0.03, epochs=50)
    assert not trained.finite
    assert len(trail) == len(trained.history) > 0
    np.testing.assert_array_equal(trained.parameters, trail[-1])
    assert "sample" in trained.stopped
    assert f"epoch {len(trail) + 1} at rate=0.03" in trained.stopped
    assert "smaller rate" in trained.stopped


def test_an_epoch_that_failed_leaves_the_order_as_it_was(samples):
    class Falling(Network):
        def cost(self, parameters, X, Y):
            return -np.sum(np.exp(parameters))

    descent = Descent(Falling((2, 1)), samples, None, get("reverse", engine="numpy"), Settings(rate=1e308))
    said = descent.epoch()
    assert "sample" in said
    assert descent.epoch() == said  # the same sample of the same order


@pytest.mark.parametrize("method", ["reverse", "finite-difference"])
def test_a_gradient_that_is_not_finite_is_seen_where_the_cost_is(samples, method):
    class Steep(Network):
        """The cost is 0 at 0, and its slope beyond all numbers."""

        def cost(self, parameters, X, Y):
            return 1e307 * np.sum(np.sin(1e3 * parameters))

    trained = train(Steep((2, 1)), samples, method=method, rate=1e-300, scale=0, order="in-order")
    assert trained.stopped.startswith("the step of sample 0 is not finite, in epoch 1")


@pytest.mark.parametrize("method", ["reverse", "finite-difference"])
@pytest.mark.parametrize("batch", [1, 4])
def test_the_sample_is_named_whose_cost_is_too_large(samples, method, batch):
    class Growth(Network):
        def cost(self, parameters, X, Y):
            return np.sum(np.exp(X)) + np.sum(parameters)

    samples.X[0, 9] = 800.0
    trained = train(Growth((2, 1)), samples, method=method, batch=batch, order="in-order")
    named = "9" if batch == 1 else "s 8, 9, 10, 11"
    assert trained.stopped.startswith(f"the cost inf of sample{' ' * (batch == 1)}{named} is not finite, in epoch 1")


def test_a_velocity_whose_square_overflows_is_finite(samples):
    class Slope(Network):
        def cost(self, parameters, X, Y):
            return np.sum(parameters)

    trained = train(Slope((2, 1)), samples, batch=30, rate=1e200, scale=0, epochs=2)
    np.testing.assert_allclose(trained.parameters, -2e200, rtol=1e-12)


def test_a_cost_that_is_infinite_once_and_then_not_is_no_epoch(samples):
    class Moody(Network):
        calls = 0

        def cost(self, parameters, X, Y):
            value = float(np.sum(parameters**2))  # no trace can follow
            Moody.calls += 1
            return np.inf if Moody.calls == 100 else value

    trained = train(Moody((2, 1)), samples, method="finite-difference", epochs=3)
    assert trained.stopped.startswith("a step was not finite, and is when it is taken again")
    assert trained.history == ()


@pytest.mark.parametrize("method", ["reverse", "finite-difference"])
@pytest.mark.parametrize(("rate", "what"), [(1.2, "cost inf"), (1e308, "step")])
def test_the_sample_at_which_it_went_wrong_is_named(samples, rate, what, method):
    class Parabola(Network):
        """Descent goes from x to -1.4 x, until x has no square; a rate beyond all numbers has no first step."""

        def cost(self, parameters, X, Y):
            return np.sum(parameters**2)

    count, k = samples.X.shape[1], 0
    if what == "cost inf":
        while np.isfinite(3 * (10.0 * 1.4**k) ** 2):
            k += 1
    start = np.full(3, 10.0)
    trained = train(Parabola((2, 1)), samples, method=method, rate=rate, order="in-order", epochs=100, start=start)
    assert trained.stopped.startswith(f"the {what} of sample {k % count} is not finite, in epoch {k // count + 1} ")


def test_a_step_too_far_at_the_end_of_an_epoch_is_seen_too(neuron, samples):
    trained = train(neuron, samples, batch=30, rate=1e308, start=np.array([1e300, 0.0, 0.0]))
    assert not trained.finite
    assert trained.history == ()
    assert np.isfinite(trained.parameters).all()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"X": np.ones((2, 3)), "Y": np.ones((1, 4))}, r"\(2, 3\) and Y of shape \(1, 4\)"),
        ({"X": np.ones(3), "Y": np.ones((1, 3))}, r"\(3,\)"),
        ({"X": np.ones((2, 0)), "Y": np.ones((1, 0))}, "at least 1"),
        ({"X": np.full((2, 3), np.nan), "Y": np.ones((1, 3))}, "not finite"),
        ({"X": np.full((2, 1), "a"), "Y": np.ones((1, 1))}, "X of the training data"),
        ({}, "no X and Y"),
    ],
)
def test_data_that_cannot_be_used(neuron, data, said):
    given = type("Given", (), data)
    with pytest.raises(InputError, match=said):
        train(neuron, given)
    with pytest.raises(InputError, match="test data"):
        train(neuron, type("Good", (), {"X": np.ones((2, 3)), "Y": np.ones((1, 3))}), given)


def test_a_start_of_another_shape(neuron, samples):
    with pytest.raises(InputError, match=r"start has shape \(2,\).*\(3,\)"):
        train(neuron, samples, start=np.ones(2))


@pytest.mark.parametrize("start", [[np.nan, 0.0, 0.0], [np.inf, 0.0, 0.0]])
def test_a_start_that_is_not_finite(neuron, samples, start):
    with pytest.raises(InputError, match="start holds numbers that are not finite"):
        train(neuron, samples, start=start)


def test_data_of_another_width_than_the_network(samples):
    with pytest.raises(InputError):
        train(Network((3, 1)), samples)


def test_what_is_no_model(samples):
    for given in (None, Network, "reverse"):
        with pytest.raises(InputError, match="is no model"):
            train(given, samples)


def test_a_rate_that_overflows_is_said_in_words(neuron, samples):
    far = type("Far", (), {"X": 1e3 * samples.X, "Y": samples.Y})
    assert "not finite" in train(neuron, far, rate=1e307).stopped


@pytest.mark.parametrize("method", ["forward", "mixed", "finite-difference"])
@pytest.mark.parametrize("network", [ConvolutionalNetwork(1, 3, side=4), RecurrentNetwork(2, 3, steps=4, features=4)])
def test_other_networks_go_the_same_way_by_every_method(method, network):
    rng = np.random.default_rng(0)
    data = type("Images", (), {"X": rng.normal(size=(16, 20)), "Y": np.eye(3)[:, rng.integers(3, size=20)]})
    trail, _ = followed(network, data, method=method, order="in-order", epochs=5, rate=0.3)  # 100 steps
    expected = by_hand(network, data, network.initial(0), [np.arange(20)] * 5, rate=0.3)
    tolerance = 1e-5 if method == "finite-difference" else 1e-10
    np.testing.assert_allclose(trail, expected, rtol=tolerance, atol=tolerance)


def test_a_method_that_cannot_go_on_costs_its_row_only(samples):
    few = get("symbolic", limit=1)
    found = compare_methods(Network((2, 3, 1)), samples, methods=[few, "forward", "reverse"], epochs=1)
    assert "limit" in found.rows[0].trouble
    assert found.reference == "forward"
    assert found.rows[2].distance < 1e-10
    assert "–" in str(found).splitlines()[1]


def test_a_model_that_cannot_be_traced_is_trained_by_finite_differences(samples):
    class Box(Network):
        def cost(self, parameters, X, Y):
            return float(str(float(super().cost(np.array([float(p) for p in parameters]), X, Y))))

    boxed, plain = (train(kind((2, 1)), samples, method="finite-difference", epochs=2) for kind in (Box, Network))
    np.testing.assert_allclose(boxed.parameters, plain.parameters, rtol=1e-6)


def test_the_callers_arrays_stay_as_they_are(neuron, samples):
    start, X, Y = neuron.initial(), samples.X.copy(), samples.Y.copy()
    kept = start.copy()
    train(neuron, samples, start=start)
    np.testing.assert_array_equal(start, kept)
    np.testing.assert_array_equal(samples.X, X)
    np.testing.assert_array_equal(samples.Y, Y)


def test_data_that_are_changed_meanwhile_change_nothing(neuron, samples):
    given = type("Given", (), {"X": samples.X.copy(), "Y": samples.Y.copy()})
    spoiled = train(neuron, given, epochs=3, watch=lambda *_: given.X.fill(0))
    assert not given.X.any()
    np.testing.assert_array_equal(spoiled.parameters, train(neuron, samples, epochs=3).parameters)


def test_what_a_watcher_does_to_its_parameters_changes_nothing(neuron, samples):
    def spoil(_row, parameters):
        parameters[:] = 0

    spoiled = train(neuron, samples, epochs=3, watch=spoil)
    np.testing.assert_array_equal(spoiled.parameters, train(neuron, samples, epochs=3).parameters)


def test_methods_compared_take_turns_on_the_same_way(samples):
    found = compare_methods(Network((2, 3, 1)), samples, epochs=4, batch=7)
    assert [row.method for row in found.rows] == ["reverse", "forward", "symbolic", "finite-difference"]
    assert all(row.distance < (1e-5 if row.method == "finite-difference" else 1e-10) for row in found.rows)
    assert all(row.epoch_seconds > 0 < row.prepare_seconds and not row.trouble for row in found.rows)
    assert found.fastest == min(row.epoch_seconds for row in found.rows)
    assert len(str(found).splitlines()) == 5


def test_the_distance_is_the_largest_after_any_epoch_relative_to_the_parameters(samples):
    given = {"engine": "numpy", "epochs": 6, "rate": 0.3}
    reverse, differences = (
        np.array(followed(Network((2, 3, 1)), samples, method=method, **given)[0])
        for method in ("reverse", "finite-difference")
    )
    expected = [np.abs(p - q).max() / np.abs(q).max() for p, q in zip(differences, reverse, strict=True)]
    assert max(expected) > 1.2 * min(expected)
    found = compare_methods(Network((2, 3, 1)), samples, methods=["reverse", "finite-difference"], **given)
    assert found.rows[1].distance == pytest.approx(max(expected), rel=1e-12)


@pytest.mark.parametrize("methods", ["reverse", [], (), 3])
def test_methods_to_compare_are_a_list(samples, methods):
    with pytest.raises(InputError, match="give a list"):
        compare_methods(Network((2, 1)), samples, methods=methods)
