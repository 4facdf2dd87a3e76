from __future__ import annotations

from dataclasses import replace

import pytest

from diffkit import problems
from diffkit.benchmark.grid import Cell, Limits
from diffkit.benchmark.suite import Suite, names
from diffkit.errors import InputError, UnknownNameError

GRID = """
[[grid]]
problems = ["tanh-map"]
methods = ["reverse"]
"""


def parse(text):
    """Read a suite, of which the first visits are looked at."""
    suite = Suite.parse(text, "mine")
    return replace(suite, cells=tuple(cell for cell in suite.cells if cell.visit == 0))


def test_a_grid_is_every_combination():
    suite = parse("""
        summary = "Some cells."
        [[grid]]
        problems = ["tanh-map", "logistic-probabilities"]
        methods = ["forward", "symbolic( form = expression )"]
        engines = ["numpy", "interpreted"]
        inputs = [1, 10]
        outputs = [2, 3, 4]
    """)
    assert suite.name == "mine"
    assert suite.summary == "Some cells."
    assert len(suite.cells) == 2 * 2 * 2 * 2 * 3
    assert len(set(suite.cells)) == len(suite.cells)
    assert Cell("mine", "tanh-map", "symbolic(form=expression)", "interpreted", 10, 3) in suite.cells


def test_what_is_left_out_is_the_numpy_engine_at_one_input_and_one_output():
    assert parse(GRID).cells == (Cell("mine", "tanh-map", "reverse", "numpy", 1, 1),)


def test_sizes_come_in_the_order_given_and_all_methods_of_one_size_together():
    cells = parse("""
        [[grid]]
        problems = ["tanh-map"]
        methods = ["forward", "reverse"]
        inputs = [1, 10]
        outputs = [1, 5]
    """).cells
    assert [(cell.inputs, cell.outputs) for cell in cells[::2]] == [(1, 1), (10, 1), (1, 5), (10, 5)]
    assert [cell.method for cell in cells[:2]] == ["forward", "reverse"]


def test_sizes_at_which_a_problem_does_not_exist_are_left_out():
    cells = parse("""
        [[grid]]
        problems = ["elementwise", "rosenbrock"]
        methods = ["reverse"]
        inputs = [1, 2, 3]
        outputs = [1, 2]
    """).cells
    sizes = [(cell.problem, cell.inputs, cell.outputs) for cell in cells]
    assert sizes == [("elementwise", 1, 1), ("elementwise", 2, 2), ("rosenbrock", 2, 1), ("rosenbrock", 3, 1)]


def test_first_fit_takes_the_first_size_that_exists():
    cells = parse("""
        [[grid]]
        problems = ["worked-example", "elementwise"]
        methods = ["reverse"]
        inputs = [10, 2]
        outputs = [1, 2]
        first_fit = true
    """).cells
    assert [(cell.inputs, cell.outputs) for cell in cells] == [(2, 1), (2, 2)]


def test_a_cell_that_two_grids_name_is_measured_once():
    assert len(parse(GRID + GRID).cells) == 1


def test_exact_methods_are_the_floor_under_all_step_sizes():
    cells = parse("""
        [[grid]]
        problems = ["composition"]
        methods = ["finite-difference(scheme=forward)", "reverse"]
        step_sizes = [1e-8, 1e-4, 1]
    """).cells
    assert {cell.study for cell in cells} == {"step-size"}
    steps = [(cell.method, cell.step_size) for cell in cells if cell.method != "reverse"]
    assert steps == [("finite-difference(scheme=forward)", step) for step in (1e-8, 1e-4, 1)]
    assert [cell.step_size for cell in cells if cell.method == "reverse"] == [None]


def test_depths_make_the_study_of_swell():
    cells = parse("""
        [[grid]]
        problems = ["logistic-map"]
        methods = ["reverse"]
        depths = [1, 2, 5]
    """).cells
    assert [(cell.study, cell.depth) for cell in cells] == [("swell", 1), ("swell", 2), ("swell", 5)]


def test_all_problems_by_one_word():
    cells = parse("""
        [[grid]]
        problems = "all"
        methods = ["reverse"]
        inputs = [10, 1, 2, 3, 5, 11, 13, 20, 30, 35, 65]
        outputs = [1, 10]
        first_fit = true
    """).cells
    assert [cell.problem for cell in cells] == problems.names()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GRID.replace("tanh-map", "tanhmap"), "no problem 'tanhmap'; did you mean 'tanh-map'"),
        (GRID.replace("reverse", "revers"), "no method 'revers'; did you mean 'reverse'"),
        (GRID + "engines = ['nunpy']", "no engine 'nunpy'; did you mean 'numpy'"),
        (
            GRID + "input = [1]",
            r"line 5: no key in \[\[grid\]\] called 'input'; did you mean 'inputs'",
        ),
        ("summry = ''", "line 1: no key of a suite called 'summry'; did you mean 'summary'"),
        (
            "[limits]\nsecond = 1",
            r"line 2: no key in \[limits\] called 'second'; did you mean 'seconds'",
        ),
    ],
)
def test_misspelt_words_are_answered_with_the_nearest(text, words):
    with pytest.raises(UnknownNameError, match=words):
        parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"suite mine has no \[\[grid\]\]; add one"),
        ("[[grid]]\nproblems = ['tanh-map']", "names no methods; add methods"),
        ("[[grid]]\nmethods = ['reverse']", "names no problems; add problems"),
        ("grid = 3", "is no table"),
        ("limits = 3\n" + GRID, "is no table"),
        (GRID + "inputs = 3", "inputs = 3 is not a list of whole numbers"),
        (GRID + "inputs = [1.5]", r"inputs = \[1.5\] is not a list of whole numbers"),
        (GRID + "inputs = [true]", "is not a list of whole numbers"),
        (GRID + "step_sizes = ['small']", "is not a list of numbers"),
        (GRID + "engines = [1]", r"engines = \[1\] is not a list of names"),
        (
            GRID + "inputs = [0, -1]",
            r"'tanh-map' exists at none of the sizes inputs = \[0, -1\], outputs = \[1\]",
        ),
        (GRID + "depths = [1]", "only the problem 'logistic-map' has a depth"),
        (GRID.replace("reverse", "symbolic(expression)"), "has no value"),
        ("[[grid]\n", "line 1: this is not TOML"),
    ],
)
def test_what_cannot_be_used_is_an_error_that_says_where(text, words):
    with pytest.raises(InputError, match=words):
        parse(text)


LONG = """summary = "mine"   # 1
figures = ["winners"]

[limits]
seconds = 2.0           # 5
repeats = 7

[[grid]]                # 8
problems = ["tanh-map"]
methods = [             # 10
    "forward",
    "reverse",
]
inputs = [1, 10]
outputs = [1]           # 15

[[grid]]
problems = ["rosenbrock"]
methods = ["reverse"]
inputs = [2]            # 20
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"reverse",', '"revers",', "line 12: no method 'revers'; did you mean 'reverse'?"),
        ('["reverse"]', '["reverse(form=x)"]', "line 19: no option of reverse 'form'"),
        ('["rosenbrock"]', '["rosenbrok"]', "line 18: no problem 'rosenbrok'; did you mean 'rosenbrock'?"),
        ("inputs = [2]", "inptus = [2]", r"line 20: no key in \[\[grid\]\] called 'inptus'; did you mean 'inputs'?"),
        ("inputs = [2]", "inputs = []", "line 20: inputs is empty; name at least one"),
        ("inputs = [2]", "inputs = 2", "line 20: inputs = 2 is not a list of whole numbers"),
        ("inputs = [2]", "inputs = [1]", "line 18: problem 'rosenbrock' exists at none of the sizes"),
        ("outputs = [1]", "engines = ['numpy', 'lvm']", "line 15: no engine 'lvm'; did you mean 'llvm'?"),
        ("outputs = [1]", "first_fit = 1", "line 15: first_fit = 1 is not true or false"),
        ("seconds = 2.0", "seconds = 'two'", "line 5: limit seconds='two'; it must be a positive number"),
        ("repeats = 7", "repeats = 3", "line 6: limit repeats=3; it must be a whole number from 7"),
        ("repeats = 7", "visits = 1.5", "line 6: limit visits=1.5; it must be a whole number from 1"),
        ("repeats = 7", "visit = 2", r"line 6: no key in \[limits\] called 'visit'; did you mean 'visits'?"),
        ('["winners"]', '["winers"]', "line 2: no figure 'winers'; did you mean 'winners'?"),
        ('["winners"]', "3", "line 2: figures = 3 is not a list of names"),
        ('"mine"', "1", "line 1: summary = 1 is not a text"),
        ("inputs = [2]", "inputs = [2", "line 20: this is not TOML"),
        ('methods = ["reverse"]\n', "", "line 17: this .* names no methods"),
    ],
)
def test_a_message_names_the_file_the_line_and_the_nearest_word(old, new, words, tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(LONG, encoding="utf-8")
    assert len(Suite.load(str(path)).cells) == 5 * 5  # as it stands, it is right
    assert LONG.count(old) == 1
    path.write_text(LONG.replace(old, new), encoding="utf-8")
    with pytest.raises((InputError, UnknownNameError), match=rf"my\.toml, {words}"):
        Suite.load(str(path))


def test_timed_cells_are_visited_again_when_all_others_have_been():
    text = GRID + "inputs = [1, 2]\n[[grid]]\nproblems = ['logistic-map']\nmethods = ['reverse']\ndepths = [1]"
    cells = Suite.parse("[limits]\nvisits = 3\n" + text, "mine").cells
    assert [(cell.inputs, cell.depth, cell.visit) for cell in cells] == [
        (1, None, 0), (2, None, 0), (1, 1, 0), (1, None, 1), (2, None, 1), (1, None, 2), (2, None, 2),
    ]  # fmt: skip


def test_one_grid_may_be_written_as_a_plain_table():
    assert parse(GRID.replace("[[grid]]", "[grid]")).cells == parse(GRID).cells


@pytest.mark.parametrize(
    "limits", [{"seconds": 0}, {"seconds": -1}, {"seconds": "2"}, {"seconds": True}, {"jacobian_bytes": 0},
               {"budget_seconds": 0.0}, {"repeats": 6}, {"repeats": 7.5}, {"repeats": 7.0}, {"visits": 2.0}],
)  # fmt: skip
def test_limits_that_make_no_sense_are_errors(limits):
    (name,) = limits
    with pytest.raises(InputError, match=f"limit {name}="):
        Limits(**limits)


def test_limits_are_read():
    assert parse("[limits]\nseconds = 3\nrepeats = 9\n" + GRID).limits == Limits(seconds=3, repeats=9)


def test_a_suite_of_ones_own_is_read_by_its_path(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(GRID, encoding="utf-8")
    suite = Suite.load(str(path))
    assert (suite.name, len(suite.cells)) == ("own", 5)


def test_a_path_that_leads_nowhere_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the suite .*nowhere\.toml"):
        Suite.load(str(tmp_path / "nowhere.toml"))


def test_an_unknown_suite_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="no suite 'quik'; did you mean 'quick'"):
        Suite.load("quik")


@pytest.mark.parametrize("name", names())
def test_the_suites_that_come_along_can_be_read(name):
    suite = Suite.load(name)
    assert suite.summary
    assert {cell.study for cell in suite.cells} == {"cells", "step-size", "swell"}


def sizes(cells, problem, **fixed):
    return {
        (cell.inputs, cell.outputs)
        for cell in cells
        if cell.problem == problem and all(getattr(cell, key) == value for key, value in fixed.items())
    }


def test_quick_asks_every_question():
    cells = Suite.load("quick").cells
    line = [1, 10, 100, 1000, 3000, 10000]
    four = {"finite-difference", "symbolic", "forward", "reverse"}
    assert {cell.problem for cell in cells if cell.study == "cells"} == set(problems.names())
    for method in four:
        found = sizes(cells, "deep-map", method=method)
        assert found >= {(size, 1) for size in line} | {(1, size) for size in line}
        assert found >= {(A, B) for A in (1, 3, 10, 30, 100) for B in (1, 3, 10, 30, 100)}
    engines = {(cell.method, cell.engine) for cell in cells if cell.problem == "rosenbrock"}
    assert engines >= {(method, engine) for method in four for engine in ("numpy", "interpreted")}


def test_scaling_goes_to_ten_thousand():
    cells = Suite.load("scaling").cells
    found = sizes(cells, "tanh-map", method="reverse")
    assert {(10_000, 1), (1, 10_000), (10_000, 10_000)} <= found


def test_rows_and_sizes_of_cells():
    small = Cell("mine", "tanh-map", "reverse", "numpy", 10, 1)
    large = Cell("mine", "tanh-map", "reverse", "numpy", 10, 5)
    other = Cell("mine", "tanh-map", "forward", "numpy", 10, 5)
    assert small.row == large.row != other.row
    assert large.at_least(small)
    assert small.at_least(small)
    assert not small.at_least(large)
    assert large.size == 50
    shallow = Cell("mine", "logistic-map", "symbolic", "numpy", 1, 1, "swell", depth=3)
    deep = Cell("mine", "logistic-map", "symbolic", "numpy", 1, 1, "swell", depth=6)
    assert shallow.row == deep.row
    assert deep.at_least(shallow)
    assert not shallow.at_least(deep)
    assert str(deep) == "logistic-map, symbolic, numpy, A = 1, B = 1, depth 6"
