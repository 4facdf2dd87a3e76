from __future__ import annotations

import re

import numpy as np
import pytest

from diffkit.errors import InputError, check_whole, is_whole


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), 10**30])
def test_whole_numbers_are_those_of_python_and_numpy(value):
    assert is_whole(value)
    check_whole(value, "depth", least=3)


@pytest.mark.parametrize("value", [2.0, "2", None, True, False, np.True_, np.float64(2), np.array([2]), (2,), 1 + 0j])
def test_what_only_looks_like_a_whole_number_is_none(value):
    assert not is_whole(value)
    with pytest.raises(InputError, match=re.escape(f"depth={value!r}; it must be a whole number from 1")):
        check_whole(value, "depth")


@pytest.mark.parametrize(("value", "least"), [(0, 1), (-1, 0), (np.int64(6), 7), (-(10**30), -5)])
def test_a_whole_number_may_be_too_small(value, least):
    with pytest.raises(InputError, match=re.escape(f"n={value!r}; it must be a whole number from {least}")):
        check_whole(value, "n", least)
    check_whole(least, "n", least)
