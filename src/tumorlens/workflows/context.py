"""What all runs of one comparison share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.datasets import Dataset, ResidualNeighbours, Split
from tumorlens.datasets.grouped_split import whole_units
from tumorlens.datasets.original import original_split_digest
from tumorlens.errors import InputError
from tumorlens.evaluation import OperatingWish
from tumorlens.features import FeatureStore
from tumorlens.progress import Progress
from tumorlens.reports import LEAKY, MISTAKE, SYNTHETIC
from tumorlens.workflows.resumable import open_resumable
from tumorlens.workspace import Workspace, storage_errors

__all__ = ["RunContext", "check_wish"]


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
        search: The search at whose end the runs are made; ``None`` without one.
        note: What must be said of the choice of scans; empty: nothing.
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
    search: str | None = None
    note: str = ""

    @property
    def units(self) -> npt.NDArray[np.int64]:
        """``(n,)`` code of what stays together: the group of each row, joined where groups share pixels."""
        found = np.unique(whole_units(self.dataset.groups, self.dataset.digests), return_inverse=True)[1]
        return found.astype(np.int64)

    @property
    def original_split(self) -> str:
        """Where the data set is a prepared copy, the digest of the same split of its original; else empty."""
        return original_split_digest(self.dataset, self.split)

    @property
    def marks(self) -> tuple[str, ...]:
        """What must be said with every result of this context."""
        mistake = (MISTAKE,) if self.mistake is not None else ()
        leaky = (LEAKY,) if self.split.protocol == "study" else ()
        synthetic = (SYNTHETIC,) if self.dataset.synthetic else ()
        return mistake + leaky + synthetic

    def config_facts(self) -> dict[str, Any]:
        """What decides the result of any run of this context; see :class:`~tumorlens.workflows.runs.SharedConfig`."""
        return {
            "dataset": self.dataset.name,
            "manifest_digest": self.dataset.digest,
            "split_digest": self.split.digest,
            "protocol": self.split.protocol,
            "seed": self.seed,
            "operating_point": "" if self.wish is None else f"{self.wish.kind}={self.wish.value:g}",
            "carries_neighbours": self.carry_neighbours,
            "precision": self.precision,
            "tumorlens": version("tumorlens"),
        }

    @contextmanager
    def training_folder(self, name: str) -> Iterator[Path]:
        """A folder for a child process that trains; it stays, with the child's log, only where training failed."""
        folder = self.workspace.training / f"{name}-{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        with storage_errors(folder):
            folder.mkdir(parents=True)
            yield folder
        shutil.rmtree(folder)

    def resumable_folder(self, name: str) -> AbstractContextManager[Path]:
        """A folder for training that goes on after it was stopped; see :func:`open_resumable`."""
        return open_resumable(self.workspace, name)


def check_wish(wish: OperatingWish | None, dataset: Dataset) -> None:
    """Raise where an operating point is wanted that a data set cannot have.

    Raises:
        InputError: It has more than two classes.
    """
    if wish is not None and dataset.positive_class is None:
        raise InputError(
            f"An operating point (--{wish.kind}) needs two classes, but {dataset.name!r} has {len(dataset.classes)}: "
            "leave it out."
        )
