"""Two classifiers that know next to nothing: what a network must beat to mean anything.

Both give probabilities for every scan, so they pass through the same figures as a network.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from tumorlens.errors import InputError
from tumorlens.types import Labels, Probabilities

__all__ = ["MAJORITY_CLASS", "TRIVIAL_BASELINE", "area_and_brightness", "majority_class"]

MAJORITY_CLASS = "majority class"
"""Name of the first in tables and JSON."""

TRIVIAL_BASELINE = "area and brightness"
"""Name of the second."""


def majority_class(labels: Labels, *, train_rows: npt.NDArray[np.int64], n_classes: int) -> Probabilities:
    """Give every scan the class shares of the training part; the commonest class is predicted.

    Args:
        labels: ``(n,)`` reference labels of all scans.
        train_rows: Rows of the training part.
        n_classes: Number of classes.

    Returns:
        ``(n, k)`` the same row ``n`` times.

    Raises:
        InputError: The training part is empty.
    """
    _check_rows(train_rows)
    shares = np.bincount(labels[train_rows], minlength=n_classes) / train_rows.size
    return np.tile(shares.astype(np.float64), (labels.size, 1))


def area_and_brightness(
    area: npt.NDArray[np.float64],
    brightness: npt.NDArray[np.float64],
    labels: Labels,
    *,
    train_rows: npt.NDArray[np.int64],
    n_classes: int,
) -> Probabilities:
    """Logistic regression on two numbers a scan: the share that is head, and its median grey.

    The two, their squares and their product are standardised on the training part. In slices that
    were each scaled to their own maximum these two numbers alone can tell most tumours, so they are
    fitted jointly.

    Args:
        area: ``(n,)`` share of pixels that are head, 0..1.
        brightness: ``(n,)`` median grey of head pixels, 0..1.
        labels: ``(n,)`` reference labels; only those of ``train_rows`` are looked at.
        train_rows: Rows of the training part.
        n_classes: Number of classes; one that is missing from the training part gets probability 0.

    Returns:
        ``(n, k)`` probabilities of all scans.

    Raises:
        InputError: The training part is empty or a number is not finite.
    """
    _check_rows(train_rows)
    inputs = np.column_stack([area, brightness]).astype(np.float64)
    if not np.isfinite(inputs).all():
        raise InputError("Expected a finite area and brightness for each scan, got others: import the data set again.")
    present = np.unique(labels[train_rows])
    probabilities = np.zeros((labels.size, n_classes))
    if present.size == 1:
        probabilities[:, present[0]] = 1.0
        return probabilities
    model = make_pipeline(
        PolynomialFeatures(degree=2, include_bias=False),
        StandardScaler(),
        LogisticRegression(max_iter=1_000),
    )
    model.fit(inputs[train_rows], labels[train_rows])
    probabilities[:, present] = model.predict_proba(inputs)
    return probabilities


def _check_rows(train_rows: npt.NDArray[np.int64]) -> None:
    if not train_rows.size:
        raise InputError("Expected scans in the training part to fit a baseline on, got none: check the split.")
