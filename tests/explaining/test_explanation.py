"""`dk.explain`: the worked examples, what it takes and what it refuses."""

from __future__ import annotations

import json
import re
from html import unescape

import numpy as np
import pytest
import sympy
from scipy.optimize import rosen, rosen_der

import diffkit as dk
from diffkit import problems


def cells_of_html(page):
    rows = page.split("<tbody>")[1].split("</tr>")[:-1]
    return [[unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row.split("</td>")[:-1]] for row in rows]


def cells_of_latex(array):
    return [line.removesuffix(r" \\[3pt]").split(" & ") for line in array.splitlines()[2:-1]]


def test_the_worked_example_is_the_one_of_the_course():
    problem = problems.get("worked-example").at(2)
    found = dk.explain(problem.function, problem.point, names="x z")
    x, z = sympy.symbols("x z", positive=True)
    f = sympy.exp(x * z) + x * z / sympy.log(x) + sympy.sin(sympy.log(x)) / (x * z)
    at = {x: 2, z: 3}
    assert float(found.value) == pytest.approx(float(f.subs(at)), rel=1e-14)
    assert {name: round(float(value)) for name, value in found.gradient.items()} == {"x": 1208, "z": 810}
    assert float(found.gradient["x"]) == pytest.approx(float(f.diff(x).subs(at)), rel=1e-13)
    assert float(found.gradient["z"]) == pytest.approx(float(f.diff(z).subs(at)), rel=1e-13)


def test_the_column_of_the_worked_example_is_the_right_one():
    """Where a lecture swapped the factors of g_a and lost a factor 1/a of g_b; both derived by hand."""
    a, b = 6.0, np.log(2.0)
    found = dk.explain(lambda a, b: np.exp(a) + a / b + np.sin(b) / a, a, b).gradient
    assert float(found["a"]) == pytest.approx(np.exp(a) + 1 / b - np.sin(b) / a**2, rel=1e-14)
    assert float(found["b"]) == pytest.approx(-a / b**2 + np.cos(b) / a, rel=1e-14)


def test_the_composition_sums_at_its_branch():
    problem = problems.get("composition").at(1)
    found = dk.explain(problem.function, problem.point, names=["x"])
    x = sympy.Symbol("x")
    f = sympy.cos(sympy.sin(x**2) + 3 * x**2)
    assert float(found.gradient["x"]) == pytest.approx(float(f.diff(x).subs(x, 0.7)), rel=1e-13)
    assert [edge.text for edge in found.edges if edge.source.name == "t"] == ["3 dJ/dv", "dJ/du cos(t)"]


def test_the_product_of_a_sum():
    problem = problems.get("product-of-sum").at(3)
    found = dk.explain(problem.function, problem.point, names="x y z")
    assert (found.values["t"], found.value) == (3.0, -12.0)
    assert found.gradient == {"x": -4.0, "y": -4.0, "z": 3.0}


def test_the_sigmoid_neuron():
    problem = problems.get("sigmoid-neuron").at(5)
    found = dk.explain(problem.function, problem.point, names="w0 x0 w1 x1 w2", version="A")
    assert round(float(found.value), 2) == 0.73
    rounded = {name: round(float(value), 2) for name, value in found.gradient.items()}
    assert rounded == {"w0": -0.2, "x0": 0.39, "w1": -0.39, "x1": -0.59, "w2": 0.2}


@pytest.mark.parametrize("version", ["A", "B"])
def test_every_row_of_the_worked_examples_is_true(worked, version, read):
    """Each row, read by another parser at the numbers of the table, gives the number beside it."""
    instance, names = worked
    found = dk.explain(instance.function, instance.point, names=names, version=version)
    known = {**found.values, **{f"dJ/d{name}": value for name, value in found.gradients.items()}}
    totals: dict[str, float] = {}
    cells = [[cell.strip(" `") for cell in row.split("|")] for row in found.markdown().splitlines()[2:]]
    assert len(cells) > 3
    assert cells_of_html(found.html()) == [row[1:-1] for row in cells]
    numbers = [[row[1].strip(), row[3].strip()] for row in cells_of_latex(found.latex())]
    assert numbers == [[row[2], row[4]] for row in cells]
    for _, _, _, text, number, _ in cells:
        left, sign, right = text.partition(" += ") if " += " in text else text.rpartition(" = ")
        if sign == " += ":
            totals[left] = totals.get(left, 0.0) + read(right, known)
            assert totals[left] == pytest.approx(float(number), rel=1e-5)
        elif text:
            assert read(right, known) == pytest.approx(float(number), rel=1e-5)
    assert set(totals) == ({f"dJ/d{name}" for name in found.gradients} - {"dJ/dJ"} if version == "B" else set())


def test_arguments_are_called_as_f_calls_them():
    found = dk.explain(lambda x, z: np.exp(x * z), 2.0, 3.0)
    assert list(found.gradient) == ["x", "z"]
    assert float(found.gradient["x"]) == pytest.approx(3 * np.exp(6), rel=1e-14)


def test_the_gradient_has_the_shape_of_its_input():
    x = np.array([0.5, 1.5, -0.5])
    found = dk.explain(lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), x)
    assert float(found.value) == pytest.approx(rosen(x), rel=1e-14)
    np.testing.assert_allclose(found.gradient["x"], rosen_der(x), rtol=1e-13)
    assert "dJ/dx += scatter(dJ/dt at [1:])" in str(found)


def test_all_versions_and_the_reverse_method_agree(instance):
    plan = dk.get("reverse", engine="interpreted").prepare(instance.function, instance.point, product="gradient")
    expected = plan.run(instance.point)
    for version in "AB":
        found = dk.explain(instance.function, instance.point, version=version)
        np.testing.assert_allclose(found.gradient[next(iter(found.gradient))], expected, rtol=1e-9, atol=1e-12)


def test_the_derivative_is_the_same_graph_in_both_versions():
    def f(x):
        t = x**2
        return np.cos(np.sin(t) + 3 * t)

    first, second = (dk.explain(f, 0.7, version=version).derivative for version in "AB")
    assert str(first) == str(second)
    complex_step = np.imag(f(0.7 + 1e-30j)) / 1e-30
    assert first.evaluate(np.float64(0.7))[0] == pytest.approx(complex_step, rel=1e-13)


def test_containers_are_named_by_path():
    weights = {"W": np.array([[1.0, 2.0]]), "b": np.array([0.5])}
    found = dk.explain(lambda p, x: np.sum(p["W"] @ x + p["b"]), weights, np.ones(2))
    assert list(found.gradient) == ["W", "b", "x"]
    np.testing.assert_array_equal(found.gradient["x"], [1.0, 2.0])
    assert r"\mathrm{p}" not in found.latex()
    nested = dk.explain(
        lambda p: p["layers"][0]["W"] * p["J"] * p["two words"], {"layers": [{"W": 2.0}], "J": 3.0, "two words": 1.0}
    )
    assert list(nested.gradient) == ["J", "layers[0].W", "p[two words]"]
    assert "L = " in str(nested)  # J is taken


def test_containers_with_equal_keys_are_told_apart_by_the_arguments_name():
    found = dk.explain(lambda p, q: p["W"] * q["W"] * q["b"], {"W": 2.0}, {"W": 3.0, "b": 1.0})
    assert list(found.gradient) == ["p[W]", "q[W]", "q[b]"]
    assert "t = p[W] q[W]" in str(found)


def test_arrays_that_f_reads_are_called_as_f_calls_them():
    weights = np.array([[1.0, 2.0]])
    found = dk.explain(lambda x: np.sum(weights @ x), np.ones(2))
    assert "t = weights x" in str(found)


def test_argnums_choose_what_is_differentiated():
    found = dk.explain(lambda x, z: np.exp(x * z), 2.0, 3.0, argnums=1)
    assert list(found.gradient) == ["z"]
    assert "dJ/dx" not in str(found)
    assert "x    " in str(found)


def test_sympy_expressions_are_functions():
    a, b = sympy.symbols("a b")
    found = dk.explain(sympy.sin(a) * b, np.array([1.0, 2.0]), names="a b")
    assert float(found.gradient["a"]) == pytest.approx(2 * np.cos(1), rel=1e-14)


def test_single_precision_stays():
    found = dk.explain(lambda x: np.sin(x) * 2, np.float32(0.5))
    assert np.asarray(found.gradient["x"]).dtype == np.float32


def test_a_point_without_derivative_is_shown_as_it_is():
    assert "inf" in str(dk.explain(np.sqrt, 0.0))


def test_f_is_called_once():
    calls = []

    def f(x):
        calls.append(x)
        return x * x

    str(dk.explain(f, 2.0))
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dk.explain(lambda x: x, np.ones(3)), dk.NotScalarError, "sum the result"),
        (lambda: dk.explain(lambda x: x), dk.InputError, "give them after f"),
        (lambda: dk.explain(np.sin, 1.0, version="C"), dk.UnknownNameError, "Known: A, B"),
        (lambda: dk.explain(3, 1.0), dk.InputError, "give the function itself"),
        (lambda: dk.explain(lambda x: x, "a"), dk.InputError, "give a real number"),
        (lambda: dk.explain(lambda x: x, 1.0, argnums=3), dk.InputError, "1 positional argument"),
        (lambda: dk.explain(lambda x: x, 1.0, limit=0), dk.InputError, "None to show all"),
        (lambda: dk.explain(lambda x: x, 1.0, names="x y"), dk.InputError, "2 names, but f was given 1 argument;"),
        (lambda: dk.explain(lambda x, y: x, 1.0, 2.0, names="x x"), dk.InputError, "a name of its own"),
        (lambda: dk.explain(lambda x: x, 1.0, names=5), dk.InputError, "such as 'x z'"),
        (lambda: dk.explain(lambda x: float(x) * x, 1.0), dk.TracingError, "float()"),
    ],
)
def test_mistakes_are_answered_with_the_cure(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)


def test_what_only_a_trace_cannot_do_is_said():
    with pytest.raises(dk.TracingError, match="cannot be traced"):
        dk.explain(lambda x: x[()] * 2, np.array(3.0))


def test_errors_of_f_are_its_own():
    with pytest.raises(KeyError):
        dk.explain(lambda x: {}["missing"] * x, 1.0)


def test_notebooks_show_it():
    found = dk.explain(np.sin, 1.0)
    assert found._repr_html_() == found.html()
    assert found._repr_latex_() == f"$\\displaystyle {found.latex()}$"
    assert repr(found) == str(found)
    assert json.dumps(found.html())
