from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit import roofline as module
from diffkit.roofline import Machine, Roofline, machine, roofline

KNOWN = Machine(copies=((1000, 4e9), (100_000, 2e9), (10_000_000, 1e9)), flops=1e10)


@pytest.mark.parametrize(("traffic", "rate"), [(0, 4e9), (1000, 4e9), (1001, 2e9), (100_001, 1e9), (10**9, 1e9)])
def test_traffic_goes_at_the_speed_of_a_copy_of_its_size(traffic, rate):
    assert KNOWN.bandwidth(traffic) == rate


def test_a_small_copy_is_no_limit_where_a_larger_one_was_faster():
    assert Machine(copies=((1000, 1e9), (100_000, 3e9)), flops=1.0).bandwidth(10) == 3e9


def test_the_longer_of_both_times_is_the_limit():
    found = Roofline(seconds=8.0, memory_seconds=2.0, arithmetic_seconds=4.0)
    assert (found.bound, found.share, found.limit) == (4.0, 0.5, "arithmetic")
    assert str(Roofline(8e-6, 2e-6, 1e-6)) == "8 µs, 25 % of what the memory allows (2 µs)"


def test_every_step_has_its_own_limit(monkeypatch):
    monkeypatch.setattr(module, "machine", lambda: KNOWN)
    plan = dk.get("reverse").prepare(lambda x: np.sum(np.sin(x)), np.ones(1000), product="value")
    found = roofline(1e-3, plan.graph, times=3)
    assert found.memory_seconds == pytest.approx(3 * (16_000 / 2e9 + 8_008 / 2e9), rel=1e-12)
    assert found.arithmetic_seconds == pytest.approx(3 * (1000 + 999) / 1e10, rel=1e-12)


def test_the_machine_is_measured_once():
    found = machine()
    assert machine() is found
    assert found.flops > 0
    assert [size for size, _ in found.copies] == [2 * size for size in module.COPIED]
    assert all(rate > 0 for _, rate in found.copies)
