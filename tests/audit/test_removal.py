"""Training scans taken away for their closeness, and as many by chance."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.audit.findings import Twin
from tumorlens.audit.removal import closeness_to_tested, enough_left, equally_many, raise_for_twins
from tumorlens.audit.twin_table import TwinTable


def test_closeness_is_the_highest_correlation_with_any_tested_scan():
    rng = np.random.default_rng(0)
    thumbnails = rng.integers(0, 256, (6, 60, 60)).astype(np.uint8)
    thumbnails[4] = thumbnails[0]
    folds = np.array([0, 0, 1, 1, 1, -1])
    closeness = closeness_to_tested(thumbnails, folds)
    assert closeness.shape == (2, 6)
    assert closeness[0, 4] == pytest.approx(1, abs=1e-5)
    assert closeness[1, 0] == pytest.approx(1, abs=1e-5)
    assert (closeness[0, :2] == -1).all()
    expected = max(np.corrcoef(thumbnails[5].ravel(), thumbnails[row].ravel())[0, 1] for row in (2, 3, 4))
    assert closeness[1, 5] == pytest.approx(expected, abs=1e-5)


def test_turned_twins_and_copies_of_them_are_as_close_as_once_aligned():
    folds = np.array([0, 0, 1, 1, 1, -1])
    places = np.array([0, 1, 2, 3, 2, 4])  # the fifth scan is a copy of the third
    upright = np.where(folds == np.arange(2)[:, None], -1, 0.3).astype(np.float32)
    upright[0, 3] = 0.99
    twins = TwinTable.of([Twin(0, 2, "mirrored", 0.97), Twin(3, 1, "copy", 0.95), Twin(4, 4, "exact", 1.0)])
    raised = raise_for_twins(upright, folds, twins, places=places)
    assert raised[0] == pytest.approx([-1, -1, 0.97, 0.99, 0.97, 0.3])
    assert raised[1] == pytest.approx([0.97, 0.95, -1, -1, -1, 0.3])


def test_chance_takes_as_many_of_each_class_from_the_candidates_only():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    candidates = rng.random((4, 300)) < 0.8
    removed = candidates & (rng.random((4, 300)) < 0.3)
    chosen = equally_many(removed, candidates, labels, generator=np.random.default_rng(1))
    assert not (chosen & ~candidates).any()
    for label in range(3):
        assert (chosen & (labels == label)).sum(axis=1).tolist() == (removed & (labels == label)).sum(axis=1).tolist()
    assert (chosen != removed).any()


def test_enough_is_a_share_in_every_fold_and_some_of_every_class():
    labels = np.array([0, 0, 0, 0, 1, 1])
    candidates = np.ones((2, 6), bool)
    kept = candidates.copy()
    kept[1, :3] = False
    assert enough_left(kept, candidates, labels, share=0.5)
    assert not enough_left(kept, candidates, labels, share=0.6)
    kept[1] = [True, True, True, True, False, False]
    assert not enough_left(kept, candidates, labels, share=0.5)
