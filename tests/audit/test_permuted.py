"""Random labels, one a group."""

from __future__ import annotations

import numpy as np

from tumorlens.audit.batch_linear import share_rows
from tumorlens.audit.permuted import label_groups, permuted_labels
from tumorlens.progress import SILENT

GROUPS = np.repeat(np.arange(30), 4).astype(np.str_)


def test_each_group_has_one_label_by_a_fair_coin():
    labels = label_groups(GROUPS, draws=20, seed=0)
    assert labels.shape == (120, 20)
    by_group = labels.reshape(30, 4, 20)
    assert (by_group == by_group[:, :1]).all()
    assert 0.4 < labels.mean() < 0.6
    assert len(np.unique(by_group[:, 0].sum(axis=0))) > 1
    assert len(np.unique(labels, axis=1).T) == 20
    assert (labels == label_groups(GROUPS, draws=20, seed=0)).all()


def null_distributions(features, draws=60):
    with SILENT.task("", total=None) as task:
        return permuted_labels(
            share_rows(features.astype(np.float32), strength=0.01),
            GROUPS,
            random=np.arange(120) % 4,
            grouped=np.repeat(np.arange(30) % 5, 4),
            seed=0,
            task=task,
            draws=draws,
        )


def test_what_names_the_group_is_remembered_under_random_folds_only():
    random, grouped = null_distributions(np.random.default_rng(0).normal(size=(30, 100)).repeat(4, axis=0))
    assert random.mean == random.low == random.high == 1
    assert abs(grouped.mean - 0.5) < 0.06
    assert grouped.low < grouped.mean < grouped.high
    assert grouped.chance == 0.5
    assert 0.5 < random.chance < 0.6
    assert random.draws == grouped.draws == 60


def test_features_without_a_group_in_them_stay_at_chance_under_both():
    random, grouped = null_distributions(np.random.default_rng(0).normal(size=(120, 5)))
    assert random.mean < random.chance + 0.01
    assert abs(grouped.mean - 0.5) < 0.03
