from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit import comparing
from diffkit.benchmark.methods import Method
from diffkit.errors import InputError, UnknownNameError

POINT = np.array([0.5, 2.0])
FOUR = ["finite-difference", "symbolic", "forward", "reverse"]


def f(x):
    return np.array([np.sin(x[0]) * x[1], x[0] / x[1], np.exp(x[0])])


JACOBIAN = np.array(
    [[2 * np.cos(0.5), np.sin(0.5)], [0.5, -0.5 / 4], [np.exp(0.5), 0.0]],
)


@pytest.fixture(scope="module")
def comparison():
    return dk.compare(f, POINT, methods=FOUR)


def test_all_methods_find_the_derivative(comparison):
    np.testing.assert_allclose(comparison.jacobian, JACOBIAN, rtol=1e-14)
    assert comparison.reference == "median of symbolic, forward, reverse"
    for label in FOUR:
        np.testing.assert_allclose(comparison.jacobians[label], JACOBIAN, rtol=1e-8)


def test_the_value_is_that_of_f(comparison):
    np.testing.assert_array_equal(comparison.value, f(POINT))


def test_the_table_has_a_row_per_method(comparison):
    table = comparison.table
    assert list(table.index) == FOUR
    assert list(table["status"]) == ["ok"] * 4
    assert (table["error"] <= [1e-6, 1e-9, 1e-9, 1e-9]).all()
    assert (table[["operations", "prepare_seconds", "run_seconds", "relative_cost"]] > 0).all(axis=None)


def test_the_rows_are_those_of_a_run(comparison):
    frame = comparison.frame
    assert list(frame["method"]) == FOUR
    assert set(frame["problem"]) == {"f"}
    assert set(zip(frame["inputs"], frame["outputs"], strict=True)) == {(2, 3)}
    assert set(frame["repeats"]) == {7}


def test_it_reads_as_a_table(comparison):
    lines = str(comparison).splitlines()
    assert lines[0].endswith("median of symbolic, forward, reverse")
    assert [line.split()[0] for line in lines if line.split()[0] in FOUR] == FOUR
    assert len(lines) == 1 + 2 + 4


def test_it_draws_a_figure(comparison):
    (axes,) = comparison.plot().axes
    assert axes.get_xscale() == "log"
    assert "seconds" in axes.get_xlabel()
    assert {label.get_text() for label in axes.get_yticklabels()} == set(FOUR)


def test_options_make_methods_of_their_own():
    labels = ["symbolic(form=expression)", "finite-difference(scheme=forward)"]
    comparison = dk.compare(f, POINT, methods=labels)
    assert list(comparison.table.index) == labels
    assert comparison.rows[1].tolerance == 1e-3
    assert comparison.reference == "median of symbolic(form=expression)"


def test_where_no_method_is_exact_all_of_them_vote():
    labels = ["finite-difference(scheme=forward)", "finite-difference"]
    comparison = dk.compare(f, POINT, methods=labels)
    assert comparison.reference == f"median of {', '.join(labels)}"
    np.testing.assert_allclose(comparison.jacobian, JACOBIAN, rtol=1e-6, atol=1e-6)


def test_a_method_that_fails_costs_the_others_nothing(monkeypatch):
    class Failing:
        exact = True

        def prepare(self, *_arguments, **_options):
            raise RecursionError("too deep")

    original = Method.differentiator
    choose = lambda self, engine: Failing() if self.name == "forward" else original(self, engine)  # noqa: E731 - a stand-in
    monkeypatch.setattr(Method, "differentiator", choose)
    comparison = dk.compare(f, POINT, methods=FOUR)
    assert comparison.table["status"].to_dict() == dict.fromkeys(FOUR, "ok") | {"forward": "failed"}
    assert comparison.table["reason"]["forward"] == "RecursionError: too deep"
    assert "forward" not in comparison.jacobians
    assert "too deep" in str(comparison)
    assert len(comparison.plot().axes[0].get_yticklabels()) == 3


def test_a_method_that_is_wrong_is_outvoted(monkeypatch):
    original = comparing.Trial.prepare

    def prepare(self):
        original(self)
        if self.differentiator.name == "forward":
            self.jacobian = self.jacobian * 1.5

    monkeypatch.setattr(comparing.Trial, "prepare", prepare)
    comparison = dk.compare(f, POINT, methods=FOUR)
    assert comparison.table["status"].to_dict() == dict.fromkeys(FOUR, "ok") | {"forward": "disagrees"}
    assert comparison.table["error"]["forward"] == pytest.approx(0.5)


def test_where_every_method_fails_there_is_a_table_of_reasons(monkeypatch):
    def prepare(_self):
        raise ValueError("no")

    monkeypatch.setattr(comparing.Trial, "prepare", prepare)
    comparison = dk.compare(f, POINT, methods=FOUR)
    assert set(comparison.table["status"]) == {"failed"}
    assert comparison.jacobian.size == 0
    assert str(comparison).count("ValueError: no") == 4


def test_an_error_of_f_is_the_callers():
    def broken(_x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        dk.compare(broken, POINT)


def test_misspelt_names_are_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'reverse'"):
        dk.compare(f, POINT, methods=["revers"])
    with pytest.raises(UnknownNameError, match="did you mean 'numpy'"):
        dk.compare(f, POINT, engine="nunpy")


def test_no_methods_is_an_error():
    with pytest.raises(InputError, match="methods is empty"):
        dk.compare(f, POINT, methods=[])


def test_all_methods_by_default():
    assert set(dk.compare(lambda x: x[0] ** 2, np.array([3.0])).table.index) >= set(FOUR)
