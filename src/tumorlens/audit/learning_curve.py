"""How accuracy grows with the number of groups in training: whether more of the same data would help."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tumorlens.audit.batch_linear import SharedRows
from tumorlens.audit.cross_validation import Trial, predicted_right
from tumorlens.audit.findings import LearningPoint, WithInterval
from tumorlens.audit.intervals import accuracies
from tumorlens.audit.removal import enough_left
from tumorlens.evaluation.bootstrap import Unit
from tumorlens.progress import Task
from tumorlens.types import Labels

__all__ = ["LEARNING_SHARES", "learning_curve"]

LEARNING_SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
"""Shares of the training groups that are kept."""

_DRAWS = 3


def learning_curve(
    rows: SharedRows,
    labels: Labels,
    groups: npt.NDArray[np.str_],
    *,
    folds: npt.NDArray[np.int64],
    unit: Unit,
    seed: int,
    task: Task,
) -> tuple[LearningPoint, ...]:
    """Test on the same scans with ever more groups in training, each share the mean of three draws.

    A share that leaves a class out of a fold's training is passed over.

    Args:
        rows: Features of all scans, and the strength of the L2 term.
        labels: ``(n,)`` class indices.
        groups: ``(n,)`` the group of each scan.
        folds: ``(n,)`` folds that keep groups whole.
        unit: What a group is.
        seed: Same seed, same draws.
        task: Advanced by one a head.

    Returns:
        From few groups to all.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    generator = np.random.default_rng(seed)
    by_share: list[list[Trial]] = []
    for share in LEARNING_SHARES:
        draws = 1 if share == 1.0 else _DRAWS
        trials = [Trial(folds, _groups_left_out(codes, folds, share=share, generator=generator)) for _ in range(draws)]
        kept = np.concatenate([trial.trained_on() for trial in trials])
        if enough_left(kept, kept, labels, share=0):
            by_share.append(trials)
    every = [trial for trials in by_share for trial in trials]
    right = predicted_right(rows, labels, every, n_classes=int(labels.max()) + 1, task=task)
    starts = np.cumsum([0, *(len(trials) for trials in by_share[:-1])])
    means = np.stack([part.mean(axis=1) for part in np.split(right, starts[1:], axis=1)], axis=1)
    tests = accuracies(means, groups=groups, unit=unit, seed=seed)
    return tuple(_point(trials, codes, test) for trials, test in zip(by_share, tests, strict=True))


def _point(trials: Sequence[Trial], codes: npt.NDArray[np.int64], test: WithInterval) -> LearningPoint:
    kept = np.concatenate([trial.trained_on() for trial in trials])
    in_training = np.mean([len(np.unique(codes[mask])) for mask in kept])
    return LearningPoint(round(float(in_training)), round(float(kept.sum(axis=1).mean())), test)


def _groups_left_out(
    codes: npt.NDArray[np.int64], folds: npt.NDArray[np.int64], *, share: float, generator: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """``(folds, n)``: the scans of all but a share of each fold's training groups."""
    left_out = np.zeros((int(folds.max()) + 1, len(folds)), bool)
    for fold, row in enumerate(left_out):
        candidates = np.unique(codes[folds != fold])
        kept = generator.permutation(candidates)[: max(1, round(share * len(candidates)))]
        row[:] = ~np.isin(codes, kept)
    return left_out
