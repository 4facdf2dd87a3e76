import numpy as np
import pytest
import sympy

from diffkit import problems


def at_its_point(name, inputs):
    instance = problems.get(name).at(inputs)
    return instance.function(instance.point), instance.jacobian(instance.point)[0], instance.point.tolist()


def test_worked_example_has_the_partials_of_the_course():
    _, gradient, point = at_its_point("worked-example", 2)
    assert point == [2, 3]
    assert gradient.round().tolist() == [1208, 810]


def test_product_of_sum_has_the_numbers_of_the_course():
    value, gradient, point = at_its_point("product-of-sum", 3)
    assert point == [-2, 5, -4]
    assert value == -12
    assert gradient.tolist() == [-4, -4, 3]


def test_sigmoid_neuron_has_the_numbers_of_the_course():
    value, gradient, point = at_its_point("sigmoid-neuron", 5)
    assert point == [2, -1, -3, -2, -3]
    assert value.round(2) == 0.73
    assert gradient.round(2).tolist() == [-0.2, 0.39, -0.39, -0.59, 0.2]


X, Y, Z, W0, X0, W1, X1, W2 = sympy.symbols("x y z w0 x0 w1 x1 w2", real=True)


@pytest.mark.parametrize(
    ("name", "symbols", "expression"),
    [
        (
            "worked-example",
            (X, Z),
            sympy.exp(X * Z) + X * Z / sympy.log(X) + sympy.sin(sympy.log(X)) / (X * Z),
        ),
        ("composition", (X,), sympy.cos(sympy.sin(X**2) + 3 * X**2)),
        ("product-of-sum", (X, Y, Z), (X + Y) * Z),
        ("sigmoid-neuron", (W0, X0, W1, X1, W2), 1 / (1 + sympy.exp(-(W0 * X0 + W1 * X1 + W2)))),
    ],
)
def test_function_and_partials_are_those_of_the_formula(name, symbols, expression):
    value, gradient, point = at_its_point(name, len(symbols))
    at = dict(zip(symbols, point, strict=True))
    np.testing.assert_allclose(value, float(expression.subs(at)), rtol=1e-14)
    exact = [float(expression.diff(symbol).subs(at)) for symbol in symbols]
    np.testing.assert_allclose(gradient, exact, rtol=1e-13)
