"""grad f = J'r in three ways, against Jacobians by hand and the complex step; and what each way costs, counted."""

import numpy as np
import pytest

from diffkit.lab import least_squares as ls
from diffkit.lab.least_squares.examples import Example

METHODS = ("finite-difference", "symbolic", "forward", "reverse")


@pytest.mark.parametrize("method", METHODS)
def test_the_gradient_of_the_neuron_by_hand(method, by_hand):
    beta = np.array([0.4, -0.7, 0.2])
    residual = ls.neuron().residual
    found = ls.gradients(residual, beta, method=method)
    tolerance = 1e-8 if method == "finite-difference" else 1e-12
    for gradient in (found.direct, found.by_jacobian, found.by_product):
        np.testing.assert_allclose(gradient, by_hand(beta).T @ residual(beta), rtol=tolerance)
    assert found.difference < tolerance


@pytest.mark.parametrize("method", ["finite-difference", "forward", "reverse"])
def test_the_gradient_of_the_network_by_complex_steps(method):
    example: Example = ls.network(examples=30)
    steps = np.eye(37) * 1e-30j
    J = np.array([np.imag(example.residual(example.start + step)) / 1e-30 for step in steps]).T
    expected = J.T @ example.residual(example.start)
    found = ls.gradients(*example[:2], method=method)
    np.testing.assert_allclose(found.direct, expected, rtol=1e-6 if method == "finite-difference" else 1e-10)
    assert found.difference < (1e-7 if method == "finite-difference" else 1e-12)


def test_one_product_needs_no_jacobian():
    """A return sweep per residual makes J; one makes J'r, at a cost that does not grow with B beyond that of r."""
    few, many = (ls.gradients(*ls.network(examples=size)[:2]).operations for size in (20, 200))
    direct, by_jacobian, by_product = many
    assert by_jacobian.total > 50 * by_product.total
    assert direct.total <= by_product.total
    assert by_product.total == pytest.approx(10 * few[2].total, rel=0.2)  # as r itself
    assert by_jacobian.total > 30 * few[1].total  # J by reverse: B sweeps over a graph that grows with B


def test_forward_mode_makes_the_whole_jacobian_for_its_product():
    found = ls.gradients(*ls.network(examples=20)[:2], method="forward").operations
    assert found[1].total == pytest.approx(found[2].total, rel=0.01)


def test_a_sparse_jacobian_gives_the_same_gradient():
    found = ls.gradients(lambda beta: beta**2 - 3, np.array([1.0, 2.0]), method="sparse")
    np.testing.assert_allclose(found.by_jacobian, [2 * -2, 4 * 1])


def test_it_prints_the_three_ways():
    lines = str(ls.gradients(lambda beta: np.tanh(beta) - 0.5, np.ones(100))).splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == ["grad f", "J, then J'r", "vjp(r)"]
    assert "30,500 operations" in lines[2]


def test_a_black_box_is_not_counted():
    found = ls.gradients(lambda beta: np.array([float(beta[0]) ** 2]), np.array([2.0]), method="finite-difference")
    np.testing.assert_allclose(found.by_product, [16.0], rtol=1e-8)
    assert found.operations is None
    assert "not counted" in str(found)
