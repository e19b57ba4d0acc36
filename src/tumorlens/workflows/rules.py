"""How a trained model decides: calibration, operating point, sets of classes and the limit of novelty.

The operating point rests on out-of-fold predictions of the training part; models without folds take the validation
part, which chose their epoch or their members too. The rest rests on the calibration part alone. The test part plays
no role.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tumorlens.bundles import ConformalRule, Neighbours, NoveltyRule, OperatingPoint, decide, nearest_distance
from tumorlens.bundles.reference import Vectors, unit_vectors
from tumorlens.evaluation import FittedCalibration, choose_threshold, class_thresholds, fit_calibration
from tumorlens.evaluation.hierarchical import group_quantile, groups_needed
from tumorlens.runtime import calibrate
from tumorlens.types import Features, Labels, Probabilities
from tumorlens.workflows.context import RunContext

__all__ = ["DecisionRules", "FeaturesOf", "fit_rules", "labels_for_wish", "training_neighbours"]

FeaturesOf = Callable[[npt.NDArray[np.int64]], Features]
"""Pooled features ``(m, d)`` of some rows of the data set."""

WANTED_COVERAGE = 0.95
FALSE_ALARMS = 0.01
_MOST_REFERENCES = 2_000
_MOST_NEIGHBOURS = 20_000
_ROWS_AT_ONCE = 1_024
_HALF = 0.5
_HALF_BASIS = "the larger of two probabilities"


@dataclass(frozen=True, eq=False)
class DecisionRules:
    """What a bundle decides by.

    Attributes:
        calibrated: What is done to logits before the softmax, and why.
        calibration_words: What the probabilities rest on.
        operating_point: Threshold for two classes.
        conformal: Which classes stand in a scan's set; ``None``: not offered.
        novelty: The limit of novelty; ``None``: not offered.
        not_offered: Why not, a sentence each.
        reference: ``(m, d)`` unit vectors of training scans that novelty is measured against; ``None`` without it.
        distances: ``(n,)`` distance to the training data of every row outside training; NaN for the others.
    """

    calibrated: FittedCalibration
    calibration_words: str
    operating_point: OperatingPoint | None
    conformal: ConformalRule | None
    novelty: NoveltyRule | None
    not_offered: tuple[str, ...]
    reference: Vectors | None = field(repr=False)
    distances: npt.NDArray[np.float64] = field(repr=False)

    def labels_of(self, probabilities: Probabilities, classes: tuple[str, ...]) -> Labels:
        """``(n,)`` the labels that calibrated probabilities ``(n, k)`` come to."""
        answers = [decide(classes, self.operating_point, dict(zip(classes, row, strict=True))) for row in probabilities]
        return np.array([classes.index(answer) for answer in answers], np.int64)


def fit_rules(
    context: RunContext,
    probabilities: Probabilities,
    features_of: FeaturesOf,
    *,
    out_of_fold: Probabilities | None,
    threshold_basis: str,
    as_given: str,
) -> DecisionRules:
    """Fit all rules of a model.

    Args:
        context: Data set, split and what the operating point is to reach.
        probabilities: ``(n, k)`` uncalibrated, of all rows.
        features_of: Gives pooled features.
        out_of_fold: ``(m, k)`` uncalibrated, of the training rows, each without its group; ``None`` without folds.
        threshold_basis: What the threshold rests on in a model without folds: the validation part, and what else that
            chose, in words.
        as_given: What the probabilities are where nothing is fitted here, in words.
    """
    dataset, rows = context.dataset, context.split.rows("calibration")
    labels, groups = dataset.labels[rows], dataset.groups[rows]
    calibrated = fit_calibration(labels, probabilities[rows], groups, positive=_positive(context), seed=context.seed)
    given = calibrate(probabilities[rows], calibrated.calibration)
    conformal, no_sets = _conformal(context, labels, given, groups)
    novelty, reference, distances, no_novelty = _novelty(context, groups, features_of)
    return DecisionRules(
        calibrated=calibrated,
        calibration_words=_calibration_words(context, calibrated, as_given=as_given),
        operating_point=_operating_point(
            context, probabilities, calibrated, out_of_fold=out_of_fold, threshold_basis=threshold_basis
        ),
        conformal=conformal,
        novelty=novelty,
        not_offered=tuple(filter(None, (no_sets, no_novelty))),
        reference=reference,
        distances=distances,
    )


def labels_for_wish(context: RunContext, probabilities: Probabilities) -> Labels:
    """``(n,)`` labels at the threshold that the context's wish gives on the validation part; without a wish one half.

    Args:
        context: Data set, split and wish.
        probabilities: ``(n, k)`` of all rows, as a model ships them.
    """
    positive, rows = _positive(context), context.split.rows("validation")
    if positive is None or context.wish is None:
        return probabilities.argmax(axis=1)
    labels = context.dataset.labels[rows]
    threshold = choose_threshold(labels, probabilities[rows], context.wish, positive=positive)
    return np.where(probabilities[:, positive] >= threshold, positive, 1 - positive)


def training_neighbours(context: RunContext, features_of: FeaturesOf) -> Neighbours:
    """The training scans to be looked up by features; 20,000 drawn ones where there are more."""
    rows = _some(context.split.rows("train"), _MOST_NEIGHBOURS, seed=context.seed)
    table = context.dataset.manifest
    return Neighbours(
        vectors=np.concatenate([unit_vectors(features_of(part)) for part in _parts(rows)]),
        labels=table["label"].to_numpy(dtype=np.str_)[rows],
        sources=table["source"].to_numpy(dtype=np.str_)[rows],
        digests=context.dataset.digests[rows],
        split=context.split.digest,
    )


def _positive(context: RunContext) -> int | None:
    positive = context.dataset.positive_class
    return None if positive is None else context.dataset.classes.index(positive)


def _calibration_words(context: RunContext, calibrated: FittedCalibration, *, as_given: str) -> str:
    if calibrated.reason:
        return f"Probabilities are {as_given}: {calibrated.reason}."
    labels = context.dataset.labels[context.split.rows("calibration")]
    classes = context.dataset.classes
    code = len(classes) - 1 if (found := _positive(context)) is None else found
    share = float((labels == code).mean())
    method = {"temperature": "a temperature", "platt": "Platt's scaling"}[calibrated.method]
    return (
        f"Probabilities are calibrated by {method} on {calibrated.n_groups:,} {context.dataset.groups_are} "
        f"({calibrated.n_scans:,} scans, {share:.0%} {classes[code]} slices)."
    )


def _operating_point(
    context: RunContext,
    probabilities: Probabilities,
    calibrated: FittedCalibration,
    *,
    out_of_fold: Probabilities | None,
    threshold_basis: str,
) -> OperatingPoint | None:
    positive = _positive(context)
    if positive is None:
        return None
    name = context.dataset.classes[positive]
    if context.wish is None:
        return OperatingPoint(name, _HALF, _HALF_BASIS)
    if out_of_fold is None:
        rows = context.split.rows("validation")
        given, basis = probabilities[rows], threshold_basis
    else:
        rows, given, basis = context.split.rows("train"), out_of_fold, "out-of-fold predictions of training scans"
    own = calibrate(given, calibrated.calibration)
    threshold = choose_threshold(context.dataset.labels[rows], own, context.wish, positive=positive)
    return OperatingPoint(name, threshold, f"{context.wish.words} on {basis} ({len(rows):,} scans)")


def _conformal(
    context: RunContext, labels: Labels, given: Probabilities, groups: npt.NDArray[np.str_]
) -> tuple[ConformalRule | None, str | None]:
    dataset = context.dataset
    thresholds = class_thresholds(labels, given, groups, wanted=WANTED_COVERAGE)
    counts = [len(np.unique(groups[labels == code])) for code in range(len(dataset.classes))]
    if thresholds is None:
        fewest = int(np.argmin(counts))
        return None, (
            f"'Undecided' is not offered: sets that hold the reference label in {WANTED_COVERAGE:.0%} of scans need "
            f"{groups_needed(WANTED_COVERAGE)} {dataset.groups_are} of each class in the calibration part, and "
            f"{dataset.classes[fewest]} has {counts[fewest]}."
        )
    of_classes = ", ".join(f"{name} {count:,}" for name, count in zip(dataset.classes, counts, strict=True))
    basis = f"{dataset.groups_are} of the calibration part: {of_classes}"
    return ConformalRule(WANTED_COVERAGE, thresholds, basis), None


def _novelty(
    context: RunContext, groups: npt.NDArray[np.str_], features_of: FeaturesOf
) -> tuple[NoveltyRule | None, Vectors | None, npt.NDArray[np.float64], str | None]:
    distances = np.full(len(context.dataset), np.nan)
    needed, there = groups_needed(1.0 - FALSE_ALARMS), len(np.unique(groups))
    if there < needed:
        return (
            None,
            None,
            distances,
            f"'Unlike the training data' is not offered: a limit that flags {FALSE_ALARMS:.0%} of like scans needs "
            f"{needed} {context.dataset.groups_are} in the calibration part, and there are {there}.",
        )
    rows = _some(context.split.rows("train"), _MOST_REFERENCES, seed=context.seed)
    reference = np.concatenate([unit_vectors(features_of(part)) for part in _parts(rows)])
    for part in _parts(np.flatnonzero(context.split.parts != "train")):
        distances[part] = nearest_distance(features_of(part), reference)
    threshold = group_quantile(distances[context.split.rows("calibration")], groups, level=1.0 - FALSE_ALARMS)
    assert threshold is not None  # there are groups enough
    basis = f"{there:,} {context.dataset.groups_are} of the calibration part, {len(rows):,} reference scans"
    return NoveltyRule(threshold, FALSE_ALARMS, basis), reference, distances, None


def _some(rows: npt.NDArray[np.int64], most: int, *, seed: int) -> npt.NDArray[np.int64]:
    """All rows, or ``most`` drawn ones where there are more."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _parts(rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Rows in portions, so that memory does not grow with their number."""
    return np.array_split(rows, max(1, -(-len(rows) // _ROWS_AT_ONCE)))
