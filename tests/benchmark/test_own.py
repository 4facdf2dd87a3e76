from __future__ import annotations

from dataclasses import asdict

import pytest

from diffkit.benchmark.grid import Limits
from diffkit.benchmark.own import suite_of
from diffkit.benchmark.results import to_frame
from diffkit.benchmark.suite import Suite
from diffkit.benchmark.workers import Worker
from diffkit.errors import InputError, UnknownNameError
from diffkit.report.page import describe

MODULE = '''
import ctypes
import numpy as np

def neighbours(x):
    """Neighbours, multiplied."""
    return np.sin(x[1:]) * x[:-1]

def two(x):
    return np.exp(x[0] * x[1]) if len(x) == 2 else 1 / 0

def opaque(x):  # nothing can look into this
    values = (ctypes.c_double * len(x))(*np.asarray(x, dtype=float).tolist())
    return sum(value**2 for value in values)

WORD = "no function"
'''


@pytest.fixture
def mine(tmp_path, monkeypatch):
    name = f"functions_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def sizes(suite):
    return sorted({(cell.inputs, cell.outputs) for cell in suite.cells})


def test_a_function_decides_how_many_outputs_it_has(mine):
    suite = suite_of(f"{mine}:neighbours", inputs="2,10")
    assert suite.name == "neighbours"
    assert sizes(suite) == [(2, 1), (10, 9)]
    assert {cell.method for cell in suite.cells} == {"finite-difference", "symbolic", "forward", "reverse"}


def test_methods_with_options_and_engines_are_named_with_commas(mine):
    methods = "reverse, finite-difference(scheme=central, step_size=1e-6)"
    suite = suite_of(f"{mine}:neighbours", inputs="3", outputs="2", methods=methods, engines="numpy,interpreted")
    labels = {"reverse", "finite-difference(scheme=central, step_size=1e-06)"}
    assert {(cell.method, cell.engine) for cell in suite.cells} == {
        (label, engine) for label in labels for engine in ("numpy", "interpreted")
    }


def test_inputs_that_a_function_does_not_take_are_left_out(mine):
    assert sizes(suite_of(f"{mine}:two")) == [(2, 1)]


def test_a_function_that_takes_none_says_so_itself(mine):
    words = rf"{mine}:two cannot be called with an array of 3 numbers: ZeroDivisionError: division by zero"
    with pytest.raises(InputError, match=words):
        suite_of(f"{mine}:two", inputs="3,4")


def test_a_problem_that_is_there_may_be_named_too():
    assert sizes(suite_of("rosenbrock", inputs="2,3")) == [(2, 1), (3, 1)]
    assert sizes(suite_of("elementwise", inputs="2,3")) == [(2, 2), (3, 3)]


def test_its_text_is_a_suite_like_any_other(mine):
    suite = suite_of(f"{mine}:neighbours", inputs="2")
    assert Suite.parse(suite.text, suite.name).cells == suite.cells


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"inputs": "2,x"}, "--inputs 2,x; give whole numbers with commas"),
        ({"outputs": "one"}, "--outputs one; give whole numbers"),
        ({"methods": "revers"}, "no method 'revers'; did you mean 'reverse'"),
        ({"engines": "lvm"}, "no engine 'lvm'; did you mean 'llvm'"),
    ],
)
def test_words_that_nobody_has_are_errors(mine, options, words):
    with pytest.raises((InputError, UnknownNameError), match=words):
        suite_of(f"{mine}:neighbours", **{"inputs": "2", **options})


def test_what_is_no_function_is_an_error(mine):
    with pytest.raises(InputError, match=r"is a str; give a function"):
        suite_of(f"{mine}:WORD")
    with pytest.raises(InputError, match=r"no problem '.*:nowhere'"):
        suite_of(f"{mine}:nowhere")


LIMITS = Limits(budget_seconds=0.001)


def judges(suite):
    with Worker() as worker:
        rows = [worker.measure(cell, LIMITS) for cell in suite.cells if cell.visit == 0]
    return rows, {row.method: (row.status, row.judge) for row in rows}


def test_without_a_reference_another_method_is_the_judge_and_the_report_says_so(mine):
    rows, found = judges(suite_of(f"{mine}:neighbours", inputs="4"))
    assert found == {
        "finite-difference": ("ok", "reverse"),
        "symbolic": ("ok", "reverse"),
        "forward": ("ok", "reverse"),
        "reverse": ("ok", "forward"),
    }
    assert {row.tolerance for row in rows if row.method != "finite-difference"} == {1e-9}
    sections = {section.heading: section for section in describe(to_frame(map(asdict, rows)), {}).sections}
    assert f"{mine}:neighbours has no independent reference" in sections["How far to trust the times"].text


def test_what_cannot_be_traced_is_judged_by_other_differences(mine):
    _, found = judges(suite_of(f"{mine}:opaque", inputs="4", methods="finite-difference,reverse"))
    assert found["finite-difference"] == ("ok", "finite-difference(scheme=richardson)")
    assert found["reverse"][0] != "ok"
