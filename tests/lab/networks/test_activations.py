import mpmath
import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError
from diffkit.lab.networks import ACTIVATIONS

POINTS = [-1000.0, -40.0, -2.5, -1e-3, 0.0, 1e-3, 0.7, 40.0, 1000.0]
EXACT = {  # with as many digits as exp(1000) needs
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "tanh": mpmath.tanh,
    "relu": lambda z: max(z, mpmath.mpf(0)),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
}
METHODS = ("finite-difference", "symbolic", "forward", "reverse")


@pytest.fixture(autouse=True)
def digits():
    with mpmath.workdps(500):
        yield


def test_each_activation_has_an_exact_one_to_compare_with():
    assert set(ACTIVATIONS) == {*EXACT, "softmax"}
    assert [name for name, row in ACTIVATIONS.items() if not row.elementwise] == ["softmax"]


@pytest.mark.parametrize("name", EXACT)
def test_values_are_right_in_all_digits_also_where_exp_would_overflow(name):
    expected = [float(EXACT[name](mpmath.mpf(z))) for z in POINTS]
    np.testing.assert_allclose(ACTIVATIONS[name].value(np.array(POINTS)), expected, rtol=2e-14, atol=1e-300)


@pytest.mark.parametrize("name", EXACT)
def test_the_derivative_by_hand_is_that_of_mpmath(name):
    points = [z for z in POINTS if z != 0 or name != "relu"]
    step = mpmath.mpf("1e-100")
    expected = [float((EXACT[name](z + step) - EXACT[name](z - step)) / (2 * step)) for z in map(mpmath.mpf, points)]
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(np.array(points)), expected, rtol=1e-12, atol=1e-15)


def test_relu_has_slope_0_at_its_kink():
    assert ACTIVATIONS["relu"].derivative(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 0, 1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", EXACT)
def test_every_method_finds_the_derivative_by_hand(name, method):
    z = np.array([-30.0, -2.5, -1e-3, 0.7, 30.0])
    found = dk.derivative(ACTIVATIONS[name].value, method=method)
    tolerance = 1e-8 if method == "finite-difference" else 1e-14
    for point in z:
        assert found(point) == pytest.approx(ACTIVATIONS[name].derivative(point), rel=tolerance, abs=tolerance)


@pytest.mark.parametrize("name", ["sigmoid", "softplus"])
def test_methods_stay_right_where_exp_would_overflow(name):
    for z in (-1000.0, 0.0, 1000.0):
        expected = ACTIVATIONS[name].derivative(z)
        for method in ("forward", "reverse"):
            assert dk.derivative(ACTIVATIONS[name].value, method=method)(z) == expected


def exact_softmax(z):
    e = [mpmath.exp(entry) for entry in z]
    return [entry / sum(e) for entry in e]


@pytest.mark.parametrize("z", [[0.3, -1.2, 2.0], [1000.0, -1000.0, 999.0], [0.0, 0.0]])
def test_softmax_and_its_derivative_by_hand_are_those_of_mpmath(z):
    softmax = ACTIVATIONS["softmax"]
    Z = np.array([z, z[::-1]]).T
    for column in Z.T:
        a = exact_softmax([mpmath.mpf(entry) for entry in column])
        np.testing.assert_allclose(softmax.value(column), [float(entry) for entry in a], rtol=1e-13)
    A, dA = softmax.value(Z), np.arange(Z.size).reshape(Z.shape) - 1.5
    found = softmax.backward(dA, Z, A)
    for k in range(Z.shape[1]):  # (diag(a) - a a') dA, a column at a time
        a = A[:, k]
        np.testing.assert_allclose(found[:, k], (np.diag(a) - np.outer(a, a)) @ dA[:, k], rtol=1e-12, atol=1e-15)


def test_softmax_of_each_column_sums_to_one():
    Z = np.random.default_rng(0).normal(size=(4, 3)) * 500
    np.testing.assert_allclose(ACTIVATIONS["softmax"].value(Z).sum(axis=0), 1, rtol=1e-15)


def test_softmax_has_no_derivative_entry_by_entry():
    with pytest.raises(InputError, match="softmax mixes the entries of a column"):
        ACTIVATIONS["softmax"].derivative(np.zeros(3))
