"""Fit a curve: scipy minimises a plain-NumPy loss with diffkit's gradient (needs the extra "scipy")."""

import numpy as np
from scipy.optimize import minimize

import diffkit as dk

t = np.linspace(0.0, 4.0, 60)
data = 1.5 * np.exp(-0.7 * t) + 0.02 * np.cos(37.0 * t)


def loss(p):
    """Huber's loss of an exponential decay."""
    residual = p[0] * np.exp(-p[1] * t) - data
    size = np.abs(residual)
    return np.mean(np.where(size < 0.01, 0.5 * residual**2, 0.01 * (size - 0.005)))


start = np.array([1.0, 1.0])
found = minimize(loss, start, jac=dk.grad(loss))
blind = minimize(loss, start)
print(f"amplitude and rate: {found.x.round(3)}")
print(f"evaluations of the loss: {found.nfev} with the gradient, {blind.nfev} without")
