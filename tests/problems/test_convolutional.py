import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError, UnknownNameError
from diffkit.problems.convolutional import ConvolutionalNetwork


@pytest.mark.parametrize("hidden", ["tanh", "relu"])
def test_pixels_that_are_equally_the_largest_share_as_the_methods_do(hidden):
    network = ConvolutionalNetwork(2, 3, hidden=hidden, pool="max")
    rng = np.random.default_rng(0)
    parameters, Y = rng.normal(size=network.count), np.eye(3)
    X = np.zeros((64, 3))
    X[20:30] = 1.0
    found = dk.grad(network.cost)(parameters, X, Y)
    np.testing.assert_allclose(network.backward(parameters, X, Y), found, rtol=0, atol=1e-15)


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
