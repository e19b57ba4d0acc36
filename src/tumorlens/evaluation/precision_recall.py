"""Precision against recall at every threshold, and the average precision. Knows nothing about models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sklearn_metrics

from tumorlens.evaluation.average_precision import AveragePrecision
from tumorlens.evaluation.bootstrap import DEFAULT_LEVEL, Interval, Resampling
from tumorlens.evaluation.small_groups import honest_intervals
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
        low: Lower end of the interval of the average precision; ``None`` without one.
        high: Upper end.
    """

    recall: Vector
    precision: Vector
    average_precision: float
    prevalence: float
    low: float | None = None
    high: float | None = None


def precision_recall_curve(
    labels: Labels, probabilities: Probabilities, *, target: int, resampling: Resampling | None = None
) -> PrecisionRecallCurve | None:
    """The curve of class ``target`` against the rest; ``None`` where one of the two is absent.

    Args:
        labels: ``(n,)`` reference labels.
        probabilities: ``(n, k)``.
        target: Index of the class.
        resampling: Draws of the scans' groups, for the interval; ``None`` for none.
    """
    is_target = labels == target
    if is_target.all() or not is_target.any():
        return None
    scores = probabilities[:, target]
    value = float(sklearn_metrics.average_precision_score(is_target, scores))
    interval = None if resampling is None else _interval(value, scores, is_target, resampling)
    precision, recall, _ = sklearn_metrics.precision_recall_curve(is_target, scores)
    return PrecisionRecallCurve(
        recall[::-1],
        precision[::-1],
        value,
        float(is_target.mean()),
        None if interval is None else interval.low,
        None if interval is None else interval.high,
    )


def _interval(
    value: float, scores: Vector, is_target: npt.NDArray[np.bool_], resampling: Resampling
) -> Interval | None:
    statistic = AveragePrecision(scores[:, None], is_target[:, None], codes=resampling.codes)
    return honest_intervals({"ap": (value, statistic)}, resampling=resampling, level=DEFAULT_LEVEL)["ap"]
