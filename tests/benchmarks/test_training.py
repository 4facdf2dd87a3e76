"""The study of training: those ways that need nothing else go the same way, step for step."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import training

from diffkit.lab import data
from diffkit.lab.networks import Network


@pytest.mark.parametrize(("name", "batch"), [("band", 1), ("band", 32), ("digits", 32)])
def test_ways_go_the_same_way(name, batch):
    samples = data.get(name, samples=70)
    outputs = len(samples.Y)
    network = Network((len(samples.X), 3, outputs), output="sigmoid" if outputs == 1 else "softmax")
    start = network.initial(0)
    ways = [training.diffkit, training.by_hand, training.autograd]
    found = [make(network, samples, start, batch)()[1] for make in ways]
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-9, atol=1e-12)


def test_what_went_another_way_is_not_timed():
    found = {"diffkit": [(1.0, np.ones(2))] * 2, "other": [(1.0, np.array([1.0, 1.1]))] * 2}
    with pytest.raises(SystemExit, match="other went another way"):
        training.show("case", found, 10)
