"""Least squares: the residual, its Jacobian, and three algorithms with any method of differentiation.

>>> import numpy as np
>>> from diffkit.lab import least_squares
>>> found = least_squares.fit(lambda beta: beta - np.array([1.0, 2.0]), np.zeros(2))
>>> found.parameters
array([1., 2.])
"""

from diffkit.lab.least_squares.algorithms import ALGORITHMS
from diffkit.lab.least_squares.comparing import Compared, Comparison, compare
from diffkit.lab.least_squares.examples import Example, network, neuron
from diffkit.lab.least_squares.fitting import Fit, fit
from diffkit.lab.least_squares.gradients import Gradients, gradients

__all__ = [
    "ALGORITHMS",
    "Compared",
    "Comparison",
    "Example",
    "Fit",
    "Gradients",
    "compare",
    "fit",
    "gradients",
    "network",
    "neuron",
]
