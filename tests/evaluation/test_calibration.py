"""Calibration finds what was done to logits, keeps quiet where it does not help, and never turns answers round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.evaluation.calibration import fit_calibration, fit_platt, fit_temperature, log_odds
from tumorlens.evaluation.metrics import scan_losses
from tumorlens.runtime import UNCALIBRATED, Calibration, calibrate


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def scans(n: int, k: int, *, seed: int, temperature: float = 1.0, shift: float = 0.0):
    """Labels drawn from right probabilities, and the probabilities that a wrong scale and shift make of them."""
    rng = np.random.default_rng(seed)
    logits = 2.0 * rng.normal(size=(n, k))
    right = softmax(logits)
    labels = (rng.random((n, 1)) > right.cumsum(axis=1)).sum(axis=1)
    wrong = softmax((logits - shift * np.eye(k)[-1]) * temperature)
    groups = (np.arange(n) // 4).astype(str)
    return labels, wrong, groups


@pytest.mark.parametrize("k", [2, 3])
def test_a_temperature_is_found_again(k: int) -> None:
    labels, wrong, groups = scans(4000, k, seed=k, temperature=2.5)
    assert fit_temperature(labels, wrong).temperature == pytest.approx(2.5, rel=0.1)
    found = fit_calibration(labels, wrong, groups, positive=1 if k == 2 else None)
    assert (found.method, found.n_scans, found.n_groups, found.reason) == ("temperature", 4000, 1000, "")
    assert found.losses["temperature"] < found.losses["none"]


def test_a_shift_needs_platt_and_gets_it() -> None:
    labels, wrong, groups = scans(4000, 2, seed=5, temperature=2.0, shift=1.5)
    found = fit_calibration(labels, wrong, groups, positive=1)
    assert found.method == "platt" and found.losses["platt"] < found.losses["temperature"]
    assert found.calibration.temperature == pytest.approx(2.0, rel=0.1)
    assert found.calibration.shift == (0.0, pytest.approx(1.5, abs=0.15))
    assert fit_platt(1 - labels, wrong[:, ::-1], positive=0).shift[0] == pytest.approx(1.5, abs=0.15)


def test_a_shift_alone_is_met_by_platt_too() -> None:
    labels, wrong, groups = scans(4000, 2, seed=11, shift=0.8)
    found = fit_calibration(labels, wrong, groups, positive=1)
    assert found.method == "platt" and found.calibration.shift[1] == pytest.approx(0.8, abs=0.15)


def test_right_probabilities_are_left_nearly_alone() -> None:
    labels, right, groups = scans(4000, 2, seed=7)
    found = fit_calibration(labels, right, groups, positive=1)
    assert found.method in ("none", "temperature")
    np.testing.assert_allclose(calibrate(right, found.calibration), right, atol=0.02)


def test_too_few_groups_are_not_calibrated_on_and_say_why() -> None:
    labels, wrong, groups = scans(16, 2, seed=1, temperature=3.0)
    few = fit_calibration(labels, wrong, groups, positive=1)
    assert (few.calibration, few.method) == (UNCALIBRATED, "none") and "4 groups" in few.reason
    labels, wrong, groups = scans(80, 2, seed=1)
    assert "1 classes" in fit_calibration(np.zeros(80, int), wrong, groups, positive=1).reason
    one_group = np.where(groups == "0", 1, 0)
    assert "too few groups" in fit_calibration(one_group, wrong, groups, positive=1).reason


def test_no_scans_at_all() -> None:
    found = fit_calibration(np.zeros(0, int), np.zeros((0, 2)), np.zeros(0, str), positive=1)
    assert found.calibration == UNCALIBRATED and "0 groups" in found.reason


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_a_temperature_never_raises_the_loss_it_was_fitted_on(seed: int, k: int) -> None:
    labels, wrong, _ = scans(60, k, seed=seed, temperature=3.0)
    found = calibrate(wrong, fit_temperature(labels, wrong))
    assert scan_losses(labels, found).mean() <= scan_losses(labels, wrong).mean() + 1e-6
    assert (found.argmax(axis=1) == wrong.argmax(axis=1)).all()


def test_answers_that_are_upside_down_are_not_turned_round() -> None:
    labels, wrong, _ = scans(500, 2, seed=3)
    calibration = fit_platt(1 - labels, wrong, positive=1)
    before, after = log_odds(wrong, positive=1), log_odds(calibrate(wrong, calibration), positive=1)
    assert (np.argsort(before, kind="stable") == np.argsort(after, kind="stable")).all()
    assert calibration.temperature == pytest.approx(20.0)


def test_platt_agrees_with_scikit_learn_where_targets_are_not_smoothed() -> None:
    from sklearn.linear_model import LogisticRegression

    labels, wrong, _ = scans(6000, 2, seed=9, temperature=1.7, shift=0.6)
    ours = fit_platt(labels, wrong, positive=1)
    theirs = LogisticRegression(C=np.inf, tol=1e-8).fit(log_odds(wrong, positive=1)[:, None], labels)
    assert 1.0 / ours.temperature == pytest.approx(float(theirs.coef_[0, 0]), rel=0.01)
    assert ours.shift[1] == pytest.approx(float(theirs.intercept_[0]), abs=0.01)


def test_calibrations_of_certain_answers_stay_finite() -> None:
    labels = np.array([0, 1] * 20)
    certain = np.eye(2)[labels]
    found = fit_temperature(labels, certain)
    assert 0.05 <= found.temperature <= 20 and np.isfinite(calibrate(certain, found)).all()
    assert isinstance(fit_platt(labels, certain, positive=1), Calibration)
