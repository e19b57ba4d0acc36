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
from tumorlens.runtime.graph_cache import facts_digest
from tumorlens.runtime.heads import Head
from tumorlens.training.fitted import EpochRecord, FittedNetwork
from tumorlens.training.keras_job import train_in_child
from tumorlens.training.recipe import Recipe
from tumorlens.training.sources import BoundarySource, ViewSource
from tumorlens.types import Labels

__all__ = ["BODY_FILE", "STATE_FILE", "fit_fine_tuned"]

BODY_FILE = "body.keras"

STATE_FILE = "state.npz"
"""Name of the file from which a training goes on."""


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
        n_classes: Number of classes k.
        recipe: How it is trained.
        folder: Where ``body.keras``, ``training.log`` and the state, ``state.npz``, are kept. With the state of a
            finished training of the same work nothing is trained again.
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
    body = folder / BODY_FILE
    facts = {
        "source": source.describe(),
        "backbone": backbone,
        "weights": None if weights is None else str(weights.resolve()),
        "size": size,
        "layer": layer,
        "recipe": recipe.facts(),
        "seed": seed,
        "n_classes": n_classes,
    }
    scans = {
        part: [(source.digests[row], int(labels[row])) for row in rows.tolist()]
        for part, rows in (("train", train_rows), ("validation", val_rows))
    }
    opened = {name: value for name, value in source.describe().items() if name != "digests"}
    result = train_in_child(
        {
            "task": "fine_tune",
            **facts,
            "work": facts_digest({**facts, "source": opened, **scans}),  # no other scan decides what is trained
            "state": str((folder / STATE_FILE).resolve()),
            "body": str(body.resolve()),
            "state_seconds": state_seconds,
            "epochs": recipe.epochs,
            "batch_size": recipe.batch_size,
        },
        labels=labels,
        train_rows=train_rows,
        val_rows=val_rows,
        n_rows=source.n_rows,
        folder=folder,
        title=f"Fine-tuning {backbone}",
        threads=threads,
        progress=progress,
        kind="fine-tuned",
        takes="pooled",
        first_head=first_head,
        extra={"class_weights": _class_weights(labels[train_rows], n_classes, recipe)},
        total_steps=recipe.epochs * -(-len(train_rows) // recipe.batch_size),
        on_epoch=on_epoch,
    )
    return FittedNetwork(
        head=result.head,
        history=result.history,
        settings={"head": "fine-tuned", "optimizer": "adamw", "seed": seed, "layer": layer, **recipe.facts()},
        body=body,
        size=size,
    )


def _class_weights(labels: Labels, n_classes: int, recipe: Recipe) -> NDArray[np.float32]:
    if recipe.class_weights == "none":
        return np.ones(n_classes, np.float32)
    counts = np.bincount(labels, minlength=n_classes)
    return (len(labels) / (n_classes * np.maximum(counts, 1))).astype(np.float32)
