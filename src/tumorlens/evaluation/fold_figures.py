"""Every figure of one classifier from its out-of-fold predictions in several repeats.

Probabilities are averaged per scan over the repeats first. ROC areas are computed inside folds and averaged: scores of
different heads mix calibrations, so the area of their pool is not that of any head (Forman and Scholz, ACM SIGKDD
Explorations 12 (2010) 49-57). Knows nothing about how a head was fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import numpy.typing as npt

from tumorlens.evaluation.bootstrap import DEFAULT_DRAWS, DEFAULT_LEVEL, Auc, Interval, Unit, resample_groups
from tumorlens.evaluation.figures import figures
from tumorlens.evaluation.fold_row import CrossValidatedFigures, FoldFigures
from tumorlens.evaluation.metrics import (
    RocCurve,
    accuracy,
    log_loss,
    positive_index,
    predicted_classes,
    roc_auc,
    roc_curve,
)
from tumorlens.evaluation.row import Classifier, GroupsAre, RowFigures
from tumorlens.evaluation.small_groups import honest_intervals
from tumorlens.evaluation.summary import summarise
from tumorlens.types import Features, Labels, Probabilities

__all__ = ["cross_validated_figures", "mean_roc_curve"]

_CURVE_POINTS = 1001
_BY_CLASS = {"precision": "ppv", "recall": "sensitivity", "f1": "f1"}

Vector = npt.NDArray[np.float64]


def cross_validated_figures(
    labels: Labels,
    probabilities: npt.NDArray[np.float64],
    *,
    folds: npt.NDArray[np.int64],
    strengths: Sequence[Sequence[float | None]],
    groups: npt.NDArray[np.str_],
    groups_are: GroupsAre,
    classes: Sequence[str],
    positive_class: str | None,
    classifier: Classifier,
    features: Features | None = None,
    draws: int = DEFAULT_DRAWS,
    level: float = DEFAULT_LEVEL,
    seed: int = 0,
) -> CrossValidatedFigures:
    """Compute every figure of one classifier.

    Args:
        labels: ``(n,)`` reference labels of all scans.
        probabilities: ``(repeats, n, k)`` of all scans, each from the head that was fitted without its fold.
        folds: ``(repeats, n)`` fold of each scan, 0..folds-1.
        strengths: By repeat and fold the chosen weight of the L2 term; ``None`` for heads without one.
        groups: ``(n,)`` group of each scan.
        groups_are: What a group is; "none": scans are drawn one by one.
        classes: The class names in order.
        positive_class: The class whose ROC area is given (two classes); the second when ``None``.
        classifier: What the row is about.
        features: ``(m, d)`` what the classifier was given, to find constant features; ``None``: not looked at.
        draws: Bootstrap draws.
        level: Of the intervals, 0..1.
        seed: Of the bootstrap.

    Raises:
        InputError: The predictions cannot be used.
    """
    averaged = probabilities.mean(axis=0)
    positive = positive_index(classes, positive_class)
    pooled = figures(
        labels,
        averaged,
        parts=np.full(labels.size, "test"),
        groups=groups,
        groups_are=groups_are,
        classes=classes,
        positive_class=positive_class,
        classifier=classifier,
        features=features,
        draws=draws,
        level=level,
        seed=seed,
    )
    by_class = summarise(
        labels,
        averaged,
        predicted=predicted_classes(averaged),
        groups=groups,
        groups_are=groups_are,
        classes=classes,
        positive_class=positive_class,
        draws=draws,
        level=level,
        seed=seed,
    ).per_class
    by_fold = _by_fold(labels, probabilities, folds=folds, strengths=strengths, positive=positive)
    area = _mean([fold.roc_auc for fold in by_fold])
    unit: Unit = "scans" if groups_are == "none" else groups_are
    resampling = resample_groups(groups, n_scans=labels.size, unit=unit, draws=draws, seed=seed)
    interval: Interval | None = None
    if resampling is not None and area is not None:
        statistic = _MeanArea(labels, probabilities, folds=folds, positive=positive, codes=resampling.codes)
        interval = honest_intervals({"area": (area, statistic)}, resampling=resampling, level=level)["area"]
    own = {entry.name: getattr(pooled, entry.name) for entry in fields(RowFigures)}
    own |= {
        "test_roc_auc": area,
        "test_roc_auc_low": None if interval is None else interval.low,
        "test_roc_auc_high": None if interval is None else interval.high,
    }
    return CrossValidatedFigures(
        **own,
        by_repeat=tuple(accuracy(labels, predicted_classes(repeat)) for repeat in probabilities),
        by_fold=by_fold,
        per_class_intervals={
            label: {name: found[key] for name, key in _BY_CLASS.items()} for label, found in by_class.items()
        },
    )


def mean_roc_curve(
    labels: Labels, probabilities: npt.NDArray[np.float64], *, folds: npt.NDArray[np.int64], target: int
) -> RocCurve | None:
    """The curve of class ``target`` against the rest, averaged over all folds at equal false positive rates.

    Args:
        labels: ``(n,)``.
        probabilities: ``(repeats, n, k)``, out of fold.
        folds: ``(repeats, n)`` fold of each scan.
        target: Index of the class.

    Returns:
        The mean curve on evenly spaced false positive rates; ``None`` where no fold has a curve.
    """
    grid = np.linspace(0.0, 1.0, _CURVE_POINTS)
    curves = [
        np.interp(grid, curve.false_positive_rate, curve.true_positive_rate)
        for scores, fold_of_row in zip(probabilities, folds, strict=True)
        for fold in np.unique(fold_of_row)
        if (curve := roc_curve(labels[fold_of_row == fold], scores[fold_of_row == fold], target=target)) is not None
    ]
    if not curves:
        return None
    return RocCurve(np.concatenate([[0.0], grid]), np.concatenate([[0.0], np.mean(curves, axis=0)]))


class _MeanArea:
    """The mean of the areas of single folds, for many draws at once."""

    def __init__(
        self,
        labels: Labels,
        probabilities: npt.NDArray[np.float64],
        *,
        folds: npt.NDArray[np.int64],
        positive: int | None,
        codes: npt.NDArray[np.int64],
    ) -> None:
        targets = list(range(probabilities.shape[2])) if positive is None else [positive]
        is_target = labels[:, None] == np.asarray(targets)
        self._areas = [
            Auc(scores[rows][:, targets], is_target[rows], codes=codes[rows])
            for scores, fold_of_row in zip(probabilities, folds, strict=True)
            for fold in np.unique(fold_of_row)
            if len(np.unique(labels[rows := fold_of_row == fold])) > 1
        ]

    def over(self, counts: Vector) -> Vector:
        """``(chunk,)``: the mean over the folds that have an area in a draw."""
        areas = np.stack([area.over(counts) for area in self._areas])
        defined = ~np.isnan(areas)
        total = np.where(defined, areas, 0.0).sum(axis=0)
        return np.divide(total, defined.sum(axis=0), out=np.full(total.shape, np.nan), where=defined.any(axis=0))

    def unvarying(self, *, n_groups: int, level: float) -> tuple[float, float, str] | None:
        """As of a single area, where every fold's scores are constant; else ``None``."""
        ends = {area.unvarying(n_groups=n_groups, level=level) for area in self._areas}
        return ends.pop() if len(ends) == 1 else None


def _by_fold(
    labels: Labels,
    probabilities: npt.NDArray[np.float64],
    *,
    folds: npt.NDArray[np.int64],
    strengths: Sequence[Sequence[float | None]],
    positive: int | None,
) -> tuple[FoldFigures, ...]:
    return tuple(
        _fold_figures(
            labels[folds[repeat] == fold],
            probabilities[repeat][folds[repeat] == fold],
            positive=positive,
            place=(repeat + 1, fold + 1),
            strength=strength,
        )
        for repeat, of_repeat in enumerate(strengths)
        for fold, strength in enumerate(of_repeat)
    )


def _fold_figures(
    labels: Labels,
    probabilities: Probabilities,
    *,
    positive: int | None,
    place: tuple[int, int],
    strength: float | None,
) -> FoldFigures:
    return FoldFigures(
        repeat=place[0],
        fold=place[1],
        scans=labels.size,
        accuracy=accuracy(labels, predicted_classes(probabilities)),
        log_loss=log_loss(labels, probabilities),
        roc_auc=roc_auc(labels, probabilities, positive=positive),
        strength=strength,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
