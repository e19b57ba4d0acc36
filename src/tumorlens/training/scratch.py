"""A small CNN from scratch, the study's predecessor: what pretrained networks have to beat.

Convolution 32 3x3 ReLU, pooling, convolution 64 3x3 ReLU, pooling, dense 128 and dense 64 (ReLU), softmax. Its input
is standardised by mean and standard deviation of the training scans (LeCun, Bottou, Orr, Müller, "Efficient BackProp",
1998), its kernels are drawn for ReLU (He, Zhang, Ren, Sun, ICCV 2015, arXiv 1502.01852). It is trained by the loop that
fine-tunes pretrained networks, on scans that are augmented anew at each step. TensorFlow trains in a child process; a
training that was stopped goes on at the same step.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorlens.errors import InputError
from tumorlens.extras import require_extra
from tumorlens.progress import SILENT, Progress
from tumorlens.training.fitted import FittedNetwork
from tumorlens.training.recipe import Recipe
from tumorlens.training.sources import ViewSource
from tumorlens.training.tuning_job import tune_in_child
from tumorlens.types import Labels

__all__ = ["MIN_SIZE", "SCRATCH_NETWORK", "SCRATCH_RECIPE", "fit_from_scratch"]

MIN_SIZE = 16
SCRATCH_RECIPE = Recipe(epochs=30, batch_size=16, learning_rate=1e-3, stage_decay=1.0, mixup=0.0, patience=10)
"""For random weights: more and smaller steps and a higher rate than fine-tuning, the same rate for all layers, and no
mixup."""

SCRATCH_NETWORK: Mapping[str, Any] = {
    "filters": [32, 64],
    "hidden": [128, 64],
    "input": "standardised",
    "first_weights": "he_normal",
}
"""What is fixed about the network; JSON values that decide what a training gives."""


def fit_from_scratch(
    source: ViewSource,
    *,
    labels: Labels,
    train_rows: NDArray[np.int64],
    val_rows: NDArray[np.int64],
    val_groups: NDArray[np.int64],
    n_classes: int,
    folder: Path,
    recipe: Recipe = SCRATCH_RECIPE,
    seed: int = 0,
    state_seconds: float = 60.0,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> FittedNetwork:
    """Train the network.

    Args:
        source: Scans of any size, resized (bilinear) to the network's, and how they are augmented.
        labels: ``(n,)`` class index of every row of ``source``.
        train_rows: Rows to train on, shuffled each epoch.
        val_rows: Rows that decide which epoch is kept and when to stop.
        val_groups: ``(v,)`` the group of each of them.
        n_classes: Number of classes k.
        folder: Where ``body.keras``, ``training.log``, ``tensorboard`` and, until the end, the state are kept.
        recipe: How it is trained; of its rates, ``head_rate`` is the factor of the dense layers.
        seed: Seed of the first weights and of all that is drawn.
        state_seconds: Longest time between two writings of the state: at most so much work is lost by a kill.
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
    if source.size < MIN_SIZE:
        raise InputError(f"A CNN from scratch needs scans of at least {MIN_SIZE} pixels a side, got {source.size}.")
    return tune_in_child(
        "scratch",
        SCRATCH_NETWORK,
        source,
        labels=labels,
        train_rows=train_rows,
        val_rows=val_rows,
        val_groups=val_groups,
        n_classes=n_classes,
        recipe=recipe,
        folder=folder,
        size=source.size,
        seed=seed,
        state_seconds=state_seconds,
        threads=threads,
        progress=progress,
        title="Training a CNN from scratch",
        kind="scratch",
        takes="flat",
        settings={"size": source.size, **SCRATCH_NETWORK},
    )
