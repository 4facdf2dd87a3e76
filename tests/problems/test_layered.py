import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError
from diffkit.problems.convolutional import ConvolutionalNetwork
from diffkit.problems.layered import ONE_HOT, columns, flat
from diffkit.problems.recurrent import RecurrentNetwork

MODELS = [ConvolutionalNetwork(2, 3, side=4), RecurrentNetwork(2, 3, steps=4, features=4)]
every_model = pytest.mark.parametrize("model", MODELS, ids=["convolutional", "recurrent"])


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


@pytest.mark.parametrize("Y", [np.eye(3), np.array([0.25, 0.75]), np.array([[1.0], [0.0]])])
def test_shares_that_sum_to_one_are_labels(Y):
    ONE_HOT.check(Y)
