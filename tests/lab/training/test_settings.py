from __future__ import annotations

import math

import pytest

from diffkit.errors import InputError, UnknownNameError
from diffkit.lab.training import Settings, train


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("rate", [0, -1, math.nan, math.inf, "0.1", None, True]),
        ("epochs", [0, 1.5, True, "3", None]),
        ("batch", [0, -1, 2.0]),
        ("seed", [-1, 0.5, None]),
        ("momentum", [1, -0.1, math.nan, "x", True]),
        ("scale", [-1, math.inf, math.nan, "x"]),
        ("tolerance", [0, -1, math.nan]),
    ],
)
def test_what_cannot_be_used_is_named_with_what_can(name, values):
    for value in values:
        with pytest.raises(InputError, match=f"{name}={value!r}; it must be"):
            Settings(**{name: value})


def test_an_order_or_a_setting_that_nobody_has(neuron, samples):
    with pytest.raises(UnknownNameError, match="did you mean 'shuffled'"):
        Settings(order="shufled")
    with pytest.raises(UnknownNameError, match="did you mean 'epochs'"):
        train(neuron, samples, epoch=3)


def test_an_engine_or_method_that_nobody_has(neuron, samples):
    with pytest.raises(UnknownNameError, match="did you mean 'numpy'"):
        train(neuron, samples, engine="nunpy")
    with pytest.raises(UnknownNameError, match="did you mean 'reverse'"):
        train(neuron, samples, method="revers")
