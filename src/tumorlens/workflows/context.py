"""What all runs of one comparison share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tumorlens.datasets import Dataset, ResidualNeighbours, Split
from tumorlens.evaluation import OperatingWish
from tumorlens.features import FeatureStore
from tumorlens.progress import Progress
from tumorlens.reports import LEAKY, MISTAKE, SYNTHETIC
from tumorlens.workspace import Workspace, storage_errors

__all__ = ["RunContext"]


@dataclass(frozen=True)
class RunContext:
    """One data set, one split, one place to keep things.

    Attributes:
        workspace: Where runs, features and graphs are kept.
        dataset: The scans.
        split: Which part each row belongs to.
        neighbours: Test scans that keep a close training neighbour.
        store: The open feature store.
        size: Side of the networks' square input in pixels.
        seed: Seed of heads and bootstrap.
        threads: CPU threads; ``None`` for all.
        refit: Whether finished runs are made again.
        progress: Told of all long work.
        wish: What the operating point is to reach; ``None``: the larger of two probabilities answers.
        carry_neighbours: Whether bundles carry their training scans' features and labels.
        mistake: The mistake that is made on purpose; ``None`` for the right way.
        precision: What networks compute in: ``fp32``, ``int8`` or ``auto``.
    """

    workspace: Workspace
    dataset: Dataset
    split: Split
    neighbours: ResidualNeighbours
    store: FeatureStore
    size: int
    seed: int
    threads: int | None
    refit: bool
    progress: Progress
    wish: OperatingWish | None = None
    carry_neighbours: bool = False
    mistake: str | None = None
    precision: str = "fp32"

    @property
    def marks(self) -> tuple[str, ...]:
        """What must be said with every result of this context."""
        mistake = (MISTAKE,) if self.mistake is not None else ()
        leaky = (LEAKY,) if self.split.protocol == "study" else ()
        synthetic = (SYNTHETIC,) if self.dataset.synthetic else ()
        return mistake + leaky + synthetic

    @contextmanager
    def training_folder(self, name: str) -> Iterator[Path]:
        """A folder for a child process that trains; it stays, with the child's log, only where training failed."""
        folder = self.workspace.training / f"{name}-{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        with storage_errors(folder):
            folder.mkdir(parents=True)
            yield folder
        shutil.rmtree(folder)
