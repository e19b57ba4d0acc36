"""One row of a cross-validated comparison: figures from out-of-fold predictions, and how they vary. Computes no
prediction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tumorlens.errors import IntegrityError
from tumorlens.evaluation.row import RowFigures
from tumorlens.evaluation.summary import Figure

__all__ = ["CrossValidatedFigures", "FoldFigures"]


@dataclass(frozen=True, kw_only=True)
class FoldFigures:
    """What one head did on the scans it was not fitted on.

    Attributes:
        repeat: Counted from 1.
        fold: Counted from 1.
        scans: Held-out scans.
        accuracy: Share predicted right, 0..1.
        log_loss: Mean cross-entropy in nats.
        roc_auc: 0..1, positive class or macro one-versus-rest; ``None`` where one class alone is held out.
        strength: Weight of the L2 term chosen inside the other folds; ``None`` for heads without one.
    """

    repeat: int
    fold: int
    scans: int
    accuracy: float
    log_loss: float
    roc_auc: float | None
    strength: float | None


@dataclass(frozen=True, kw_only=True)
class CrossValidatedFigures(RowFigures):
    """One row of a cross-validated comparison.

    Its ``test_*`` figures are of **all** scans, each predicted by heads that were fitted without its fold. Accuracy,
    loss and figures by class come from the probabilities averaged over the repeats; ``test_roc_auc`` is the mean of the
    areas of single folds, because scores of different heads are not on one scale. There is no training or validation
    figure. Intervals are over groups; that another training would have given another head is not in them, which is
    what ``by_repeat`` shows.

    Attributes:
        by_repeat: Accuracy of each repeat's out-of-fold predictions, 0..1.
        by_fold: Every head, by repeat and fold.
        per_class_intervals: By class ``precision``, ``recall`` and ``f1``, each with its interval.
    """

    by_repeat: tuple[float, ...]
    by_fold: tuple[FoldFigures, ...]
    per_class_intervals: Mapping[str, Mapping[str, Figure]]

    @property
    def repeat_spread(self) -> float | None:
        """Standard deviation of the accuracy over the repeats; ``None`` for one."""
        return _spread(self.by_repeat)

    @property
    def fold_spread(self) -> float | None:
        """Standard deviation of the accuracy over the folds of all repeats."""
        return _spread([fold.accuracy for fold in self.by_fold])

    @property
    def roc_auc_spread(self) -> float | None:
        """Standard deviation of the ROC area over the folds of all repeats."""
        return _spread([fold.roc_auc for fold in self.by_fold if fold.roc_auc is not None])

    @property
    def name(self) -> str:
        """Network and head, or the baseline: what the row is called in differences and prediction tables."""
        return self.backbone if self.head is None else f"{self.backbone}-{self.head}"

    def to_json(self) -> dict[str, Any]:
        """As of every row, with the spreads."""
        return {
            **super().to_json(),
            "repeat_spread": self.repeat_spread,
            "fold_spread": self.fold_spread,
            "roc_auc_spread": self.roc_auc_spread,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> CrossValidatedFigures:
        """Read what :meth:`to_json` gave; keys of a newer version are left aside.

        Raises:
            IntegrityError: A key is missing or holds something else.
        """
        try:
            read = {
                "by_repeat": tuple(row["by_repeat"]),
                "by_fold": tuple(FoldFigures(**fold) for fold in row["by_fold"]),
                "per_class_intervals": {
                    label: {name: Figure(**figure) for name, figure in figures.items()}
                    for label, figures in row["per_class_intervals"].items()
                },
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise IntegrityError(f"A row of the comparison is damaged ({error}): run the comparison again.") from error
        found = super().from_json({**row, **read})
        assert isinstance(found, cls)
        return found


def _spread(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
