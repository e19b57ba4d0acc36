"""Point figures of a classifier: what it got right, and how sure it was. Knows no parts or groups.

Reference labels, probabilities and predicted classes come in one class order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sklearn_metrics

from tumorlens.errors import InputError
from tumorlens.types import Labels, Probabilities

__all__ = [
    "PROBABILITY_FLOOR",
    "ClassFigures",
    "RocCurve",
    "accuracy",
    "check_predictions",
    "confusion_matrix",
    "log_loss",
    "per_class",
    "positive_index",
    "predicted_classes",
    "roc_auc",
    "roc_curve",
    "scan_losses",
]

PROBABILITY_FLOOR = 1e-7
"""Probabilities are clipped to this distance from 0 and 1 before the logarithm, as Keras does."""


@dataclass(frozen=True)
class ClassFigures:
    """How one class was met.

    Attributes:
        precision: Share of the scans given this class that have it, 0..1; 0 when none was given it.
        recall: Share of the scans with this class that were given it, 0..1; 0 when none has it.
        f1: Harmonic mean of the two, 0..1; 0 when both are 0.
        support: Scans whose reference label is this class.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class RocCurve:
    """One receiver operating characteristic, from the strictest threshold to the laxest.

    Attributes:
        false_positive_rate: ``(m,)`` float64 in 0..1, not falling.
        true_positive_rate: ``(m,)`` float64 in 0..1, not falling.
    """

    false_positive_rate: npt.NDArray[np.float64]
    true_positive_rate: npt.NDArray[np.float64]


def check_predictions(labels: Labels, probabilities: Probabilities) -> None:
    """Refuse predictions that no figure can be computed from.

    Raises:
        InputError: There are none, the shapes do not match, a label is outside the classes, or a
            row of probabilities is not finite, leaves 0..1 or does not sum to 1.
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise InputError(
            f"Expected one row of probabilities for each of {labels.size} labels, got an array of "
            f"shape {probabilities.shape}: predict the same scans the labels belong to."
        )
    if not labels.size:
        raise InputError("Expected at least one prediction to compute figures from, got none: check the split.")
    if labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise InputError(
            f"Expected labels in 0..{probabilities.shape[1] - 1}, got "
            f"{labels.min()}..{labels.max()}: labels and probabilities must have the same classes."
        )
    sums_to_one = np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-4)
    if not sums_to_one or probabilities.min() < 0.0 or probabilities.max() > 1.0 + 1e-6:
        raise InputError(
            "Expected finite probabilities in 0..1 that sum to 1 for each scan, got others: "
            "give probabilities, not logits."
        )


def predicted_classes(probabilities: Probabilities) -> Labels:
    """``(n,)`` int64: the class with the largest probability, the first when tied."""
    return np.argmax(probabilities, axis=1).astype(np.int64)


def accuracy(labels: Labels, predicted: Labels) -> float:
    """Share of scans whose predicted class is the reference label, 0..1."""
    return float(sklearn_metrics.accuracy_score(labels, predicted))


def scan_losses(labels: Labels, probabilities: Probabilities) -> npt.NDArray[np.float64]:
    """``(n,)`` float64 in nats: minus the logarithm of each reference label's probability."""
    own = probabilities[np.arange(labels.size), labels]
    return -np.log(np.clip(own, PROBABILITY_FLOOR, 1.0 - PROBABILITY_FLOOR))


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    """Mean cross-entropy in nats, without any penalty on weights."""
    return float(scan_losses(labels, probabilities).mean())


def confusion_matrix(labels: Labels, predicted: Labels, *, n_classes: int) -> npt.NDArray[np.int64]:
    """``(k, k)`` int64 counts: reference label down, predicted class across."""
    return sklearn_metrics.confusion_matrix(labels, predicted, labels=np.arange(n_classes))


def per_class(labels: Labels, predicted: Labels, *, classes: Sequence[str]) -> dict[str, ClassFigures]:
    """Precision, recall, F1 and support of every class, in class order; 0 / 0 is 0."""
    columns = sklearn_metrics.precision_recall_fscore_support(
        labels, predicted, labels=np.arange(len(classes)), zero_division=0.0
    )
    return {
        name: ClassFigures(float(precision), float(recall), float(f1), int(support))
        for name, precision, recall, f1, support in zip(classes, *columns, strict=True)
    }


def positive_index(classes: Sequence[str], positive_class: str | None) -> int | None:
    """Index of the positive class: the second of two when not named, ``None`` with more than two.

    Raises:
        InputError: ``positive_class`` is not one of the classes.
    """
    if positive_class is not None and positive_class not in classes:
        raise InputError(
            f"Expected the positive class to be one of {', '.join(classes)}, got {positive_class!r}: name one of them."
        )
    if len(classes) != 2:
        return None
    return 1 if positive_class is None else list(classes).index(positive_class)


def roc_auc(labels: Labels, probabilities: Probabilities, *, positive: int | None) -> float | None:
    """Area under the receiver operating characteristic, 0..1.

    Args:
        labels: ``(n,)``.
        probabilities: ``(n, k)``.
        positive: Index of the positive class; ``None``: mean over classes, each against the rest
            (macro one-versus-rest), leaving out classes that no scan or every scan has.

    Returns:
        The area, or ``None`` where it is not defined because only one class is present.
    """
    targets = range(probabilities.shape[1]) if positive is None else (positive,)
    areas = [
        sklearn_metrics.roc_auc_score(labels == target, probabilities[:, target])
        for target in targets
        if 0 < np.count_nonzero(labels == target) < labels.size
    ]
    return float(np.mean(areas)) if areas else None


def roc_curve(labels: Labels, probabilities: Probabilities, *, target: int) -> RocCurve | None:
    """The curve of class ``target`` against the rest; ``None`` where one of the two is absent."""
    is_target = labels == target
    if is_target.all() or not is_target.any():
        return None
    false_positive_rate, true_positive_rate, _ = sklearn_metrics.roc_curve(is_target, probabilities[:, target])
    return RocCurve(false_positive_rate, true_positive_rate)
