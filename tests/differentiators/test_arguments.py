"""Arguments <-> arrays: which are differentiated by, and in which containers the answer comes."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

import diffkit as dk
from diffkit.differentiators.arguments import numbered

METHODS = ("finite-difference", "symbolic", "forward", "reverse")
X = np.array([1.0, 2.0])
Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - the kind that users have
CLOSE = {"rtol": 1e-8, "atol": 1e-9}

CONTAINERS = {
    "dict": ({"w": X, "b": 3.0}, lambda p: p["b"] * np.sum(p["w"] ** 2), {"w": 6 * X, "b": 5.0}),
    "ordered dict": (OrderedDict(w=X, b=3.0), lambda p: p["b"] * np.sum(p["w"]), OrderedDict(w=[3, 3], b=3.0)),
    "list": ([X, 3.0], lambda p: p[1] * np.sum(p[0] ** 2), [6 * X, 5.0]),
    "list of numbers": ([2.0, 3.0], lambda p: p[0] * p[1], [3.0, 2.0]),
    "tuple": ((X, 3.0), lambda p: p[1] * np.sum(p[0] ** 2), (6 * X, 5.0)),
    "named tuple": (Pair(X, 3.0), lambda p: p.b * np.sum(p.a**2), Pair(6 * X, 5.0)),
    "nested": (
        [{"a": (X, 2.0)}, [3.0]],
        lambda p: np.sum(p[0]["a"][0]) * p[0]["a"][1] * p[1][0],
        [{"a": ([6, 6], 9.0)}, [6.0]],
    ),
    "scalar": (3.0, lambda p: p**2, 6.0),
    "whole number": (3, lambda p: p**2, 6.0),
    "0-d array": (np.array(3.0), lambda p: p**2, 6.0),
    "whole numbers": (np.array([1, 2]), lambda p: np.sum(p**2), [2.0, 4.0]),
    "matrix": (np.ones((2, 3)), lambda p: np.sum(p**2), 2 * np.ones((2, 3))),
}


def assert_same(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert type(found) is type(expected)
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, tuple) or (isinstance(expected, list) and isinstance(found, list)):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for part, value in zip(found, expected, strict=True):
            assert_same(part, value)
    else:
        np.testing.assert_allclose(found, expected, **CLOSE)
        assert np.asarray(found).dtype == float


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CONTAINERS)
def test_a_gradient_is_built_like_its_argument(name: str, method: str) -> None:
    point, f, expected = CONTAINERS[name]
    assert_same(dk.grad(f, method=method)(point), expected)
    value, gradient = dk.value_and_grad(f, method=method)(point)
    assert value == pytest.approx(f(point))
    assert_same(gradient, expected)
    direction = dk.grad(f)(point)
    along = sum(np.sum(np.square(leaf)) for leaf in _leaves(expected))
    assert dk.jvp(f, method=method)(point, direction) == pytest.approx(along, rel=1e-7)
    assert_same(dk.vjp(f, method=method)(point, 1.0), expected)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in _leaves(part)]
    return [np.asarray(value)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, 15.0), (1, 10.0), (2, 6.0), (-1, 6.0), (-3, 15.0), (np.int64(1), 10.0), ((0,), (15.0,)),
        ((0, 2), (15.0, 6.0)), ((2, 0), (6.0, 15.0)), ((-1, 1), (6.0, 10.0)), ([1, 2], (10.0, 6.0)),
    ],
)  # fmt: skip
def test_argnums(method: str, argnums: Any, expected: Any) -> None:
    found = dk.grad(lambda a, b, c: a * b * c, argnums, method=method)(2.0, 3.0, 5.0)
    assert isinstance(found, tuple) == isinstance(expected, tuple)
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    jacobian = dk.jacobian(lambda a, b, c: a * b * c, argnums, method=method)(2.0, 3.0, 5.0)
    assert jacobian.shape == (1, np.size(expected))


@pytest.mark.parametrize("method", METHODS)
def test_columns_and_directions_follow_the_order_of_argnums(method: str) -> None:
    # Columns stand in the order of the arguments themselves; containers in the order asked for.
    f = lambda a, b: a * b**2  # noqa: E731
    found = dk.jacobian(f, argnums=(1, 0), method=method, blocks=True)(2.0, 3.0)
    np.testing.assert_allclose(found, (12.0, 9.0), rtol=1e-8)
    assert dk.jvp(f, argnums=(1, 0), method=method)(2.0, 3.0, (1.0, 0.0)) == pytest.approx(12.0)
    np.testing.assert_allclose(dk.vjp(f, argnums=(1, 0), method=method)(2.0, 3.0, 1.0), (12.0, 9.0), rtol=1e-8)


@pytest.mark.parametrize("argnums", [(), "x", 0.5, True, None, (0, "a"), (0, True), {0}])
def test_argnums_that_are_none_are_refused(argnums: Any) -> None:
    with pytest.raises(dk.InputError, match="position of an argument"):
        numbered(argnums)
    with pytest.raises(dk.InputError, match="position of an argument"):
        dk.get("reverse").prepare(np.sin, 1.0, argnums=argnums)


@pytest.mark.parametrize(
    ("argnums", "message"),
    [(2, "f was given 2 positional arguments"), (-3, "f was given 2"), ((0, 0), "twice"), ((1, -1), "twice")],
)
def test_argnums_must_name_arguments_once(argnums: Any, message: str) -> None:
    with pytest.raises(dk.InputError, match=message):
        dk.grad(lambda a, b: a * b, argnums)(1.0, 2.0)


# ---------------------------------------------------------------- arguments that are not differentiated by


def power_sum(x: Any, n: int) -> Any:
    return sum(x[0] ** k for k in range(n))


OTHERS = {
    "string": (lambda x, kind: np.sum(x) if kind == "sum" else np.prod(x), ["sum", "prod"], [[1, 1], [2, 1]]),
    "function": (lambda x, g: np.sum(g(x)), [np.square, np.negative], [[2, 4], [-1, -1]]),
    "none": (lambda x, option: x[0] if option is None else x[1], [None, "x"], [[1, 0], [0, 1]]),
    "truth": (lambda x, first: x[0] if first else x[1], [True, False], [[1, 0], [0, 1]]),
    "count": (power_sum, [2, 4, 1], [[1, 0], [6, 0], [0, 0]]),
    "number": (lambda x, c: c * np.sum(x), [2.0, 3.0], [[2, 2], [3, 3]]),
    "array": (lambda x, c: c @ x, [np.array([3.0, 4.0]), np.array([5.0, 6.0])], [[3, 4], [5, 6]]),
    "list": (lambda x, c: c[0] * x[0] + c[1]["k"] * x[1], [[3.0, {"k": 4}]], [[3, 4]]),
    "whole numbers": (lambda x, c: np.sum(x[c]), [np.array([0, 0]), np.array([1, 0])], [[2, 0], [1, 1]]),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", OTHERS)
def test_other_arguments_are_arguments_too(name: str, method: str) -> None:
    f, values, expected = OTHERS[name]
    differentiate = dk.grad(f, method=method)
    for value, gradient in zip(values + values, expected + expected, strict=True):
        np.testing.assert_allclose(differentiate(np.array([1.0, 2.0]), value), gradient, **CLOSE)


@pytest.mark.parametrize("method", METHODS)
def test_keyword_arguments_may_have_any_name(method: str) -> None:
    def f(x: Any, *, product: float, f: Any = None, self: float = 1.0, method: str = "a") -> Any:
        return np.sum(x**2) * product * self + (0 if method == "a" else x[0])

    differentiate = dk.grad(f, method=method)
    np.testing.assert_allclose(differentiate(X, product=2.0), 4 * X, **CLOSE)
    np.testing.assert_allclose(differentiate(X, product=3.0, self=2.0), 12 * X, **CLOSE)
    np.testing.assert_allclose(differentiate(X, product=0.0, method="b"), [1, 0], **CLOSE)


def test_what_cannot_be_an_argument_says_what_to_do() -> None:
    with pytest.raises(dk.InputError, match=r"type set is neither .* close over it"):
        dk.grad(lambda x, s: x[0])(X, {"a"})


@pytest.mark.parametrize(
    ("direction", "message"),
    [
        (np.ones(3), r"has shape \(3,\); it must have shape \(2,\)"),
        (1.0, r"has shape \(\)"),
        ([1.0, 0.0], "not built like argument 0"),
        (X * 1j, "complex"),
        (None, "is None"),
        ("v", "a str"),
    ],
)
def test_a_direction_must_be_built_like_what_it_moves(direction: Any, message: str) -> None:
    for operator, f in ((dk.jvp, np.sin), (dk.hvp, lambda x: np.sum(x**2))):
        with pytest.raises(dk.InputError, match=message):
            operator(f)(X, direction)


@pytest.mark.parametrize("direction", [(1.0,), 1.0, (1.0, 2.0, 3.0)])
def test_a_direction_of_several_arguments_has_as_many_parts(direction: Any) -> None:
    with pytest.raises(dk.InputError, match="one part for each"):
        dk.jvp(lambda a, b: a * b, argnums=(0, 1))(2.0, 3.0, direction)


@pytest.mark.parametrize("direction", [np.array([1, 0]), np.array([True, False]), np.array([1, 0], np.float32)])
def test_a_direction_of_another_number_type_is_converted(direction: Any) -> None:
    np.testing.assert_allclose(dk.jvp(np.sin)(X, direction), [np.cos(1.0), 0.0], rtol=1e-15)
