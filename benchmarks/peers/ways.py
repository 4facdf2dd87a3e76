"""How each library differentiates, at its fastest: an array of float64 in, an array of float64 out."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from peers import maths
from peers.rows import Row

Call = Callable[[np.ndarray], Any]
BY_HAND = ("NumPy by hand", "Numba by hand")
PLAIN = "f in NumPy"


@dataclass(frozen=True)
class Way:
    """One way of one library to differentiate.

    `build` makes a row ready; what it gives is timed.
    """

    peer: str
    name: str
    build: Callable[[Row], Call]
    exact: bool = True
    fits: Callable[[Row], bool] = lambda row: True

    @property
    def label(self):
        """Library and way."""
        return f"{self.peer} {self.name}".strip()


def all_ways(peers=None):
    """The ways of all libraries (or some) that are installed, and the names of those that are not."""
    found, absent = [], []
    for peer in peers or LIBRARIES:
        try:
            found.extend(Way(peer, *way) for way in LIBRARIES[peer]())
        except ImportError:
            absent.append(peer)
    return found, absent


def written(peer, words, row):
    """Write f in a library's words."""
    return row.other_words.get(peer, row.written)(words)


def scalar(row):
    """Whether f has one result, and its gradient is asked for."""
    return row.product == "gradient"


def jacobian(row):
    """Whether the Jacobian is asked for."""
    return not scalar(row)


def up_to(scalars):
    """Whether a row has no more scalar operations than that: beyond it, making an expression of each takes minutes."""
    return lambda row: max(row.entries, row.work) <= scalars and row.point.size <= 1000


def _diffkit():
    import diffkit as dk
    from diffkit.engines import engine_names

    words = maths.numpy_words()

    def build(row, method, engine):
        f = row.written(words)
        return dk.get(method, engine=engine).prepare(f, row.point, product=row.product).run

    methods = [method for method in ("reverse", "forward", "auto") if method in dk.names()]
    engines = [engine for engine in ("numpy", "llvm", "auto") if engine in engine_names()]
    for method in methods:
        fits = (lambda row: jacobian(row) or row.point.size <= 100) if method == "forward" else lambda row: True
        for engine in engines:
            yield f"{method}, {engine}", partial(build, method=method, engine=engine), True, fits


def _plain():
    words = maths.numpy_words()
    yield "", lambda row: row.written(words)


def _numpy():
    yield "", lambda row: row.by_hand


def _numba():
    import numba

    yield "", lambda row: numba.njit(row.compiled), True, lambda row: row.compiled is not None


def _jax():
    import jax

    settings = {
        "jax_enable_x64": True,
        "jax_platforms": "cpu",
        "jax_cpu_enable_async_dispatch": False,  # else a call also pays for a hand-over between threads
    }
    for setting, value in settings.items():
        jax.config.update(setting, value)
    words = maths.jax_words()

    def build(row, transform):
        compiled = jax.jit(transform(written("JAX", words, row)))
        return lambda x: np.asarray(compiled(x))

    yield "grad", partial(build, transform=jax.grad), True, scalar
    yield "jacrev", partial(build, transform=jax.jacrev), True, jacobian
    yield "jacfwd", partial(build, transform=jax.jacfwd), True, lambda row: row.point.size <= 2 or jacobian(row)


def _torch():
    import torch

    torch.set_num_threads(1)
    words = maths.torch_words()

    def gradient(row):
        f = written("PyTorch", words, row)

        def call(x):
            leaf = torch.from_numpy(x).requires_grad_()
            return torch.autograd.grad(f(leaf), leaf)[0].numpy()

        return call

    def transformed(row, transform):
        derivative = transform(written("PyTorch", words, row))
        return lambda x: derivative(torch.from_numpy(x)).numpy()

    def by_rows(row):
        f = written("PyTorch", words, row)
        return lambda x: torch.autograd.functional.jacobian(f, torch.from_numpy(x)).numpy()

    yield "grad", gradient, True, scalar
    yield "jacrev", partial(transformed, transform=torch.func.jacrev), True, jacobian
    yield "jacfwd", partial(transformed, transform=torch.func.jacfwd), True, jacobian
    yield "functional.jacobian", by_rows, True, lambda row: jacobian(row) and row.outputs <= 10


def _autograd():
    import autograd

    words = maths.autograd_words()

    def forward(row):
        jvp = autograd.make_jvp(written("autograd", words, row))
        directions = np.eye(row.point.size)

        def call(x):
            along = jvp(x)
            return np.stack([along(direction)[1] for direction in directions], axis=-1)

        return call

    yield "grad", lambda row: autograd.grad(written("autograd", words, row)), True, scalar
    yield "jacobian", lambda row: autograd.jacobian(written("autograd", words, row)), True, jacobian
    yield "make_jvp", forward, True, lambda row: jacobian(row) and row.point.size <= 10


def _casadi():
    import casadi

    words = maths.casadi_words()
    compiling = {"jit": True, "compiler": "shell", "jit_options": {"flags": ["-O2", "-march=native"]}}

    def build(row, symbol, options):
        x = symbol.sym("x", row.point.size)
        y = written("CasADi", words, row)(x)
        result = casadi.gradient(y, x) if scalar(row) else casadi.densify(casadi.jacobian(y, x))
        return casadi.Function("derivative", [x], [result], options)

    def called(row, symbol=casadi.SX, options=None):
        function = build(row, symbol, options or {})
        shape = row.point.shape if scalar(row) else (row.outputs, row.point.size)
        return lambda x: function(x).full().reshape(shape)

    def buffered(row, symbol=casadi.SX, options=None):
        """The interface without copies and checks; results lie by columns."""
        buffer, run = build(row, symbol, options or {}).buffer()
        given = np.empty(row.point.size)
        taken = np.empty(row.point.size if scalar(row) else (row.point.size, row.outputs))
        buffer.set_arg(0, memoryview(given))
        buffer.set_res(0, memoryview(taken))

        def call(x):
            given[:] = x
            run()
            return taken.T.copy()

        call.keeps = buffer
        return call

    yield "SX", called
    yield "SX, buffer", buffered
    yield "MX, buffer", partial(buffered, symbol=casadi.MX)
    if shutil.which("gcc"):
        yield "SX, gcc, buffer", partial(buffered, options=compiling), True, up_to(3000)


def _pytensor():
    import pytensor
    import pytensor.tensor as pt

    words = maths.pytensor_words()

    def build(row, derive):
        x = pt.dvector("x")
        run = pytensor.function([x], derive(written("PyTensor", words, row)(x), x), trust_input=True)
        return lambda x: np.asarray(run(x))

    def vectorized(y, x):
        return pytensor.gradient.jacobian(y, x, vectorize=True)

    yield "grad", partial(build, derive=pytensor.gradient.grad), True, scalar
    yield "jacobian", partial(build, derive=vectorized), True, jacobian


def _symbolic(library, compile_all):
    """A library of scalar symbols: every entry an expression, all compiled together."""
    words = maths.symbol_words(library)

    def build(row):
        symbols = library.symbols(f"x:{row.point.size}")
        results = np.ravel(row.written(words)(np.array(symbols, dtype=object)))
        run = compile_all(symbols, [library.diff(result, symbol) for result in results for symbol in symbols])
        shape = row.point.shape if scalar(row) else (row.outputs, row.point.size)
        return lambda x: run(x).reshape(shape)

    return build


def _symengine():
    import symengine

    def compile_all(symbols, entries):
        return symengine.Lambdify(list(symbols), entries, cse=True, backend="llvm")

    yield "LLVM", _symbolic(symengine, compile_all), True, up_to(10_000)


def _sympy():
    import sympy

    def compile_all(symbols, entries):
        run = sympy.lambdify([symbols], entries, modules="math", cse=True)
        return lambda x: np.array(run(x.tolist()))

    yield (
        "lambdify",
        _symbolic(sympy, compile_all),
        True,
        up_to(100),
    )


def _numdifftools():
    import numdifftools

    words = maths.numpy_words()
    kinds = {"gradient": numdifftools.Gradient, "jacobian": numdifftools.Jacobian}
    yield (
        "",
        lambda row: kinds[row.product](row.written(words)),
        False,
        lambda row: row.entries <= 10_000 and row.point.size <= 1000,
    )


def _scipy():
    from scipy.optimize import approx_fprime, rosen_der

    words = maths.numpy_words()

    def differences(row):
        f = row.written(words)
        return lambda x: approx_fprime(x, f)

    yield "approx_fprime", differences, False, lambda row: row.point.size <= 10_000
    yield "rosen_der", lambda row: rosen_der, True, lambda row: row.problem == "P2"


LIBRARIES = {
    "diffkit": _diffkit,
    PLAIN: _plain,
    BY_HAND[0]: _numpy,
    BY_HAND[1]: _numba,
    "JAX": _jax,
    "PyTorch": _torch,
    "autograd": _autograd,
    "CasADi": _casadi,
    "PyTensor": _pytensor,
    "symengine": _symengine,
    "SymPy": _sympy,
    "numdifftools": _numdifftools,
    "SciPy": _scipy,
}
"""Names and their ways; a library is loaded when its ways are asked for."""
