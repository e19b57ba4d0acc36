"""Every figure of one classifier, from its predictions for all scans of a data set.

Knows nothing about how the classifier was made; baselines, linear heads and networks pass through
the same function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.bootstrap import (
    DEFAULT_DRAWS,
    DEFAULT_LEVEL,
    Auc,
    DrawStatistic,
    Interval,
    Resampling,
    Unit,
    resample_groups,
)
from tumorlens.evaluation.collapse import collapse_reason
from tumorlens.evaluation.group_sums import Mean
from tumorlens.evaluation.metrics import (
    accuracy,
    check_predictions,
    log_loss,
    per_class,
    positive_index,
    predicted_classes,
    roc_auc,
    scan_losses,
)
from tumorlens.evaluation.published import PublishedFigures
from tumorlens.evaluation.row import Classifier, GroupsAre, RowFigures
from tumorlens.evaluation.small_groups import honest_intervals
from tumorlens.types import Features, Labels, Probabilities

__all__ = ["figures"]


def figures(
    labels: Labels,
    probabilities: Probabilities,
    *,
    predicted: Labels | None = None,
    parts: npt.NDArray[np.str_],
    groups: npt.NDArray[np.str_] | None,
    groups_are: GroupsAre,
    classes: Sequence[str],
    positive_class: str | None,
    classifier: Classifier,
    features: Features | None = None,
    published: PublishedFigures | None = None,
    draws: int = DEFAULT_DRAWS,
    level: float = DEFAULT_LEVEL,
    seed: int = 0,
) -> RowFigures:
    """Compute every figure of one classifier.

    Args:
        labels: ``(n,)`` reference labels of all scans.
        probabilities: ``(n, k)`` of all scans; rows outside training, validation and test may hold
            NaN.
        predicted: ``(n,)`` the labels decided on; by default the class with the largest probability.
        parts: ``(n,)`` "train", "validation", "calibration" or "test".
        groups: ``(n,)`` group of each scan; ``None`` without groups.
        groups_are: What a group is; "none": scans are drawn one by one.
        classes: The class names in order.
        positive_class: The class whose ROC area is given (two classes); the second when ``None``.
        classifier: What the row is about.
        features: ``(m, d)`` what the classifier was given, to find constant features; ``None``: not
            looked at.
        published: The original study's figures to stand beside these.
        draws: Bootstrap draws.
        level: Of the intervals, 0..1.
        seed: Of the bootstrap.

    Returns:
        The row.

    Raises:
        InputError: The test part is empty or the predictions cannot be used.
    """
    train, validation, test = (parts == part for part in ("train", "validation", "test"))
    decided = predicted_classes(probabilities) if predicted is None else predicted
    train_accuracy, train_loss = _fit_figures(labels[train], probabilities[train], decided[train])
    val_accuracy, val_loss = _fit_figures(labels[validation], probabilities[validation], decided[validation])
    check_predictions(labels[test], probabilities[test])
    unit: Unit = "scans" if groups_are == "none" else groups_are
    resampling = resample_groups(
        None if groups is None else groups[test],
        n_scans=int(test.sum()),
        unit=unit,
        draws=draws,
        seed=seed,
    )
    is_baseline = classifier.kind == "baseline"
    because = None if is_baseline else collapse_reason(labels[test], decided[test], features=features)
    return RowFigures(
        **asdict(classifier),
        collapsed=because is not None,
        collapsed_because=because,
        train_accuracy=train_accuracy,
        val_accuracy=val_accuracy,
        train_loss=train_loss,
        val_loss=val_loss,
        per_class=per_class(labels[test], decided[test], classes=classes),
        n_test=int(test.sum()),
        published=published,
        **_test_figures(
            labels[test],
            probabilities[test],
            decided[test],
            positive=positive_index(classes, positive_class),
            resampling=resampling,
            level=level,
        ),
    )


def _fit_figures(labels: Labels, probabilities: Probabilities, decided: Labels) -> tuple[float | None, float | None]:
    if not labels.size:
        return None, None
    check_predictions(labels, probabilities)
    return accuracy(labels, decided), log_loss(labels, probabilities)


def _test_figures(
    labels: Labels,
    probabilities: Probabilities,
    decided: Labels,
    *,
    positive: int | None,
    resampling: Resampling | None,
    level: float,
) -> dict[str, Any]:
    values = {
        "test_accuracy": accuracy(labels, decided),
        "test_loss": log_loss(labels, probabilities),
        "test_roc_auc": roc_auc(labels, probabilities, positive=positive),
    }
    intervals: dict[str, Interval | None] = {}
    if resampling is not None:
        statistics = _statistics(labels, probabilities, decided, positive=positive, codes=resampling.codes)
        defined = {name: (value, statistics[name]) for name, value in values.items() if value is not None}
        intervals = honest_intervals(defined, resampling=resampling, level=level)
    found: dict[str, Any] = {**values, "interval": intervals.get("test_accuracy")}
    for name in values:
        interval = intervals.get(name)
        found[f"{name}_low"] = interval.low if interval else None
        found[f"{name}_high"] = interval.high if interval else None
    return found


def _statistics(
    labels: Labels,
    probabilities: Probabilities,
    decided: Labels,
    *,
    positive: int | None,
    codes: npt.NDArray[np.int64],
) -> dict[str, DrawStatistic]:
    targets = list(range(probabilities.shape[1])) if positive is None else [positive]
    is_target = labels[:, None] == np.asarray(targets)
    return {
        "test_accuracy": Mean(decided == labels, codes=codes),
        "test_loss": Mean(scan_losses(labels, probabilities), codes=codes, highest=np.inf, share=False),
        "test_roc_auc": Auc(probabilities[:, targets], is_target, codes=codes),
    }
