"""The words each library has for the same mathematics, so that a function is written once for all of them."""

from types import SimpleNamespace

import numpy as np

WORDS = ("exp", "log", "sin", "tanh", "sum", "dot", "reshape")


def words_of(module, **own):
    """A library's words; `own` names those that it calls otherwise."""
    found = {word: getattr(module, word) for word in WORDS if word not in own}
    return SimpleNamespace(**{"array": np.asarray, "repeat": _repeat, **found, **own})


def _repeat(rounds, step, start, x):
    """Do y = step(y, x) so many times, as a plain Python loop."""
    y = start
    for _ in range(rounds):
        y = step(y, x)
    return y


def numpy_words():
    """NumPy's."""
    return words_of(np)


def autograd_words():
    """Those of autograd, which has its own NumPy."""
    import autograd.numpy

    return words_of(autograd.numpy)


def jax_words():
    """Those of JAX; a long loop is its own `fori_loop`, because unrolled it takes seconds to compile."""
    import jax

    def repeat(rounds, step, start, x):
        return jax.lax.fori_loop(0, rounds, lambda _, y: step(y, x), start)

    return words_of(jax.numpy, array=jax.numpy.asarray, repeat=repeat)


def torch_words():
    """Those of PyTorch."""
    import torch

    return words_of(torch, array=torch.as_tensor)


def casadi_words():
    """Those of CasADi, whose vectors are matrices of one column, stored by columns."""
    import casadi

    def reshape(v, shape):
        return casadi.reshape(v, shape[::-1]).T

    return words_of(casadi, array=casadi.DM, sum=casadi.sum1, reshape=reshape)


def pytensor_words():
    """Those of PyTensor; a long loop is its `scan`."""
    import pytensor
    import pytensor.tensor as pt

    def repeat(rounds, step, start, x):
        states = pytensor.scan(step, outputs_info=[start], non_sequences=[x], n_steps=rounds, return_updates=False)
        return states[-1]

    return words_of(pt, array=pt.constant, repeat=repeat)


def symbol_words(library):
    """Those of a library of scalar symbols (symengine, SymPy), over NumPy arrays of them."""

    def entrywise(name):
        return np.vectorize(getattr(library, name), otypes=[object])

    return words_of(
        np, **{name: entrywise(name) for name in ("exp", "log", "sin", "tanh")}, sum=lambda v: library.Add(*v)
    )
