"""Groups are set aside whole to stop by."""

from __future__ import annotations

import numpy as np

from tumorlens.training import fit_mlp, fit_mlp_by_group
from tumorlens.training.folds import grouped_folds


def test_is_the_mlp_with_one_inner_fold_as_validation() -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 2
    groups = np.array([f"g{row // 4}" for row in range(60)])
    features = (generator.normal(size=(60, 5)) + 2 * labels[:, None]).astype(np.float32)
    found = fit_mlp_by_group(features, labels, groups, n_classes=2, seed=4)
    aside = grouped_folds(labels, groups, seed=4) == 0
    assert set(groups[aside]).isdisjoint(groups[~aside])
    assert set(labels[aside]) == {0, 1}
    wanted = fit_mlp(features[~aside], labels[~aside], features[aside], labels[aside], n_classes=2, seed=4)
    for one, other in zip(found.head.layers, wanted.head.layers, strict=True):
        assert (one.weight == other.weight).all()
    assert found.history == wanted.history
