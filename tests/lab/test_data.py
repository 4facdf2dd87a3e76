import numpy as np
import pytest

from diffkit.errors import InputError, UnknownNameError
from diffkit.lab import data

DRAWN = ["band", "pocket", "four-gaussians", "spirals"]


@pytest.mark.parametrize("name", data.names())
def test_equal_seeds_give_equal_data_and_others_others(name):
    first, again, other = (data.get(name, samples=60, noise=0.1, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.X, again.X)
    np.testing.assert_array_equal(first.Y, again.Y)
    assert not np.array_equal(first.X, other.X)


@pytest.mark.parametrize("name", DRAWN)
def test_two_classes_are_one_row_of_zeros_and_ones(name):
    drawn = data.get(name, samples=300)
    assert drawn.name == name
    assert drawn.X.shape == (2, 300)
    assert drawn.Y.shape == (1, 300)
    assert drawn.Y.dtype == np.float64
    assert set(drawn.Y[0]) == {0.0, 1.0}
    assert drawn.labels.tolist() == drawn.Y[0].tolist()


def test_the_band_lies_between_two_diagonals():
    (x1, x2), inside = data.get("band", samples=2000, margin=0.1).X, data.get("band", samples=2000, margin=0.1).labels
    across = np.abs(x1 - x2) / np.sqrt(2)  # distance from the diagonal x1 = x2
    half_width = (2 - np.sqrt(2)) / np.sqrt(2)
    assert across[inside == 1].max() < half_width - 0.1
    assert across[inside == 0].min() > half_width + 0.1
    gaps = [half_width - across[inside == 1].max(), across[inside == 0].min() - half_width]
    assert max(gaps) < 0.12  # no more room than was asked for
    assert np.abs([x1, x2]).max() <= 1
    assert (x1 - x2)[inside == 0].min() < 0 < (x1 - x2)[inside == 0].max()  # class 0 on both sides


def test_half_of_the_square_lies_in_the_band():
    share = data.get("band", samples=20_000, margin=0).labels.mean()
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(20_000)


def test_the_pocket_is_surrounded():
    drawn = data.get("pocket", samples=2000, margin=0.1)
    radius = np.hypot(*drawn.X)
    assert radius[drawn.labels == 1].max() < 0.45
    assert 0.65 < radius[drawn.labels == 0].min() < 0.67
    angle = np.sort(np.arctan2(drawn.X[1], drawn.X[0])[drawn.labels == 0])
    assert np.diff(angle).max() < 0.1


def test_four_gaussians_of_two_classes_are_exclusive_or():
    drawn = data.get("four-gaussians", samples=1000)
    np.testing.assert_array_equal(drawn.labels, drawn.X[0] * drawn.X[1] > 0)


def test_four_gaussians_of_four_classes_have_a_quadrant_each():
    drawn = data.get("four-gaussians", samples=4000, classes=4)
    assert drawn.Y.shape == (4, 4000)
    np.testing.assert_array_equal(drawn.Y.sum(axis=0), 1)
    means = [drawn.X[:, drawn.labels == label].mean(axis=1) for label in range(4)]
    np.testing.assert_allclose(means, 0.5 * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]), atol=0.05)


def test_without_margin_the_clouds_overlap():
    drawn = data.get("four-gaussians", samples=4000, margin=0)
    assert (drawn.labels != (drawn.X[0] * drawn.X[1] > 0)).any()


def test_spirals_are_two_arms_of_one_and_a_half_turns_opposite_each_other():
    drawn = data.get("spirals", samples=1000)
    radius = np.linspace(0.14, 1, 2000)
    for label in (0, 1):
        angle = 3 * np.pi * radius + np.pi * label
        arm = radius * np.array([np.cos(angle), np.sin(angle)])
        points = drawn.X[:, drawn.labels == label]
        distance = np.hypot(*(points[:, :, np.newaxis] - arm[:, np.newaxis])).min(axis=1)
        assert distance.max() < 0.1
        assert distance.mean() == pytest.approx(0.02 * np.sqrt(2 / np.pi), rel=0.15)  # normal, across the arm
        assert np.mean(points**2) == pytest.approx(0.51 / 2, abs=0.03)  # as many on each area


def test_digits_are_the_bundled_ones():
    from sklearn.datasets import load_digits

    bundled, drawn = load_digits(), data.get("digits")
    np.testing.assert_array_equal(drawn.X.T * 16, bundled.data)
    np.testing.assert_array_equal(drawn.labels, bundled.target)
    assert drawn.Y.shape == (10, 1797)
    assert (drawn.X.min(), drawn.X.max()) == (0, 1)


def test_some_digits_are_images_with_their_own_labels():
    from sklearn.datasets import load_digits

    bundled, drawn = load_digits(), data.get("digits", samples=50, seed=1)
    known = {tuple(pixels): label for pixels, label in zip(bundled.data, bundled.target, strict=True)}
    assert [known[tuple(16 * column)] for column in drawn.X.T] == drawn.labels.tolist()
    assert len(np.unique(drawn.X, axis=1).T) == 50


@pytest.mark.parametrize(("name", "options"), [("band", {}), ("four-gaussians", {"classes": 4}), ("digits", {})])
def test_noise_is_the_share_of_wrong_classes(name, options):
    clean = data.get(name, samples=200, **options)
    noisy = data.get(name, samples=200, noise=0.15, **options)
    np.testing.assert_array_equal(clean.X, noisy.X)
    assert np.sum(clean.labels != noisy.labels) == 30


def test_a_split_parts_the_examples():
    whole = data.get("pocket", samples=50)
    training, test = whole.split(test=0.2, seed=5)
    assert (training.X.shape, test.X.shape, training.name) == ((2, 40), (2, 10), "pocket")
    columns = {tuple(column) for column in np.vstack([whole.X, whole.Y]).T}
    parts = [tuple(column) for part in (training, test) for column in np.vstack([part.X, part.Y]).T]
    assert len(parts) == 50
    assert set(parts) == columns
    np.testing.assert_array_equal(whole.split(test=0.2, seed=5)[1].X, test.X)
    assert not np.array_equal(whole.split(test=0.2, seed=6)[1].X, test.X)


@pytest.mark.parametrize("share", [1e-9, 1 - 1e-9])
def test_each_part_of_a_split_has_an_example(share):
    training, test = data.get("band", samples=4).split(test=share)
    assert {training.X.shape[1], test.X.shape[1]} == {1, 3}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.get("band", samples=0), "samples=0; it must be a whole number from 1"),
        (lambda: data.get("band", samples=2.5), "samples=2.5"),
        (lambda: data.get("band", samples=True), "samples=True"),
        (lambda: data.get("digits", samples=1798), "there are 1,797 scanned digits"),
        (lambda: data.get("band", noise=1.0), "noise=1.0"),
        (lambda: data.get("band", noise=float("nan")), "noise=nan"),
        (lambda: data.get("band", noise="much"), "noise='much'"),
        (lambda: data.get("band", seed=-1), "seed=-1"),
        (lambda: data.get("band", seed=None), "seed=None"),
        (lambda: data.get("pocket", margin=-0.1), "margin=-0.1"),
        (lambda: data.get("pocket", margin=5.0), "hardly any room"),
        (lambda: data.get("four-gaussians", classes=3), "choose 2 or 4"),
        (lambda: data.get("four-gaussians", classes=[4]), "choose 2 or 4"),
        (lambda: data.get("band").split(test=0), "test=0; it is the share"),
        (lambda: data.get("band").split(test=1.0), "test=1.0"),
        (lambda: data.get("band").split(seed="a"), "seed='a'"),
        (lambda: data.get("band", samples=1).split(), "has 1 example"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(call, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        call()


def test_names_that_nobody_has_come_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'four-gaussians'"):
        data.get("four-gausians")
    with pytest.raises(UnknownNameError, match="option of data 'digits' called 'margin'"):
        data.get("digits", margin=0.1)
    with pytest.raises(UnknownNameError, match="did you mean 'samples'"):
        data.get("band", sample=3)
