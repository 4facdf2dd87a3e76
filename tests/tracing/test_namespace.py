"""The live view of f's names: what is replaced, what is passed through, what is remembered."""
# ruff: noqa: PLW0108 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import dataclasses
import enum
import functools
import math
import textwrap
import types
from typing import ClassVar, NamedTuple

import numpy as np
import pytest
import scipy.special

import diffkit as dk
from diffkit.tracing import Trace
from diffkit.tracing.namespace import Namespace

TABLE = np.arange(3.0)
NAMES = ["a", "b"]
NUMBER = 2.0


def helper():
    return NUMBER


def reads_everything():
    return TABLE, NAMES, NUMBER, helper(), np.zeros, math.sin, len


@pytest.fixture
def view():
    namespace = Namespace(reads_everything)
    with Trace().recording():
        yield namespace


def test_arrays_are_seen_as_traced_references_and_other_things_as_they_are(view):
    table, names, number, _, _, _, builtin = view.callable(reads_everything)()
    assert repr(table) == "<traced float64 (3,)>"
    assert names is NAMES
    assert number is NUMBER
    assert builtin is len


def test_what_f_read_is_remembered_and_rebinding_it_noticed(view, monkeypatch):
    view.callable(reads_everything)()
    read = {name for _, name, _ in view.reads.values()}
    assert {"TABLE", "NAMES", "NUMBER", "helper"} <= read
    assert view.unchanged()
    monkeypatch.setitem(globals(), "NUMBER", 3.0)
    assert not view.unchanged()
    monkeypatch.setitem(globals(), "NUMBER", NUMBER)


def test_a_name_that_was_deleted_is_a_change(view):
    module = types.ModuleType("an_example")
    exec("rate = 2.0\ndef f(): return rate", module.__dict__)  # noqa: S102 - as import would
    namespace = Namespace(module.f)
    assert namespace.callable(module.f)() == 2.0
    del module.rate
    assert not namespace.unchanged()


def test_the_view_is_live(view, monkeypatch):
    seen = view.callable(reads_everything)
    monkeypatch.setitem(globals(), "NUMBER", 7.0)
    assert seen()[2] == 7.0


def test_numpy_is_seen_through_a_thin_module_and_not_changed(view):
    module = view.view(np)
    assert module is not np
    assert module.pi == np.pi
    assert module.float64 is np.float64
    assert module.sin is np.sin
    assert module.ndarray is np.ndarray
    assert module.zeros is not np.zeros
    assert repr(module.zeros(2)) == "<traced float64 (2,)>"
    assert type(np.zeros(2)) is np.ndarray
    with pytest.raises(AttributeError, match="no_such_function"):
        module.no_such_function  # noqa: B018 - what is tested


def test_functions_of_libraries_are_left_alone(view):
    for function in (functools.reduce, textwrap.dedent, np.linalg.matrix_rank):
        assert view.view(function) is function
    assert view.view(helper) is not helper


def test_a_viewed_function_keeps_its_name_defaults_and_attributes(view):
    def f(x, y=2.0, *, z=3.0):
        """What it is."""
        return x + y + z

    f.mark = "kept"
    seen = view.callable(f)
    assert (seen.__name__, seen.mark, seen.__defaults__, seen.__kwdefaults__) == ("f", "kept", (2.0,), {"z": 3.0})
    assert seen(1.0) == 6.0
    assert f.__globals__ is globals()


class Model:
    rate = 3.0

    def __init__(self):
        self.weights = np.ones(2)

    def loss(self, x):
        out = np.zeros(2)
        out[0] = self.rate * x[0]
        return np.sum(out * self.weights) + self.offset(x) + self.twice(x)

    @property
    def scale(self):
        return 2.0

    @staticmethod
    def offset(x):
        return x[1] ** 2

    @classmethod
    def twice(cls, x):
        return cls.rate * x[1]

    def __call__(self, x):
        return self.loss(x) * self.scale


@pytest.mark.parametrize("method", ["forward", "reverse", "mixed", "symbolic"])
def test_methods_of_every_kind(method):
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(dk.grad(Model().loss, method=method)(x), [3.0, 7.0])
    np.testing.assert_array_equal(dk.grad(Model(), method=method)(x), [6.0, 14.0])
    np.testing.assert_array_equal(dk.grad(functools.partial(Model.loss, Model()), method=method)(x), [3.0, 7.0])


def test_scipys_functions_that_are_no_ufuncs():
    x = np.array([0.3, 1.2, -0.5])
    weights = np.exp(x) / np.exp(x).sum()
    np.testing.assert_allclose(dk.grad(lambda x: scipy.special.logsumexp(x))(x), weights, rtol=1e-14)
    np.testing.assert_allclose(dk.jacobian(lambda x: scipy.special.softmax(x))(x), np.diag(weights) - np.outer(weights, weights), rtol=1e-13, atol=1e-16)  # fmt: skip # noqa: E501


def test_functions_that_know_each_other_are_viewed_once(view):
    module = types.ModuleType("an_example")
    source = "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n != 0 and even(n - 1)"
    exec(source, module.__dict__)  # noqa: S102 - as import would
    assert Namespace(module.even).callable(module.even)(50) is True


# ---------------------------------------------------------------- objects of the same project


class Layer:
    def __init__(self, weights):
        self.weights = weights
        self.calls = 0

    def forward(self, x):
        doubled = 2.0 * self.weights  # computed from an attribute before it meets x
        out = np.zeros(2)
        out[:] = doubled * x
        return out

    def __matmul__(self, x):
        return self.forward(x)

    def plain(self, x):
        return 2.0 * self.weights * x


class Scaled(Layer):
    factor = 3.0

    def forward(self, x):
        out = np.zeros(2)
        out[:] = super().plain(x) * self.factor  # what super() finds is not viewed: it must not fill arrays
        return out


@dataclasses.dataclass(frozen=True)
class Network:
    layers: tuple
    bias: float = 1.0

    @property
    def total(self):
        return np.sum(np.zeros(1) + self.bias)

    def __len__(self):
        return len(self.layers)

    def loss(self, x):
        for layer in self.layers:
            x = LAYER.forward(x) + layer.weights * 0.0
        return np.sum(x) * self.total * len(self)


LAYER = Layer(np.array([1.0, 10.0]))
SCALED = Scaled(np.array([1.0, 10.0]))
NETWORK = Network((LAYER,))


def by_an_object(x):
    return np.sum(LAYER @ x)


def by_a_subclass(x):
    return np.sum(SCALED.forward(x))


def by_a_nested_object(x):
    return NETWORK.loss(x) if isinstance(NETWORK, Network) and isinstance(SCALED, Layer) else None


@pytest.mark.parametrize("method", ["finite-difference", "symbolic", "forward", "reverse", "mixed"])
@pytest.mark.parametrize(
    ("f", "layer", "factor"),
    [(by_an_object, LAYER, 2), (by_a_subclass, SCALED, 6), (by_a_nested_object, LAYER, 2)],
    ids=["object", "subclass", "nested"],
)
def test_methods_of_objects_make_arrays_and_their_attributes_count_by_reference(f, layer, factor, method):
    x, before = np.ones(2), layer.weights
    plan = dk.get(method).prepare(f, x, product="gradient")
    np.testing.assert_allclose(plan.run(x), factor * before, rtol=1e-7)
    try:
        layer.weights[1] = -4.0
        np.testing.assert_allclose(plan.run(x), [factor, -4.0 * factor], rtol=1e-7)
        layer.weights = np.array([7.0, 8.0])
        np.testing.assert_allclose(plan.run(x), [7.0 * factor, 8.0 * factor], rtol=1e-7)
    finally:
        before[1], layer.weights = 10.0, before


def test_a_method_that_super_finds_and_that_fills_an_array_is_refused_with_the_cure():
    class Twice(Layer):
        def forward(self, x):
            return super().forward(x) * 2.0

    twice = Twice(np.ones(2))
    with pytest.raises(dk.TracingError, match=r"storing it into a plain array; .* np\.zeros"):
        dk.grad(lambda x: np.sum(twice.forward(x)))(np.ones(2))


def test_objects_share_their_attributes_with_the_view_and_stay_themselves(view):
    seen = view.view(SCALED)
    assert isinstance(seen, Scaled)
    assert type(seen).__name__ == "Scaled"
    assert vars(seen) is vars(SCALED)
    seen.calls += 1
    assert SCALED.calls == 1
    SCALED.calls = 0
    assert view.view(SCALED) is seen
    assert type(SCALED.weights) is np.ndarray


class Pair(NamedTuple):
    left: float
    right: float

    def total(self):
        return self.left + self.right


class Colour(enum.Enum):
    RED = 2.0


class Registered:
    known: ClassVar[list] = []

    def __init_subclass__(cls):
        Registered.known.append(cls)


class Slotted:
    __slots__ = ("rate",)

    def __init__(self):
        self.rate = 2.0


@pytest.mark.parametrize(
    "value", [Pair(1.0, 2.0), Colour.RED, Registered(), Slotted(), Layer, object(), ValueError("x")]
)
def test_other_objects_are_left_as_they_are(view, value):
    assert view.view(value) is value
    assert Registered.known == []
