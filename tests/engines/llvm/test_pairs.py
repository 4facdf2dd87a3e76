"""Two products of one matrix with vectors are one pass over it."""

import numpy as np
import pytest

import diffkit as dk
from diffkit import primitives as p

pytest.importorskip("llvmlite")
from diffkit.engines.llvm import ir
from diffkit.engines.llvm.pairs import pairs

RNG = np.random.default_rng(6)
M, K = RNG.normal(size=(203, 150)), RNG.normal(size=(130, 130))
X = RNG.normal(size=130)


def graph_of(f, x, product="gradient"):
    return dk.get("reverse", engine="llvm").prepare(f, x, product=product).graph


QUADRATIC = {
    "C order": lambda x, k: x @ k @ x,
    "Fortran order": lambda x, k: x @ k.T @ x,
    "of maps": lambda x, k: np.sin(x) @ k @ np.exp(-x),
    "and more": lambda x, k: np.log(np.sum(x**2)) * (x @ k @ x),
    "strided vectors": lambda x, k: np.stack([x, x], 1)[:, 0] @ k @ x[::-1],
}


@pytest.mark.parametrize("name", QUADRATIC)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_gradient_of_a_quadratic_form(name, dtype):
    f, x, k = QUADRATIC[name], X.astype(dtype), K.astype(dtype)
    plan = dk.get("reverse", engine="llvm").prepare(lambda x: f(x, k), x, product="gradient")
    assert pairs(plan.graph), "nothing to share"
    expected = dk.grad(lambda x: f(x, K), engine="interpreted")(X)
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(plan.run(x), expected, rtol=0, atol=500 * eps * np.max(np.abs(expected)))


@pytest.mark.parametrize("shape", [(203, 150), (150, 203), (129, 128), (16, 1000), (1000, 17)])
def test_rows_that_are_left_over(shape):
    m = RNG.normal(size=shape)
    x = RNG.normal(size=sum(shape))
    f = lambda x: np.concatenate([m @ x[: shape[1]], x[shape[1] :] @ m])  # noqa: E731
    plan = dk.get("reverse", engine="llvm").prepare(f, x, product="value")
    assert len(pairs(plan.graph)) == 2
    text, _ = ir(plan.graph)
    assert "inttoptr" not in text, "BLAS read the matrix"
    np.testing.assert_allclose(plan.run(x), f(x), rtol=1e-12, atol=1e-12)


def test_a_product_that_needs_the_other_waits_for_it():
    graph = graph_of(lambda x: np.sum(np.tanh(K @ x)), X)
    assert sum(step.op is p.contract for step in graph.steps) == 2
    assert not pairs(graph)


def test_pairs_that_wait_for_each_other_are_made_one_by_one():
    L = RNG.normal(size=(130, 130))

    def f(x):
        a, c = K @ x, L @ x
        return np.concatenate([a, c, c @ K, a @ L])  # c K needs L x, and a L needs K x

    plan = dk.get("reverse", engine="llvm").prepare(f, X, product="value")
    assert len(pairs(plan.graph)) == 4
    np.testing.assert_allclose(plan.run(X), f(X), rtol=1e-11, atol=1e-11)
