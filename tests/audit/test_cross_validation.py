"""Cross-validations that differ in training scans or labels only."""

from __future__ import annotations

import numpy as np

from tumorlens.audit.batch_linear import share_rows
from tumorlens.audit.cross_validation import Trial, predicted_right, random_folds
from tumorlens.progress import SILENT


def run(rows, labels, trials, n_classes=2):
    with SILENT.task("", total=None) as task:
        return predicted_right(rows, labels, trials, n_classes=n_classes, task=task)


def test_random_folds_spread_classes_evenly():
    labels = np.repeat([0, 1], [40, 20])
    folds = random_folds(labels, count=5, seed=0)
    assert np.bincount(folds[labels == 0]).tolist() == [8] * 5
    assert np.bincount(folds[labels == 1]).tolist() == [4] * 5
    assert (folds == random_folds(labels, count=5, seed=0)).all()
    assert (folds != random_folds(labels, count=5, seed=1)).any()


def test_no_scan_is_tested_by_a_head_that_saw_it():
    trial = Trial(np.array([0, 1, -1, 1]))
    assert trial.trained_on().tolist() == [[False, True, True, True], [True, False, True, False]]
    left_out = np.array([[False, True, False, False], [True, False, False, False]])
    trained_on = Trial(trial.folds, left_out).trained_on()
    assert trained_on.tolist() == [[False, False, True, True], [False, False, True, False]]


def test_memory_of_one_feature_a_pair_helps_only_when_the_twin_is_trained_on():
    rng = np.random.default_rng(0)
    pairs = 40
    features = np.repeat(np.eye(pairs, dtype=np.float32), 2, axis=0)  # each pair has a feature of its own
    labels = np.repeat(rng.permutation(np.arange(pairs) % 2), 2)
    apart = Trial(np.tile([0, 1], pairs))
    together = Trial(np.repeat(np.arange(pairs) % 2, 2))
    nothing_left = np.zeros((2, 2 * pairs), bool)
    nothing_left[0, 1:41:2] = True  # of the first twenty pairs, the twin is left out
    right = run(share_rows(features, strength=0.01), labels, [apart, together, Trial(apart.folds, nothing_left)])
    assert right[:, 0].all()
    assert right[:, 1].mean() < 0.7
    assert right[40::2, 2].all()
    assert right[0:40:2, 2].mean() < 0.7


def test_each_trial_is_judged_by_its_own_labels():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 2)).astype(np.float32)
    labels = (features > 0).astype(np.int64)  # trial 0 asks for the first feature's sign, trial 1 for the second's
    folds = Trial(np.arange(60) % 3)
    rows = share_rows(features, strength=0.001)
    right = run(rows, labels, [folds, folds])
    assert right.mean(axis=0).min() > 0.9
    crossed = run(rows, labels[:, ::-1], [folds, folds])
    assert (crossed[:, ::-1] == right).mean() > 0.97


def test_scans_never_tested_are_never_right():
    features = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    labels = (features[:, 0] > 0).astype(np.int64)
    right = run(share_rows(features, strength=0.01), labels, [Trial(np.where(np.arange(30) < 10, 0, -1))])
    assert right[:10].any()
    assert not right[10:].any()
