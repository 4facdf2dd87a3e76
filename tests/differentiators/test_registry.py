"""Names -> differentiators: the methods, options, and what another distribution adds by an entry point."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import diffkit as dk

KINDS = {
    "finite-difference": dk.FiniteDifference, "symbolic": dk.Symbolic, "forward": dk.Forward, "reverse": dk.Reverse,
    "mixed": dk.Mixed,
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_the_methods_have_names(name: str) -> None:
    assert name in dk.names()
    assert dk.get(name) == KINDS[name]()
    assert dk.get(name).name == name
    assert dk.get(name).exact == (name != "finite-difference")


@pytest.mark.parametrize(
    ("name", "inputs", "outputs", "sweeps"),
    [
        ("forward", 7, 3, 7),
        ("reverse", 7, 3, 3),
        ("mixed", 7, 3, 3),
        ("symbolic", 7, 3, 1),
        ("finite-difference", 7, 3, 14),
    ],
)
def test_sweeps_of_a_jacobian(name: str, inputs: int, outputs: int, sweeps: int) -> None:
    assert dk.get(name).sweeps(inputs, outputs) == sweeps


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("revers", {}, "no method 'revers'; did you mean 'reverse'"),
        ("", {}, "Known: auto, finite-difference, forward, mixed, reverse, symbolic"),
        ("reverse", {"engin": "numpy"}, "no option of reverse 'engin'; did you mean 'engine'"),
        ("reverse", {"scheme": "central"}, "Known: engine, memory_limit"),
        ("reverse", {"engine": "nump"}, "no engine 'nump'; did you mean 'numpy'"),
        ("finite-difference", {"scheme": "centrl"}, "no scheme 'centrl'; did you mean 'central'"),
        ("symbolic", {"form": "shard"}, "no form 'shard'; did you mean 'shared'"),
    ],
)
def test_unknown_names_are_told_the_nearest(name: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(dk.UnknownNameError, match=message):
        dk.get(name, **options)


@pytest.mark.parametrize("given", [None, 3, dk.Reverse, ["reverse"]])
def test_a_method_is_a_name_or_a_differentiator(given: object) -> None:
    with pytest.raises(dk.InputError, match=r"by its name or as a Differentiator, such as Reverse\(\)"):
        dk.grad(abs, method=given)


def test_a_made_differentiator_takes_no_more_options() -> None:
    with pytest.raises(dk.InputError, match="engine belong"):
        dk.grad(abs, method=dk.Reverse(), engine="numpy")


@pytest.mark.parametrize(
    ("name", "limit"), [("forward", -1), ("reverse", 0), ("reverse", "1 GB"), ("symbolic", 0), ("symbolic", "many")]
)
def test_limits_are_checked(name: str, limit: object) -> None:
    option = "limit" if name == "symbolic" else "memory_limit"
    with pytest.raises(dk.InputError, match=f"{option}="):
        dk.get(name, **{option: limit})


OTHER = '''
"""Another package's method: reverse mode under its own name, with an option of its own."""
from dataclasses import dataclass
from typing import ClassVar
from diffkit.differentiators.base import Differentiator
from diffkit import Reverse

@dataclass(frozen=True, kw_only=True)
class Halved(Differentiator):
    name: ClassVar[str] = "halved"
    strength: float = 0.5

    def sweeps(self, inputs, outputs):
        return outputs

    def program(self, derivative, branch, product):
        return Reverse().program(derivative, branch, product)

nonsense = 3
'''

USE = """
import numpy as np, diffkit as dk
assert dk.names()[:4] == ("finite-difference", "symbolic", "forward", "reverse"), dk.names()
assert set(dk.names()[4:]) == {"mixed", "auto", "halved", "nonsense"}, dk.names()
assert dk.get("halved", strength=2.0).strength == 2.0
assert dk.grad(lambda x: np.sum(x**2), method="halved")(np.array([1.0, 2.0])).tolist() == [2.0, 4.0]
for name, options, error, words in [
    ("halvd", {}, dk.UnknownNameError, "did you mean 'halved'"),
    ("halved", {"strengt": 1}, dk.UnknownNameError, "did you mean 'strength'"),
    ("nonsense", {}, dk.InputError, "must be a subclass of diffkit.Differentiator"),
]:
    try:
        dk.get(name, **options)
    except error as problem:
        assert words in str(problem), problem
    else:
        raise AssertionError(name)
"""


def test_another_distribution_adds_a_method(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(OTHER)
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[diffkit.differentiators]\nhalved = other:Halved\nnonsense = other:nonsense\nreverse = other:Halved\n"
    )
    root = Path(dk.__file__).parents[1]
    program = f"import sys; sys.path[:0] = {[str(tmp_path), str(root)]!r}\n{USE}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
