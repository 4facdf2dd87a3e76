import numpy as np
import pytest

from diffkit import problems
from diffkit.problems.regression import SAMPLES, samples


def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    return np.column_stack([np.ones(1797), data.data / 16]), (data.target > 4).astype(float)


@pytest.mark.parametrize(
    ("name", "inputs", "data"),
    [
        ("logistic-regression", 1, lambda: samples(SAMPLES, 1)),
        ("logistic-regression", 7, lambda: samples(SAMPLES, 7)),
        ("logistic-regression", 1000, lambda: samples(SAMPLES, 1000)),
        ("logistic-digits", 65, digits),
    ],
)
def test_cross_entropy_is_that_of_its_textbook_form(name, inputs, data):
    # The form overflows for large weights, but not here, and it takes complex numbers, unlike np.logaddexp.
    rows, labels = data()

    def textbook(weights):
        p = 1 / (1 + np.exp(-(rows @ weights)))
        return -np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p))

    instance = problems.get(name).at(inputs)
    np.testing.assert_allclose(instance.function(instance.point), textbook(instance.point), rtol=1e-13)
    reference = instance.jacobian(instance.point)[0]
    for j in range(0, inputs, 1 + inputs // 20):
        weights = instance.point.astype(complex)
        weights[j] += 1e-100j
        assert abs(textbook(weights).imag / 1e-100 - reference[j]) < 1e-13 * np.abs(reference).max()


@pytest.mark.parametrize("inputs", [1, 2, 30])
def test_samples_have_an_intercept_and_both_classes(inputs):
    rows, labels = samples(SAMPLES, inputs)
    assert rows.shape == (SAMPLES, inputs)
    assert (rows[:, 0] == 1).all()
    assert set(labels) == {0, 1}


def test_cross_entropy_does_not_overflow():
    instance = problems.get("logistic-regression").at(3)
    weights = 1e5 * instance.point
    rows, labels = samples(SAMPLES, 3)
    z = rows @ weights
    np.testing.assert_allclose(instance.function(weights), np.mean(np.where(z > 0, z, 0) - labels * z), rtol=1e-12)
    assert np.isfinite(instance.jacobian(weights)).all()


def test_squared_residuals_decrease_along_the_negative_gradient():
    instance = problems.get("least-squares-neuron").at(4, 30)
    residual = instance.function(instance.point)
    gradient = instance.jacobian(instance.point).T @ residual
    moved = instance.function(instance.point - 1e-3 * gradient)
    predicted = -2e-3 * gradient @ gradient
    assert moved @ moved - residual @ residual == pytest.approx(predicted, rel=1e-2)
