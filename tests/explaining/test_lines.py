"""Lines: what has one, what it is called, and that its formula is its value."""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.explaining.lines import LETTERS, Board, lines, tidy


def graph_of(f, *args):
    argnums = tuple(range(len(args)))
    return tidy(dk.get("reverse", engine="interpreted").prepare(f, *args, argnums=argnums).function_graph)


def written(f, *args, inputs="xyz"):
    return [(line.kind, line.name, line.function, line.text) for line in lines(graph_of(f, *args), inputs)]


def test_the_composition_reads_as_on_the_blackboard():
    def f(x):
        square = x**2
        return np.cos(np.sin(square) + 3 * square)

    assert written(f, 0.7) == [
        ("input", "x", "", ""),
        ("intermediate", "t", "^2", "x^2"),
        ("intermediate", "u", "sin", "sin(t)"),
        ("constant", "3", "", ""),
        ("intermediate", "v", "×", "3t"),
        ("intermediate", "w", "+", "u + v"),
        ("loss", "J", "cos", "cos(w)"),
    ]


def test_what_is_computed_twice_has_one_line():
    assert written(lambda x, z: np.exp(x * z) + x * z, 2.0, 3.0, inputs="xz")[2:] == [
        ("intermediate", "t", "×", "x z"),
        ("intermediate", "u", "exp", "exp(t)"),
        ("loss", "J", "+", "u + t"),
    ]


def test_an_input_read_entry_by_entry_has_no_line_of_its_own():
    found = lines(graph_of(lambda x: x[0] * x[1], np.ones(2)), ["x"])
    assert [(line.name, line.symbol, line.kind) for line in found] == [
        ("x[0]", "x_{0}", "input"),
        ("x[1]", "x_{1}", "input"),
        ("J", "J", "loss"),
    ]
    assert found[-1].operands == (found[0].position, found[1].position)
    assert found[-1].latex == r"x_{0} \, x_{1}"


def test_an_input_read_as_a_whole_keeps_its_line_and_an_entry_of_it_is_a_step():
    assert written(lambda x: np.sum(x) * x[1], np.ones(2))[:3] == [
        ("input", "x", "", ""),
        ("intermediate", "t", "sum", "sum(x)"),
        ("intermediate", "u", "index", "x[1]"),
    ]


def test_parts_that_overlap_are_steps_so_that_each_gradient_is_one_of_the_input():
    assert written(lambda x: x[0] * np.sum(x[:2]), np.ones(3))[:3] == [
        ("input", "x", "", ""),
        ("intermediate", "t", "index", "x[0]"),
        ("intermediate", "u", "index", "x[:2]"),
    ]
    apart = lines(graph_of(lambda x: x[0] * np.sum(x[1:]), np.ones(3)), "x")
    assert [line.name for line in apart if line.kind == "input"] == ["x[0]", "x[1:]"]


def test_entries_may_have_names():
    graph = graph_of(lambda x: x[0] * x[1], np.ones(2))
    assert [line.text for line in lines(graph, ["x"], {(0, 0): "a", (0, 1): "b"})] == ["", "", "a b"]


def test_views_have_no_line():
    found = lines(graph_of(lambda x, y: np.sum(x.T.reshape(6) * y), np.ones((2, 3)), np.ones(6)), "xy")
    assert [(line.name, line.text, line.shape) for line in found] == [
        ("x", "", (2, 3)),
        ("y", "", (6,)),
        ("t", "reshape(xᵀ, (6,)) ⊙ y", (6,)),
        ("J", "sum(t)", ()),
    ]
    assert found[2].operands == (found[0].position, found[1].position)


def test_copies_have_no_line():
    def f(x):
        y = x.copy()
        y *= 2
        y -= x[0]
        return np.sum(y[:])

    assert [line.text for line in dk.explain(f, np.ones(3)).lines if line.text] == ["2x", "x[0]", "t - u", "sum(v)"]


def test_what_f_reads_from_outside_is_a_parameter():
    weights = np.ones((2, 3))
    found = lines(graph_of(lambda x: np.sum(weights @ x), np.ones(3)), "x")
    assert [(line.name, line.shape) for line in found if line.kind == "parameter"] == [("A", (2, 3))]


def test_there_are_names_for_any_number_of_parameters():
    arrays = [np.full(2, float(k)) for k in range(30)]
    found = lines(graph_of(lambda x: np.sum(sum(x * array for array in arrays)), np.ones(2)), "x")
    names = [line.name for line in found if line.kind == "parameter"]
    assert len(set(names)) == 30
    assert names[:2] == ["A", "B"]
    assert names[-1].startswith("P")


def test_a_constant_array_has_a_name():
    found = lines(graph_of(lambda x: x @ np.ones(2), np.ones(2)), "x")
    assert [line.name for line in found if line.kind == "constant"] == ["c1"]


def test_the_result_may_be_an_argument():
    assert written(lambda x: x, 2.0) == [("input", "x", "", ""), ("loss", "J", "=", "x")]


def test_names_that_the_user_took_are_left_alone():
    found = [line.name for line in lines(graph_of(lambda t, J: np.sin(t) * J + t, 1.0, 2.0), ["t", "J"])]
    assert found == ["t", "J", "u", "v", "L"]


def test_many_variables_are_numbered():
    def f(x):
        for _ in range(len(LETTERS) + 2):
            x = np.sin(x)
        return x

    names = [line.name for line in lines(graph_of(f, 0.3), ["v2"])]
    assert names[:4] == ["v2", "v1", "v3", "v4"]
    assert len(set(names)) == len(names) == len(LETTERS) + 3


def test_inputs_without_a_name_are_numbered():
    assert [line.name for line in lines(graph_of(lambda a, b: a * b, 1.0, 2.0))] == ["x1", "x2", "J"]


def test_several_results_are_numbered():
    graph = dk.get("reverse").prepare(lambda x: (np.sin(x), np.cos(x)), 1.0).function_graph
    assert [(line.name, line.kind) for line in lines(graph, "x")][1:] == [("J1", "loss"), ("J2", "loss")]


def test_tidy_keeps_what_f_computes(instance):
    graph = dk.get("reverse", engine="interpreted").prepare(instance.function, instance.point).function_graph
    smaller = tidy(graph)
    smaller.check()
    assert len(smaller.steps) <= len(graph.steps) + 1
    np.testing.assert_array_equal(smaller.evaluate(instance.point)[0], instance.function(instance.point))


def test_tidy_drops_guards():
    graph = dk.get("reverse").prepare(lambda x: x * 2 if x > 0 else x, 1.0).function_graph
    assert graph.guards
    assert not tidy(graph).guards
    assert [step.op.name for step in tidy(graph).steps if step.operands] == ["multiply"]


def test_every_line_refers_to_lines(instance):
    board = Board(graph_of(instance.function, instance.point), ["x"])
    found = board.lines()
    positions = [line.position for line in found]
    assert positions == sorted(set(positions))
    for line in found:
        assert set(line.operands) <= set(positions)
        assert all(operand < line.position for operand in line.operands)
        assert bool(line.text) == bool(line.latex) == (line.kind in ("intermediate", "loss"))
    assert [line.kind for line in found].count("loss") == 1


def test_formulas_are_what_is_computed(worked, read):
    instance, names = worked
    explanation = dk.explain(instance.function, instance.point, names=names)
    for line in explanation.lines:
        if line.text:
            assert read(line.text, explanation.values) == pytest.approx(float(explanation.values[line.name]), rel=1e-12)


@pytest.mark.parametrize("version", ["A", "B"])
@pytest.mark.parametrize(
    ("f", "bare"),
    [
        (lambda x: 0 + np.sum(x**2), lambda x: np.sum(x**2)),
        (lambda x: np.sum(sum([x, x**2])), lambda x: np.sum(x + x**2)),
        (lambda x: np.sum(1 * x**3 - 0) / 1.0, lambda x: np.sum(x**3)),
        (lambda x: np.sum(np.sin((x * 1 + 0.0) ** 1)), lambda x: np.sum(np.sin(x))),
        (lambda x: 0 + x[0], lambda x: x[0]),
    ],
)
def test_what_adds_0_or_multiplies_by_1_has_no_line(f, bare, version):
    x = np.array([0.5, -2.0])
    found, expected = (dk.explain(function, x, version=version) for function in (f, bare))
    for shown in (str, lambda it: it.latex(), lambda it: it.html(), lambda it: it.markdown()):
        assert shown(found) == shown(expected)
    assert list(map(str, found.edges)) == list(map(str, expected.edges))
    assert dk.draw(found).dot() == dk.draw(expected).dot()
    assert found.value == f(x)


def test_0_and_1_that_change_something_have_a_line():
    def f(x):
        return np.sum((0 - x) + 1 / x + (1 + x) + 0 * x + x[0] * np.ones(2) + 2**x + 1**x)

    texts = [line.text for line in dk.explain(f, np.array([0.5, 2.0])).lines]
    assert {"0 - x", "1/x", "1 + x", "0", "2^x", "1^x"} <= set(texts)


def test_a_number_that_is_added_to_an_array_of_more_entries_or_of_another_type_stays():
    assert [line.text for line in dk.explain(lambda x: np.sum(x + np.zeros((3, 2))), np.ones(2)).lines][-2:] == [
        "x + c1",
        "sum(t)",
    ]
    assert dk.explain(lambda x: (x > 0) * 1 * x, 2.0).value == 2.0


def test_regularisation_that_starts_from_0_has_no_copies():
    weights = {"U": np.ones((2, 2)), "V": np.ones((2, 2))}

    def penalty(p):
        return 0.05 * sum(np.sum(W**2) for W in p.values())

    texts = [line.text for line in dk.explain(penalty, weights).lines if line.text]
    assert texts == ["U^2", "sum(t)", "V^2", "sum(v)", "u + w", "0.05p"]


def test_e_and_pi_have_their_names():
    def f(x, theta):
        return np.e**x + theta * np.pi - np.sin(-np.pi / theta) + x**np.e + 2 * np.pi

    explanation = dk.explain(f, 2.0, 3.0)
    found = {line.text: line for line in explanation.lines}
    assert {"e^x", "pi theta", "-pi/theta", "x^e"} <= set(found)
    assert found["pi theta"].latex == r"\pi \, \theta"
    assert found["e^x"].latex == "e^{x}"
    assert found["x^e"].function == "^e"
    assert "6.28319" in str(explanation)
    assert "dJ/dtheta += dJ/du pi" not in str(explanation)
    assert "dJ/dtheta += pi dJ/du" in str(explanation)
    assert r"\pi \, \frac{dJ}{du}" in explanation.latex()
    assert "3.14159" not in str(explanation)
    assert {"e", "pi", "-pi"} <= {line.name for line in explanation.lines if line.kind == "constant"}


def test_values_stay_numbers_and_so_does_what_is_near_pi():
    text = str(dk.explain(lambda x: x * 3.14159265, np.pi))
    assert "J = 3.14159x" in text
    assert "pi" not in text


def test_a_variable_of_that_name_keeps_it_for_itself():
    texts = [line.text for line in dk.explain(lambda e, x: e * np.e + x * np.pi, 1.0, 2.0).lines]
    assert {"2.71828e", "pi x"} <= set(texts)
