import cmath
import math

import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.problems.convolutional import ConvolutionalNetwork
from diffkit.problems.layered import ONE_HOT, columns, flat, sigmoid
from diffkit.problems.recurrent import RecurrentNetwork

MODELS = [ConvolutionalNetwork(2, 3, side=4), RecurrentNetwork(2, 3, steps=4, features=4)]
every_model = pytest.mark.parametrize("model", MODELS, ids=["convolutional", "recurrent"])


def test_the_sigmoid_overflows_nowhere_and_takes_complex_numbers():
    z = [-700.0, -2.5, 0.0, 0.3, 700.0]
    np.testing.assert_allclose(
        sigmoid(np.array([-1e4, *z, 1e4])), [0, *(1 / (1 + math.exp(-x)) for x in z), 1], atol=2e-16
    )
    for point in (0.3 + 0.2j, -2 - 1j):
        assert sigmoid(point) == pytest.approx(1 / (1 + cmath.exp(-point)), rel=1e-14)


@every_model
def test_parameters_are_w_and_b_of_each_layer(model):
    numbers = np.arange(float(model.count))
    layers = model.layers(numbers)
    assert [W.shape for W, _ in layers] == list(model.shapes)
    assert [b.shape for _, b in layers] == [(units, 1) for units, _ in model.shapes]
    assert np.array_equal(flat(layers), numbers)
    assert all(np.shares_memory(part, numbers) for pair in layers for part in pair)


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
