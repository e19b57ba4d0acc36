"""What the plots of one row are made from: history, confusion matrix, ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation import (
    PrecisionRecallCurve,
    Resampling,
    RocCurve,
    confusion_matrix,
    positive_index,
    precision_recall_curve,
    roc_curve,
)
from tumorlens.types import Labels, Probabilities

__all__ = ["HistoryRow", "RowDetail", "row_detail"]

HistoryRow = Mapping[str, float | int | bool | str | None]
"""One epoch: ``epoch, train_loss, train_accuracy, val_loss, val_accuracy``; or one strength of a
linear head's path: ``strength, cv_loss, cv_loss_spread, cv_accuracy, chosen``; or one member that
joined an ensemble: ``joined, val_loss, val_accuracy, kept``. Other keys are left aside.
"""


@dataclass(frozen=True)
class RowDetail:
    """Belongs to one row of the comparison.

    Attributes:
        confusion: ``(k, k)`` int64 counts on the test part: reference label down, predicted class
            across.
        roc: Curves on the test part by class: the positive class alone with two classes, else each
            against the rest.
        history: One entry an epoch, or one a regularisation strength; empty where nothing was
            trained.
        precision_recall: Curves on the test part by class, the same classes as in ``roc``.
    """

    confusion: npt.NDArray[np.int64]
    roc: Mapping[str, RocCurve]
    history: tuple[HistoryRow, ...] = ()
    precision_recall: Mapping[str, PrecisionRecallCurve] = field(default_factory=dict)


def row_detail(
    labels: Labels,
    probabilities: Probabilities,
    predicted: Labels,
    *,
    parts: npt.NDArray[np.str_],
    classes: Sequence[str],
    positive_class: str | None,
    history: Sequence[HistoryRow] = (),
    resampling: Resampling | None = None,
) -> RowDetail:
    """Compute what the plots need from the same predictions as the figures.

    Args:
        labels: ``(n,)`` reference labels of all scans.
        probabilities: ``(n, k)`` of all scans; only those of the test part are looked at.
        predicted: ``(n,)`` the labels decided on.
        parts: ``(n,)`` part of each scan.
        classes: Class names in order.
        positive_class: The class whose ROC curve is drawn (two classes).
        history: One entry an epoch or strength.
        resampling: Draws of the test scans' groups, for intervals of average precisions; ``None`` for none.
    """
    test = parts == "test"
    positive = positive_index(classes, positive_class)
    targets = range(len(classes)) if positive is None else (positive,)
    curves = {
        classes[target]: curve
        for target in targets
        if (curve := roc_curve(labels[test], probabilities[test], target=target)) is not None
    }
    test_labels, test_probabilities = labels[test], probabilities[test]
    precisions = {
        classes[target]: precision
        for target in targets
        if (precision := precision_recall_curve(test_labels, test_probabilities, target=target, resampling=resampling))
        is not None
    }
    confusion = confusion_matrix(labels[test], predicted[test], n_classes=len(classes))
    return RowDetail(confusion, curves, tuple(history), precisions)
