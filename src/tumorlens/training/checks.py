"""Checks on what training is given, each with one clear sentence. Knows nothing about heads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorlens.errors import InputError
from tumorlens.types import Features, Labels

__all__ = ["check_features", "check_labels", "check_rows"]


def check_labels(labels: Labels, *, n_classes: int, of: str) -> None:
    """Raise unless ``labels`` are indices in 0..n_classes-1 and every class occurs.

    Raises:
        InputError: Fewer than two classes, a label outside the range or a class without a scan.
    """
    if n_classes < 2:
        raise InputError(f"Training needs at least 2 classes, got {n_classes}: add scans of another class.")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer) or not len(labels):
        raise InputError(
            f"Labels of the {of} must be a non-empty vector of class indices, "
            f"got shape {labels.shape} of {labels.dtype}."
        )
    if labels.min() < 0 or labels.max() >= n_classes:
        raise InputError(f"Labels of the {of} must lie in 0..{n_classes - 1}, got {labels.min()}..{labels.max()}.")
    missing = np.flatnonzero(np.bincount(labels, minlength=n_classes) == 0)
    if len(missing):
        raise InputError(
            f"Every class must occur in the {of}, but class {missing[0]} has no scan there: "
            "split again or leave the class out."
        )


def check_features(features: Features, labels: Labels, *, of: str) -> None:
    """Raise unless ``features`` is a finite ``(n, d)`` matrix with a row for each label.

    Raises:
        InputError: Another shape, or values that are not finite.
    """
    if features.ndim != 2 or len(features) != len(labels):
        raise InputError(
            f"Features of the {of} must be (n, d) with n = {len(labels)}, one row a label, got shape {features.shape}."
        )
    if not np.isfinite(np.add.reduce(features, axis=None, dtype=np.float64)):
        raise InputError(
            f"Features of the {of} hold values that are not finite: check the network's weights and compute them again."
        )


def check_rows(rows: NDArray[np.int64], *, n_rows: int, of: str) -> None:
    """Raise unless ``rows`` are distinct indices in 0..n_rows-1.

    Raises:
        InputError: An index outside the range or twice.
    """
    if not len(rows):
        raise InputError(f"The {of} has no scan: split the data set again.")
    if rows.min() < 0 or rows.max() >= n_rows:
        raise InputError(f"Rows of the {of} must lie in 0..{n_rows - 1}, got {rows.min()}..{rows.max()}.")
    if len(np.unique(rows)) != len(rows):
        raise InputError(f"Rows of the {of} must be distinct, but some occur twice.")
