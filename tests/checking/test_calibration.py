"""No false alarm and no error missed, over all problems: what the safety factor was chosen for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffkit as dk
from diffkit import problems

SIZES = [(1, 1), (2, 1), (3, 1), (5, 1), (2, 2), (5, 3), (11, 1), (13, 1), (19, 1), (20, 1), (30, 1), (35, 1), (65, 1)]
CASES = [
    (name, inputs, outputs)
    for name in problems.names()
    for inputs, outputs in SIZES
    if problems.get(name).fits(inputs, outputs) and (inputs <= 5 or not problems.get(name).fits(5, outputs))
]


def test_every_problem_has_a_case() -> None:
    assert {name for name, _, _ in CASES} == set(problems.names())


def points(instance: Any, count: int) -> list[Any]:
    generator = np.random.default_rng(instance.inputs)
    shape = (count, *instance.point.shape)
    return [instance.point, *(instance.point * (1 + 0.1 * generator.standard_normal(shape)))]


@pytest.mark.parametrize(("name", "inputs", "outputs"), CASES)
def test_right_derivatives_hold_everywhere(name: str, inputs: int, outputs: int) -> None:
    instance = problems.get(name).at(inputs, outputs)
    for x in points(instance, 4 if inputs <= 5 else 1):
        reference = instance.jacobian(x)
        if np.isfinite(reference).all():
            for jac in (None, reference):
                found = dk.check(instance.function, x, jac, raises=False)
                assert found, str(found)
                assert found.resolution < 1e-8 * max(1.0, instance.conditioning)


@pytest.mark.parametrize(("name", "inputs", "outputs"), CASES)
def test_planted_errors_are_found_from_the_stated_resolution_on(name: str, inputs: int, outputs: int) -> None:
    instance = problems.get(name).at(inputs, outputs)
    x = instance.point
    reference = instance.jacobian(x)
    resolution = dk.check(instance.function, x, reference).resolution
    generator = np.random.default_rng(7)
    for size in (max(1e-5, 2 * resolution), 1e-3, 3 * resolution):
        b, j = generator.integers(outputs), generator.integers(inputs)
        wrong = reference.copy()
        wrong[b, j] += size * np.max(np.abs(reference[b]))
        found = dk.check(instance.function, x, wrong, raises=False)
        assert (found.verdict, found.worst) == ("wrong", (b, j)), str(found)
        assert found.error == pytest.approx(size, rel=0.5)


@pytest.mark.parametrize(("name", "inputs", "outputs"), [case for case in CASES if case[1] <= 3])
def test_an_error_below_the_resolution_is_not_claimed_to_be_excluded(name: str, inputs: int, outputs: int) -> None:
    instance = problems.get(name).at(inputs, outputs)
    x = instance.point
    reference = instance.jacobian(x)
    wrong = reference * (1 + 1e-15)
    found = dk.check(instance.function, x, wrong)
    assert found
    assert found.resolution > 1e-15
