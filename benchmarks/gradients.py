"""How fast is the reverse gradient on the numpy engine? Against NumPy by hand, and HIPS autograd where it is installed.

Ratios are medians over interleaved rounds in one process on one thread; below 1 diffkit is faster.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import statistics
import subprocess
import sys
import time
from timeit import Timer

import numpy as np

import diffkit as dk
from diffkit.tracing import trace_function

ROUNDS = 15
SHAPES = [(16, 64), (64,), (64, 64), (64,), (64, 10), (10,)]
ENDS = np.cumsum([int(np.prod(shape)) for shape in SHAPES])


def rosenbrock(x, m=np):
    """Rosenbrock's function; m is the NumPy to use."""
    return m.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_by_hand(x):
    """Its gradient, as one would write it."""
    a = x[:-1]
    d = x[1:] - a * a
    g = np.zeros_like(x)
    g[1:] = 200.0 * d
    g[:-1] -= 400.0 * a * d + 2.0 * (1.0 - a)
    return g


def worked(x, m=np):
    """The worked example of the textbooks."""
    return m.exp(x[0] * x[1]) + x[0] * x[1] / m.log(x[0]) + m.sin(m.log(x[0])) / (x[0] * x[1])


class Network:
    """A multilayer perceptron with two hidden layers, 32 samples, cross-entropy."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.data = rng.normal(size=(32, 16))
        self.labels = np.eye(10)[rng.integers(0, 10, 32)]
        self.start = rng.normal(size=ENDS[-1]) * 0.2

    @staticmethod
    def layers(p):
        """The parameters as matrices and vectors."""
        starts = [0, *ENDS[:-1]]
        return [p[i:j].reshape(shape) for i, j, shape in zip(starts, ENDS, SHAPES, strict=True)]

    def loss(self, p, m=np):
        """Mean cross-entropy."""
        W1, b1, W2, b2, W3, b3 = self.layers(p)
        z = m.tanh(m.tanh(self.data @ W1 + b1) @ W2 + b2) @ W3 + b3
        return (m.sum(m.log(m.sum(m.exp(z), 1))) - m.sum(z * self.labels)) / 32

    def by_hand(self, p):
        """Backpropagation, as one would write it."""
        W1, b1, W2, b2, W3, b3 = self.layers(p)
        h1 = np.tanh(self.data @ W1 + b1)
        h2 = np.tanh(h1 @ W2 + b2)
        e = np.exp(h2 @ W3 + b3)
        dz = (e / e.sum(1, keepdims=True) - self.labels) / 32
        g = np.empty(p.size)
        parts = self.layers(g)
        np.matmul(h2.T, dz, out=parts[4])
        dz.sum(0, out=parts[5])
        d2 = (dz @ W3.T) * (1 - h2 * h2)
        np.matmul(h1.T, d2, out=parts[2])
        d2.sum(0, out=parts[3])
        d1 = (d2 @ W2.T) * (1 - h1 * h1)
        np.matmul(self.data.T, d1, out=parts[0])
        d1.sum(0, out=parts[1])
        return g


def compare(title, ways, target=""):
    """Print the median time of each way, and diffkit's ratio to each."""
    loops = {}
    for name, way in ways.items():
        count, seconds = Timer(way).autorange()
        loops[name] = max(1, int(count * 0.02 / seconds))
    times = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            times[name].append(Timer(way).timeit(loops[name]) / loops[name])
    cells = []
    for name, sample in times.items():
        ratio = statistics.median(d / t for d, t in zip(times["diffkit"], sample, strict=True))
        cells.append(
            f"{name} {statistics.median(sample) * 1e6:.2f} µs" + ("" if name == "diffkit" else f" ({ratio:.2f})")
        )
    print(f"{title:28} {'; '.join(cells)}{'   target: ' + target if target else ''}")


def gradients():
    """Rosenbrock, the worked example and the network."""
    try:
        import autograd
        import autograd.numpy as anp
    except ImportError:
        autograd = None
        print("autograd is not installed: left out")
    sizes = (2, 10, 100, 1000, 10_000, 100_000)
    network = Network()
    cases = [
        *((f"Rosenbrock, A = {n:,}", rosenbrock, rosenbrock_by_hand, np.linspace(-1.5, 1.5, n)) for n in sizes),
        ("worked example", worked, None, np.array([2.0, 3.0])),
        ("network, A = 5,898", network.loss, network.by_hand, network.start),
    ]
    for title, f, hand, x in cases:
        plan = dk.get("reverse").prepare(f, x, product="gradient")
        ways = {"diffkit": lambda plan=plan, x=x: plan.run(x), "f": lambda f=f, x=x: f(x)}
        if hand is not None:
            np.testing.assert_allclose(plan.run(x), hand(x), rtol=1e-9, atol=1e-12)
            ways["by hand"] = lambda hand=hand, x=x: hand(x)
        if autograd is not None:
            slope = autograd.grad(lambda x, f=f: f(x, anp))
            np.testing.assert_allclose(plan.run(x), slope(x), rtol=1e-9, atol=1e-12)
            ways["autograd"] = lambda slope=slope, x=x: slope(x)
        compare(title, ways, "by hand 1.3; autograd 0.1" if hand is not None else "autograd 0.1")


def overheads():
    """What a call costs above the generated function, a traced step, and an import."""
    x = np.ones(2)
    plan = dk.get("reverse").prepare(lambda x: x[0] * x[1], x, product="gradient")
    plan.run(x)
    branch, _ = plan.find("gradient", [x])
    generated = branch.programs["gradient"].run
    compare("a call, A = 2", {"diffkit": lambda: plan.run(x), "generated function": lambda: generated(x)}, "2 µs above")

    def loop(x):
        y = 0.5
        for _ in range(1000):
            y = np.sin(y) * x[0] + x[1]
        return y

    took = []
    for _ in range(7):
        start = time.perf_counter()
        traced = trace_function(loop, [x], lambda leaves: ((leaves[0],), {}))
        took.append((time.perf_counter() - start) / len(traced.graph.steps))
    print(f"{'a traced step':28} {statistics.median(took) * 1e6:.1f} µs   target: 30 µs")
    ratios = [_import("diffkit") / _import("numpy") for _ in range(9)]
    print(f"{'import diffkit':28} {statistics.median(ratios):.2f} times import numpy   target: 1.5")


def _import(name):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import numpy, {name}"], check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    gradients()
    overheads()
