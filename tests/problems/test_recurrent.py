import numpy as np
import pytest

import diffkit as dk
from diffkit import problems
from diffkit.errors import InputError
from diffkit.problems.recurrent import RecurrentNetwork


def test_gates_that_are_closed_or_open_do_not_overflow():
    network = RecurrentNetwork(2, 2, 3, 1)
    X, Y = np.random.default_rng(0).normal(size=(3, 3)), np.eye(2)[:, [0, 1, 1]]
    parameters = 1e4 * network.initial()
    assert np.isfinite(network.cost(parameters, X, Y))
    assert np.all(np.isfinite(network.backward(parameters, X, Y)))
    np.testing.assert_allclose(dk.grad(network.cost)(parameters, X, Y), network.backward(parameters, X, Y), rtol=1e-10)


def test_the_problem_reads_as_many_steps_as_are_asked_for():
    counts = []
    for steps in (1, 2, 4):
        instance = problems.get("lstm-network").at(20, steps=steps)
        counts.append(dk.get("reverse").prepare(instance.function, instance.point, product="value").operations.total)
        found = dk.jacobian(instance.function)(instance.point)
        np.testing.assert_allclose(found, instance.jacobian(instance.point), rtol=0, atol=1e-14)
    assert counts[2] - counts[1] == pytest.approx(2 * (counts[1] - counts[0]), rel=0.1)
    with pytest.raises(InputError, match="steps=0; it must be a whole number from 1"):
        problems.get("lstm-network").at(20, steps=0)


@pytest.mark.parametrize("field", ["width", "classes", "steps", "features"])
def test_numbers_that_cannot_be_are_refused(field):
    with pytest.raises(InputError, match=f"{field}=0; it must be a whole number from 1"):
        RecurrentNetwork(**{field: 0})
