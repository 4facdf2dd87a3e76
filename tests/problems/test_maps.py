import math

import numpy as np
import pytest

from diffkit import problems
from diffkit.errors import InputError


def jacobian(name, *size):
    instance = problems.get(name).at(*size)
    return instance.jacobian(instance.point)


def test_jacobians_have_their_shape_and_nothing_outside():
    assert np.count_nonzero(jacobian("tanh-map", 30, 20)) == 600
    elementwise = jacobian("elementwise", 30, 30)
    assert np.count_nonzero(elementwise) == np.count_nonzero(np.diag(elementwise)) == 30
    tridiagonal = jacobian("tridiagonal", 30, 30)
    assert np.count_nonzero(tridiagonal) == 30 + 29 + 29
    assert np.array_equal(tridiagonal, np.tril(np.triu(tridiagonal, -1), 1))


def test_tridiagonal_is_the_published_function_entry_by_entry():
    # Problem 30 of the collection: f_i = (3 - 2 x_i) x_i - x_(i-1) - 2 x_(i+1) + 1, with x_0 = x_(n+1) = 0.
    instance = problems.get("tridiagonal").at(6, 6)
    x = [0.0, *instance.point, 0.0]
    expected = [(3 - 2 * x[i]) * x[i] - x[i - 1] - 2 * x[i + 1] + 1 for i in range(1, 7)]
    np.testing.assert_allclose(instance.function(instance.point), expected, rtol=1e-14)


def test_entries_of_the_dense_layer_stay_away_from_saturation_at_every_size():
    for inputs in (1, 100, 10_000):
        instance = problems.get("tanh-map").at(inputs, 20)
        assert np.median(np.abs(instance.function(instance.point))) < 0.95


@pytest.mark.parametrize("rounds", [1, 2, 7])
def test_scalar_loop_makes_its_rounds(rounds):
    instance = problems.get("scalar-loop").at(2, rounds=rounds)
    y = 0.9
    for _ in range(rounds):
        y = math.sin(y) * 0.9 + 0.3
    assert instance.function(np.array([0.9, 0.3])) == pytest.approx(y, rel=1e-14)


def test_scalar_loop_ends_at_the_fixed_point_of_its_round():
    # There y = sin(y) x0 + x1, and the implicit function theorem gives both partials.
    instance = problems.get("scalar-loop").at(2, rounds=1000)
    x0, x1 = instance.point
    y = instance.function(instance.point)
    assert y == pytest.approx(np.sin(y) * x0 + x1, rel=1e-14)
    expected = np.array([np.sin(y), 1.0]) / (1 - x0 * np.cos(y))
    np.testing.assert_allclose(instance.jacobian(instance.point)[0], expected, rtol=1e-13)


@pytest.mark.parametrize("rounds", [0, -3, 1.5])
def test_rounds_that_count_nothing_are_refused(rounds):
    with pytest.raises(InputError, match=f"rounds={rounds}"):
        problems.get("scalar-loop").at(2, rounds=rounds)


@pytest.mark.parametrize("inputs", [1, 2, 7])
def test_scalar_reads_reads_each_input_twice(inputs):
    class Counted(np.ndarray):
        reads = 0

        def __getitem__(self, key):
            Counted.reads += 1
            return super().__getitem__(key)

    instance = problems.get("scalar-reads").at(inputs)
    total = instance.function(instance.point.view(Counted))
    assert Counted.reads == 2 * inputs
    assert total == pytest.approx(instance.point @ np.sin(np.roll(instance.point, 1)), rel=1e-13)
