"""Sets of classes: by hand, and holding what they promise for new groups."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.evaluation.bootstrap import resample_groups
from tumorlens.evaluation.conformal import class_thresholds, conformal_figures, conformal_sets


def test_figures_by_hand() -> None:
    sets = np.array([[1, 0], [1, 1], [0, 0], [0, 1], [0, 1], [1, 0]], bool)
    labels = np.array([0, 0, 1, 1, 0, 0])
    groups = np.array(["a", "a", "a", "b", "b", "c"])
    resampling = resample_groups(groups, n_scans=6, unit="clusters")
    found = conformal_figures(sets, labels, classes=("no", "yes"), wanted=0.9, resampling=resampling)
    assert found.coverage.value == pytest.approx(4 / 6)
    assert found.group_coverage.value == pytest.approx((1 + 0 + 1 + 0 + 1) / 5)  # of class and group
    assert (found.empty.value, found.single.value, found.several.value) == pytest.approx((1 / 6, 4 / 6, 1 / 6))
    assert found.single_error.value == pytest.approx(1 / 4)
    assert found.by_class["no"].value == pytest.approx(3 / 4)
    assert found.by_class["yes"].value == pytest.approx(1 / 2)
    assert found.coverage.low is None  # three groups


def test_thresholds_need_nineteen_groups_of_each_class() -> None:
    labels = np.repeat([0, 1], [19, 19])
    probabilities = np.column_stack([np.linspace(0.9, 0.1, 38), np.linspace(0.1, 0.9, 38)])
    groups = np.arange(38).astype(str)
    thresholds = class_thresholds(labels, probabilities, groups, wanted=0.95)
    assert thresholds is not None
    assert thresholds == pytest.approx((probabilities[18, 0], probabilities[19, 1]))
    assert class_thresholds(labels[1:], probabilities[1:], groups[1:], wanted=0.95) is None


def test_sets_hold_the_label_of_a_new_groups_scan_as_often_as_wanted_in_each_class() -> None:
    rng = np.random.default_rng(1)
    covered: dict[int, list[bool]] = {0: [], 1: []}
    for _ in range(600):
        sizes = rng.integers(1, 12, 80)
        codes = np.repeat(np.arange(80), sizes)
        labels = np.repeat(rng.integers(0, 2, 80), sizes)
        odds = 1.2 * (2 * labels - 1) + np.repeat(rng.normal(size=80), sizes) + 0.5 * rng.normal(size=codes.size)
        probabilities = np.column_stack([1 / (1 + np.exp(odds)), 1 / (1 + np.exp(-odds))])
        known = codes < 78
        thresholds = class_thresholds(labels[known], probabilities[known], codes[known].astype(str), wanted=0.9)
        assert thresholds is not None
        for group in (78, 79):
            first = int(np.flatnonzero(codes == group)[0])
            sets = conformal_sets(probabilities[[first]], thresholds)
            covered[int(labels[first])].append(bool(sets[0, labels[first]]))
    for own in covered.values():
        assert 0.88 <= np.mean(own) <= 0.95
