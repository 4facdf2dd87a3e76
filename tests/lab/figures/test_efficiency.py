"""The figure of the page on reuse shows what it says."""

from __future__ import annotations

import numpy as np

from diffkit.lab.figures.efficiency import growth


def test_expansions_grow_by_factors_and_sweeps_by_summands() -> None:
    chain, braid, net = growth().axes
    written, kept, sweep = (line.get_ydata() for line in chain.lines)
    np.testing.assert_array_equal(kept, sweep)
    assert np.all(np.diff(written, 2) == 1)  # a parabola
    for axes, factor in ((braid, 2), (net, 4)):
        written, kept, sweep = (line.get_ydata() for line in axes.lines)
        assert len(set(np.diff(sweep))) == 1
        assert np.all(kept[2:] / kept[1:-1] > factor)
        assert np.all(written[1:] > kept[1:])
