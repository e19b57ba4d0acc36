"""The figures of :mod:`tumorlens.evaluation.summary_points`, for many draws at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.average_precision import AveragePrecision
from tumorlens.evaluation.bootstrap import Auc, DrawStatistic
from tumorlens.evaluation.confusion import (
    CLASS_FIGURES,
    balanced_accuracy,
    class_weights,
    macro,
    matthews,
    predictive_values,
)
from tumorlens.evaluation.group_sums import FromConfusion, GroupSums, Ratio, confusion_columns
from tumorlens.evaluation.metrics import scan_losses
from tumorlens.evaluation.summary_points import brier_terms
from tumorlens.types import Labels, Probabilities

__all__ = ["summary_statistics"]

Vector = npt.NDArray[np.float64]


def summary_statistics(
    labels: Labels,
    probabilities: Probabilities,
    *,
    predicted: Labels,
    codes: npt.NDArray[np.int64],
    classes: Sequence[str],
    positive: int | None,
    prevalence: float | None,
) -> dict[tuple[str, str], DrawStatistic]:
    """(class or nothing, name) to figure; arguments as in :func:`~tumorlens.evaluation.summary.summarise`."""
    k = len(classes)
    losses = [scan_losses(labels, probabilities), brier_terms(labels, probabilities, positive=positive)]
    cells = confusion_columns(labels, predicted, n_classes=k)
    sums = GroupSums(np.column_stack([cells, *losses]), codes=codes)
    every = _padded(np.ones((k, k)))
    targets = list(range(k)) if positive is None else [positive]
    scores, is_target = probabilities[:, targets], labels[:, None] == np.asarray(targets)

    def ratio(name: str, target: int) -> Ratio:
        top, bottom = class_weights(name, target, n_classes=k)
        return Ratio(sums, top=_padded(top), bottom=_padded(bottom))

    def confusion(function: Callable[[Vector], Vector]) -> FromConfusion:
        return FromConfusion(sums, function, n_classes=k)

    figures: dict[str, DrawStatistic] = {
        "accuracy": Ratio(sums, top=_padded(np.eye(k)), bottom=every),
        "balanced_accuracy": confusion(balanced_accuracy),
        **{
            name: confusion(partial(macro, name=name)) if positive is None else ratio(name, positive)
            for name in CLASS_FIGURES
        },
        "mcc": confusion(matthews),
        "roc_auc": Auc(scores, is_target, codes=codes),
        "average_precision": AveragePrecision(scores, is_target, codes=codes),
        "log_loss": Ratio(sums, top=_unit(every.size, -2), bottom=every, highest=np.inf, share=False),
        "brier": Ratio(
            sums, top=_unit(every.size, -1), bottom=every, highest=2.0 if positive is None else 1.0, share=False
        ),
    }
    if prevalence is not None and positive is not None:
        for at, name in enumerate(("ppv_at_prevalence", "npv_at_prevalence")):
            figures[name] = confusion(partial(_predictive, at=at, positive=positive, prevalence=prevalence))
    found = {("", name): statistic for name, statistic in figures.items()}
    return found | {(label, name): ratio(name, i) for i, label in enumerate(classes) for name in CLASS_FIGURES}


def _padded(cells: Vector) -> Vector:
    """Weights of the confusion matrix' cells, none for the two columns of losses behind them."""
    return np.concatenate([cells.ravel(), [0.0, 0.0]])


def _unit(size: int, place: int) -> Vector:
    weights = np.zeros(size)
    weights[place] = 1.0
    return weights


def _predictive(matrices: Vector, *, at: int, positive: int, prevalence: float) -> Vector:
    return predictive_values(matrices, positive=positive, prevalence=prevalence)[at]
