from __future__ import annotations

import pytest

from diffkit.benchmark.methods import Method
from diffkit.errors import InputError, UnknownNameError


@pytest.mark.parametrize(
    ("label", "name", "options"),
    [
        ("reverse", "reverse", {}),
        ("symbolic(form=expression)", "symbolic", {"form": "expression"}),
        ("symbolic( form = shared ,limit=1e-6 )", "symbolic", {"form": "shared", "limit": 1e-6}),
        ("forward(memory_limit=1000)", "forward", {"memory_limit": 1000}),
        ("forward()", "forward", {}),
    ],
)  # fmt: skip
def test_labels_are_read(label, name, options):
    assert Method.parse(label) == Method(name, options)


@pytest.mark.parametrize("label", ["reverse", "symbolic(form=expression)", "forward(memory_limit=1000)"])
def test_a_label_in_normal_form_comes_back(label):
    assert Method.parse(label).label == label


def test_spacing_does_not_make_another_method():
    assert Method.parse(" symbolic( form = expression ) ").label == "symbolic(form=expression)"


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("", "is no method; write name or name"),
        ("symbolic(form=expression", "is no method; write name or name"),
        ("two words", "is no method; write name or name"),
        ("symbolic(expression)", r"an option in 'symbolic\(expression\)' has no value"),
    ],
)
def test_what_is_no_label_is_an_error_with_a_cure(label, words):
    with pytest.raises(InputError, match=words):
        Method.parse(label)


def test_the_options_reach_the_differentiator():
    assert Method.parse("finite-difference(scheme=forward)").differentiator("numpy").exact is False
    assert Method("reverse").differentiator("interpreted").name == "reverse"


def test_misspelt_methods_and_engines_are_answered_with_the_nearest_word():
    with pytest.raises(UnknownNameError, match="did you mean 'reverse'"):
        Method("revers").differentiator("numpy")
    with pytest.raises(UnknownNameError, match="did you mean 'numpy'"):
        Method("reverse").differentiator("numpi")


def test_an_option_that_the_method_does_not_have_is_an_error():
    with pytest.raises(UnknownNameError, match="did you mean 'form'"):
        Method.parse("symbolic(from=expression)").differentiator("numpy")
