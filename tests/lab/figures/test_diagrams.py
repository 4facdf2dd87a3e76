from __future__ import annotations

import numpy as np
from scipy.special import expit

from diffkit.lab.figures.diagrams import BAND


def test_the_weights_of_the_page_tell_the_band_from_what_lies_beside_it():
    W1, W2 = BAND
    along, across = np.meshgrid(np.linspace(-2, 2, 9), [-1.5, -1.0, -0.4, 0.0, 0.4, 1.0, 1.5])
    X = np.stack([(across + along) / 1.0, (across - along) / 1.0]).reshape(2, -1) / 2  # x1 + x2 is ``across``
    outputs = expit(W2 @ expit(W1 @ X + 6) - 13).ravel()
    inside = np.abs(X.sum(axis=0)) < 0.5
    assert np.all(outputs[inside] > 0.9)
    assert np.all(outputs[np.abs(X.sum(axis=0)) > 1.4] < 0.1)
