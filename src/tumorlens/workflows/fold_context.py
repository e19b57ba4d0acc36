"""What all rows of one cross-validated comparison share."""

from __future__ import annotations

from dataclasses import dataclass

from tumorlens.datasets import Dataset, RepeatedFolds
from tumorlens.features import FeatureStore
from tumorlens.progress import Progress
from tumorlens.reports import SYNTHETIC
from tumorlens.workspace import Workspace

__all__ = ["FoldContext"]


@dataclass(frozen=True)
class FoldContext:
    """One data set, its folds, one place to keep things.

    Attributes:
        workspace: Where predictions, features and graphs are kept.
        dataset: The scans.
        folds: Which fold each scan is held out in, for every repeat.
        store: The open feature store.
        seed: Seed of folds, heads and bootstrap; repeat r of heads takes ``seed + r``.
        threads: CPU threads; ``None`` for all.
        refit: Whether finished cross-validations are made again.
        progress: Told of all long work.
    """

    workspace: Workspace
    dataset: Dataset
    folds: RepeatedFolds
    store: FeatureStore
    seed: int
    threads: int | None
    refit: bool
    progress: Progress

    @property
    def marks(self) -> tuple[str, ...]:
        """What must be said with every result of this context."""
        return (SYNTHETIC,) if self.dataset.synthetic else ()
