"""The heads of the original study, exactly as published, on cached flattened features.

Flatten; then for VGG16 dense 128 and dense 64, for every other network dense 64, all ReLU with an
L2 term of 0.01; softmax; Adam 1e-4; 10 epochs; batches of 32. TensorFlow trains them in a child
process; features are read batch by batch. The reported losses include the L2 term, as published;
the cross-entropies beside them do not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorlens.extras import require_extra
from tumorlens.progress import SILENT, Progress
from tumorlens.training.fitted import FittedHead
from tumorlens.training.keras_job import train_in_child
from tumorlens.training.sources import StoreSource
from tumorlens.types import Labels

__all__ = ["fit_study_head", "study_hidden_units"]

_HIDDEN_OF_BACKBONE = {"vgg16": (128, 64)}
_HIDDEN = (64,)
_L2 = 0.01
_LEARNING_RATE = 1e-4
_EPOCHS = 10
_BATCH_SIZE = 32


def study_hidden_units(backbone: str) -> tuple[int, ...]:
    """Units of the hidden layers the study put on ``backbone``."""
    return _HIDDEN_OF_BACKBONE.get(backbone, _HIDDEN)


def fit_study_head(
    source: StoreSource,
    *,
    backbone: str,
    labels: Labels,
    train_rows: NDArray[np.int64],
    val_rows: NDArray[np.int64],
    n_classes: int,
    folder: Path,
    epochs: int = _EPOCHS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> FittedHead:
    """Train the study's head for one network; the last epoch's weights are kept, as in the study.

    Args:
        source: Flattened features, ``(n, d)``.
        backbone: Name of the network; it decides the hidden layers.
        labels: ``(n,)`` class index of every row of ``source``.
        train_rows: Rows to train on, shuffled each epoch.
        val_rows: Rows scored after each epoch.
        n_classes: Number of classes k.
        folder: Where ``training.log`` is kept.
        epochs: Passes over the training rows.
        seed: Seed of the first weights and the order.
        threads: CPU threads; ``None``: all.
        progress: Told of every batch.

    Returns:
        The head on flattened features and an :class:`~tumorlens.training.fitted.EpochRecord` an
        epoch.

    Raises:
        MissingExtraError: TensorFlow is not installed.
        InputError: Rows or labels do not fit.
        TumorlensError: Training failed; the message says where its log is.
    """
    require_extra("train", purpose="The study's head")
    settings = {
        "hidden": list(study_hidden_units(backbone)),
        "l2": _L2,
        "learning_rate": _LEARNING_RATE,
        "epochs": epochs,
        "batch_size": _BATCH_SIZE,
        "seed": seed,
    }
    result = train_in_child(
        {"task": "study", "source": source.describe(), "n_classes": n_classes, **settings},
        labels=labels,
        train_rows=train_rows,
        val_rows=val_rows,
        n_rows=source.n_rows,
        folder=folder,
        title=f"Training the study's head on {backbone}",
        threads=threads,
        progress=progress,
    )
    return FittedHead(
        head=result.head,
        history=result.history,
        settings={"head": "study", "optimizer": "adam", **settings},
        penalty=result.penalty,
    )
