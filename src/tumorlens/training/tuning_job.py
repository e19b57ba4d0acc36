"""The parent's side of training a network step by step: facts and rows go out, a trained body and head come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorlens.progress import Progress
from tumorlens.runtime.graph_cache import facts_digest
from tumorlens.runtime.heads import Head
from tumorlens.training.fitted import EpochRecord, FittedNetwork
from tumorlens.training.keras_job import train_in_child
from tumorlens.training.recipe import Recipe
from tumorlens.training.sources import BoundarySource, ViewSource
from tumorlens.types import Labels

__all__ = ["EVENTS_FOLDER", "STATE_FILE", "tune_in_child"]

STATE_FILE = "state.npz"
"""Name of the file from which a training goes on."""

EVENTS_FOLDER = "tensorboard"
"""Name of the folder of what TensorBoard reads."""

_BODY_FILE = "body.keras"


def tune_in_child(
    task: str,
    facts: Mapping[str, Any],
    source: BoundarySource | ViewSource,
    *,
    labels: Labels,
    train_rows: NDArray[np.int64],
    val_rows: NDArray[np.int64],
    val_groups: NDArray[np.int64],
    n_classes: int,
    recipe: Recipe,
    folder: Path,
    size: int,
    seed: int,
    state_seconds: float,
    threads: int | None,
    progress: Progress,
    title: str,
    kind: str,
    takes: Literal["pooled", "flat"],
    first_head: Head | None = None,
    settings: Mapping[str, Any] | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> FittedNetwork:
    """Train in a child process; what a stopped training left in ``folder`` is taken up.

    Args:
        task: The child's task.
        facts: What the task must know beside rows, recipe and seed; JSON values that decide the result.
        source: What is trained on.
        labels: ``(n,)`` class index of every row of ``source``.
        train_rows: Rows to train on, shuffled each epoch.
        val_rows: Rows that decide which epoch is kept and when to stop.
        val_groups: ``(v,)`` the group of each of them.
        n_classes: Number of classes k.
        recipe: How it is trained.
        folder: Where ``body.keras``, ``training.log``, ``tensorboard`` and, until the end, the state are kept.
        size: Side of the network's square input, pixels.
        seed: Seed of all that is drawn.
        state_seconds: Longest time between two writings of the state: at most so much work is lost by a kill.
        threads: CPU threads; ``None``: all.
        progress: Told of every batch.
        title: What messages call the work.
        kind: Kind of head.
        takes: What the head takes.
        first_head: The classifier to start with; ``None``: one that knows nothing.
        settings: What the result says of itself beside kind, recipe and seed.
        on_epoch: Given each epoch's record as it comes, those before a stop first; what it raises ends the training,
            and it goes on from there next time.

    Raises:
        InputError: Rows or labels do not fit.
        TumorlensError: Training failed; the message says where its log is.
    """
    body, events = folder / _BODY_FILE, folder / EVENTS_FOLDER
    described = source.describe()
    deciding = {
        "task": task,
        "size": size,
        "recipe": recipe.facts(),
        "seed": seed,
        "n_classes": n_classes,
        **facts,
    }
    scans = {
        part: [(source.digests[row], int(labels[row])) for row in rows.tolist()]
        for part, rows in (("train", train_rows), ("validation", val_rows))
    }
    opened = {name: value for name, value in described.items() if name != "digests"}  # no other scan decides anything
    groups = pd.factorize(val_groups)[0].tolist()  # whatever they are called among other scans
    work = facts_digest({**deciding, "source": opened, **scans, "groups": groups})
    result = train_in_child(
        {
            **deciding,
            "source": described,
            "work": work,
            "state": str((folder / STATE_FILE).resolve()),
            "body": str(body.resolve()),
            "events": str(events.resolve()),
            "state_seconds": state_seconds,
        },
        labels=labels,
        train_rows=train_rows,
        val_rows=val_rows,
        n_rows=source.n_rows,
        folder=folder,
        title=title,
        threads=threads,
        progress=progress,
        kind=kind,
        takes=takes,
        first_head=first_head,
        extra={"class_weights": _class_weights(labels[train_rows], n_classes, recipe), "val_groups": val_groups},
        total_steps=recipe.epochs * -(-len(train_rows) // recipe.batch_size),
        on_epoch=on_epoch,
    )
    return FittedNetwork(
        head=result.head,
        history=result.history,
        settings={"head": kind, "optimizer": "adamw", "seed": seed, **(settings or {}), **recipe.facts()},
        body=body,
        size=size,
        events=events,
    )


def _class_weights(labels: Labels, n_classes: int, recipe: Recipe) -> NDArray[np.float32]:
    if recipe.class_weights == "none":
        return np.ones(n_classes, np.float32)
    counts = np.bincount(labels, minlength=n_classes)
    return (len(labels) / (n_classes * np.maximum(counts, 1))).astype(np.float32)
