"""Fits side by side: the same answer from each method, and a refusal in its own row."""

import numpy as np
import pytest

from diffkit.errors import TracingError, UnknownNameError
from diffkit.lab import least_squares as ls


def test_all_pairs_come_to_the_same_cost():
    unit = ls.neuron()
    rows = ls.compare(unit.residual, unit.start)
    assert len(rows) == 2 * 4 + 1
    np.testing.assert_allclose([row.found.costs[-1] for row in rows], rows[0].found.costs[-1], rtol=1e-9)
    assert [row.algorithm for row in rows if row.method == "2-point"] == ["levenberg-marquardt"]
    assert all(row.seconds > 0 for row in rows)


def test_it_prints_as_a_table():
    unit = ls.neuron()
    lines = str(ls.compare(unit.residual, unit.start, methods=["reverse"], algorithms=["gauss-newton"])).splitlines()
    assert lines[0].startswith("| algorithm | method | cost |")
    assert lines[2].startswith("| gauss-newton | reverse | 0.0068033 |")
    assert lines[2].endswith("| converged |")


def test_a_method_that_refuses_has_a_row_that_says_why():
    def residual(beta):
        return np.array([float(beta[0]) - 1.0, float(beta[0]) + 1.0])

    rows = ls.compare(residual, np.ones(1), methods=["reverse", "finite-difference"], algorithms=["gauss-newton"])
    assert isinstance(rows[0].found, TracingError)
    np.testing.assert_allclose(rows[1].found.parameters, [0.0], atol=1e-9)
    line = str(rows).splitlines()[2]
    assert "| reverse | – | – | – | – |" in line
    assert "TracingError: a traced value is turned into a plain number" in line


def test_a_wrong_name_is_an_error():
    with pytest.raises(UnknownNameError, match="did you mean 'reverse'"):
        ls.compare(np.sin, np.ones(2), methods=["revers"])
