"""Group bootstrap: against a slow loop, against scikit-learn, and coverage on simulated clusters."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta
from sklearn.metrics import roc_auc_score

from tumorlens.evaluation.bootstrap import (
    Auc,
    bootstrap_intervals,
    resample_groups,
)
from tumorlens.evaluation.group_sums import Mean


def make_scans(n_scans=90, n_groups=12, *, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    groups = np.char.add("c", rng.integers(0, n_groups, n_scans).astype(str))
    labels = rng.integers(0, 2, n_scans)
    scores = rng.normal(size=n_scans) + labels
    return groups, labels, np.round(scores, 0) if ties else scores


def test_counts_are_drawn_with_replacement():
    groups, _, _ = make_scans()
    resampling = resample_groups(groups, n_scans=90, unit="clusters", draws=400)
    counts = np.concatenate(list(resampling.counts()))
    assert counts.shape == (400, 12)
    assert (counts.sum(axis=1) == 12).all()
    assert counts.mean() == pytest.approx(1.0)
    assert counts.std() == pytest.approx(np.sqrt(1 - 1 / 12), abs=0.05)


def test_counts_come_in_chunks_that_bound_memory():
    groups = np.resize(np.arange(7).astype(str), 40_000)
    resampling = resample_groups(groups, n_scans=40_000, unit="patients", draws=120)
    draws = [len(chunk) for chunk in resampling.counts()]
    assert max(draws) * 40_000 <= 2_000_000
    assert sum(draws) == 120


@pytest.mark.parametrize("ties", [False, True])
def test_draws_equal_a_slow_loop_over_repeated_scans(ties):
    groups, labels, scores = make_scans(ties=ties)
    resampling = resample_groups(groups, n_scans=90, unit="clusters", draws=50, seed=4)
    mean = Mean(scores, codes=resampling.codes)
    auc = Auc(scores[:, None], (labels == 1)[:, None], codes=resampling.codes)
    (counts,) = resampling.counts()
    for draw, mean_drawn, auc_drawn in zip(counts, mean.over(counts), auc.over(counts), strict=True):
        rows = [
            row
            for group, times in enumerate(draw.astype(int))
            for row in np.flatnonzero(resampling.codes == group).tolist() * times
        ]
        assert mean_drawn == pytest.approx(np.mean(scores[rows]))
        assert auc_drawn == pytest.approx(roc_auc_score(labels[rows], scores[rows]))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_weighted_area_equals_scikit_learn(seed, ties):
    groups, labels, scores = make_scans(40, 6, seed=seed, ties=ties)
    resampling = resample_groups(groups, n_scans=40, unit="clusters", draws=8, seed=1)
    auc = Auc(scores[:, None], (labels == 1)[:, None], codes=resampling.codes)
    (counts,) = resampling.counts()
    for draw, drawn in zip(counts, auc.over(counts), strict=True):
        weights = draw[resampling.codes]
        if weights[labels == 0].sum() and weights[labels == 1].sum():
            assert drawn == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))
        else:
            assert np.isnan(drawn)


def test_macro_area_is_the_mean_over_defined_classes():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, 60)
    scores = rng.dirichlet(np.ones(3), 60)
    groups = np.arange(60).astype(str)
    resampling = resample_groups(groups, n_scans=60, unit="patients", draws=5)
    auc = Auc(scores, labels[:, None] == np.arange(3), codes=resampling.codes)
    (counts,) = resampling.counts()
    for draw, drawn in zip(counts, auc.over(counts), strict=True):
        rows = np.repeat(np.arange(60), draw[resampling.codes].astype(int))
        expected = roc_auc_score(labels[rows], scores[rows], multi_class="ovr")
        assert drawn == pytest.approx(expected)


def interval_of(values, groups, **options):
    resampling = resample_groups(groups, n_scans=len(values), unit="clusters", **options)
    mean = Mean(values, codes=resampling.codes)
    return bootstrap_intervals({"x": (float(np.mean(values)), mean)}, resampling=resampling)["x"]


def test_interval_says_how_it_was_made():
    groups, labels, _ = make_scans()
    interval = interval_of(labels, groups, draws=300)
    assert interval.low < interval.value < interval.high
    assert (interval.level, interval.method) == (0.95, "percentile bootstrap")
    assert (interval.n_groups, interval.unit, interval.draws) == (12, "clusters", 300)


def test_same_seed_same_interval_and_another_seed_another():
    groups, _, scores = make_scans()
    assert interval_of(scores, groups, seed=7) == interval_of(scores, groups, seed=7)
    assert interval_of(scores, groups, seed=7) != interval_of(scores, groups, seed=8)


def test_order_of_scans_does_not_matter_when_groups_keep_their_names():
    groups, _, scores = make_scans()
    order = np.random.default_rng(0).permutation(90)
    straight, shuffled = interval_of(scores, groups), interval_of(scores[order], groups[order])
    assert (straight.low, straight.high) == pytest.approx((shuffled.low, shuffled.high))


def test_groups_that_resemble_themselves_widen_the_interval():
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(20), 15).astype(str)
    right = np.repeat(rng.random(20) < 0.7, 15)
    by_group = interval_of(right, groups)
    scans = resample_groups(None, n_scans=300, unit="clusters")
    assert scans.unit == "scans"
    mean = Mean(right, codes=scans.codes)
    one_by_one = bootstrap_intervals({"x": (right.mean(), mean)}, resampling=scans)["x"]
    assert by_group.high - by_group.low > 2.5 * (one_by_one.high - one_by_one.low)


@pytest.mark.parametrize(("groups", "n_scans"), [(np.array(["c1"] * 9), 9), (None, 1)])
def test_fewer_than_two_groups_give_no_interval(groups, n_scans):
    assert resample_groups(groups, n_scans=n_scans, unit="clusters") is None


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_all_wrong_gives_the_exact_interval_over_groups(right):
    groups = np.repeat(np.arange(10), 4).astype(str)
    interval = interval_of(np.full(40, right), groups)
    assert interval.method == "exact binomial"
    expected = beta.ppf(0.025, 10, 1)
    low, high = (expected, 1.0) if right else (0.0, 1.0 - expected)
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


def test_constant_loss_has_no_interval():
    assert interval_of(np.full(40, 0.3), np.repeat(np.arange(10), 4).astype(str)) is None


@pytest.mark.parametrize(("scores", "expected"), [("constant", (0.5, 0.5)), ("perfect", None)])
def test_area_that_never_varies(scores, expected):
    labels = np.tile([0, 1], 20)
    values = np.full(40, 0.4) if scores == "constant" else labels.astype(float)
    resampling = resample_groups(None, n_scans=40, unit="scans", draws=200)
    auc = Auc(values[:, None], (labels == 1)[:, None], codes=resampling.codes)
    interval = bootstrap_intervals({"x": (0.5, auc)}, resampling=resampling)["x"]
    assert (None if interval is None else (interval.low, interval.high)) == expected


def test_mostly_undefined_area_has_no_interval():
    groups = np.arange(10).astype(str)
    labels = np.zeros(10, dtype=int)
    resampling = resample_groups(groups, n_scans=10, unit="patients")
    auc = Auc(np.arange(10.0)[:, None], (labels == 1)[:, None], codes=resampling.codes)
    assert bootstrap_intervals({"x": (0.5, auc)}, resampling=resampling)["x"] is None


def test_coverage_on_simulated_clusters():
    """Accuracy differs between clusters (beta-binomial, mean 0.8): about 95 % hold 0.8."""
    rng = np.random.default_rng(11)
    groups = np.repeat(np.arange(60), 8).astype(str)
    held = 0
    for trial in range(150):
        right = rng.random(480) < np.repeat(rng.beta(4, 1, 60), 8)
        interval = interval_of(right, groups, draws=400, seed=trial)
        held += interval.low <= 0.8 <= interval.high
    assert 0.88 <= held / 150 <= 0.99


def test_two_thousand_draws_of_the_whole_data_set_take_under_two_seconds():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 3_762)
    scores = rng.normal(size=3_762) + labels
    begun = time.process_time()
    resampling = resample_groups(None, n_scans=3_762, unit="scans")
    statistics = {
        "accuracy": (0.5, Mean((scores > 0.5) == labels, codes=resampling.codes)),
        "auc": (0.5, Auc(scores[:, None], (labels == 1)[:, None], codes=resampling.codes)),
    }
    bootstrap_intervals(statistics, resampling=resampling)
    assert time.process_time() - begun < 2.0
