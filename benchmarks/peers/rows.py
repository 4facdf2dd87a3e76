"""What is differentiated: problems P1 to P7, elementwise maps and a call, each with its derivative by hand."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SHAPES = [(16, 64), (64,), (64, 64), (64,), (64, 10), (10,)]
ENDS = np.cumsum([math.prod(shape) for shape in SHAPES])
TITLES = {
    "P1": "worked example, gradient, A = 2",
    "P2": "Rosenbrock's function, gradient, by A",
    "P3": "neural network (16-64-64-10, 32 samples, cross-entropy), gradient, A = 5,898",
    "P4": "tanh(Wx), Jacobian, A x B",
    "P5": "sin(x) exp(-x²), dense Jacobian, A = B",
    "P6": "Helmholtz energy, gradient, by A",
    "P7": "a loop of n rounds y = sin(y) a + c, gradient, A = 2",
    "maps": "sum of an elementwise map, gradient, by A",
    "call": "x0 x1, gradient, A = 2: what a call costs",
}


@dataclass(frozen=True)
class Row:
    """One function of one size."""

    problem: str
    size: str
    point: np.ndarray
    written: Callable[[Any], Callable[[Any], Any]]
    """From a library's words to f in them."""
    by_hand: Callable[[np.ndarray], np.ndarray]
    compiled: Callable[[np.ndarray], np.ndarray] | None = None
    """By hand, for Numba to compile."""
    outputs: int = 1
    product: str = "gradient"
    work: int = 0
    """Scalar operations of f, about, where they are more than the entries of the derivative."""
    other_words: dict[str, Callable[[Any], Callable[[Any], Any]]] = field(default_factory=dict)
    """f for libraries in whose words it is written otherwise."""
    only_by_hand: bool = False
    """Compared with code by hand alone."""
    quick: bool = True
    """Whether the quick form of the study has it."""

    @property
    def name(self):
        """Problem and size."""
        return f"{self.problem} {self.size}"

    @property
    def entries(self):
        """Of the derivative."""
        return self.point.size * self.outputs


def all_rows():
    """Every row of the study, from small to large within a problem."""
    rng = np.random.default_rng(0)
    return [
        call(),
        worked_example(),
        *(rosenbrock(A, rng) for A in (2, 10, 100, 1000, 10_000, 100_000)),
        network(rng),
        *(
            tanh_of_product(A, B, rng)
            for A, B in ((10, 10), (1, 1000), (1000, 1), (100, 100), (1000, 10), (10, 1000), (300, 300))
        ),
        *(diagonal(A, rng) for A in (10, 100, 1000)),
        *(helmholtz(A, rng) for A in (5, 50, 500)),
        *(loop(n) for n in (100, 1000)),
        *(elementwise(name, A, rng) for name in MAPS for A in (1000, 10_000, 100_000)),
    ]


def warm_ups():
    """A gradient and a Jacobian like none of the rows, so that nothing compiled for them serves a row."""
    point = np.array([2.0, 3.0])

    def slopes(x):
        return np.diag(2.0 * x)

    return [
        Row("warm-up", "2", point, lambda m: lambda x: m.sum(x * x), lambda x: 2.0 * x, lambda x: 2.0 * x),
        Row(
            "warm-up",
            "2 x 2",
            point,
            lambda m: lambda x: x * x,
            lambda x: np.diag(2.0 * x),
            outputs=2,
            product="jacobian",
        ),
    ]


def call():
    """A product of two numbers."""
    point = np.array([2.0, 3.0])
    return Row(
        "call", "2", point, lambda m: lambda x: x[0] * x[1], lambda x: x[::-1].copy(), lambda x: np.array([x[1], x[0]])
    )


def worked_example():
    """The worked example of the textbooks."""

    def written(m):
        return lambda x: m.exp(x[0] * x[1]) + x[0] * x[1] / m.log(x[0]) + m.sin(m.log(x[0])) / (x[0] * x[1])

    def slopes(x):
        a, b = float(x[0]), float(x[1])
        ab, log = a * b, math.log(a)
        exp, sin = math.exp(ab), math.sin(log)
        return np.array(
            [
                b * exp + b / log - b / log**2 + (math.cos(log) - sin) / (a * ab),
                a * exp + a / log - sin / (b * ab),
            ]
        )

    return Row("P1", "2", np.array([2.0, 3.0]), written, slopes, slopes)


def rosenbrock(A, rng):
    """Rosenbrock's function of A variables."""

    def written(m):
        return lambda x: m.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    def by_hand(x):
        a = x[:-1]
        d = x[1:] - a * a
        g = np.zeros_like(x)
        g[1:] = 200.0 * d
        g[:-1] -= 400.0 * a * d + 2.0 * (1.0 - a)
        return g

    def compiled(x):
        g = np.empty(x.size)
        carried = 0.0
        for i in range(x.size - 1):
            a = x[i]
            d = x[i + 1] - a * a
            g[i] = carried - 400.0 * a * d - 2.0 * (1.0 - a)
            carried = 200.0 * d
        g[-1] = carried
        return g

    return Row("P2", f"{A:,}", rng.uniform(-1.5, 1.5, A), written, by_hand, compiled, quick=A in (2, 1000, 100_000))


def network(rng):
    """Mean cross-entropy of a network with two hidden layers, by its parameters."""
    data, labels = rng.normal(size=(32, 16)), np.eye(10)[rng.integers(0, 10, 32)]

    def layers(p, reshape=np.reshape):
        ends = zip(ENDS.tolist(), SHAPES, strict=True)
        return [reshape(p[end - math.prod(shape) : end], shape) for end, shape in ends]

    def written(m):
        inputs, wanted = m.array(data), m.array(labels)

        def loss(p):
            W1, b1, W2, b2, W3, b3 = layers(p, m.reshape)
            z = m.tanh(m.tanh(inputs @ W1 + b1) @ W2 + b2) @ W3 + b3
            return (m.sum(m.log(m.sum(m.exp(z), 1))) - m.sum(z * wanted)) / 32

        return loss

    def by_columns(m):
        """For CasADi: samples as columns, so that matrices stay as they are stored, and biases repeated by hand."""
        inputs, wanted, ones = m.array(data.T), m.array(labels.T), m.array(np.ones((1, 32)))

        def loss(p):
            W1, b1, W2, b2, W3, b3 = layers(p, lambda v, shape: m.reshape(v, shape).T if len(shape) == 2 else v)
            h = m.tanh(W2 @ m.tanh(W1 @ inputs + b1 @ ones) + b2 @ ones)
            z = W3 @ h + b3 @ ones
            return (m.sum(m.log(m.sum(m.exp(z)).T)) - m.sum(m.sum(z * wanted).T)) / 32

        return loss

    def by_hand(p):
        W1, b1, W2, b2, W3, b3 = layers(p)
        h1 = np.tanh(data @ W1 + b1)
        h2 = np.tanh(h1 @ W2 + b2)
        e = np.exp(h2 @ W3 + b3)
        dz = (e / e.sum(1, keepdims=True) - labels) / 32
        d2 = (dz @ W3.T) * (1.0 - h2 * h2)
        d1 = (d2 @ W2.T) * (1.0 - h1 * h1)
        g = np.empty(p.size)
        parts = layers(g)
        for k, (before, after) in enumerate(((data, d1), (h1, d2), (h2, dz))):
            np.matmul(before.T, after, out=parts[2 * k])
            after.sum(0, out=parts[2 * k + 1])
        return g

    point = 0.2 * rng.normal(size=int(ENDS[-1]))
    return Row("P3", "5,898", point, written, by_hand, work=32 * int(ENDS[-1]), other_words={"CasADi": by_columns})


def tanh_of_product(A, B, rng):
    """tanh(Wx) from A to B numbers."""
    W = rng.normal(size=(B, A)) / math.sqrt(A)

    def written(m):
        weights = m.array(W)
        return lambda x: m.tanh(weights @ x)

    def by_hand(x):
        y = np.tanh(W @ x)
        return (1.0 - y * y)[:, None] * W

    quick = (A, B) in ((10, 10), (1000, 10), (300, 300))
    return Row("P4", f"{A} x {B}", rng.normal(size=A), written, by_hand, outputs=B, product="jacobian", quick=quick)


def diagonal(A, rng):
    """An elementwise function, whose Jacobian is a diagonal in a dense matrix."""

    def written(m):
        return lambda x: m.sin(x) * m.exp(-(x**2))

    def by_hand(x):
        return np.diag((np.cos(x) - 2.0 * x * np.sin(x)) * np.exp(-x * x))

    def compiled(x):
        J = np.zeros((x.size, x.size))
        for i in range(x.size):
            J[i, i] = (math.cos(x[i]) - 2.0 * x[i] * math.sin(x[i])) * math.exp(-x[i] * x[i])
        return J

    point = rng.normal(size=A)
    return Row("P5", f"{A:,}", point, written, by_hand, compiled, outputs=A, product="jacobian", quick=A != 100)


def helmholtz(A, rng):
    """Energy of a mixture of A fluids."""
    M, b = rng.uniform(0.0, 1.0, (A, A)), rng.uniform(0.1, 1.0, A)
    M = (M + M.T) / 2.0
    root, plus, minus = math.sqrt(8.0), 1.0 + math.sqrt(2.0), 1.0 - math.sqrt(2.0)

    def written(m):
        K, c = m.array(M), m.array(b)

        def energy(x):
            bx = m.dot(c, x)
            mixing = m.log((1.0 + plus * bx) / (1.0 + minus * bx)) / (root * bx)
            return m.sum(x * m.log(x / (1.0 - bx))) - m.dot(x, K @ x) * mixing

        return energy

    def by_hand(x):
        bx, Mx = b @ x, M @ x
        weight, log = 1.0 / (root * bx), math.log((1.0 + plus * bx) / (1.0 + minus * bx))
        along_b = x.sum() / (1.0 - bx) - (x @ Mx) * weight * (
            plus / (1.0 + plus * bx) - minus / (1.0 + minus * bx) - log / bx
        )
        return np.log(x / (1.0 - bx)) + 1.0 - 2.0 * log * weight * Mx + b * along_b

    return Row("P6", f"{A:,}", rng.uniform(0.1, 1.0, A) / A, written, by_hand, work=A * A, quick=A != 5)


def loop(n):
    """A Python loop of n rounds on scalars."""

    def written(m):
        return lambda x: m.repeat(n, lambda y, x: m.sin(y) * x[0] + x[1], x[0], x)

    def slopes(x):
        a, c = float(x[0]), float(x[1])
        y, along_a, along_c = a, 1.0, 0.0
        for _ in range(n):
            sin, slope = math.sin(y), math.cos(y) * a
            along_a = slope * along_a + sin
            along_c = slope * along_c + 1.0
            y = sin * a + c
        return np.array([along_a, along_c])

    return Row("P7", f"n = {n:,}", np.array([0.9, 0.3]), written, slopes, slopes, work=3 * n, quick=n == 1000)


MAPS = {
    "sin": (lambda m, x: m.sin(x), np.cos),
    "exp": (lambda m, x: m.exp(x), np.exp),
    "log": (lambda m, x: x * m.log(x), lambda x: np.log(x) + 1.0),
    "tanh": (lambda m, x: m.tanh(x), lambda x: 1.0 - np.tanh(x) ** 2),
    "sin exp": (
        lambda m, x: m.sin(x) * m.exp(-x * x),
        lambda x: (np.cos(x) - 2.0 * x * np.sin(x)) * np.exp(-x * x),
    ),
    "tanh log": (
        lambda m, x: m.tanh(x) * m.log(1.0 + x * x),
        lambda x: _product_rule(np.tanh(x), np.log(1.0 + x * x), x),
    ),
}
"""Elementwise maps and their derivatives by hand; the cost of each lies in the functions that name it."""


def _product_rule(t, log, x):
    return (1.0 - t * t) * log + t * 2.0 * x / (1.0 + x * x)


def elementwise(name, A, rng):
    """The sum of an elementwise map of A numbers."""
    f, slope = MAPS[name]
    quick = A == 10_000
    point = rng.uniform(0.1, 2.0, A)
    return Row(
        "maps", f"{name} {A:,}", point, lambda m: lambda x: m.sum(f(m, x)), slope, only_by_hand=True, quick=quick
    )
