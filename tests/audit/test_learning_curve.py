"""Accuracy by the number of groups in training."""

from __future__ import annotations

import numpy as np

from tumorlens.audit.batch_linear import share_rows
from tumorlens.audit.learning_curve import LEARNING_SHARES, learning_curve
from tumorlens.progress import SILENT


def curve(features, labels, groups, folds, seed=0):
    with SILENT.task("", total=None) as task:
        return learning_curve(
            share_rows(features.astype(np.float32), strength=0.1),
            labels,
            groups.astype(np.str_),
            folds=folds,
            unit="patients",
            seed=seed,
            task=task,
        )


def learnable(patients=100, slices=3):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(patients), slices)
    labels = groups % 2
    features = rng.normal(size=(len(groups), 30))
    features[:, :10] += 0.6 * (labels - 0.5)[:, None]
    return features, labels, groups, groups % 5


def test_more_groups_are_counted_and_help():
    points = curve(*learnable())
    assert [point.groups for point in points] == [round(share * 80) for share in LEARNING_SHARES]
    assert [point.train_scans for point in points] == [3 * point.groups for point in points]
    assert points[-1].test.accuracy > points[0].test.accuracy + 0.08
    assert all(point.test.low < point.test.accuracy < point.test.high for point in points)


def test_the_seed_decides_the_draws_but_not_the_end():
    first, second = curve(*learnable(), seed=0), curve(*learnable(), seed=1)
    assert first == curve(*learnable(), seed=0)
    assert first[0] != second[0]
    ends = [(end.groups, end.train_scans, end.test.accuracy) for end in (first[-1], second[-1])]
    assert ends[0] == ends[1]


def test_a_share_without_a_class_is_passed_over():
    features, _, groups, folds = learnable()
    labels = (groups < 6).astype(np.int64)  # six patients of a hundred
    points = curve(features, labels, groups, folds)
    assert 0 < len(points) < len(LEARNING_SHARES)
    assert points[-1].groups == 80
