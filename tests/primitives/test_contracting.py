"""The contraction: an einsum of two operands, whose tangents and cotangents are contractions again."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from diffkit import primitives as p
from diffkit.graph import Step
from diffkit.primitives import contracting as ct
from diffkit.primitives.contracting import Spec

K = 7
SIZES = {"a": 2, "b": 3, "c": 1, "d": 4, "e": 0}
R = np.random.default_rng(5).normal


@st.composite
def specs(draw):
    """Letters of two operands and a result: no letter repeated within one, none that stands alone."""
    letters = draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4, unique=True))
    left, right, out = [], [], []
    for letter in letters:
        for holder, member in zip((left, right, out), draw(st.sampled_from(MEMBERS)), strict=True):
            if member:
                holder.append(letter)
    shuffled = [draw(st.permutations(part)) for part in (left, right, out)]
    return Spec(*["".join(part) for part in shuffled])


MEMBERS = [(1, 1, 0), (1, 1, 1), (1, 0, 1), (0, 1, 1)]  # summed, batch, rows, columns


def operands_of(spec):
    return [R(size=[SIZES[letter] for letter in part]) for part in (spec.left, spec.right)]


@given(specs())
@settings(max_examples=150)
def test_a_contraction_is_an_einsum(spec):
    x, y = operands_of(spec)
    expected = np.einsum(f"{spec.left},{spec.right}->{spec.out}", x, y)
    np.testing.assert_allclose(ct.contraction(x, y, spec), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(ct.contracted(x, y, spec), expected, rtol=1e-13, atol=1e-14)
    assert ct.infer_contract([x, y], {"spec": spec}) == (expected.shape, expected.dtype)


@given(specs(), st.sampled_from(["x", "y", "both"]), st.sampled_from([(), (K,)]))
@settings(max_examples=150)
def test_the_product_rule_with_many_directions(spec, which, front):
    x, y = operands_of(spec)
    z = "Z" * len(front)
    u = R(size=(*front, *x.shape)) if which != "y" else None
    v = R(size=(*front, *y.shape)) if which != "x" else None
    expected = 0.0
    if u is not None:
        expected = expected + np.einsum(f"{z}{spec.left},{spec.right}->{z}{spec.out}", u, y)
    if v is not None:
        expected = expected + np.einsum(f"{spec.left},{z}{spec.right}->{z}{spec.out}", x, v)
    found = ct.contract_jvp(ct.contracted(x, y, spec), (x, y), (u, v), {"spec": spec})
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@given(specs(), st.sampled_from([(), (K,)]))
@settings(max_examples=150)
def test_cotangents_of_a_product(spec, front):
    x, y = operands_of(spec)
    result = ct.contracted(x, y, spec)
    z, w = "Z" * len(front), R(size=(*front, *result.shape))
    to_x, to_y = ct.contract_vjp(w, result, (x, y), (True, True), {"spec": spec})
    np.testing.assert_allclose(to_x, np.einsum(f"{z}{spec.out},{spec.right}->{z}{spec.left}", w, y), atol=1e-12)
    np.testing.assert_allclose(to_y, np.einsum(f"{spec.left},{z}{spec.out}->{z}{spec.right}", x, w), atol=1e-12)
    assert ct.contract_vjp(w, result, (x, y), (False, False), {"spec": spec}) == [None, None]


def test_a_contraction_costs_two_operations_per_term():
    shape = np.dtype(float)
    left, right = (Step(None, (), {}, sizes, shape) for sizes in ((2, 3), (3, 4)))
    assert p.contract.cost(None, [left, right], {"spec": Spec("ik", "kj", "ij")}).amount == 2 * 2 * 3 * 4
