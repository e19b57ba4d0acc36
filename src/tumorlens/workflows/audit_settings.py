"""What an audit is asked to look at, and what its steps share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tumorlens.datasets import Dataset
from tumorlens.progress import Progress
from tumorlens.workflows.audit_steps import AuditSteps
from tumorlens.workflows.fit import Network
from tumorlens.workspace import Workspace

__all__ = ["AuditContext", "AuditSettings"]


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """What is looked at, and with which network.

    Attributes:
        against: Data sets to hold the scans against.
        backbone: Network whose features price leakage and contradict labels.
        weights: ``imagenet``, ``random`` or a file.
        weights_dir: Folder with weight files under Keras' names.
        price: Whether a network is run at all; without it there is no price and no contradiction.
        seed: Seed of split, folds and draws.
        size: Side of the network's square input in pixels.
    """

    against: tuple[str, ...] = ()
    backbone: str = "efficientnet-lite0"
    weights: str = "imagenet"
    weights_dir: Path | None = None
    price: bool = True
    seed: int = 0
    size: int = 240


@dataclass(frozen=True)
class AuditContext:
    """What all steps of one audit share.

    Attributes:
        dataset: The scans.
        others: Data sets they are held against, by name.
        network: The network; ``None`` where none is run.
        steps: Keeps times and notes.
        workspace: Where features and splits are kept.
        seed: Seed of split, folds and draws.
        threads: CPU threads; ``None`` for all.
        progress: Told of all long work.
    """

    dataset: Dataset
    others: Mapping[str, Dataset]
    network: Network | None
    steps: AuditSteps
    workspace: Workspace
    seed: int
    threads: int | None
    progress: Progress
