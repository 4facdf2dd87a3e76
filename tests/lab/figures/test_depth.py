import re

import numpy as np

from diffkit.lab.figures import depth


def test_only_the_quadratic_cost_has_plateaus():
    cross_entropy, _, quadratic, _ = (text.get_text() for text in depth.loss_surfaces().texts)
    assert cross_entropy == "Cross-entropy: no plateau"
    assert 10 < int(re.search(r"(\d+)%", quadratic)[1]) < 25


def test_slopes_lie_below_the_bound_and_differences_end_early():
    bound, reverse, differences = depth.repeated_sigmoid().axes[1].lines
    np.testing.assert_array_less(reverse.get_ydata(), bound.get_ydata())
    assert len(differences.get_ydata()) < 20 < len(reverse.get_ydata())


def test_gradients_shrink_towards_the_inputs_for_every_activation():
    standard, normalised, *by_weights = depth.gradients_by_layer().axes
    for line in standard.lines:
        assert (np.diff(line.get_ydata()) > 0).all()
    tanh = {line.get_label(): line.get_ydata() for line in normalised.lines}["tanh"]
    assert tanh[0] > tanh[-1] / 10
    for panel in by_weights:  # "all layers learn alike", and "do not recover"
        spread = {line.get_label(): np.ptp(np.log10(line.get_ydata())) for line in panel.lines}
        assert max(spread["tanh"], spread["relu"]) < 0.5
        assert min(spread["sigmoid"], spread["softplus"]) > 2.5
