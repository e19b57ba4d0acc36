"""Fine-tuning of a pretrained network: the layers above a boundary, or all of them, are trained further.

Below the boundary nothing changes, so what lies there is computed once and cached (:mod:`tumorlens.features.boundary`).
The classifier is linear on pooled features and starts as the one of the frozen network (Kumar et al., ICLR 2022, arXiv
2202.10054), so that the pretrained features are not distorted by a classifier that knows nothing yet. TensorFlow trains
in a child process; a training that was stopped goes on at the same step.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorlens.extras import require_extra
from tumorlens.progress import SILENT, Progress
from tumorlens.runtime.heads import Head
from tumorlens.training.fitted import EpochRecord, FittedNetwork
from tumorlens.training.recipe import Recipe
from tumorlens.training.sources import BoundarySource, ViewSource
from tumorlens.training.tuning_job import tune_in_child
from tumorlens.types import Labels

__all__ = ["fit_fine_tuned"]


def fit_fine_tuned(
    source: BoundarySource | ViewSource,
    *,
    backbone: str,
    weights: Path | None,
    size: int,
    layer: str | None,
    first_head: Head | None,
    labels: Labels,
    train_rows: NDArray[np.int64],
    val_rows: NDArray[np.int64],
    val_groups: NDArray[np.int64],
    n_classes: int,
    recipe: Recipe,
    folder: Path,
    seed: int = 0,
    state_seconds: float = 60.0,
    threads: int | None = None,
    progress: Progress = SILENT,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> FittedNetwork:
    """Fine-tune.

    Args:
        source: Outputs of the frozen part, or scans where all layers are trained.
        backbone: Name of the network.
        weights: Its weights file; ``None``: random weights.
        size: Side of its square input, pixels.
        layer: The last frozen layer; ``None``: all layers are trained.
        first_head: The classifier to start with; ``None``: one that knows nothing.
        labels: ``(n,)`` class index of every row of ``source``.
        train_rows: Rows to train on, shuffled each epoch.
        val_rows: Rows that decide which epoch is kept and when to stop.
        val_groups: ``(v,)`` the group of each of them.
        n_classes: Number of classes k.
        recipe: How it is trained.
        folder: Where ``body.keras``, ``training.log``, ``tensorboard`` and, until the end, the state are kept. With the
            state of a finished training of the same work nothing is trained again.
        seed: Seed of all that is drawn.
        state_seconds: Longest time between two writings of the state: at most so much work is lost by a kill.
        threads: CPU threads; ``None``: all.
        progress: Told of every batch.
        on_epoch: Given each epoch's record as it comes, those before a stop first; what it raises ends the training,
            whose state stays.

    Returns:
        The network as a ``.keras`` file from 0..255 pixels to its map (layer ``map``), and the linear head.

    Raises:
        MissingExtraError: TensorFlow is not installed.
        InputError: Rows or labels do not fit.
        TumorlensError: Training failed; the message says where its log is.
    """
    require_extra("train", purpose="Fine-tuning")
    return tune_in_child(
        "fine_tune",
        {"backbone": backbone, "weights": None if weights is None else str(weights.resolve()), "layer": layer},
        source,
        labels=labels,
        train_rows=train_rows,
        val_rows=val_rows,
        val_groups=val_groups,
        n_classes=n_classes,
        recipe=recipe,
        folder=folder,
        size=size,
        seed=seed,
        state_seconds=state_seconds,
        threads=threads,
        progress=progress,
        title=f"Fine-tuning {backbone}",
        kind="fine-tuned",
        takes="pooled",
        first_head=first_head,
        settings={"layer": layer},
        on_epoch=on_epoch,
    )
