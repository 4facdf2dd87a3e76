"""The table of argued refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffkit.tracing.refusals import REFUSALS, advice
from diffkit.tracing.tracer import LOWERINGS


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_names_a_function_of_numpy_and_what_to_write_instead(name):
    homes = [home for home in (np, np.linalg, np.fft) if hasattr(home, name)]
    assert homes
    why, instead = REFUSALS[name]
    assert why
    assert instead
    assert advice(name) == f"{why}; {instead}"


@pytest.mark.parametrize("name", REFUSALS)
def test_nothing_is_both_refused_and_supported(name):
    assert not any(getattr(home, name, None) in LOWERINGS for home in (np, np.linalg, np.fft))


def test_a_function_nobody_thought_of_gets_general_advice():
    assert advice("lexsort").startswith("diffkit has no rule for it; write it with")


def test_the_docs_print_the_table():
    page = (Path(__file__).parents[2] / "docs" / "limitations.md").read_text(encoding="utf-8")
    missing = [name for name, (why, instead) in REFUSALS.items() if f"| `{name}` | {why} | {instead} |" not in page]
    assert missing == []
