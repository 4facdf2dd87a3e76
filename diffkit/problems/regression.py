"""One neuron on many samples: logistic regression and least squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.errors import needing
from diffkit.problems.base import Array, Function, Jacobian, Parts, Problem, fixed, free, scalar
from diffkit.problems.outputs import sigmoid

SAMPLES = 50  # behind the losses that are one number


def samples(count: int, inputs: int) -> tuple[Array, Array]:
    """Draw a two-class data set: rows that start with a 1 for the intercept, and labels 0 and 1.

    The labels follow a linear rule with noise, so no weights classify all samples.

    Returns
    -------
    tuple
        The design matrix, shape ``(count, inputs)``, and the labels, shape ``(count,)``.

    Examples
    --------
    >>> rows, labels = samples(4, 3)
    >>> rows[:, 0], labels
    (array([1., 1., 1., 1.]), array([1., 1., 0., 0.]))
    """
    rng = np.random.default_rng(0)
    rows = np.column_stack([np.ones(count), rng.normal(size=(count, inputs - 1))])
    labels = rows @ rng.normal(size=inputs) + rng.normal(size=count) > 0
    return rows, labels.astype(float)


def cross_entropy(rows: Array, labels: Array) -> tuple[Function, Jacobian]:
    """Mean cross-entropy of logistic regression as a function of the weights, and its derivative.

    With z = Xw, the loss of a sample is log(1 + exp(z)) - y z, and its derivative in z is sigmoid(z) - y
    (Bishop, Pattern Recognition and Machine Learning, 2006, equations 4.90 and 4.91).

    Parameters
    ----------
    rows
        X, shape ``(N, A)``.
    labels
        y, each 0 or 1, shape ``(N,)``.

    Examples
    --------
    >>> loss, jacobian = cross_entropy(np.array([[1.0, 2.0]]), np.array([1.0]))
    >>> loss(np.zeros(2)), jacobian(np.zeros(2))
    (np.float64(0.693147), array([[-0.5, -1. ]]))
    """

    def loss(weights: Array) -> Any:
        z = rows @ weights
        return np.mean(np.logaddexp(0, z) - labels * z)

    def jacobian(weights: Array) -> Array:
        return (sigmoid(rows @ weights) - labels)[np.newaxis] @ rows / len(rows)

    return loss, jacobian


def logistic_regression(inputs: int) -> Parts:
    """Mean cross-entropy over 50 samples; the first weight is the intercept.

    Examples
    --------
    >>> loss, weights, _, _ = logistic_regression(3)
    >>> weights.shape, loss(np.zeros(3))
    ((3,), np.float64(0.693147))
    """
    loss, jacobian = cross_entropy(*samples(SAMPLES, inputs))
    return loss, _weights(inputs), jacobian, 1.0


def logistic_probabilities(inputs: int, outputs: int) -> Parts:
    """Probability of class 1 for each of B samples, as a function of the weights.

    Examples
    --------
    >>> probabilities, _, _, _ = logistic_probabilities(3, 4)
    >>> probabilities(np.zeros(3))
    array([0.5, 0.5, 0.5, 0.5])
    """
    rows, _ = samples(outputs, inputs)

    def probabilities(weights: Array) -> Any:
        return 1 / (1 + np.exp(-(rows @ weights)))  # as books write it; the reference goes another way, by tanh

    def jacobian(weights: Array) -> Array:
        return _slope(rows @ weights)[:, np.newaxis] * rows

    return probabilities, _weights(inputs), jacobian, 1.0


def least_squares_neuron(inputs: int, outputs: int) -> Parts:
    """Residuals r(w, b) = sigmoid(Xw + b) - y of B samples; the last parameter is b.

    Examples
    --------
    >>> residual, parameters, jacobian, _ = least_squares_neuron(3, 4)
    >>> residual(parameters).shape, jacobian(parameters).shape
    ((4,), (4, 3))
    """
    rows, labels = samples(outputs, inputs)
    features = rows[:, 1:]

    def residual(parameters: Array) -> Any:
        w, b = parameters[:-1], parameters[-1]
        return 1 / (1 + np.exp(-(features @ w + b))) - labels  # as above

    def jacobian(parameters: Array) -> Array:
        slope = _slope(features @ parameters[:-1] + parameters[-1])
        return slope[:, np.newaxis] * np.column_stack([features, np.ones(outputs)])

    return residual, _weights(inputs), jacobian, 1.0


def logistic_digits() -> Parts:
    """Logistic regression on 1,797 scanned digits of 64 pixels: is the digit 5 or more?

    The 65 inputs are the intercept and one weight per pixel.

    Raises
    ------
    UnsupportedError
        scikit-learn, which bundles the data, is not installed.

    Examples
    --------
    >>> loss, _, _, _ = logistic_digits()
    >>> loss(np.zeros(65))
    np.float64(0.693147)
    """
    with needing("problem 'logistic-digits'", extra="data"):
        from sklearn.datasets import load_digits
    pixels, digits = load_digits(return_X_y=True)
    rows = np.column_stack([np.ones(len(pixels)), pixels / 16])
    loss, jacobian = cross_entropy(rows, (digits >= 5).astype(float))
    return loss, _weights(65), jacobian, 1.0


def _weights(count: int) -> Array:
    # Scaled so that z = Xw stays of order one however many weights there are.
    return np.random.default_rng(1).normal(scale=count**-0.5, size=count)


def _slope(z: Array) -> Any:
    return sigmoid(z) * sigmoid(-z)


PROBLEMS = (
    Problem(
        "logistic-regression",
        "Mean cross-entropy of binary logistic regression over 50 samples.",
        "Bishop (2006), Pattern Recognition and Machine Learning, section 4.3.2",
        scalar(),
        logistic_regression,
        analytic=False,  # np.logaddexp takes real numbers only
    ),
    Problem(
        "logistic-probabilities",
        "Probability of class 1 for each of B samples, as a function of the weights.",
        "Bishop (2006), Pattern Recognition and Machine Learning, section 4.3.2",
        free(),
        logistic_probabilities,
    ),
    Problem(
        "least-squares-neuron",
        "Residuals r(w, b) = sigmoid(Xw + b) - y of B samples.",
        "Nocedal and Wright (2006), Numerical Optimization, section 10.1",
        free(least=2),
        least_squares_neuron,
    ),
    Problem(
        "logistic-digits",
        "Mean cross-entropy of telling scanned digits from 5 to 9 from smaller ones.",
        "Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits; bundled with scikit-learn",
        fixed(65),
        logistic_digits,
        analytic=False,  # np.logaddexp takes real numbers only
    ),
)
