"""Few groups: bootstrap-t, the exact interval where errors are rare, and none below five groups."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from tumorlens.evaluation.bootstrap import bootstrap_intervals, resample_groups
from tumorlens.evaluation.group_sums import GroupSums, Ratio
from tumorlens.evaluation.small_groups import honest_intervals


def intervals_of(values, groups, *, share=True, **options):
    resampling = resample_groups(groups.astype(str), n_scans=len(values), unit="patients", **options)
    sums = GroupSums(np.stack([values, np.ones(len(values))], axis=1), codes=resampling.codes)
    highest = 1.0 if share else np.inf
    ratio = Ratio(sums, top=np.array([1.0, 0.0]), bottom=np.array([0.0, 1.0]), highest=highest, share=share)
    statistics = {"x": (float(np.mean(values)), ratio)}
    plain = bootstrap_intervals(statistics, resampling=resampling)["x"]
    return plain, honest_intervals(statistics, resampling=resampling, level=0.95)["x"]


def simulated(n_groups, *, accuracy=0.75, seed=0, size=10):
    rng = np.random.default_rng(seed)
    shares = rng.beta(4 * accuracy, 4 * (1 - accuracy), n_groups)
    return (rng.random(n_groups * size) < np.repeat(shares, size)).astype(float), np.repeat(np.arange(n_groups), size)


def test_few_groups_give_a_wider_studentised_interval():
    plain, honest = intervals_of(*simulated(12))
    assert honest.method == "bootstrap-t" and plain.method == "percentile bootstrap"
    assert honest.high - honest.low > plain.high - plain.low
    assert 0.0 <= honest.low < honest.value < honest.high <= 1.0


def test_from_thirty_groups_with_right_and_wrong_scans_on_nothing_changes():
    plain, honest = intervals_of(np.tile([1.0, 0.0, 1.0], 30), np.repeat(np.arange(30), 3))
    assert honest == plain and honest is None  # all draws alike
    values, groups = simulated(60, accuracy=0.5)
    plain, honest = intervals_of(values, groups)
    assert honest == plain and honest.method == "percentile bootstrap"


def test_few_groups_with_errors_among_many_count_as_few():
    right = np.ones(2000)
    right[:100:10] = 0.0
    plain, honest = intervals_of(right, np.repeat(np.arange(200), 10))
    assert honest.method == "bootstrap-t" and honest.n_groups == 200
    assert honest.low < plain.low


@pytest.mark.parametrize(("n_groups", "there"), [(2, False), (4, False), (5, True)])
def test_there_is_no_interval_below_five_groups(n_groups, there):
    _, honest = intervals_of(*simulated(n_groups, accuracy=0.6))
    assert (honest is not None) == there


def test_without_an_error_the_exact_interval_over_groups_stays():
    _, honest = intervals_of(np.ones(80), np.repeat(np.arange(8), 10))
    assert honest.method == "exact binomial"
    assert (honest.low, honest.high) == (pytest.approx(beta.ppf(0.025, 8, 1)), 1.0)


def test_errors_in_one_group_alone_cannot_be_studentised():
    right = np.ones(100)
    right[:2] = 0.0
    plain, honest = intervals_of(right, np.repeat(np.arange(10), 10))
    assert honest.method == "effective sample size"
    assert honest.low < plain.low and honest.value < honest.high < 1.0 == plain.high


def test_losses_have_no_upper_end_to_be_cut_at():
    losses = np.random.default_rng(0).exponential(2.0, 60)
    _, honest = intervals_of(losses, np.repeat(np.arange(6), 10), share=False)
    assert honest.method == "bootstrap-t" and 0.0 <= honest.low < honest.value < honest.high


def test_coverage_with_ten_groups():
    """The percentile interval holds 0.75 in clearly fewer than 95 of 100 studies of ten groups; this one does not."""
    held = np.zeros(2)
    for trial in range(200):
        values, groups = simulated(10, seed=trial)
        held += [interval.low <= 0.75 <= interval.high for interval in intervals_of(values, groups, draws=400)]
    assert held[0] / 200 < 0.92 <= held[1] / 200
