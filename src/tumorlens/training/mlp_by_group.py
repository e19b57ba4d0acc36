"""The head with one hidden layer where there is no validation part: whole groups are set aside to stop by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorlens.training.fitted import FittedHead
from tumorlens.training.folds import grouped_folds
from tumorlens.training.mlp import fit_mlp
from tumorlens.types import Features, Labels

__all__ = ["fit_mlp_by_group"]


def fit_mlp_by_group(
    features: Features,
    labels: Labels,
    groups: NDArray[np.str_],
    *,
    n_classes: int,
    seed: int = 0,
    threads: int | None = None,
) -> FittedHead:
    """Train the head; the epoch is chosen on about a fifth of the rows, whole groups, that it is not trained on.

    Args:
        features: ``(n, d)`` float32 pooled features.
        labels: ``(n,)`` class indices.
        groups: ``(n,)`` the group of each row.
        n_classes: Number of classes k.
        seed: Seed of the division, the first weights and the order of scans.
        threads: Not used: the steps of one training follow each other.

    Returns:
        The head on raw features.

    Raises:
        InputError: Wrong shapes, values that are not finite, or groups that cannot be divided so that every class is on
            both sides.
    """
    fold_of_row = grouped_folds(labels, groups, seed=seed)
    whole = [
        fold
        for fold in range(int(fold_of_row.max()) + 1)
        if len(np.unique(labels[fold_of_row == fold])) == len(np.unique(labels))
    ]
    validation = fold_of_row == (whole[0] if whole else 0)
    return fit_mlp(
        features[~validation],
        labels[~validation],
        features[validation],
        labels[validation],
        n_classes=n_classes,
        seed=seed,
    )
