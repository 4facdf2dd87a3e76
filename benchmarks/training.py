"""How long does an epoch of stochastic gradient descent take, by diffkit and by others on the same steps?

A network with one hidden layer of tanh units, sample by sample and in batches of 32. Every way visits the same samples
in the same order from the same parameters, and must be where the others are after the first epoch. Ways take turns,
five epochs each; medians and ratios are printed. diffkit's loop over the samples is machine code. JAX has two ways: a
compiled step called from a loop in Python, and the whole epoch as one compiled loop (`lax.scan`).

    python benchmarks/training.py        # about a minute, with the extra `peers`; who is missing is left out by name
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import statistics
import time

import numpy as np

from diffkit.lab import data
from diffkit.lab.networks import Network
from diffkit.lab.training.settings import Settings
from diffkit.lab.training.sgd import Descent
from diffkit.lab.training.steps import pinned

ROUNDS, TURN, RATE = 9, 5, 0.1
CASES = {  # data, hidden units, samples per step
    "band, 2-3-1, one by one": ("band", 3, 1),
    "digits, 64-16-10, one by one": ("digits", 16, 1),
    "digits, 64-16-10, batches of 32": ("digits", 16, 32),
}


def diffkit(network, samples, start, batch):
    """Reverse mode, compiled; the loop of `diffkit train`."""
    settings = Settings(rate=RATE, batch=batch, order="in-order")
    descent = Descent(network, samples, None, pinned("reverse"), settings, start)

    def epoch():
        descent.epoch()
        return descent.state.history[-1].seconds, descent.state.parameters

    return epoch


def by_hand(network, samples, start, batch):
    """The course's backward pass, written out for one hidden layer."""
    layers = [(W.copy(), b.copy()) for W, b in network.layers(start)]
    steps = cut(samples, batch)

    def step(X, Y):
        (W1, b1), (W2, b2) = layers
        A = np.tanh(W1 @ X + b1)
        Z = W2 @ A + b2
        if network.output == "sigmoid":
            dZ = 1 / (1 + np.exp(-Z)) - Y
        else:
            E = np.exp(Z - Z.max(axis=0))
            dZ = E / E.sum(axis=0) - Y
        dZ /= X.shape[1]
        dA = (W2.T @ dZ) * (1 - A * A)
        W2 -= RATE * (dZ @ A.T)
        b2 -= RATE * dZ.sum(axis=1, keepdims=True)
        W1 -= RATE * (dA @ X.T)
        b1 -= RATE * dA.sum(axis=1, keepdims=True)

    def epoch():
        began = time.perf_counter()
        for X, Y in steps:
            step(X, Y)
        return time.perf_counter() - began, np.concatenate([part.ravel() for pair in layers for part in pair])

    return epoch


def cost(np, layers, X, Y, output):
    """Mean cross-entropy, in the words of NumPy, whoever speaks them."""
    (W1, b1), (W2, b2) = layers
    Z = W2 @ np.tanh(W1 @ X + b1) + b2
    if output == "sigmoid":
        return np.mean(np.sum(np.logaddexp(0.0, Z) - Y * Z, axis=0))
    shifted = Z - np.max(Z, axis=0)
    return np.mean(np.log(np.sum(np.exp(shifted), axis=0)) - np.sum(Y * shifted, axis=0))


def jax(network, samples, start, batch, *, whole=False):
    """A compiled step, or the whole epoch as one compiled loop."""
    import jax as library
    from jax import numpy as jnp

    library.config.update("jax_enable_x64", True)  # noqa: FBT003 - JAX's signature
    gradient = library.grad(lambda p, X, Y: cost(jnp, network.layers(p), X, Y, network.output))

    def step(p, one):
        return p - RATE * gradient(p, *one), None

    steps = [tuple(map(jnp.asarray, pair)) for pair in cut(samples, batch)]
    full = [pair for pair in steps if pair[0].shape[1] == batch]
    stacked = jnp.stack([X for X, _ in full]), jnp.stack([Y for _, Y in full])
    compiled = library.jit(lambda p, one: step(p, one)[0])
    scanned = library.jit(lambda p, all_steps: library.lax.scan(step, p, all_steps)[0])
    state = [jnp.asarray(start)]

    def epoch():
        p, began = state[0], time.perf_counter()
        if whole:
            p = scanned(p, stacked)
        for pair in steps[len(full) :] if whole else steps:
            p = compiled(p, pair)
        state[0] = p.block_until_ready()
        return time.perf_counter() - began, np.asarray(p)

    return epoch


def jax_scan(*case):
    """See `jax`."""
    return jax(*case, whole=True)


def torch(network, samples, start, batch):
    """Eager, float64; parameters are updated in place."""
    import torch as library

    library.set_num_threads(1)
    p = [library.tensor(part.copy(), requires_grad=True) for pair in network.layers(start) for part in pair]
    steps = [tuple(library.tensor(part) for part in pair) for pair in cut(samples, batch)]

    def loss(X, Y):
        Z = p[2] @ library.tanh(p[0] @ X + p[1]) + p[3]
        if network.output == "sigmoid":
            return (library.nn.functional.softplus(Z, threshold=1e9) - Y * Z).sum(dim=0).mean()
        return -(Y * library.log_softmax(Z, dim=0)).sum(dim=0).mean()

    def epoch():
        began = time.perf_counter()
        for X, Y in steps:
            found = library.autograd.grad(loss(X, Y), p)
            with library.no_grad():
                for part, slope in zip(p, found, strict=True):
                    part.sub_(RATE * slope)
        return time.perf_counter() - began, np.concatenate([part.detach().numpy().ravel() for part in p])

    return epoch


def autograd(network, samples, start, batch):
    """HIPS autograd."""
    from autograd import grad
    from autograd import numpy as anp

    gradient = grad(lambda p, X, Y: cost(anp, network.layers(p), X, Y, network.output))
    steps, state = cut(samples, batch), [start.copy()]

    def epoch():
        p, began = state[0], time.perf_counter()
        for X, Y in steps:
            p = p - RATE * gradient(p, X, Y)
        state[0] = p
        return time.perf_counter() - began, p

    return epoch


def cut(samples, batch):
    """Contiguous batches, in order."""
    X, Y = samples.X, samples.Y
    spans = [slice(first, first + batch) for first in range(0, X.shape[1], batch)]
    return [(np.ascontiguousarray(X[:, span]), np.ascontiguousarray(Y[:, span])) for span in spans]


WAYS = {
    "diffkit": diffkit,
    "NumPy by hand": by_hand,
    "JAX, a step at a time": jax,
    "JAX, the epoch compiled": jax_scan,
    "PyTorch": torch,
    "autograd": autograd,
}


def main():
    """Time every case by every way that is installed."""
    for title, (name, units, batch) in CASES.items():
        samples = data.get(name)
        outputs = len(samples.Y)
        network = Network((len(samples.X), units, outputs), output="sigmoid" if outputs == 1 else "softmax")
        runners = {}
        for way, make in WAYS.items():
            try:
                runners[way] = make(network, samples, network.initial(0), batch)
            except ImportError as error:
                print(f"{way} is left out: {error}")
        found = {way: [epoch()] for way, epoch in runners.items()}  # the first one compiles
        for _ in range(ROUNDS):
            for way, epoch in runners.items():
                found[way] += [epoch() for _ in range(TURN)]
        show(title, found, -(-samples.X.shape[1] // batch))


def show(title, found, steps):
    """Print a table, the quickest way first; all must have gone the same way in the first epoch."""
    _, goal = found["diffkit"][0]
    medians = {way: statistics.median(seconds for seconds, _ in epochs[1:]) for way, epochs in found.items()}
    print(f"\n{title}: {steps} steps an epoch")
    for way, seconds in sorted(medians.items(), key=lambda pair: pair[1]):
        away = np.max(np.abs(found[way][0][1] - goal)) / np.max(np.abs(goal))
        if not away < 1e-7:
            raise SystemExit(f"{way} went another way: {away}")
        print(f"  {way:<24} {1e6 * seconds / steps:9.2f} us a step   {seconds / medians['diffkit']:7.2f} x diffkit")


if __name__ == "__main__":
    main()
