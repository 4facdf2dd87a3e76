import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from diffkit import problems
from diffkit.errors import InputError, UnknownNameError
from diffkit.problems.base import Problem, fixed, free, generator, scalar, square

SINGLE = {
    "worked-example": {2},
    "composition": {1},
    "product-of-sum": {3},
    "sigmoid-neuron": {5},
    "logistic-regression": set(range(1, 61)),
    "logistic-digits": set(),
    "network-1": {11, 19, 27, 35, 43, 51, 59},
    "network-2": {13, 25, 39, 55},
    "network-deep": {35, 55},
    "convolutional-network": {30, 58},
    "lstm-network": {20, 46},
    "rosenbrock": set(range(2, 61)),
    "speelpenning": set(range(1, 61)),
    "helmholtz": set(range(1, 61)),
    "logistic-map": {1},
    "scalar-loop": {2},
    "scalar-reads": set(range(1, 61)),
}
FREE = {"logistic-probabilities": 1, "least-squares-neuron": 2, "tanh-map": 1, "deep-map": 1, "autoencoder": 1}
SQUARE = {"elementwise", "tridiagonal", "reaction-diffusion"}


def expected_fit(name, inputs, outputs):
    if name in FREE:
        return inputs >= FREE[name] and outputs >= 1
    if name in SQUARE:
        return inputs == outputs >= 1
    return inputs in SINGLE[name] and outputs == 1


def test_these_are_all_problems():
    assert Counter(problems.names()) == Counter([*SINGLE, *FREE, *SQUARE])


@pytest.mark.parametrize("name", problems.names())
def test_a_problem_exists_exactly_where_it_fits(name):
    problem = problems.get(name)
    for outputs in range(-1, 5):
        for inputs in range(-1, 61):
            assert problem.fits(inputs, outputs) == expected_fit(name, inputs, outputs)
            if not problem.fits(inputs, outputs):
                with pytest.raises(InputError, match=f"'{name}' does not exist with {inputs} inputs"):
                    problem.at(inputs, outputs)


def fitting(name):
    sizes = [(65, 1)] if name == "logistic-digits" else [(A, B) for B in range(1, 4) for A in range(1, 40)]
    return [size for size in sizes if problems.get(name).fits(*size)][:12]


@pytest.mark.parametrize("name", problems.names())
def test_an_instance_has_the_shapes_that_were_asked_for(name):
    for inputs, outputs in fitting(name):
        instance = problems.get(name).at(inputs, outputs)
        assert (instance.name, instance.inputs, instance.outputs) == (name, inputs, outputs)
        assert instance.point.shape == (inputs,)
        assert instance.point.dtype == np.float64
        instance.point.flags.writeable = False  # neither f nor the reference may write to it
        value, reference = instance.function(instance.point), instance.jacobian(instance.point)
        assert np.shape(value) in {(), (outputs,)}
        assert np.size(value) == outputs
        assert np.all(np.isfinite(value))
        assert reference.shape == (outputs, inputs)
        assert reference.dtype == np.float64
        assert np.all(np.isfinite(reference))
        assert instance.conditioning >= 1


@pytest.mark.parametrize("name", problems.names())
def test_equal_sizes_give_equal_instances_with_points_of_their_own(name):
    inputs, outputs = fitting(name)[-1]
    one, other = (problems.get(name).at(inputs, outputs) for _ in range(2))
    assert np.array_equal(one.point, other.point)
    assert np.array_equal(one.function(one.point), other.function(one.point))
    assert not np.shares_memory(one.point, other.point)


@pytest.mark.parametrize("name", problems.names())
def test_a_problem_is_described_in_one_sentence_with_its_source(name):
    problem = problems.get(name)
    assert problem.name == name
    assert problem.summary.endswith(".")
    assert "\n" not in problem.summary
    assert problem.source


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("worked-example", False, False),
        ("rosenbrock", True, False),
        ("network-2", True, False),
        ("elementwise", True, True),
        ("tanh-map", True, True),
        ("deep-map", True, True),
    ],
)
def test_a_problem_says_what_scales(name, inputs, outputs):
    problem = problems.get(name)
    assert (problem.scales_inputs, problem.scales_outputs) == (inputs, outputs)


@pytest.mark.parametrize(
    ("sizes", "inside", "outside"),
    [
        (fixed(2, 3), (2, 3), [(3, 2), (2, 2)]),
        (scalar(least=2), (2, 1), [(1, 1), (2, 2)]),
        (square(), (1, 1), [(0, 0), (1, 2)]),
        (free(least=2), (2, 1), [(1, 1), (2, 0)]),
    ],
)
def test_rules_of_sizes_include_their_borders(sizes, inside, outside):
    assert sizes.fits(*inside)
    assert not any(sizes.fits(*size) for size in outside)


def test_a_builder_is_handed_the_sizes_that_it_names_and_its_options():
    def build(outputs, factor=2.0):
        return (lambda x: x), np.full(outputs, factor), np.diag, 3.0

    problem = Problem("own", "A summary.", "a source", free(), build)
    instance = problem.at(7, 2, factor=5.0)
    assert instance.point.tolist() == [5.0, 5.0]
    assert instance.conditioning == 3.0
    assert problem.at(7, 1).point.tolist() == [2.0]


@pytest.mark.parametrize("size", [2.5, "2", None, 2.0])
def test_a_size_that_is_no_whole_number_is_refused(size):
    assert not problems.get("rosenbrock").fits(size)
    with pytest.raises(InputError, match=r"choose A inputs and B outputs such that A >= 2, B = 1"):
        problems.get("rosenbrock").at(size)


def test_numpy_integers_are_sizes():
    assert problems.get("rosenbrock").at(np.int64(3)).point.shape == (3,)


def test_an_unknown_problem_is_answered_with_its_neighbour():
    with pytest.raises(UnknownNameError, match=r"no problem 'rosenbrok'; did you mean 'rosenbrock'\?"):
        problems.get("rosenbrok")


def test_an_unknown_option_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"'fil'; did you mean 'fill'\? Known: fill$"):
        problems.get("helmholtz").at(2, fil=0.5)
    with pytest.raises(UnknownNameError, match="no option of problem 'scalar-reads' called 'depth'"):
        problems.get("scalar-reads").at(2, depth=3)


def test_the_list_of_problems_costs_no_other_library():
    code = "import sys, diffkit.problems; print({'sklearn', 'sympy', 'mpmath', 'scipy'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"


@pytest.mark.parametrize("seed", [-1, 1.5, "0", True, None])
def test_a_seed_is_a_whole_number_from_zero(seed):
    with pytest.raises(InputError, match=f"seed={seed!r}"):
        generator(seed)
