"""Groups of steps are functions; rounds of an unrolled loop share one."""

import numpy as np
import pytest

import diffkit as dk

pytest.importorskip("llvmlite")
from diffkit.engines.llvm import ir
from diffkit.engines.llvm.outlining import Functions

RNG = np.random.default_rng(8)
W, U, WAVES = RNG.normal(size=(12, 12)) / 4, RNG.normal(size=12), RNG.normal(size=(200, 12))


def network(rounds):
    def f(x):
        state = np.zeros(12)
        for wave in WAVES[:rounds]:
            state = np.tanh(W @ state + x * wave) * np.sum(x)
        return np.sum(state**2)

    return f


def by_hand(rounds, x):
    state, along = np.zeros(12), np.zeros((12, 12))
    for wave in WAVES[:rounds]:
        t = np.tanh(W @ state + x * wave)
        inner = W @ along + np.diag(wave)
        along = np.sum(x) * (1 - t**2)[:, None] * inner + t[:, None]
        state = t * np.sum(x)
    return 2 * state @ along


def test_a_longer_loop_needs_no_more_functions():
    functions = []
    for rounds in (20, 60, 180):
        plan = dk.get("reverse", engine="llvm").prepare(network(rounds), U / 4, product="gradient")
        np.testing.assert_allclose(plan.run(U / 4), by_hand(rounds, U / 4), rtol=1e-9, atol=1e-12)
        functions.append(ir(plan.graph)[0].count("define internal"))
    assert functions[0] == functions[1] == functions[2] < 20


def test_functions_are_one_where_only_names_differ():
    functions = Functions()
    made = [
        functions.made(
            [f"  %t{k} = load double, ptr %kept{k}", f"  store double %t{k}, ptr %y{k}, !llvm.access.group !0"],
            ["!0 = distinct !{}"],
            {},
            "",
        )
        for k in (1, 7)
    ]
    assert [name for name, _ in made] == ["@part0", "@part0"]
    assert [given for _, given in made] == [["%kept1", "%y1"], ["%kept7", "%y7"]]
    other, _ = functions.made(["  store double %t1, ptr %kept1"], [], {"%t1": "double"}, "")
    assert other == "@part1"
    assert "(double %p0, ptr noalias %p1)" in functions.texts[1]


def test_a_very_long_body_stays_in_the_kernel():
    def f(x):
        for k in range(700):
            x = x * 1.01 + np.cos(x) * k / 700
        return np.sum(x)

    plan = dk.get("reverse", engine="llvm").prepare(f, U, product="gradient")
    assert "@part" not in plan.source
    expected = dk.grad(f, engine="interpreted")(U)
    np.testing.assert_allclose(plan.run(U), expected, rtol=1e-9)
