"""Precision against recall at every threshold, and the average precision. Knows nothing about models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sklearn_metrics

from tumorlens.types import Labels, Probabilities

__all__ = ["PrecisionRecallCurve", "precision_recall_curve"]

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Precision and recall of one class against the rest.

    Attributes:
        recall: ``(m,)`` in 0..1, rising from 0 to 1.
        precision: ``(m,)`` in 0..1, at the same thresholds; 1 at recall 0, where nothing is given the class.
        average_precision: Area below the steps of the curve, 0..1, without interpolation.
        prevalence: Share of the class, 0..1: the precision of a classifier that cannot tell the classes apart.
    """

    recall: Vector
    precision: Vector
    average_precision: float
    prevalence: float


def precision_recall_curve(labels: Labels, probabilities: Probabilities, *, target: int) -> PrecisionRecallCurve | None:
    """The curve of class ``target`` against the rest; ``None`` where one of the two is absent.

    Args:
        labels: ``(n,)`` reference labels.
        probabilities: ``(n, k)``.
        target: Index of the class.
    """
    is_target = labels == target
    if is_target.all() or not is_target.any():
        return None
    scores = probabilities[:, target]
    precision, recall, _ = sklearn_metrics.precision_recall_curve(is_target, scores)
    return PrecisionRecallCurve(
        recall[::-1],
        precision[::-1],
        float(sklearn_metrics.average_precision_score(is_target, scores)),
        float(is_target.mean()),
    )
