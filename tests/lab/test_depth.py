from itertools import pairwise

import mpmath
import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError, UnknownNameError
from diffkit.lab import depth

POINTS = [-3.0, 0.0, 0.7, 5.0]
TIMES = [1, 2, 3, 8, 20]


def chain_in_mpmath(x, times):
    """The sigmoid applied so many times, and its derivative, the product of s(1 - s), to 40 digits."""
    with mpmath.workdps(40):
        s, product = mpmath.mpf(x), mpmath.mpf(1)
        for _ in range(times):
            s = 1 / (1 + mpmath.exp(-s))
            product *= s * (1 - s)
        return float(s), float(product)


@pytest.mark.parametrize("method", ["symbolic", "forward", "reverse"])
@pytest.mark.parametrize("times", TIMES)
def test_a_repeated_sigmoid_has_the_product_of_its_slopes(method, times):
    chain = depth.repeated("sigmoid", times)
    slope = dk.grad(chain, method=method)
    for x in POINTS:
        value, product = chain_in_mpmath(x, times)
        assert chain(x) == pytest.approx(value, rel=1e-14)
        assert slope(x) == pytest.approx(product, rel=1e-12)
        assert slope(x) <= 0.25**times


@pytest.mark.parametrize("times", TIMES)
def test_finite_differences_have_an_absolute_error(times):
    slope = dk.grad(depth.repeated("sigmoid", times), method="finite-difference")
    for x in POINTS:
        assert abs(slope(x) - chain_in_mpmath(x, times)[1]) < 1e-9


def test_differences_of_rounded_values_are_lost():
    chain = depth.repeated("sigmoid", 20)
    assert dk.grad(chain, method="finite-difference")(0.0) == 0.0
    assert chain_in_mpmath(0.0, 20)[1] > 1e-13


def test_only_one_sigmoid_reaches_the_bound():
    assert dk.grad(depth.repeated("sigmoid", 1))(0.0) == 0.25
    assert dk.grad(depth.repeated("sigmoid", 2))(0.0) < 0.24 * 0.25


def test_other_activations_are_repeated_too():
    x = np.array([-1.5, 0.3, 2.0])
    np.testing.assert_allclose(depth.repeated("tanh", 3)(x), np.tanh(np.tanh(np.tanh(x))), rtol=1e-15)
    np.testing.assert_allclose(
        dk.grad(depth.repeated("tanh", 2))(0.3), (1 - np.tanh(0.3) ** 2) * (1 - np.tanh(np.tanh(0.3)) ** 2), rtol=1e-14
    )
    assert dk.grad(depth.repeated("relu", 50))(2.0) == 1.0


SLOPES = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z: np.cosh(z) ** -2),
    "relu": (lambda z: z * (z > 0), lambda z: 1.0 * (z > 0)),
    "softplus": (lambda z: np.log(1 + np.exp(z)), lambda z: 1 / (1 + np.exp(-z))),
}


def gradients_by_hand(activation, initialisation, hidden, width, samples, seed):
    """dCost/dZ and dCost/dW of the same network, by the backward pass as textbooks write it."""
    g, slope = SLOPES[activation]
    rng = np.random.default_rng(seed)
    A = [rng.normal(size=(width, samples))]
    Y = np.eye(10)[:, rng.integers(10, size=samples)]
    sizes = [width] * (hidden + 1) + [10]
    weights = []
    for before, after in pairwise(sizes):
        bound = before**-0.5 if initialisation == "standard" else 6**0.5 / (before + after) ** 0.5
        weights.append(bound * rng.uniform(-1, 1, size=(after, before)))
    Z = []
    for W in weights:
        Z.append(W @ A[-1])
        A.append(g(Z[-1]))
    delta = (np.exp(Z[-1]) / np.exp(Z[-1]).sum(axis=0) - Y) / samples
    by_Z, by_W = [], []
    for layer in reversed(range(len(weights))):
        by_Z.insert(0, np.sqrt((delta**2).sum()))
        by_W.insert(0, np.sqrt(((delta @ A[layer].T) ** 2).sum()))
        if layer:
            delta = (weights[layer].T @ delta) * slope(Z[layer - 1])
    return by_Z, by_W


@pytest.mark.parametrize("activation", SLOPES)
@pytest.mark.parametrize("initialisation", ["standard", "normalised"])
def test_gradients_of_layers_are_those_of_backpropagation_by_hand(activation, initialisation):
    size = {"hidden": 6, "width": 20, "samples": 15, "seed": 3}
    found = depth.layer_gradients(activation, initialisation, **size)
    by_Z, by_W = gradients_by_hand(activation, initialisation, **size)
    np.testing.assert_allclose(found.Z, by_Z, rtol=1e-11)
    np.testing.assert_allclose(found.W, by_W, rtol=1e-11)


def test_gradients_of_layers_do_not_depend_on_the_method():
    size = {"hidden": 2, "width": 3, "samples": 2}
    expected = depth.layer_gradients("tanh", **size)
    for method, tolerance in {"forward": 1e-12, "symbolic": 1e-12, "finite-difference": 1e-6}.items():
        found = depth.layer_gradients("tanh", method=method, **size)
        np.testing.assert_allclose(found.Z, expected.Z, rtol=tolerance)
        np.testing.assert_allclose(found.W, expected.W, rtol=tolerance)


def test_sigmoids_shrink_the_gradient_by_a_quarter_of_the_weights_norm():
    found = depth.layer_gradients("sigmoid", hidden=8, width=50)
    # A matrix of n x n entries of variance 1/(3n) has a norm of 2/sqrt(3) at most, for large n.
    assert (found.Z[:7] < 1.3 * 2 / np.sqrt(3) / 4 * found.Z[1:8]).all()


def test_standard_tanh_loses_what_the_normalised_keeps():
    # Near 0, tanh is the identity: each layer multiplies the variance by n Var(W), which is 1/3 or 1 (section 4.2.1).
    per_layer = {}
    for initialisation in ("standard", "normalised"):
        Z = depth.layer_gradients("tanh", initialisation, hidden=10, width=200).Z
        per_layer[initialisation] = (Z[0] / Z[9]) ** (1 / 9)
    assert per_layer["standard"] == pytest.approx(1 / np.sqrt(3), rel=0.05)
    assert 0.8 < per_layer["normalised"] < 1.05


def test_a_surface_is_the_cost_and_slope_of_the_formula():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=30), rng.integers(2, size=30)
    surfaces = {
        loss: depth.surface(loss, reach=4, points=7, samples=30, seed=7) for loss in ("cross-entropy", "quadratic")
    }
    for i, w1 in enumerate(np.linspace(-4, 4, 7)):
        for j, w2 in enumerate(np.linspace(-4, 4, 7)):
            u = np.tanh(w1 * x)
            p = 1 / (1 + np.exp(-w2 * u))
            cost = {
                "cross-entropy": -np.mean(np.log(np.where(y == 1, p, 1 - p))),
                "quadratic": np.mean((p - y) ** 2) / 2,
            }
            by_z = {"cross-entropy": p - y, "quadratic": (p - y) * p * (1 - p)}
            for loss, found in surfaces.items():
                slope = np.hypot(np.mean(by_z[loss] * w2 * (1 - u**2) * x), np.mean(by_z[loss] * u))
                assert found.cost[i, j] == pytest.approx(cost[loss], rel=1e-12)
                assert found.slope[i, j] == pytest.approx(slope, rel=1e-9, abs=1e-15)


def test_the_quadratic_cost_is_bounded_and_cross_entropy_grows():
    near, far = (
        {loss: depth.surface(loss, reach=reach, points=3) for loss in ("cross-entropy", "quadratic")}
        for reach in (20.0, 40.0)
    )
    assert far["quadratic"].cost.max() <= 0.5
    assert far["cross-entropy"].cost.max() == pytest.approx(2 * near["cross-entropy"].cost.max(), rel=0.05)
    assert far["cross-entropy"].slope[0, 0] > 100 * far["quadratic"].slope[0, 0]


def plateau_share(loss, reach, seed):
    """The share of the grid that is high and less than half as steep as on average, from the formulas."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=100), rng.integers(2, size=100)
    w1, w2 = (w[..., None] for w in np.meshgrid(*[np.linspace(-reach, reach, 21)] * 2, indexing="ij"))
    u = np.tanh(w1 * x)
    p = 1 / (1 + np.exp(-w2 * u))
    if loss == "quadratic":
        losses, by_z = (p - y) ** 2 / 2, (p - y) * p * (1 - p)
    else:
        losses, by_z = -np.log(np.where(y == 1, p, 1 - p)), p - y
    cost = losses.mean(axis=-1)
    slope = np.hypot((by_z * w2 * (1 - u**2) * x).mean(axis=-1), (by_z * u).mean(axis=-1))
    high = cost - cost.min() > cost.max() - cost
    return np.mean(high & (slope < slope.mean() / 2))


@pytest.mark.parametrize("seed", [0, 1, 8, 11])
def test_plateaus_of_the_quadratic_cost_alone_whatever_the_seed(seed):
    for reach, least, most in ((5.0, 0.05, 0.25), (10.0, 0.2, 0.5)):
        for loss in ("quadratic", "cross-entropy"):
            found = depth.surface(loss, reach=reach, points=21, seed=seed).plateau.mean()
            assert found == pytest.approx(plateau_share(loss, reach, seed), abs=1e-12)
            assert least < found < most if loss == "quadratic" else found == 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: depth.repeated("sigmoidal", 2), UnknownNameError, "did you mean 'sigmoid'"),
        (lambda: depth.repeated("softmax", 2), InputError, "mixes the units"),
        (lambda: depth.repeated("sigmoid", 0), InputError, "times=0"),
        (lambda: depth.layer_gradients("tanh", "normalized"), UnknownNameError, "did you mean 'normalised'"),
        (lambda: depth.layer_gradients("tanh", hidden=1.5), InputError, "hidden=1.5"),
        (lambda: depth.layer_gradients("softmax"), InputError, "mixes the units"),
        (lambda: depth.surface("quadratisch"), UnknownNameError, "did you mean 'quadratic'"),
        (lambda: depth.surface("quadratic", reach=0), InputError, "reach=0"),
        (lambda: depth.layer_gradients("tanh", seed=-1), InputError, "seed=-1"),
        (lambda: depth.surface("quadratic", seed=0.5), InputError, "seed=0.5"),
        (lambda: depth.surface("quadratic", points=0), InputError, "points=0"),
    ],
)
def test_what_cannot_be_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
