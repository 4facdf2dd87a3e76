"""The shortest call of every product: machine code itself takes plain arrays, and hands on everything else."""

import numpy as np
import pytest

import diffkit as dk

pytest.importorskip("llvmlite")

X, V = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])


def total(x):
    return np.sum(x**3)


def cubes(x):
    return x**3


PRODUCTS = {  # the function, what else is given, and what it should be
    "value": (total, (), 36.0),
    "gradient": (total, (), 3 * X**2),
    "value_and_gradient": (total, (), (36.0, 3 * X**2)),
    "hessian": (total, (), np.diag(6 * X)),
    "hvp": (total, (V,), 6 * X * V),
    "jacobian": (cubes, (), np.diag(3 * X**2)),
    "jvp": (cubes, (V,), 3 * X**2 * V),
    "vjp": (cubes, (V,), 3 * X**2 * V),
}


@pytest.mark.parametrize("product", PRODUCTS)
def test_machine_code_itself_is_called(product):
    f, more, expected = PRODUCTS[product]
    plan = dk.get("reverse", engine="llvm").prepare(f, X, product=product)
    assert type(plan.run).__name__ == "builtin_function_or_method"
    for found in (plan.run(X, *more), plan.run(np.repeat(X, 2)[::2], *more), plan.call(product, (X, *more), {})):
        pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-14)
            assert type(one) is (np.float64 if np.ndim(other) == 0 else np.ndarray)
    with pytest.raises(dk.InputError):
        plan.run(np.ones(4), *more)


@pytest.mark.parametrize("product", ["jvp", "vjp", "hvp"])
def test_a_direction_of_another_shape_is_refused(product):
    f, _, _ = PRODUCTS[product]
    plan = dk.get("reverse", engine="llvm").prepare(f, X, product=product)
    with pytest.raises(dk.InputError, match="direction"):
        plan.run(X, np.ones(2))


def test_results_in_containers_are_put_together_by_python():
    plan = dk.get("reverse", engine="llvm").prepare(lambda x: {"a": x**2, "b": x.sum()}, X, product="value")
    assert type(plan.run).__name__ != "builtin_function_or_method"
    assert plan.run(X)["b"] == 6.0


@pytest.mark.parametrize("engine", ["llvm", "auto"])
def test_operators_call_it_too(engine):
    both = dk.value_and_grad(total, engine=engine)
    for _ in range(5):
        value, gradient = both(X)
        assert value == 36.0
        np.testing.assert_allclose(gradient, 3 * X**2, rtol=1e-14)
    np.testing.assert_allclose(both(np.ones(2))[1], [3.0, 3.0])
    inner = dk.grad(lambda y: dk.grad(lambda x: np.sum(x**2 * y[0]), engine=engine)(y)[1], engine=engine)
    np.testing.assert_allclose(inner(X), [2 * X[1], 2 * X[0], 0.0])  # d/dy of 2 y1 y0


def test_auto_goes_on_with_numpy_where_llvm_refuses(monkeypatch):
    from diffkit.engines.auto import Watched
    from diffkit.engines.llvm import Llvm

    def refuse(self, graph):
        raise RuntimeError("LLVM IR parsing error\n<string>:1")

    monkeypatch.setattr(Llvm, "compile", refuse)
    plan = dk.get("reverse", engine="auto").prepare(total, X, product="gradient")
    run = plan.find("gradient", [X])[0].programs["gradient"].run
    assert isinstance(run, Watched)

    def many():
        while run.watching:
            plan.run(X)

    with pytest.warns(RuntimeWarning, match="NumPy goes on: LLVM IR parsing error"):
        many()
    np.testing.assert_allclose(plan.run(X), 3 * X**2)


W, Y = np.arange(6.0).reshape(2, 3), np.array([1.0, -2.0])
SEVERAL = {  # of sum((W x - y)^2): the function, argnums, what else is given, and what it should be
    "gradient": (0, (), 2 * W.T @ (W @ X - Y)),
    "value_and_gradient": (1, (), (np.sum((W @ X - Y) ** 2), 2 * np.outer(W @ X - Y, X))),
    "jacobian": (2, (), -2 * (W @ X - Y)[None]),
    "hessian": (0, (), 2 * W.T @ W),
    "hvp": (0, (V,), 2 * W.T @ W @ V),
}


def misfit(x, W, y):
    return np.sum((W @ x - y) ** 2)


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
@pytest.mark.parametrize("product", SEVERAL)
def test_several_arrays_take_the_shortest_way(product, engine):
    argnum, more, expected = SEVERAL[product]
    plan = dk.get("reverse", engine=engine).prepare(misfit, X, W, Y, product=product, argnums=argnum)
    assert (type(plan.run).__name__ == "builtin_function_or_method") == (engine == "llvm")
    ways = [(X, W, Y, *more), (X, np.asfortranarray(W), Y, *more), (np.repeat(X, 2)[::2], W, Y, *more)]
    for found in [*(plan.run(*way) for way in ways), plan.run(*ways[0])]:
        pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-13)
            assert type(one) is (np.float64 if np.ndim(other) == 0 else np.ndarray)
    for wrong in [(X, W.T, Y), (X, W), (X, W, Y, Y, Y), (X, W, np.ones(3))]:
        with pytest.raises(dk.InputError):
            plan.run(*wrong, *more)


def test_two_gradients_at_once_come_as_a_tuple():
    plan = dk.get("reverse", engine="llvm").prepare(misfit, X, W, Y, product="gradient", argnums=(0, 2))
    by_x, by_y = plan.run(X, W, Y)
    np.testing.assert_allclose(by_x, SEVERAL["gradient"][2], rtol=1e-13)
    np.testing.assert_allclose(by_y, SEVERAL["jacobian"][2][0], rtol=1e-13)


def test_keyword_arguments_go_through_python():
    plan = dk.get("reverse", engine="llvm").prepare(misfit, X, W, y=Y, product="gradient")
    np.testing.assert_allclose(plan.run(X, W, y=Y), SEVERAL["gradient"][2], rtol=1e-13)
    with pytest.raises(dk.InputError):
        plan.run(X, W, Y)


@pytest.mark.parametrize("engine", ["interpreted", "numpy", "llvm"])
def test_guards_on_all_and_any_hold_entry_by_entry(engine):
    def f(x, y):
        if np.any(y < 0) or not np.all(y <= 1):
            return np.sum(x)
        return np.sum(x * y)

    plan = dk.get("reverse", engine=engine).prepare(f, X, np.array([0.0, 1.0, 0.5]), product="gradient")
    for numbers in (
        [0.0, 1.0, 0.5],
        [0.25, 0.75, 1.0],
        [-1.0, 0.5, 0.5],
        [0.5, 0.5, 2.0],
        [np.nan, 0.5, 0.5],
        [0, 0, 0],
    ):
        y = np.array(numbers, dtype=float)
        expected = np.ones(3) if (y < 0).any() or not (y <= 1).all() else y
        np.testing.assert_allclose(plan.run(X, y), expected)


def test_the_shortest_way_watches_defaults():
    def f(x, y=2.0, *, z=3.0):
        return np.sum(x) * y * z

    def g(x):
        return f(x)

    plan = dk.get("reverse", engine="llvm").prepare(g, X, product="gradient")
    assert type(plan.run).__name__ == "builtin_function_or_method"
    np.testing.assert_allclose(plan.run(X), np.full(3, 6.0))
    f.__defaults__ = (5.0,)
    np.testing.assert_allclose(plan.run(X), np.full(3, 15.0))
    f.__kwdefaults__ = {"z": 1.0}
    np.testing.assert_allclose(plan.run(X), np.full(3, 5.0))
