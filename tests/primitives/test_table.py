"""Every row of the table: its value, its partials, and what follows from them, each against a reference of its own."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import sympy

import diffkit as dk
from diffkit.ops import Masked, Piece
from diffkit.primitives import TABLE, scatter
from diffkit.primitives.meanings import as_objects

K = 7  # directions; no other size in the cases is 7
ENTRYWISE = [name for name, op in TABLE.items() if op.family == "elementwise"]
SMOOTH = [name for name, op in TABLE.items() if op.vjp is not None]
LINEAR = [name for name, op in TABLE.items() if op.linear and name not in {"take_along", "put_along"}]
CONSTANT = [name for name, op in TABLE.items() if op.family == "constant"]
MEANT = [name for name, op in TABLE.items() if op.symbolic is not None and name != "stop"]


def _known(case, name):
    """The operands that have a derivative: not masks and positions, not the order of zeta."""
    return [x.dtype.kind == "f" and not (name == "zeta" and spot == 0) for spot, x in enumerate(case.operands)]


def _directions(case, name, seed=0):
    random = np.random.default_rng(seed)
    return tuple(
        random.normal(size=(K, *x.shape)) if known else None
        for x, known in zip(case.operands, _known(case, name), strict=True)
    )


def _pulled(op, cotangent, case, active):
    """What a VJP sends, with the parts of operands put in their place."""
    result = op.evaluate(*case.operands, **case.params)
    sent = op.vjp(cotangent, result, case.operands, active, case.params)
    return [
        scatter(part.cotangent, shape=part.shape, places=(part.place,)) if isinstance(part, Piece) else _bare(part)
        for part, x in zip(sent, case.operands, strict=True)
    ]


def _slopes(op, case, spot):
    """The partial derivatives of an elementwise row by one operand, from its JVP."""
    tangents = [None] * len(case.operands)
    tangents[spot] = np.ones_like(case.operands[spot])
    return op.jvp(op.evaluate(*case.operands), case.operands, tuple(tangents), {})


def _eighth_order(f, step=2.0**-7):
    """The slope of f at 0 by central differences of order 8."""
    weights = (4 / 5, -1 / 5, 4 / 105, -1 / 280)
    return sum(w * (f(k * step) - f(-k * step)) for k, w in enumerate(weights, start=1)) / step


def test_every_row_has_a_case(cases):
    assert set(TABLE) - {"identity"} == set(cases)
    assert set(ENTRYWISE) == {name for name, case in cases.items() if case.exact}
    assert {*SMOOTH, *CONSTANT} == set(TABLE)


# ---------------------------------------------------------------- rows that are applied entry by entry


@pytest.mark.parametrize("name", ENTRYWISE)
def test_values(name, cases):
    case = cases[name]
    with mp.workdps(30):
        expected = [float(case.exact(*map(mp.mpf, point))) for point in zip(*case.operands, strict=True)]
    np.testing.assert_allclose(TABLE[name].evaluate(*case.operands), expected, rtol=5e-15)


@pytest.mark.parametrize("name", ENTRYWISE)
def test_partials_against_mpmath(name, cases):
    case = cases[name]
    for spot, known in enumerate(_known(case, name)):
        if known:
            expected = _differentiated(case, [int(k == spot) for k in range(len(case.operands))])
            np.testing.assert_allclose(_slopes(TABLE[name], case, spot), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", [name for name in ENTRYWISE if name != "zeta"])
@pytest.mark.parametrize("method", ["symbolic", "forward", "reverse"])
def test_second_partials_against_mpmath(name, method, cases):
    case = cases[name]
    count, n = len(case.operands), case.operands[0].size
    hessian = dk.hessian(lambda x: np.sum(TABLE[name](*[x[k] for k in range(count)])), method=method)(
        np.stack(case.operands)
    )
    found = hessian.reshape(count, n, count, n)
    for i in range(count):
        for j in range(count):
            orders = [int(k == i) + int(k == j) for k in range(count)]
            expected = np.diag(_differentiated(case, orders))
            np.testing.assert_allclose(found[i, :, j], expected, rtol=1e-12, atol=1e-13)


def _differentiated(case, orders):
    with mp.workdps(40):
        return [
            float(mp.diff(case.exact, tuple(map(mp.mpf, point)), tuple(orders)))
            for point in zip(*case.operands, strict=True)
        ]


WRITTEN_OUT = {  # rows that stay one function for the symbolic method
    "cbrt": lambda x: sympy.sign(x) * sympy.Abs(x) ** sympy.Rational(1, 3),
    "remainder": lambda x, y: x - y * sympy.floor(x / y),
    "expm1": lambda x: sympy.exp(x) - 1,
    "log1p": lambda x: sympy.log(1 + x),
    "logaddexp": lambda x, y: sympy.log(sympy.exp(x) + sympy.exp(y)),
    "arcsinh": sympy.asinh,
    "hypot": lambda x, y: sympy.sqrt(x**2 + y**2),
    "expit": lambda x: 1 / (1 + sympy.exp(-x)),
}


@pytest.mark.parametrize("name", ENTRYWISE)
def test_partials_against_sympys_own_derivative(name, cases):
    case = cases[name]
    symbols = sympy.symbols(f"x:{len(case.operands)}", real=True)
    if name in WRITTEN_OUT:
        meaning = WRITTEN_OUT[name](*symbols)
    else:
        meaning = TABLE[name].symbolic(sympy, *[np.array(symbol, dtype=object) for symbol in symbols]).item()
    steps = (sympy.Derivative, sympy.Subs, sympy.DiracDelta)  # of floor and sign, away from their jumps
    for spot, known in enumerate(_known(case, name)):
        if known:
            slope = sympy.diff(meaning, symbols[spot]).replace(lambda part: isinstance(part, steps), lambda _: 0)
            points = [
                dict(zip(symbols, map(sympy.Float, point), strict=True)) for point in zip(*case.operands, strict=True)
            ]
            expected = [complex(slope.subs(point).evalf()).real for point in points]
            np.testing.assert_allclose(_slopes(TABLE[name], case, spot), expected, rtol=1e-12, atol=1e-14)


# ---------------------------------------------------------------- all rows


@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_row_moves_tangents_as_it_moves_values(name, cases):
    op, case = TABLE[name], cases[name]
    tangents = _directions(case, name)
    result = op.evaluate(*case.operands, **case.params)
    found = op.jvp(result, case.operands, tangents, case.params)
    expected = [op.evaluate(*[t[k] for t in tangents], **case.params) for k in range(K)]
    np.testing.assert_allclose(found, np.stack(expected), rtol=1e-15)


@pytest.mark.parametrize("name", SMOOTH)
def test_jvp_against_differences(name, cases):
    op, case = TABLE[name], cases[name]
    params = {**case.params, **({"dtype": np.dtype(float)} if name == "convert" else {})}
    tangents = _directions(case, name)
    found = op.jvp(op.evaluate(*case.operands, **params), case.operands, tangents, params)
    scale = 0.1 / max(np.max(np.abs(t)) for t in tangents if t is not None)
    for k in range(K):
        moved = [None if t is None else scale * t[k] for t in tangents]

        def along(h, moved=moved):
            return op.evaluate(
                *[x if t is None else x + h * t for x, t in zip(case.operands, moved, strict=True)], **params
            )

        np.testing.assert_allclose(scale * found[k], _eighth_order(along), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", SMOOTH)
def test_vjp_is_the_transpose_of_jvp(name, cases):
    op, case = TABLE[name], cases[name]
    result = op.evaluate(*case.operands, **case.params)
    tangents, active = _directions(case, name), tuple(_known(case, name))
    cotangents = np.random.default_rng(1).normal(size=(K, *result.shape)).astype(result.dtype)
    pushed = op.jvp(result, case.operands, tangents, case.params)
    pulled = _pulled(op, cotangents, case, active)
    for k in range(K):
        left = np.sum(cotangents[k] * pushed[k], dtype=float)
        parts = [np.sum(w[k] * t[k]) for w, t in zip(pulled, tangents, strict=True) if t is not None]
        tolerance = 1e-6 if name == "convert" else 1e-12
        np.testing.assert_allclose(left, sum(parts), rtol=tolerance, atol=tolerance)
    shapes = [w.shape for w, flag in zip(pulled, active, strict=True) if flag]
    assert shapes == [(K, *x.shape) for x, flag in zip(case.operands, active, strict=True) if flag]


@pytest.mark.parametrize("name", SMOOTH)
def test_directions_do_not_mix(name, cases):
    op, case = TABLE[name], cases[name]
    result = op.evaluate(*case.operands, **case.params)
    tangents, active = _directions(case, name), tuple(_known(case, name))
    together = op.jvp(result, case.operands, tangents, case.params)
    each = [
        op.jvp(result, case.operands, tuple(None if t is None else t[k] for t in tangents), case.params)
        for k in range(K)
    ]
    assert together.shape == (K, *result.shape)
    np.testing.assert_allclose(together, np.stack(each), rtol=1e-12, atol=1e-13)
    cotangents = np.random.default_rng(2).normal(size=(K, *result.shape)).astype(result.dtype)
    pulled = op.vjp(cotangents, result, case.operands, active, case.params)
    alone = [op.vjp(w, result, case.operands, active, case.params) for w in cotangents]
    for spot, flag in enumerate(active):
        if flag:
            found, parts = _bare(pulled[spot]), [_bare(one[spot]) for one in alone]
            np.testing.assert_allclose(found, np.stack(parts), rtol=1e-12, atol=1e-13)


def _bare(sent):
    return sent.cotangent if isinstance(sent, (Piece, Masked)) else sent


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name].family in {"elementwise", "reduction"}])
def test_a_mask_changes_nothing_where_it_holds(name, cases):
    op, case = TABLE[name], cases[name]
    result = op.evaluate(*case.operands, **case.params)
    mask = np.arange(result.size).reshape(result.shape) % 2 == 0
    cotangent = np.where(mask, 1.0, 0.0)
    plain = op.vjp(cotangent, result, case.operands, tuple(_known(case, name)), case.params)
    masked = op.vjp(Masked(cotangent, mask), result, case.operands, tuple(_known(case, name)), case.params)
    for left, right, flag in zip(plain, masked, _known(case, name), strict=True):
        if flag:
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", TABLE)
def test_shapes_and_dtypes_are_known_before_anything_runs(name, dtype, cases):
    op, case = TABLE[name], cases[name]
    operands = [x.astype(dtype) if x.dtype.kind == "f" else x for x in case.operands]
    result = np.asarray(op.evaluate(*operands, **case.params))
    assert op.infer(operands, case.params) == (result.shape, result.dtype)


@pytest.mark.parametrize("name", CONSTANT)
def test_constant_rows_do_not_change(name, cases):
    op, case = TABLE[name], cases[name]
    assert op.jvp is None
    assert op.vjp is None
    if name != "stop":  # the identity, by intention without a derivative
        moved = [x + 1e-7 if x.dtype.kind == "f" else x for x in case.operands]
        np.testing.assert_allclose(
            op.evaluate(*moved, **case.params), op.evaluate(*case.operands, **case.params), rtol=1e-6
        )


@pytest.mark.parametrize("name", MEANT)
def test_the_meaning_in_sympy_has_the_same_value(name, cases):
    op, case = TABLE[name], cases[name]
    numbers = [np.frompyfunc(sympy.sympify, 1, 1)(x.astype(object)) for x in case.operands]
    found = op.symbolic(sympy, *map(as_objects, numbers), **case.params)
    expected = np.asarray(op.evaluate(*case.operands, **case.params))
    assert found.shape == expected.shape
    values = [complex(sympy.N(v)).real if isinstance(v, sympy.Expr) else bool(v) for v in found.flat]
    np.testing.assert_allclose(
        np.array(values, expected.dtype), expected.ravel(), rtol=1e-6 if name == "convert" else 1e-12, atol=1e-13
    )
