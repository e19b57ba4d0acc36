"""Finds networks that tell nothing apart: one class, or nearly the same features, for every scan.

Their accuracy is the share of one class and says nothing about the network, so tables flag them in
words.
"""

from __future__ import annotations

import numpy as np

from tumorlens.types import Features, Labels

__all__ = ["CONSTANT_FEATURES", "ONE_CLASS_ONLY", "collapse_reason", "feature_spread"]

ONE_CLASS_ONLY = "predicts one class only"
CONSTANT_FEATURES = "features are nearly the same for every scan"

_LEAST_SPREAD = 1e-3
_ROWS_AT_ONCE = 512


def collapse_reason(labels: Labels, predicted: Labels, *, features: Features | None = None) -> str | None:
    """Say why a classifier's figures mean nothing, or ``None`` where they do mean something.

    Args:
        labels: ``(n,)`` reference labels of the test part.
        predicted: ``(n,)`` the labels decided on.
        features: ``(m, d)`` what the classifier was given, of any scans; ``None``: not looked at.

    Returns:
        :data:`ONE_CLASS_ONLY` when more than one class is present and one is predicted, else
        :data:`CONSTANT_FEATURES` when the features hardly differ, else ``None``.
    """
    if np.unique(labels).size > 1 and np.unique(predicted).size == 1:
        return ONE_CLASS_ONLY
    if features is not None and len(features) > 1 and feature_spread(features) < _LEAST_SPREAD:
        return CONSTANT_FEATURES
    return None


def feature_spread(features: Features) -> float:
    """How much features differ between scans, relative to their size.

    Args:
        features: ``(n, d)``, finite.

    Returns:
        Root mean variance over scans divided by root mean square: 0 when all scans have the same
        features, 1 when their means are 0.
    """
    means = features.mean(axis=0, dtype=np.float64)
    squares = deviations = 0.0
    for start in range(0, len(features), _ROWS_AT_ONCE):
        rows = features[start : start + _ROWS_AT_ONCE].astype(np.float64)
        squares += float(np.square(rows).sum())
        deviations += float(np.square(rows - means).sum())
    return float(np.sqrt(deviations / squares)) if squares > 0.0 else 0.0
