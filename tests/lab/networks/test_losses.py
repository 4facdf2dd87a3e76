import mpmath
import numpy as np
import pytest

from diffkit.errors import InputError, UnknownNameError
from diffkit.lab.networks import ACTIVATIONS, LOSSES
from diffkit.lab.networks.losses import choose_loss

SCORES = [[-1000.0, 3.0, 0.5], [1000.0, -1000.0, 1000.0], [40.0, -40.0, 0.0], [0.2, -0.4, 1.1]]


def exact_binary(z, y):
    """The sum over K sigmoids, as it is written in books: with a minus, and logarithms of probabilities."""
    p = [1 / (1 + mpmath.exp(-mpmath.mpf(entry))) for entry in z]
    return -sum(label * mpmath.log(a) + (1 - label) * mpmath.log(1 - a) for label, a in zip(y, p, strict=True))


def exact_multinomial(z, y):
    e = [mpmath.exp(mpmath.mpf(entry)) for entry in z]
    return -sum(label * mpmath.log(entry / sum(e)) for label, entry in zip(y, e, strict=True) if label)


def value(name, z, y):
    loss = LOSSES[name]
    z, y = np.array(z), np.array(y)
    return loss.value(z, ACTIVATIONS[loss.outputs[0]].value(z), y)


@pytest.mark.parametrize("z", SCORES)
@pytest.mark.parametrize("y", [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.25, 0.5, 0.25]])
@pytest.mark.parametrize(
    ("name", "exact"), [("binary-cross-entropy", exact_binary), ("multinomial-cross-entropy", exact_multinomial)]
)
def test_cross_entropy_is_right_also_where_a_probability_rounds_to_0_or_1(name, exact, z, y):
    with mpmath.workdps(1000):
        expected = float(exact(z, y))
    rounding = np.finfo(float).eps * np.max(np.abs(z))  # a loss is a difference of scores
    assert value(name, z, y) == pytest.approx(expected, rel=1e-14, abs=rounding)
    assert value(name, z, y) >= 0  # the sign that descent needs


def test_the_sum_over_sigmoids_is_that_of_as_many_losses_of_one():
    z, y = [0.3, -2.0, 5.0], [1.0, 0.0, 0.0]
    apart = [value("binary-cross-entropy", [a], [b]) for a, b in zip(z, y, strict=True)]
    assert value("binary-cross-entropy", z, y) == pytest.approx(sum(apart), rel=1e-15)


def test_two_classes_of_a_softmax_are_one_sigmoid_of_their_difference():
    softmax = value("multinomial-cross-entropy", [2.0, -1.5], [1.0, 0.0])
    assert softmax == pytest.approx(value("binary-cross-entropy", [3.5], [1.0]), rel=1e-14)


def test_quadratic_loss_halves_the_squared_distance():
    assert value("quadratic", [1.0, 2.0], [4.0, 6.0]) == 12.5


def test_losses_of_columns_are_those_of_each():
    Z, Y = np.array(SCORES).T, np.eye(3)[:, [0, 1, 2, 1]]
    for name in LOSSES:
        expected = [value(name, z, y) for z, y in zip(Z.T, Y.T, strict=True)]
        np.testing.assert_allclose(value(name, Z, Y), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "output", "found"),
    [
        ("cross-entropy", "sigmoid", "binary-cross-entropy"),
        ("cross-entropy", "softmax", "multinomial-cross-entropy"),
        *[("quadratic", output, "quadratic") for output in ACTIVATIONS],
    ],
)
def test_a_loss_is_chosen_by_name_and_output(name, output, found):
    assert choose_loss(name, output) is LOSSES[found]


@pytest.mark.parametrize(
    ("name", "output", "cure"),
    [
        ("binary-cross-entropy", "softmax", "'quadratic' or 'multinomial-cross-entropy'"),
        ("multinomial-cross-entropy", "sigmoid", "'quadratic' or 'binary-cross-entropy'"),
        ("cross-entropy", "identity", "'quadratic'"),
        ("cross-entropy", "tanh", "'quadratic'"),
    ],
)
def test_a_loss_that_does_not_fit_the_output_is_refused_with_those_that_do(name, output, cure):
    with pytest.raises(InputError, match=f"loss '{name}' does not fit output '{output}'; take loss={cure}$"):
        choose_loss(name, output)


def test_an_unknown_loss_is_answered_with_its_neighbour():
    with pytest.raises(UnknownNameError, match="no loss 'cross-entopy'; did you mean 'cross-entropy'"):
        choose_loss("cross-entopy", "sigmoid")
