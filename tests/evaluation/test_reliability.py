"""Reliability: bins by hand, right models within the band, wrong ones outside, intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.evaluation.bootstrap import resample_groups
from tumorlens.evaluation.calibration_figures import calibration_figures
from tumorlens.evaluation.recalibration import calibration_slope
from tumorlens.evaluation.reliability import reliability


def simulated(n_groups: int, *, seed: int, slope: float = 1.0, alike: float = 0.0, size: int = 8):
    """Two classes; the model's log-odds are ``slope`` times the right ones; groups share a part of their luck."""
    from scipy.special import ndtr

    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(n_groups), size)
    odds = 1.5 * rng.normal(size=codes.size)
    luck = np.sqrt(alike) * rng.normal(size=n_groups)[codes] + np.sqrt(1 - alike) * rng.normal(size=codes.size)
    labels = (ndtr(luck) < 1 / (1 + np.exp(-odds))).astype(int)
    given = 1 / (1 + np.exp(-slope * odds))
    return labels, np.column_stack([1 - given, given]), codes.astype(str)


def judge(labels, probabilities, groups, *, positive=1, seed=0):
    resampling = resample_groups(groups, n_scans=labels.size, unit="clusters", draws=400)
    return reliability(labels, probabilities, positive=positive, groups=groups, resampling=resampling, seed=seed)


def test_bins_hold_equally_many_scans_and_their_means() -> None:
    labels, probabilities, groups = simulated(60, seed=1)
    found = judge(labels, probabilities, groups)
    assert len(found.bins) == 10 and {each.n for each in found.bins} == {48}
    order = np.argsort(probabilities[:, 1])
    assert found.bins[0].predicted == pytest.approx(probabilities[order[:48], 1].mean())
    assert found.bins[-1].observed == pytest.approx(labels[order[-48:]].mean())
    expected = np.mean([(each.predicted - each.observed) ** 2 for each in found.bins])
    assert found.error == pytest.approx(np.sqrt(expected))


def test_few_scans_and_equal_probabilities_share_bins() -> None:
    labels = np.array([0, 1] * 15)
    probabilities = np.full((30, 2), 0.5)
    found = judge(labels, probabilities, np.arange(30).astype(str))
    assert len(found.bins) == 1 and found.error == pytest.approx(0.0)
    assert found.debiased.value == pytest.approx(0.0)


def test_right_models_lie_within_the_band_about_as_often_as_it_says() -> None:
    within = [judge(*simulated(60, seed=seed, alike=0.5), seed=seed).within_band for seed in range(40)]
    assert np.mean(within) >= 0.85


def test_overconfident_models_lie_outside() -> None:
    found = judge(*simulated(100, seed=2, slope=4.0))
    assert not found.within_band and found.error > 2 * found.perfect
    assert found.debiased.value is not None and found.debiased.value < found.error
    outside = [each for each in found.bins if not each.low <= each.observed <= each.high]
    assert len(outside) >= 5


def test_likeness_within_groups_widens_the_band() -> None:
    alone, together = (judge(*simulated(80, seed=3, alike=alike)) for alike in (0.0, 0.8))
    assert alone.likeness < 0.2 and together.likeness > 0.4
    widths = [np.mean([each.high - each.low for each in found.bins]) for found in (alone, together)]
    assert widths[1] > 1.1 * widths[0]


def test_the_debiased_error_and_its_interval_hold_the_truth() -> None:
    labels, probabilities, groups = simulated(4000, seed=9, slope=3.0)
    truth = judge(labels, probabilities, groups).error  # so many scans that chance adds next to nothing
    plain, debiased, covered = [], [], []
    for seed in range(60):
        found = judge(*simulated(60, seed=100 + seed, slope=3.0))
        plain.append(found.error)
        debiased.append(found.debiased.value)
        covered.append(found.debiased.low <= truth <= found.debiased.high)
    assert abs(np.mean(debiased) - truth) < abs(np.mean(plain) - truth)
    assert np.mean(covered) >= 0.85


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_slope_and_intercept_are_those_of_logistic_regression(slope: float) -> None:
    from sklearn.linear_model import LogisticRegression

    labels, probabilities, groups = simulated(150, seed=4, slope=slope)
    odds = np.log(probabilities[:, 1] / probabilities[:, 0])
    resampling = resample_groups(groups, n_scans=labels.size, unit="clusters", draws=300)
    found = calibration_slope(odds, labels == 1, resampling=resampling)
    theirs = LogisticRegression(C=np.inf, tol=1e-9).fit(odds[:, None], labels)
    assert found["slope"].value == pytest.approx(float(theirs.coef_[0, 0]), rel=1e-4)
    given = 1 / (1 + np.exp(-(odds + found["intercept"].value)))
    assert given.mean() == pytest.approx(labels.mean(), abs=1e-6)


@pytest.mark.parametrize("factor", [20.0, -20.0, 0.01])
def test_a_slope_far_from_one_is_found_too(factor: float) -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(8)
    odds = rng.normal(size=1000)
    labels = rng.random(1000) < 1 / (1 + np.exp(-0.8 * odds))
    found = calibration_slope(factor * odds, labels, resampling=None)["slope"].value
    theirs = LogisticRegression(C=np.inf, tol=1e-9).fit(odds[:, None], labels)
    assert factor * found == pytest.approx(float(theirs.coef_[0, 0]), rel=1e-4)


def test_the_interval_of_the_slope_holds_the_truth() -> None:
    covered = []
    for seed in range(40):
        labels, probabilities, groups = simulated(60, seed=seed, slope=2.0, alike=0.3)
        odds = np.log(probabilities[:, 1] / probabilities[:, 0])
        resampling = resample_groups(groups, n_scans=labels.size, unit="clusters", draws=200)
        found = calibration_slope(odds, labels == 1, resampling=resampling)["slope"]
        covered.append(found.low <= 0.5 <= found.high)
    assert np.mean(covered) >= 0.85


def test_classes_told_apart_completely_have_no_slope() -> None:
    odds = np.linspace(-3, 3, 40)
    found = calibration_slope(odds, odds > 0, resampling=None)
    assert found["slope"].value is None and found["intercept"].value is not None
    assert calibration_slope(odds, np.ones(40, bool), resampling=None)["intercept"].value is None


def test_more_than_two_classes_judge_the_predicted_one() -> None:
    rng = np.random.default_rng(5)
    probabilities = rng.dirichlet(np.ones(3), 300)
    labels = (rng.random((300, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    groups = np.arange(300).astype(str)
    resampling = resample_groups(groups, n_scans=300, unit="patients", draws=200)
    found = calibration_figures(labels, probabilities, positive=None, groups=groups, resampling=resampling)
    assert found.slope.value is None
    assert found.reliability.bins[0].predicted >= 1 / 3 and found.reliability.within_band
    document = found.to_json()
    assert document["error"] == found.reliability.error and len(document["bins"]) == len(found.reliability.bins)
    assert document["log_loss"]["low"] < document["log_loss"]["value"] < document["log_loss"]["high"]
