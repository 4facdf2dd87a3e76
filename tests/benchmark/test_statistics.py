from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from diffkit.benchmark.statistics import EXACT_UP_TO, interval, rank_test, spread, summary


@pytest.mark.parametrize(("first", "second"), [(7, 7), (7, 21), (21, 7), (15, 15), (EXACT_UP_TO, EXACT_UP_TO), (1, 3)])
@pytest.mark.parametrize("shift", [0.0, 0.7, 5.0])
def test_ranks_are_counted_as_by_scipy(first, second, shift):
    chance = np.random.default_rng(first + second)
    one, other = chance.normal(size=first), chance.normal(size=second) + shift
    assert rank_test(one, other) == pytest.approx(stats.mannwhitneyu(one, other, method="exact").pvalue, rel=1e-12)


def test_many_samples_are_normal():
    chance = np.random.default_rng(3)
    one, other = chance.normal(size=60), chance.normal(size=80) + 0.5
    assert rank_test(one, other) == pytest.approx(stats.mannwhitneyu(one, other, method="asymptotic").pvalue, rel=1e-9)


def test_equal_samples_are_no_evidence():
    assert rank_test([1.0] * 7, [1.0] * 7) == 1.0
    assert rank_test([1.0] * 60, [1.0] * 60) == 1.0


def test_a_wild_sample_counts_as_one():
    calm, wild = [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 1e9]
    above = [11, 12, 13, 14, 15, 16, 17]
    assert rank_test(wild, above) == pytest.approx(stats.mannwhitneyu(wild, above, method="exact").pvalue)
    assert rank_test(calm, above) < 0.001 < rank_test(wild, above)


def test_summary_is_that_of_scipy():
    samples = np.random.default_rng(1).exponential(size=21)
    found = summary(samples)
    assert found[""] == pytest.approx(np.median(samples))
    assert found["_min"] == samples.min()
    assert found["_iqr"] == pytest.approx(stats.iqr(samples))
    assert found["_mad"] == pytest.approx(stats.median_abs_deviation(samples))
    assert found["_low"] <= found[""] <= found["_high"]


def test_the_interval_covers_the_median_about_as_often_as_it_says():
    chance, truth = np.random.default_rng(2), np.log(2)
    found = [interval(chance.exponential(size=21)) for _ in range(400)]
    covered = np.mean([low <= truth <= high for low, high in found])
    assert 0.90 <= covered <= 0.98


def test_the_interval_is_the_same_for_the_same_samples_and_moves_with_the_seed():
    samples = np.random.default_rng(4).exponential(size=15)
    assert interval(samples) == interval(samples)
    assert interval(samples, seed=0) != interval(samples, seed=1)
    bootstrap = stats.bootstrap((samples,), np.median, method="percentile", rng=np.random.default_rng(5))
    assert interval(samples) == pytest.approx(tuple(bootstrap.confidence_interval), rel=0.15)


def test_spread_is_relative():
    samples = np.random.default_rng(6).exponential(size=15)
    assert (
        spread(samples)
        == pytest.approx(spread(1000 * samples))
        == pytest.approx(stats.iqr(samples) / np.median(samples))
    )
