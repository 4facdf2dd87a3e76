"""The order of the chain rule, against Jacobians derived by hand; the diagonal Jacobian of elementwise maps."""

import numpy as np
import pytest

from diffkit.errors import InputError, UnknownNameError
from diffkit.lab import matrix_calculus as mc

RNG = np.random.default_rng(1)


def _maps(n, m, k):
    A, B = RNG.normal(size=(m, n)), RNG.normal(size=(k, m))
    return A, B, lambda u: B @ u**2, lambda x: np.tanh(A @ x)


@pytest.mark.parametrize("sizes", [(3, 2, 4), (3, 2, 3), (3, 3, 3)])
@pytest.mark.parametrize("layout", ["numerator", "denominator"])
def test_the_right_order_is_the_whole_derivative(sizes, layout):
    A, B, outer, inner = _maps(*sizes)
    x = RNG.normal(size=sizes[0])
    u = np.tanh(A @ x)
    du_dx, dy_du = (1 - u * u)[:, None] * A, B * (2 * u)
    numerator = dy_du @ du_dx
    found = mc.chain_rule(outer, inner, x, layout=layout)
    expected = numerator if layout == "numerator" else numerator.T
    np.testing.assert_allclose(found.right, expected, rtol=1e-12)
    np.testing.assert_allclose(found.whole, expected, rtol=1e-12)
    assert found.errors[0] < 1e-12 < found.errors[1]


def test_the_wrong_order_fails_in_each_way_there_is():
    text = {}
    for sizes in [(3, 2, 4), (3, 2, 3), (3, 3, 3)]:
        _, _, outer, inner = _maps(*sizes)
        text[sizes] = str(mc.chain_rule(outer, inner, np.full(sizes[0], 0.3))).splitlines()
    assert text[3, 2, 4] == [
        "denominator layout: dy/dx is 3 × 4",
        "(du/dx)(dy/du): (3 × 2)(2 × 4) is dy/dx",
        "(dy/du)(du/dx): (2 × 4)(3 × 2) cannot be multiplied",
    ]
    assert text[3, 2, 3][2] == "(dy/du)(du/dx): (2 × 3)(3 × 2) is 2 × 2, another shape than dy/dx"
    assert text[3, 3, 3][1].endswith("is dy/dx")
    assert text[3, 3, 3][2].startswith("(dy/du)(du/dx): (3 × 3)(3 × 3) has the shape of dy/dx, and is off by up to")


def test_in_numerator_layout_the_order_turns_round():
    _, _, outer, inner = _maps(3, 2, 4)
    lines = str(mc.chain_rule(outer, inner, np.full(3, 0.3), layout="numerator")).splitlines()
    assert lines[1:] == [
        "(dy/du)(du/dx): (4 × 2)(2 × 3) is dy/dx",
        "(du/dx)(dy/du): (2 × 3)(4 × 2) cannot be multiplied",
    ]


def test_only_vectors_and_known_layouts():
    with pytest.raises(InputError, match=r"u has shape \(\)"):
        mc.chain_rule(lambda u: u * np.ones(2), np.sum, np.ones(3))
    with pytest.raises(UnknownNameError, match="layout"):
        mc.chain_rule(np.sin, np.cos, np.ones(3), layout="both")


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
        (np.exp, np.exp),
        (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        (lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
        (lambda x: x**3 * np.sin(x), lambda x: 3 * x**2 * np.sin(x) + x**3 * np.cos(x)),
    ],
)
def test_an_elementwise_map_has_a_diagonal_jacobian(f, slope):
    x = RNG.normal(size=9)
    found = mc.elementwise(f, x)
    assert (found.entries, found.directions) == (9, 1)
    np.testing.assert_allclose(found.jacobian.toarray(), np.diag(slope(x)), rtol=1e-12)
    np.testing.assert_allclose(found.slopes, slope(x), rtol=1e-12)


def test_a_million_entries_take_one_direction():
    found = mc.elementwise(np.tanh, np.zeros(1_000_000))
    assert (found.entries, found.directions, found.jacobian.nnz) == (1_000_000, 1, 1_000_000)


def test_a_map_that_mixes_entries_is_told_apart():
    with pytest.raises(InputError, match="entry 1 of its result can depend on entry 0"):
        mc.elementwise(np.cumsum, np.ones(4))
    with pytest.raises(InputError, match="entry 0 of its result can depend on entry 1"):
        mc.elementwise(lambda x: x[::-1], np.ones(2))
    with pytest.raises(InputError, match="it makes 1 numbers of 4"):
        mc.elementwise(np.sum, np.ones(4))


def test_a_list_is_a_vector_and_not_what_python_makes_of_it():
    """Twice a list is a longer list."""
    found = mc.chain_rule(lambda u: u * 2, lambda x: x * 1, [1.0, 2.0])
    np.testing.assert_allclose(found.whole, 2 * np.eye(2))
    assert found.errors[0] == 0


def test_what_has_no_order_is_refused():
    with pytest.raises(InputError, match=r"x has shape \(0,\)"):
        mc.chain_rule(np.sin, np.cos, np.ones(0))
    with pytest.raises(InputError, match="f is a str"):
        mc.chain_rule("u", np.cos, np.ones(2))
    with pytest.raises(InputError, match=r"u = inner\(x\) is complex"):
        mc.chain_rule(np.sin, lambda x: x * 1j, np.ones(2))
