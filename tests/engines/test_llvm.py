"""Machine code computes what the interpreted graph computes: every op, every problem, every special value."""

from __future__ import annotations

import math

import numpy as np
import pytest

import diffkit as dk
from diffkit import primitives, problems
from diffkit.engines import engine, engine_names
from diffkit.ops import Op
from diffkit.tracing import Trace

pytest.importorskip("llvmlite")
from diffkit.engines.llvm import functions, ir

ENTRYWISE = [
    op
    for op in primitives.TABLE.values()
    if functions.supported(op) and isinstance(op.numpy, np.ufunc) and not op.name.startswith("logical")  # masks: below
]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 5e-324, -1e-310, 1e308, -1e300, 0.5, -2.5, 3.0, 710.0, -746.0]


def graph_of(op: Op, count: int, shape: tuple[int, ...], dtype: type = float):
    trace = Trace()
    with trace.recording():
        operands = [trace.abstract_input(np.empty(shape, dtype)) for _ in range(count)]
        return trace.graph([op(*operands)])


def arguments(op: Op) -> list[np.ndarray]:
    """Special and ordinary values, every pair of them for two operands."""
    values = np.concatenate([SPECIAL, np.linspace(-3, 3, 45)])
    if op.numpy.nin == 1:
        return [values]
    left, right = np.meshgrid(values[::2], values[1::2])
    return [left.ravel(), right.ravel()]


def test_the_engine_is_listed_where_it_runs():
    assert "llvm" in engine_names()


@pytest.mark.parametrize("op", ENTRYWISE, ids=lambda op: op.name)
def test_an_op_keeps_every_special_value(op):
    given = arguments(op)
    graph = graph_of(op, len(given), given[0].shape)
    ir(graph)  # has a kernel
    with np.errstate(all="ignore"):
        expected = op.numpy(*given)
        (found,) = engine("llvm").compile(graph).run(*given)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15 if op.name == "logaddexp" else 0)  # it cancels
    if expected.dtype.kind == "f" and op.name not in ("maximum", "minimum"):  # which zero an extremum gives is open
        zeros = expected == 0
        np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(expected[zeros]))


SIZES = {
    "network-1": [(11, 1), (99, 1)],
    "network-2": [(39, 1)],
    "network-deep": [(35, 1)],
    "logistic-digits": [(65, 1)],
}


def sizes(name):
    problem = problems.get(name)
    wanted = SIZES.get(name) or [(1, 1), (2, 1), (3, 1), (5, 1), (40, 1), (7, 3), (40, 40)]
    return [(a, b) for a, b in wanted if problem.fits(a, b)]


@pytest.mark.parametrize(("name", "a", "b"), [(name, a, b) for name in problems.names() for a, b in sizes(name)])
@pytest.mark.parametrize("method", ["forward", "reverse", "mixed"])
def test_every_problem_agrees_with_its_reference(name, a, b, method):
    one = problems.get(name).at(a, b)
    plan = dk.get(method, engine="llvm").prepare(one.function, one.point)
    assert plan.source.lstrip().startswith(("declare", "define")), "no kernel"
    reference = one.jacobian(one.point)
    scale = np.max(np.abs(reference))
    tolerance = max(1e-13, 100 * np.finfo(float).eps * one.conditioning)
    np.testing.assert_allclose(plan.run(one.point) / scale, reference / scale, atol=max(tolerance, 1e-12))
    expected = dk.get(method, engine="interpreted").prepare(one.function, one.point).run(one.point)
    np.testing.assert_allclose(plan.run(one.point) / scale, expected / scale, atol=tolerance)


W = np.random.default_rng(2).normal(size=(30, 40))
INDEX = np.array([3, 1, 4, 1, 5, 9, 2, 6])
LABELS = np.array([2, 0, 1, 1])


def softmax(x):
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


SHAPES = {
    "sum of all": np.sum,
    "sum of rows": lambda x: x.sum(axis=1),
    "sum of columns": lambda x: x.sum(axis=0),
    "sum of the middle": lambda x: x.reshape(5, 8, 30).sum(axis=1),
    "sum of outer axes": lambda x: x.reshape(5, 8, 30).sum(axis=(0, 2)),
    "extrema": lambda x: x.max(axis=1) - x.min(axis=0)[:40].sum() + x.max(),
    "running sum": lambda x: np.cumsum(x, axis=0) + np.cumsum(x, axis=1),
    "product": lambda x: x @ W,
    "product of transposes": lambda x: (W @ x).T @ W,
    "batched": lambda x: np.matmul(x.reshape(4, 10, 30), np.stack([W] * 4)),
    "matrix and vector": lambda x: W @ x[:, 0],
    "gather": lambda x: x[INDEX] * x[:, INDEX].sum(),
    "gather of what is given back": lambda x: (np.exp(x), np.exp(x)[:, np.arange(29, -1, -1)] * x),
    "labels": lambda x: x[np.arange(4), LABELS].sum() * x,
    "scatter": lambda x: np.pad(x, 2) + np.pad(x[::-1, ::-1], 2),
    "stack": lambda x: np.stack([x[0], x[-1], x[3] * 2], axis=1),
    "strided": lambda x: np.exp(x[::3, ::-2]).T.reshape(-1),
    "masks": lambda x: np.where((x > 0) & ~(x < -1) | (x == 0.5), x, np.sin(x)),
    "filled": lambda x: np.broadcast_to(x[:1], (3, 30)) * 1.0,
    "numbers": lambda x: np.array([x[0, 0] * x[1, 1], np.sin(x[2, 2]), 3.0]),
    "spread": lambda x: (x - x.mean(axis=0)) / x.std(axis=0),
    "softmax": softmax,
    "no entries": lambda x: x[:0].sum() + x[:0],
    "itself": lambda x: x,
    "twice": lambda x: (x, x.T, x[0]),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_loops_of_every_shape(name):
    f = SHAPES[name]
    x = np.random.default_rng(0).normal(size=(40, 30))
    plan = dk.get("reverse", engine="llvm").prepare(f, x, product="value")
    assert "define i1 @kernel" in plan.source, "no kernel"
    for given in (x, np.asfortranarray(x), np.stack([x, x], axis=2)[:, :, 1], x[::-1][::-1]):
        found, expected = plan.run(given), f(given)
        found, expected = (value if isinstance(value, tuple) else (value,) for value in (found, expected))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13)
            assert not np.shares_memory(one, given)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (1, 1), (0, 3), (3, 0), (7,), (8, 1), (1, 9), (2, 3, 4)])
def test_arrays_of_every_size(shape):
    def f(x):
        return np.sum(np.sin(x) * x, axis=0 if x.ndim else None) + np.sum(x**2)

    x = np.random.default_rng(1).normal(size=shape)
    for method in ("forward", "reverse"):
        found = dk.jacobian(f, method=method, engine="llvm")(x)
        np.testing.assert_allclose(
            found, dk.jacobian(f, method=method, engine="interpreted")(x), rtol=1e-13, atol=1e-15
        )


@pytest.mark.parametrize("n", [10, 1000, 5000, 100_000])
def test_sums_lose_no_more_than_numpys(n):
    x = np.random.default_rng(n).normal(size=n) * np.logspace(-3, 3, n)
    plan = dk.get("reverse", engine="llvm").prepare(lambda x: np.sum(x * 1.0), x, product="value")
    assert abs(plan.run(x) - math.fsum(x)) <= 1e-13 * math.fsum(np.abs(x))


def test_arrays_changed_in_place_count():
    w = np.arange(1.0, 5.0)
    plan = dk.get("reverse", engine="llvm").prepare(lambda x: np.sum(w * x**2), np.ones(4), product="gradient")
    np.testing.assert_array_equal(plan.run(np.ones(4)), 2 * w)
    w[:] = 7
    np.testing.assert_array_equal(plan.run(np.ones(4)), np.full(4, 14.0))


def test_branches_are_followed():
    def f(x):
        while x[0] < 10:
            x = x * 2
        return np.sum(x) if x[1] > 0 else np.sum(x**2)

    gradient = dk.grad(f, engine="llvm")
    for point in ([3.0, 1.0], [3.0, -1.0], [20.0, 1.0], [0.1, 2.0], [3.0, 1.0]):
        x = np.array(point)
        np.testing.assert_allclose(gradient(x), dk.grad(f, engine="interpreted")(x), rtol=1e-14)


def test_threads_share_machine_code(in_threads):
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(8, 3000))
    plan = dk.get("reverse", engine="llvm").prepare(
        lambda x: np.sum(np.cumsum(x) * x[::-1] ** 2), xs[0], product="gradient"
    )
    expected, wrong = [plan.run(x) for x in xs], []

    def work(which):
        wrong.extend(1 for _ in range(50) if not np.array_equal(plan.run(xs[which]), expected[which]))

    in_threads(work, range(8))
    assert wrong == []


def test_ten_thousand_rounds_compile():
    def loop(x):
        y = 0.5
        for _ in range(10_000):
            y = np.sin(y) * x[0] + x[1]
        return y

    x = np.array([0.9, 0.1])
    found = dk.grad(loop, engine="llvm")(x)
    y, dy = 0.5, np.zeros(2)
    for _ in range(10_000):
        dy = math.cos(y) * x[0] * dy + np.array([math.sin(y), 1.0])
        y = math.sin(y) * x[0] + x[1]
    np.testing.assert_allclose(found, dy, rtol=1e-9)


def test_auto_moves_to_machine_code_when_it_pays():
    x = np.linspace(0.1, 1, 20_000)
    plan = dk.get("reverse", engine="auto").prepare(lambda x: np.sum(np.sin(x) * x), x, product="gradient")
    run = plan.find("gradient", [x])[0].programs["gradient"].run
    assert run.watching
    for _ in range(3000):
        np.testing.assert_allclose(plan.run(x), np.cos(x) * x + np.sin(x), rtol=1e-14)
        if not run.watching:
            break
    assert not run.watching
    np.testing.assert_allclose(plan.run(x), np.cos(x) * x + np.sin(x), rtol=1e-14)


M = np.random.default_rng(4).normal(size=(6, 6)) + 6 * np.eye(6)
MIXED = {  # steps without a kernel among steps that have one
    "solve": lambda x: np.sum(np.linalg.solve(M + np.diag(np.exp(x)), np.sin(x)) ** 2),
    "sort": lambda x: np.sum(np.sort(np.sin(x)) * np.arange(6)),
    "cholesky": lambda x: np.sum(np.linalg.cholesky(M @ M.T + np.diag(x**2))),
    "determinant": lambda x: np.linalg.det(np.outer(x, x) + M) * np.exp(x[0]),
    "median": lambda x: np.median(np.exp(x)) * x[0],
    "branch on it": lambda x: np.exp(x[0]) if np.linalg.det(np.outer(x, x) + M) > 0 else np.sum(np.sort(x)),
}


@pytest.mark.parametrize("method", ["forward", "reverse", "mixed"])
@pytest.mark.parametrize("name", MIXED)
def test_numpy_serves_between_compiled_parts(name, method):
    plan = dk.get(method, engine="llvm").prepare(MIXED[name], np.linspace(-1, 1, 6), product="gradient")
    assert "define i1 @kernel" in plan.source
    for x in (np.linspace(-1, 1, 6), np.linspace(2, -1, 6) ** 3):
        expected = dk.get(method, engine="interpreted").prepare(MIXED[name], x, product="gradient").run(x)
        np.testing.assert_allclose(plan.run(x), expected, rtol=1e-12, atol=1e-12 * np.max(np.abs(expected)))


FACTOR = 2.0


def test_the_shortest_way_watches_the_names_that_f_reads(monkeypatch):
    def make(shift):
        def f(x):
            return np.sum((x + shift) ** 2) * FACTOR

        def move():
            nonlocal shift
            shift = 10.0

        return f, move

    f, move = make(1.0)
    x = np.array([1.0, 2.0])
    for engine_name in ("llvm", "auto"):
        plan = dk.get("reverse", engine=engine_name).prepare(f, x, product="gradient")
        for _ in range(200_000):
            if type(plan.run).__name__ == "builtin_function_or_method":
                break
            plan.run(x)
        assert type(plan.run).__name__ == "builtin_function_or_method"
        np.testing.assert_array_equal(plan.run(x), 4 * (x + 1))
        monkeypatch.setitem(globals(), "FACTOR", 3.0)
        np.testing.assert_array_equal(plan.run(x), 6 * (x + 1))
        monkeypatch.setitem(globals(), "FACTOR", 2.0)
        np.testing.assert_array_equal(plan.run(x), 4 * (x + 1))
        with pytest.raises(dk.InputError, match="prepared for"):
            plan.run(np.ones(3))
        np.testing.assert_array_equal(plan.run(np.array([1.0, 9.0, 2.0])[::2]), 4 * (x + 1))
        plan.retrace()
        np.testing.assert_array_equal(plan.run(x), 4 * (x + 1))
    move()
    np.testing.assert_array_equal(plan.run(x), 4 * (x + 10))
