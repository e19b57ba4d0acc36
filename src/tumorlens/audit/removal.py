"""Which training scans are taken away: those too like a test scan, or equally many by chance. Knows no features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.audit.twin_table import TwinTable
from tumorlens.datasets.similarity import nearest_similarity
from tumorlens.types import Labels

__all__ = ["closeness_to_tested", "enough_left", "equally_many", "raise_for_twins"]


def closeness_to_tested(thumbnails: npt.NDArray[np.uint8], folds: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """How like the scans tested in each fold every other scan is.

    Args:
        thumbnails: ``(n, 60, 60)`` uint8.
        folds: ``(n,)`` the fold each scan is tested in; -1: in none.

    Returns:
        ``(folds, n)``: the highest similarity to any scan of the fold, -1..1; -1 for the scans of the fold itself.
    """
    closeness = np.full((int(folds.max()) + 1, len(folds)), -1, np.float32)
    for fold, row in enumerate(closeness):
        others = folds != fold
        row[others] = nearest_similarity(thumbnails[others], thumbnails[~others])
    return closeness


def raise_for_twins(
    closeness: npt.NDArray[np.float32],
    folds: npt.NDArray[np.int64],
    twins: TwinTable,
    *,
    places: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """Count turned, mirrored and shifted twins as close as they are once aligned.

    Args:
        closeness: ``(folds, n)`` from :func:`closeness_to_tested`, which sees scans upright and unshifted only.
        folds: ``(n,)`` the fold each scan is tested in; -1: in none.
        twins: Twins by the numbers of their contents.
        places: ``(n,)`` number of each scan's content.

    Returns:
        ``(folds, n)``: at least the similarity of the closest twin tested in the fold; -1 for the fold's own scans.
    """
    raised = closeness.copy()
    contents = int(max(places.max(), twins.first.max(initial=0), twins.second.max(initial=0))) + 1
    for fold, row in enumerate(raised):
        tested = np.zeros(contents, bool)
        tested[places[folds == fold]] = True
        closest = np.full(contents, -1, np.float32)
        for one, other in ((twins.first, twins.second), (twins.second, twins.first)):
            np.maximum.at(closest, one[tested[other]], twins.similarity[tested[other]])
        others = folds != fold
        row[others] = np.maximum(row[others], closest[places[others]])
    return raised


def equally_many(
    removed: npt.NDArray[np.bool_],
    candidates: npt.NDArray[np.bool_],
    labels: Labels,
    *,
    generator: np.random.Generator,
) -> npt.NDArray[np.bool_]:
    """Choose by chance as many scans of each class as were removed, so that only their closeness differs.

    Args:
        removed: ``(folds, n)`` what was removed from each fold's training scans.
        candidates: ``(folds, n)`` what could have been removed.
        labels: ``(n,)`` class indices.
        generator: Of chance.

    Returns:
        ``(folds, n)``.
    """
    chosen = np.zeros_like(removed)
    for fold in range(len(removed)):
        for label in np.unique(labels):
            rows = np.flatnonzero(candidates[fold] & (labels == label))
            count = int((removed[fold] & (labels == label)).sum())
            chosen[fold, generator.choice(rows, count, replace=False)] = True
    return chosen


def enough_left(
    kept: npt.NDArray[np.bool_], candidates: npt.NDArray[np.bool_], labels: Labels, *, share: float
) -> bool:
    """Whether every fold keeps that share of its training scans, and some of every class.

    Args:
        kept: ``(folds, n)`` what is left for training.
        candidates: ``(folds, n)`` what there was.
        labels: ``(n,)`` class indices.
        share: Smallest share, 0..1.
    """
    if (kept.sum(axis=1) < share * candidates.sum(axis=1)).any():
        return False
    return all((kept & (labels == label)).any(axis=1).all() for label in np.unique(labels))
