"""Folds for cross-validation that never split a group. Knows nothing about features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from tumorlens.errors import InputError
from tumorlens.training.checks import check_labels
from tumorlens.types import Labels

__all__ = ["WANTED_FOLDS", "check_groups", "grouped_folds"]

WANTED_FOLDS = 5


def grouped_folds(
    labels: Labels, groups: NDArray[np.str_], *, wanted: int = WANTED_FOLDS, seed: int = 0
) -> NDArray[np.int64]:
    """Give each row a fold, so that groups stay whole and the classes are spread as evenly as that
    allows.

    Where a class stands in fewer groups than ``wanted``, or a fold would leave a class out of
    training, there are fewer folds, at least two.

    Args:
        labels: ``(n,)`` class indices.
        groups: ``(n,)`` the group of each row.
        wanted: Number of folds, at least 2.
        seed: Order in which groups of equal size are placed.

    Returns:
        ``(n,)`` fold numbers 0..folds-1.

    Raises:
        InputError: A class stands in one group only, or no grouping leaves every class on both
            sides.
    """
    if wanted < 2:
        raise InputError(f"Cross-validation needs at least 2 folds, got {wanted}.")
    fewest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    if fewest < 2:
        raise InputError(
            "Cross-validation needs at least 2 groups of each class, but one class stands in "
            "a single group: add scans of other groups or leave the class out."
        )
    for n_folds in range(min(wanted, fewest), 1, -1):
        folds = _assign(labels, groups, n_folds=n_folds, seed=seed)
        if _every_class_trains(labels, folds, n_folds=n_folds):
            return folds
    raise InputError(
        "The groups cannot be divided so that every class is trained on and held out: "
        "add scans of other groups or check which scans share one."
    )


def check_groups(labels: Labels, groups: NDArray[np.str_], *, n_classes: int, seed: int = 0) -> None:
    """Raise now what :func:`~tumorlens.training.fit_linear` would raise about labels and groups after the features
    were computed.

    Args:
        labels: ``(n,)`` class indices of the training rows.
        groups: ``(n,)`` their groups.
        n_classes: Number of classes k.
        seed: Seed of the division into folds.

    Raises:
        InputError: As :func:`grouped_folds`; or labels are outside 0..k-1, or a class has no row.
    """
    check_labels(labels, n_classes=n_classes, of="training part")
    grouped_folds(labels, groups, seed=seed)


def _assign(labels: Labels, groups: NDArray[np.str_], *, n_folds: int, seed: int) -> NDArray[np.int64]:
    # Rows of a class may be fewer than folds only if its groups are, which the caller has excluded.
    splitter = StratifiedGroupKFold(n_splits=n_folds, shuffle=True, random_state=seed)
    folds = np.empty(len(labels), dtype=np.int64)
    for fold, (_, held_out) in enumerate(splitter.split(np.zeros(len(labels)), labels, groups)):
        folds[held_out] = fold
    return folds


def _every_class_trains(labels: Labels, folds: NDArray[np.int64], *, n_folds: int) -> bool:
    classes = len(np.unique(labels))
    return all(
        len(held_out := np.flatnonzero(folds == fold)) > 0
        and len(np.unique(labels[np.setdiff1d(np.arange(len(labels)), held_out)])) == classes
        for fold in range(n_folds)
    )
