"""The course of a training in files that TensorBoard reads. Child process only; TensorBoard itself is not needed.

The files lie in two folders, ``train`` and ``validation``, so that TensorBoard draws both curves of one figure
together. Whatever lies beyond the state that a stopped training goes on from is dropped, so no point is there twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from tumorlens.training.fitted import EpochRecord

__all__ = ["STEPS_A_POINT", "EventLog"]

STEPS_A_POINT = 10
"""Of so many steps the last one's loss is kept."""

_EPOCH, _BATCH = "epoch_", "batch_"


class EventLog:
    """Writes the scalars of one training.

    Args:
        folder: Where the two folders lie; files of an earlier attempt are taken up.
        epochs: Finished epochs whose points are kept.
        steps: Finished steps whose points are kept.
    """

    def __init__(self, folder: Path, *, epochs: int, steps: int) -> None:
        last = {_EPOCH: epochs, _BATCH: steps}
        self._training = _take_up(folder / "train", last)
        self._validation = _take_up(folder / "validation", last)

    def add_step(self, step: int, loss: float) -> None:
        """Note the loss of a step, counted from 1 over the whole training, if it is its turn."""
        if step % STEPS_A_POINT == 0:
            _write(self._training, step, {f"{_BATCH}loss": loss})

    def add_epoch(self, record: EpochRecord, *, learning_rate: float) -> None:
        """Note the figures of an epoch, and the learning rate that it ended with."""
        figures = {
            "loss": record.train_loss,
            "cross_entropy": record.train_cross_entropy,
            "accuracy": record.train_accuracy,
            "learning_rate": learning_rate,
        }
        scored = {
            "loss": record.val_loss,
            "cross_entropy": record.val_cross_entropy,
            "accuracy": record.val_accuracy,
        }
        for writer, values in ((self._training, figures), (self._validation, scored)):
            _write(writer, record.epoch, {_EPOCH + name: value for name, value in values.items()})

    def flush(self) -> None:
        """Hand everything to the disk."""
        self._training.flush()
        self._validation.flush()

    def close(self) -> None:
        """End both files."""
        self._training.close()
        self._validation.close()


def _take_up(folder: Path, last: Mapping[str, int]) -> Any:
    """A writer on a new file that begins with the points that are kept of the old ones, which go."""
    folder.mkdir(parents=True, exist_ok=True)
    old = sorted(folder.glob("events.out.tfevents.*"))
    kept = {
        (value.tag, event.step): event
        for event in _read(old)
        for value in event.summary.value
        if event.step <= last[value.tag[: len(_EPOCH)]]
    }
    number = int(old[-1].name.split(".")[3]) + 1 if old else 1
    writer = tf.io.TFRecordWriter(str(folder / f"events.out.tfevents.{number:010d}.tumorlens"))
    version = tf.compat.v1.Event(wall_time=time.time(), file_version="brain.Event:2")
    for event in (version, *kept.values()):
        writer.write(event.SerializeToString())
    writer.flush()
    for file in old:
        file.unlink()
    return writer


def _read(files: list[Path]) -> Iterator[Any]:
    """The events of files; one that was cut off in the middle ends with its last whole event."""
    for file in files:
        records = tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
        try:
            for record in records:
                yield tf.compat.v1.Event.FromString(record)
        except tf.errors.DataLossError:
            continue


def _write(writer: Any, step: int, values: Mapping[str, float]) -> None:
    for tag, value in values.items():
        summary = tf.compat.v1.Summary(value=[tf.compat.v1.Summary.Value(tag=tag, simple_value=value)])
        writer.write(tf.compat.v1.Event(wall_time=time.time(), step=step, summary=summary).SerializeToString())
