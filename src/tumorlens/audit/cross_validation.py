"""Cross-validations with the same features and head, many at once, that differ in training scans or labels only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold

from tumorlens.audit.batch_linear import SharedRows, predict_classes
from tumorlens.progress import Task
from tumorlens.types import Labels

__all__ = ["Trial", "predicted_right", "random_folds"]


@dataclass(frozen=True, eq=False)
class Trial:
    """One cross-validation.

    Attributes:
        folds: ``(n,)`` int64: the fold each scan is tested in; -1: in none, always trained on.
        left_out: ``(folds, n)`` bool: scans not trained on besides those tested; ``None``: no others.
    """

    folds: npt.NDArray[np.int64]
    left_out: npt.NDArray[np.bool_] | None = None

    def trained_on(self) -> npt.NDArray[np.bool_]:
        """``(folds, n)``: the scans each fold's head is trained on."""
        others = self.folds != np.arange(int(self.folds.max()) + 1)[:, None]
        return others if self.left_out is None else others & ~self.left_out


def random_folds(labels: Labels, *, count: int, seed: int) -> npt.NDArray[np.int64]:
    """Give each scan a fold by chance, whatever its group; classes are spread evenly.

    Args:
        labels: ``(n,)`` class indices.
        count: Number of folds, at most the scans of the rarest class.
        seed: Same seed, same folds.

    Returns:
        ``(n,)`` fold numbers 0..count-1.
    """
    folds = np.empty(len(labels), np.int64)
    splitter = StratifiedKFold(n_splits=count, shuffle=True, random_state=seed)
    for fold, (_, tested) in enumerate(splitter.split(np.zeros(len(labels)), labels)):
        folds[tested] = fold
    return folds


def predicted_right(
    rows: SharedRows,
    labels: npt.NDArray[np.int64],
    trials: Sequence[Trial],
    *,
    n_classes: int,
    task: Task,
) -> npt.NDArray[np.bool_]:
    """Run every trial.

    Args:
        rows: Features of all scans, and the strength of the L2 term.
        labels: ``(n,)`` class indices for all trials, or ``(n, trials)``.
        trials: The cross-validations; each head must have scans to be trained on.
        n_classes: Number of classes k.
        task: Advanced by one a head.

    Returns:
        ``(n, trials)``: whether each scan was predicted right when tested; ``False`` where it never was.
    """
    of_trial = labels[:, None] if labels.ndim == 1 else labels
    trained_on = [trial.trained_on() for trial in trials]
    owner = np.repeat(np.arange(len(trials)), [len(folds) for folds in trained_on])
    fold = np.concatenate([np.arange(len(folds)) for folds in trained_on])
    masks = np.concatenate(trained_on).T
    targets = of_trial if of_trial.shape[1] == 1 else of_trial[:, owner]
    right = np.zeros((len(of_trial), len(trials)), bool)
    for block, predicted in predict_classes(rows, targets, masks, n_classes=n_classes):
        for place, head in enumerate(range(block.start, block.stop)):
            trial = owner[head]
            tested = trials[trial].folds == fold[head]
            own = of_trial[tested, min(trial, of_trial.shape[1] - 1)]
            right[tested, trial] = predicted[tested, place] == own
        task.advance(block.stop - block.start)
    return right
