"""The parent's side of every Keras training: rows go out, a head and its history come back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tumorlens.progress import Progress
from tumorlens.runtime.heads import Head
from tumorlens.training.checks import check_labels, check_rows
from tumorlens.training.fitted import EpochRecord
from tumorlens.training.head_files import load_layers, save_layers
from tumorlens.training.jobs import run_job
from tumorlens.types import Labels
from tumorlens.workspace import storage_errors

__all__ = ["KerasResult", "train_in_child"]


@dataclass(frozen=True)
class KerasResult:
    """What came back from the child.

    Attributes:
        head: The dense layers.
        history: One record an epoch.
        penalty: The L2 term of the kept weights, nats.
    """

    head: Head
    history: tuple[EpochRecord, ...]
    penalty: float


def train_in_child(
    job: Mapping[str, Any],
    *,
    labels: Labels,
    train_rows: NDArray[np.int64],
    val_rows: NDArray[np.int64],
    n_rows: int,
    folder: Path,
    title: str,
    threads: int | None,
    progress: Progress,
    kind: str | None = None,
    takes: Literal["pooled", "flat"] = "flat",
    first_head: Head | None = None,
    extra: Mapping[str, NDArray[Any]] | None = None,
    total_steps: int | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> KerasResult:
    """Check the rows, train in a child process, and read the result.

    Args:
        job: Settings of the task as JSON values, with ``task``, ``source``, ``n_classes``,
            ``epochs``, ``batch_size``.
        labels: ``(n_rows,)`` class index of every row of the source.
        train_rows: Rows of the training part.
        val_rows: Rows of the validation part.
        n_rows: Rows of the source.
        folder: Holds ``training.log`` afterwards; the files that go between the processes are
            removed.
        title: What messages call the work.
        threads: CPU threads of the child.
        progress: Told of every batch.
        kind: Kind of head; the task's name by default.
        takes: What the head takes.
        first_head: Weights that the head starts with.
        extra: Further arrays for the child, by name.
        total_steps: Batches the child reports at most, if not every batch of both parts an epoch.
        on_epoch: Given each epoch's record as it comes, for tasks that tell; what it raises ends the training.

    Raises:
        InputError: Rows or labels do not fit.
        TumorlensError: The child failed; the message says where its log is.
    """
    for rows, part in ((train_rows, "training part"), (val_rows, "validation part")):
        check_rows(rows, n_rows=min(n_rows, len(labels)), of=part)
        check_labels(labels[rows], n_classes=job["n_classes"], of=part)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder)
    with scratch as between:
        exchange = Path(between).resolve()
        arrays: dict[str, Any] = {
            "train_rows": train_rows,
            "train_labels": labels[train_rows],
            "val_rows": val_rows,
            "val_labels": labels[val_rows],
            **(extra or {}),
        }
        np.savez(exchange / "rows.npz", **arrays)
        if first_head is not None:
            save_layers(exchange / "first_head.npz", [(layer.weight, layer.bias) for layer in first_head.layers])
        answer = run_job(
            {**job, "folder": str(exchange)},
            folder=exchange,
            log=folder / "training.log",
            title=title,
            total_steps=total_steps or _steps(job, len(train_rows), len(val_rows)),
            threads=threads,
            progress=progress,
            on_epoch=None if on_epoch is None else lambda record: on_epoch(EpochRecord(**record)),
        )
        head = load_layers(exchange / "head.npz", kind=kind or job["task"], takes=takes)
    return KerasResult(
        head=head,
        history=tuple(EpochRecord(**record) for record in answer["history"]),
        penalty=answer.get("penalty", 0.0),
    )


def _steps(job: Mapping[str, Any], *parts: int) -> int:
    size: int = job["batch_size"]
    epochs: int = job["epochs"]
    return epochs * sum(-(-rows // size) for rows in parts)
