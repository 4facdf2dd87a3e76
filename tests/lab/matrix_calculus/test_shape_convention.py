"""The shape convention: a gradient has its parameter's shape and containers, whatever the method, engine and function.

The numbers are checked too, against derivatives by hand.
"""

import numpy as np
import optree
import pytest

import diffkit as dk

METHODS = ("finite-difference", "symbolic", "forward", "reverse", "mixed", "auto")
ENGINES = ("interpreted", "numpy", "llvm", "auto")

RNG = np.random.default_rng(5)
POINTS = {
    "number": np.float64(0.3),
    "no axes": np.array(0.3),
    "vector": RNG.normal(size=3),
    "one entry": RNG.normal(size=1),
    "row": RNG.normal(size=(1, 3)),
    "column": RNG.normal(size=(3, 1)),
    "matrix": RNG.normal(size=(2, 3)),
    "three axes": RNG.normal(size=(2, 1, 2)),
    "dict": {"W": RNG.normal(size=(2, 3)), "b": RNG.normal(size=2), "c": np.array(0.5)},
    "tuple": (RNG.normal(size=(2, 2)), RNG.normal(size=3)),
    "nested": [{"W": RNG.normal(size=(1, 2))}, (np.array(0.1), [RNG.normal(size=2)])],
}


def _f(x):
    """One number: half the squares of all sines."""
    return sum(0.5 * np.sum(np.sin(leaf) ** 2) for leaf in optree.tree_leaves(x))


def _slope(x):
    return optree.tree_map(lambda leaf: np.sin(leaf) * np.cos(leaf), x)


def _curvature(x):
    return optree.tree_map(lambda leaf: np.cos(2 * leaf), x)


def _g(x):
    """A matrix (2, 2), whatever x is."""
    total = _f(x)
    return np.array([[total, 2 * total], [total * total, 0 * total]])


def _alike(found, x):
    """The same containers, and in them arrays of the same shapes and dtypes."""
    assert optree.tree_structure(found) == optree.tree_structure(x)
    for one, other in zip(optree.tree_leaves(found), optree.tree_leaves(x), strict=True):
        assert np.shape(one) == np.shape(other)
        assert np.asarray(one).dtype == np.asarray(other).dtype


def _close(found, expected, tolerance):
    for one, other in zip(optree.tree_leaves(found), optree.tree_leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


@pytest.fixture(params=ENGINES)
def how(request, method):
    if request.param == "llvm":
        pytest.importorskip("llvmlite")
    return {"method": method, "engine": request.param}


@pytest.mark.parametrize("x", POINTS.values(), ids=POINTS)
def test_every_gradient_has_the_shape_of_its_parameter(x, how):
    tolerance = 1e-7 if how["method"] == "finite-difference" else 1e-12
    weights, ones = np.array([[1.0, 0.0], [0.0, 0.0]]), optree.tree_map(lambda leaf: np.ones(np.shape(leaf)), x)
    method = dk.get(how["method"], engine=how["engine"])
    gradients = {
        "grad": dk.grad(_f, **how)(x),
        "value_and_grad": dk.value_and_grad(_f, **how)(x)[1],
        "vjp": dk.vjp(_g, **how)(x, weights),
        "Derivative.gradient": method.prepare(_f, x, product="gradient").gradient(x),
        "Derivative.run": method.prepare(_f, x, product="gradient").run(x),
        "jacobian(blocks=True)": dk.jacobian(_f, blocks=True, **how)(x),
    }
    for gradient in gradients.values():
        _alike(gradient, x)
        _close(gradient, _slope(x), tolerance)
    along = dk.hvp(_f, **how)(x, ones)
    _alike(along, x)
    _close(along, _curvature(x), 2e-4 if how["method"] == "finite-difference" else 1e-12)


@pytest.mark.parametrize("x", POINTS.values(), ids=POINTS)
def test_what_is_pushed_forward_has_the_shape_of_the_result(x, how):
    ones = optree.tree_map(lambda leaf: np.ones(np.shape(leaf)), x)
    pushed = dk.jvp(_g, **how)(x, ones)
    slope = sum(float(np.sum(leaf)) for leaf in optree.tree_leaves(_slope(x)))
    assert pushed.shape == (2, 2)
    _close(pushed, np.array([[1, 2], [2 * _f(x), 0]]) * slope, 1e-7 if how["method"] == "finite-difference" else 1e-12)


@pytest.mark.parametrize("x", POINTS.values(), ids=POINTS)
def test_blocks_have_the_axes_of_the_result_and_then_of_the_parameter(x, method):
    blocks = dk.jacobian(_g, method=method, blocks=True)(x)
    assert optree.tree_structure(blocks) == optree.tree_structure(x)
    for block, leaf in zip(optree.tree_leaves(blocks), optree.tree_leaves(x), strict=True):
        assert block.shape == (2, 2, *np.shape(leaf))


@pytest.mark.parametrize("x", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("engine", ["interpreted", "numpy"])
def test_the_sparse_method_holds_it_too(x, engine):
    ones = optree.tree_map(lambda leaf: np.ones(np.shape(leaf)), x)
    how = {"method": "sparse", "engine": engine}
    for gradient in (dk.grad(_f, **how)(x), dk.value_and_grad(_f, **how)(x)[1]):
        _alike(gradient, x)
        _close(gradient, _slope(x), 1e-12)
    _alike(dk.hvp(_f, **how)(x, ones), x)


def test_whole_numbers_become_real_ones_of_the_same_shape():
    gradient = dk.grad(_f)({"n": np.array([[1, 2, 3]])})["n"]
    assert (gradient.shape, gradient.dtype) == ((1, 3), np.float64)


def test_several_parameters_give_a_gradient_each():
    W, b = RNG.normal(size=(2, 3)), RNG.normal(size=(2, 1))
    gradients = dk.grad(lambda W, b: np.sum(np.tanh(W + b)), argnums=(0, 1))(W, b)
    assert [gradient.shape for gradient in gradients] == [(2, 3), (2, 1)]
