"""What a last layer gives, and what it is compared with."""

import cmath
import math

import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.problems.outputs import ONE_HOT, sigmoid


def test_the_sigmoid_overflows_nowhere_and_takes_complex_numbers():
    z = [-700.0, -2.5, 0.0, 0.3, 700.0]
    np.testing.assert_allclose(
        sigmoid(np.array([-1e4, *z, 1e4])), [0, *(1 / (1 + math.exp(-x)) for x in z), 1], atol=2e-16
    )
    for point in (0.3 + 0.2j, -2 - 1j):
        assert sigmoid(point) == pytest.approx(1 / (1 + cmath.exp(-point)), rel=1e-14)


@pytest.mark.parametrize("Y", [np.eye(3), np.array([0.25, 0.75]), np.array([[1.0], [0.0]])])
def test_shares_that_sum_to_one_are_labels(Y):
    ONE_HOT.check(Y)


@pytest.mark.parametrize("Y", [np.full((2, 3), 0.4), np.array([[1.5], [-0.5]]), np.array([[np.nan], [1.0]])])
def test_other_numbers_are_none(Y):
    with pytest.raises(InputError, match="no labels"):
        ONE_HOT.check(Y)
