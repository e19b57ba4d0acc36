"""The price of leakage, as a curve: the same features and head while training scans close to the test scans go.

One end is the random split, then folds by group with nothing removed, then without the training scans more like a test
scan than r (twins once aligned), r falling; beside each, equally many removed at random, so that less data is not
mistaken for less leakage. The strength of the L2 term is the same in every fit, so that only the training scans change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tumorlens.audit.batch_linear import share_rows
from tumorlens.audit.contradictions import predict_out_of_fold
from tumorlens.audit.cross_validation import Trial, predicted_right, random_folds
from tumorlens.audit.findings import CurvePoint, LeakageCurve, Twin
from tumorlens.audit.intervals import accuracies
from tumorlens.audit.learning_curve import learning_curve
from tumorlens.audit.permuted import permuted_labels
from tumorlens.audit.published import price_of_published_split
from tumorlens.audit.removal import closeness_to_tested, enough_left, equally_many, raise_for_twins
from tumorlens.audit.twin_table import TwinTable
from tumorlens.audit.twins import find_scan_twins
from tumorlens.datasets import Dataset
from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.training.folds import grouped_folds
from tumorlens.types import Features, Labels

__all__ = ["LEAST_LEFT", "MOST_SCANS", "REMOVED_ABOVE", "price_of_leakage"]

REMOVED_ABOVE = (0.98, 0.96, 0.95, 0.94, 0.92, 0.90, 0.88, 0.86, 0.84)
"""Similarities r above which training scans are removed."""

LEAST_LEFT = 0.15
"""The curve ends where a fold would keep less than this share of its training scans, or no scan of a class."""

MOST_SCANS = 20_000
"""Larger data sets are judged on whole groups chosen at random, up to this many scans."""

_CONTROLS = 3
_WORTH_A_STEP = 0.01


def price_of_leakage(
    dataset: Dataset,
    features: Features,
    *,
    backbone: str,
    strength: float | None = None,
    twins: Sequence[Twin] | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> LeakageCurve:
    """Measure what leakage adds to the accuracy on a data set.

    Args:
        dataset: The scans.
        features: ``(n, d)`` float32 pooled features of all rows.
        backbone: Whose features they are.
        strength: Weight of the L2 term, from :func:`~tumorlens.audit.contradictions.predict_out_of_fold`; chosen here
            if ``None``.
        twins: All twins of the data set, from :func:`~tumorlens.audit.twins.find_scan_twins`; found here if ``None``.
        seed: Of folds and chance.
        progress: Told about each head that is fitted.

    Raises:
        InputError: There are too few groups of a class for folds that never split one, or of a large data set no group
            of a class is small enough.
    """
    chosen = _choose_rows(dataset, most=MOST_SCANS, seed=seed)
    labels, groups, n_classes = dataset.labels[chosen], dataset.groups[chosen], len(dataset.classes)
    grouped = grouped_folds(labels, groups, seed=seed)
    random = random_folds(labels, count=int(grouped.max()) + 1, seed=seed)
    if strength is None:
        strength = predict_out_of_fold(features[chosen], labels, groups, n_classes=n_classes, seed=seed).strength
    twins = TwinTable.of(find_scan_twins(dataset, progress=progress) if twins is None else twins)
    rows = share_rows(features[chosen], strength=strength)
    with progress.task("Price of leakage", total=None) as task:
        steps = _steps(_closeness(dataset, grouped, twins, chosen=chosen), grouped, labels, seed=seed)
        trials = [Trial(random), Trial(grouped), *(trial for step in steps for trial in step.trials)]
        right = predicted_right(rows, labels, trials, n_classes=n_classes, task=task)
        found = accuracies(_columns(right, steps), groups=groups, unit=dataset.groups_are, seed=seed)
        published = price_of_published_split(
            dataset, rows, pairs=twins, chosen=chosen, least_left=LEAST_LEFT, seed=seed, task=task
        )
        permuted = permuted_labels(rows, groups, random=random, grouped=grouped, seed=seed, task=task)
        learning = learning_curve(rows, labels, groups, folds=grouped, unit=dataset.groups_are, seed=seed, task=task)
    ends = [CurvePoint(1.0, _train_scans(trial), end, end) for trial, end in zip(trials[:2], found[:2], strict=True)]
    falling = [
        CurvePoint(step.removed_above, _train_scans(step.trials[0]), found[2 + 2 * place], found[3 + 2 * place])
        for place, step in enumerate(steps)
    ]
    return LeakageCurve(
        backbone=backbone,
        random=found[0],
        grouped=found[1],
        curve=(*ends, *falling),
        permuted_random=permuted[0],
        permuted_grouped=permuted[1],
        learning=learning,
        published=published.accuracy if published else None,
        published_cleaned=published.cleaned if published else None,
        published_control=published.control if published else None,
        published_train=published.train_scans if published else 0,
        published_removed=published.removed_scans if published else 0,
        judged_scans=len(chosen),
    )


def _closeness(
    dataset: Dataset, folds: npt.NDArray[np.int64], twins: TwinTable, *, chosen: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """``(folds, n)``: how like the tested scans each other scan is, twins once aligned."""
    places = dataset.thumbnail_rows()
    of_contents = TwinTable(places[twins.first], places[twins.second], twins.kind, twins.similarity)
    upright = closeness_to_tested(dataset.thumbnails()[chosen], folds)
    return raise_for_twins(upright, folds, of_contents, places=places[chosen])


@dataclass(frozen=True, eq=False)
class _Step:
    """One similarity: the trial without the scans above it, then its controls."""

    removed_above: float
    trials: tuple[Trial, ...]


def _steps(
    closeness: npt.NDArray[np.float32], folds: npt.NDArray[np.int64], labels: Labels, *, seed: int
) -> list[_Step]:
    """Steps until too little is left; those that remove less than 1 % more than the one before are passed over."""
    generator = np.random.default_rng(seed)
    candidates = Trial(folds).trained_on()
    steps: list[_Step] = []
    so_far = 0
    for removed_above in REMOVED_ABOVE:
        removed = candidates & (closeness > removed_above)
        if not enough_left(candidates & ~removed, candidates, labels, share=LEAST_LEFT):
            break
        if removed.sum() - so_far >= _WORTH_A_STEP * candidates.sum():
            so_far = int(removed.sum())
            controls = [equally_many(removed, candidates, labels, generator=generator) for _ in range(_CONTROLS)]
            steps.append(_Step(removed_above, tuple(Trial(folds, left_out) for left_out in (removed, *controls))))
    return steps


def _columns(right: npt.NDArray[np.bool_], steps: Sequence[_Step]) -> npt.NDArray[np.float64]:
    """Random and grouped, then of each step the removal and the mean of its controls."""
    columns = [right[:, 0], right[:, 1]]
    start = 2
    for step in steps:
        end = start + len(step.trials)
        columns += [right[:, start], right[:, start + 1 : end].mean(axis=1)]
        start = end
    return np.stack(columns, axis=1).astype(np.float64)


def _train_scans(trial: Trial) -> int:
    """What is left for training, on average over the folds."""
    return round(float(trial.trained_on().sum(axis=1).mean()))


def _choose_rows(dataset: Dataset, *, most: int, seed: int) -> npt.NDArray[np.int64]:
    """All rows, or those of groups chosen at random; a group for which there is no room left is passed over."""
    if len(dataset) <= most:
        return np.arange(len(dataset))
    _, codes, sizes = np.unique(dataset.groups, return_inverse=True, return_counts=True)
    fitting, room = [], most
    for group in np.random.default_rng(seed).permutation(len(sizes)).tolist():
        if sizes[group] <= room:
            fitting.append(group)
            room -= int(sizes[group])
    rows = np.flatnonzero(np.isin(codes, fitting))
    missing = np.setdiff1d(np.arange(len(dataset.classes)), dataset.labels[rows])
    if missing.size:
        raise InputError(
            f"Expected scans of every class among {most:,} scans of whole groups, got none of "
            f"{', '.join(dataset.classes[label] for label in missing)}: its groups are too large or too few; name "
            "patients if these are clusters, or import fewer scans."
        )
    return rows
