"""What the plots of one cross-validated row are made from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation import confusion_matrix, mean_roc_curve, positive_index
from tumorlens.evaluation.metrics import predicted_classes
from tumorlens.reports.details import RowDetail
from tumorlens.types import Labels

__all__ = ["fold_detail"]


def fold_detail(
    labels: Labels,
    probabilities: npt.NDArray[np.float64],
    *,
    folds: npt.NDArray[np.int64],
    classes: Sequence[str],
    positive_class: str | None,
) -> RowDetail:
    """Compute what the plots need from the same predictions as the figures.

    Args:
        labels: ``(n,)`` reference labels of all scans.
        probabilities: ``(repeats, n, k)`` out of fold.
        folds: ``(repeats, n)`` fold of each scan.
        classes: Class names in order.
        positive_class: The class whose ROC curve is drawn (two classes).
    """
    positive = positive_index(classes, positive_class)
    targets = range(len(classes)) if positive is None else (positive,)
    curves = {
        classes[target]: curve
        for target in targets
        if (curve := mean_roc_curve(labels, probabilities, folds=folds, target=target)) is not None
    }
    predicted = predicted_classes(probabilities.mean(axis=0))
    return RowDetail(confusion_matrix(labels, predicted, n_classes=len(classes)), curves)
