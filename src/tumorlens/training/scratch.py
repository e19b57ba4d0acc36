"""A small CNN from scratch, the study's predecessor: what pretrained networks have to beat.

Convolution 32 3x3 ReLU, pooling, convolution 64 3x3 ReLU, pooling, dense 128 and dense 64 (ReLU, L2
0.01), softmax; Adam; at most 20 epochs, stopping after 3 without a lower validation loss, best
weights kept. TensorFlow trains it in a child process; scans are read batch by batch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorlens.errors import InputError
from tumorlens.extras import require_extra
from tumorlens.progress import SILENT, Progress
from tumorlens.training.fitted import FittedNetwork
from tumorlens.training.keras_job import train_in_child
from tumorlens.training.sources import DatasetSource
from tumorlens.types import Labels

__all__ = ["BODY_FILE", "MIN_SIZE", "fit_from_scratch"]

BODY_FILE = "body.keras"
MIN_SIZE = 16
_FILTERS = [32, 64]
_HIDDEN = [128, 64]
_L2 = 0.01
_LEARNING_RATE = 1e-3
_EPOCHS = 20
_PATIENCE = 3
_BATCH_SIZE = 32


def fit_from_scratch(
    source: DatasetSource,
    *,
    labels: Labels,
    train_rows: NDArray[np.int64],
    val_rows: NDArray[np.int64],
    n_classes: int,
    folder: Path,
    size: int = 240,
    epochs: int = _EPOCHS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> FittedNetwork:
    """Train the network.

    Args:
        source: Scans of any size, resized (bilinear) to ``size``.
        labels: ``(n,)`` class index of every row of ``source``.
        train_rows: Rows to train on, shuffled each epoch.
        val_rows: Rows that decide when to stop.
        n_classes: Number of classes k.
        folder: Where ``body.keras`` and ``training.log`` are kept.
        size: Height and width of the input, pixels.
        epochs: Passes over the training rows at most.
        seed: Seed of the first weights and the order.
        threads: CPU threads; ``None``: all.
        progress: Told of every batch.

    Returns:
        The convolutional body as a ``.keras`` file and the head on its flattened last maps.

    Raises:
        MissingExtraError: TensorFlow is not installed.
        InputError: Rows, labels or size do not fit.
        TumorlensError: Training failed; the message says where its log is.
    """
    require_extra("train", purpose="A CNN from scratch")
    if size < MIN_SIZE:
        raise InputError(f"A CNN from scratch needs scans of at least {MIN_SIZE} pixels a side, got {size}.")
    body = folder / BODY_FILE
    settings = {
        "size": size,
        "filters": _FILTERS,
        "hidden": _HIDDEN,
        "l2": _L2,
        "learning_rate": _LEARNING_RATE,
        "epochs": epochs,
        "patience": _PATIENCE,
        "batch_size": _BATCH_SIZE,
        "seed": seed,
    }
    result = train_in_child(
        {
            "task": "scratch",
            "source": source.describe(),
            "n_classes": n_classes,
            "body": str(body.resolve()),
            **settings,
        },
        labels=labels,
        train_rows=train_rows,
        val_rows=val_rows,
        n_rows=source.n_rows,
        folder=folder,
        title="Training a CNN from scratch",
        threads=threads,
        progress=progress,
    )
    return FittedNetwork(
        head=result.head,
        history=result.history,
        settings={"head": "scratch", "optimizer": "adam", **settings},
        penalty=result.penalty,
        body=body,
        size=size,
    )
