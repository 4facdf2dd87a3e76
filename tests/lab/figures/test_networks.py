import numpy as np

from diffkit.lab.figures.networks import NETWORK, _backward, shapes


def test_every_array_stands_beside_a_gradient_of_its_shape():
    axes = shapes().axes[0]
    labels = dict(text.get_text().split("\n") for text in axes.texts if "\n" in text.get_text())
    values = [name for name in labels if not name.startswith("d")]
    assert len(values) == 4 * 3
    assert all(labels[f"d{name}"] == labels[name] for name in values)
    assert labels["W[1]"] == "5 × 2"
    assert labels["b[2]"] == "3 × 1"


def test_the_gradients_in_the_picture_are_those_of_the_network():
    rng = np.random.default_rng(0)
    parameters, X = NETWORK.initial(), rng.normal(size=(2, 7))
    Y = rng.integers(2, size=(1, 7)) * 1.0
    Z, A = NETWORK.forward(parameters, X)
    dZ, dA = _backward(parameters, Z, A, Y)
    gradients = NETWORK.layers(NETWORK.backward(parameters, X, Y))
    for layer, (dW, db) in enumerate(gradients):
        np.testing.assert_allclose(dZ[layer] @ A[layer].T / 7, dW, rtol=1e-13)
        np.testing.assert_allclose(dZ[layer].mean(axis=1, keepdims=True), db, rtol=1e-13)
        assert dA[layer].shape == A[layer].shape
