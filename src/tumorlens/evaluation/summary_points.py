"""The figures themselves, by scikit-learn where it has them. A figure whose denominator is empty is ``None``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn import metrics as sklearn_metrics

from tumorlens.evaluation.confusion import CLASS_FIGURES, matthews, predictive_values
from tumorlens.evaluation.metrics import log_loss, roc_auc
from tumorlens.types import Labels, Probabilities

__all__ = ["Points", "brier_terms", "point_figures"]

Points = dict[tuple[str, str], float | None]
"""(class, or nothing for figures of all classes; name) to value."""


def point_figures(
    labels: Labels,
    probabilities: Probabilities,
    *,
    predicted: Labels,
    classes: Sequence[str],
    positive: int | None,
    prevalence: float | None,
) -> Points:
    """Every figure; arguments as in :func:`~tumorlens.evaluation.summary.summarise`."""
    each = [_class_figures(labels == target, predicted == target) for target in range(len(classes))]
    matrix = sklearn_metrics.confusion_matrix(labels, predicted, labels=np.arange(len(classes))).astype(float)
    targets = range(len(classes)) if positive is None else (positive,)
    figures: dict[str, float | None] = {
        "accuracy": float(sklearn_metrics.accuracy_score(labels, predicted)),
        "balanced_accuracy": _mean([figures["sensitivity"] for figures in each]),
        **{name: _mean([each[target][name] for target in targets]) for name in CLASS_FIGURES},
        "mcc": None if np.isnan(matthews(matrix)) else float(sklearn_metrics.matthews_corrcoef(labels, predicted)),
        "roc_auc": roc_auc(labels, probabilities, positive=positive),
        "average_precision": _mean(
            [
                float(sklearn_metrics.average_precision_score(labels == target, probabilities[:, target]))
                for target in targets
                if (labels == target).any()
            ]
        ),
        "log_loss": log_loss(labels, probabilities),
        "brier": float(brier_terms(labels, probabilities, positive=positive).mean()),
    }
    if prevalence is not None and positive is not None:
        values = predictive_values(matrix, positive=positive, prevalence=prevalence)
        for name, value in zip(("ppv_at_prevalence", "npv_at_prevalence"), values, strict=True):
            figures[name] = None if np.isnan(value) else float(value)
    points: Points = {("", name): value for name, value in figures.items()}
    points |= {(label, name): value for label, own in zip(classes, each, strict=True) for name, value in own.items()}
    return points


def brier_terms(labels: Labels, probabilities: Probabilities, *, positive: int | None) -> Probabilities:
    """``(n,)``: squared differences, of the positive class alone (0..1), or summed over all classes (0..2)."""
    squares = (probabilities - np.eye(probabilities.shape[1])[labels]) ** 2
    return squares.sum(axis=1) if positive is None else squares[:, positive]


def _class_figures(has: np.ndarray, given: np.ndarray) -> dict[str, float | None]:
    precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(
        has, given, labels=[False, True], zero_division=np.nan
    )
    values = {
        "sensitivity": recall[1],
        "specificity": recall[0],
        "ppv": precision[1],
        "npv": precision[0],
        "f1": f1[1] if has.any() or given.any() else np.nan,
    }
    return {name: None if np.isnan(value) else float(value) for name, value in values.items()}


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
