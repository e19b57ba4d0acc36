"""Trains a Keras model step by step, and goes on after a kill as if nothing had happened. Child process only.

All that is drawn at random comes from the seed, the epoch and the step, so a step is the same whenever it is done. The
state is written between steps, once an epoch and every so many seconds, and read again when the same work is started
anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tumorlens.errors import TumorlensError
from tumorlens.training.epoch_choice import EpochChoice, Losses
from tumorlens.training.event_log import EventLog
from tumorlens.training.fitted import EpochRecord, mark_kept
from tumorlens.training.read_ahead import read_ahead
from tumorlens.training.readers import Reader
from tumorlens.training.recipe import Recipe
from tumorlens.training.reporter import Reporter
from tumorlens.training.stepper import Stepper
from tumorlens.training.training_state import TrainingState
from tumorlens.types import Labels

__all__ = ["Rows", "tune"]

_LOWEST = "lowest_validation_losses"

_DIVERGED = (
    "Training diverged, the loss is no longer finite: give a lower rate (--recipe learning_rate=1e-4), or check the "
    "weights."
)


@dataclass(frozen=True)
class Rows:
    """Rows of one part.

    Attributes:
        rows: ``(n,)`` rows of the reader.
        labels: ``(n,)`` class index of each.
    """

    rows: NDArray[np.int64]
    labels: Labels


@dataclass
class _Sums:
    """Running sums of an epoch."""

    values: dict[str, float] = field(default_factory=dict)
    rows: int = 0

    def add(self, values: dict[str, float], rows: int) -> None:
        for name, value in values.items():
            self.values[name] = self.values.get(name, 0.0) + value * rows
        self.rows += rows

    def means(self) -> dict[str, float]:
        means = {name: total / self.rows for name, total in self.values.items()}
        if not all(np.isfinite(value) for value in means.values()):
            raise TumorlensError(_DIVERGED)
        return means


def tune(
    stepper: Stepper,
    reader: Reader,
    training: Rows,
    validation: Rows,
    *,
    groups: NDArray[np.int64],
    recipe: Recipe,
    seed: int,
    state: TrainingState,
    events: Path,
    report: Reporter,
    state_seconds: float,
) -> list[EpochRecord]:
    """Train, keep the weights of the epoch that :class:`EpochChoice` chooses, and set them.

    Args:
        stepper: Model and optimisers.
        reader: Gives inputs.
        training: Shuffled anew each epoch.
        validation: Scored after each epoch.
        groups: ``(n,)`` group of each validation row.
        recipe: How.
        seed: Seed of all that is drawn.
        state: Where the state is kept; what it holds is taken up.
        events: Folder of what TensorBoard reads.
        report: Told of every step.
        state_seconds: Longest time between two writings of the state.

    Returns:
        One record an epoch.

    Raises:
        TumorlensError: The loss is no longer finite.
    """
    size = recipe.batch_size
    steps = -(-len(training.rows) // size)
    choice = EpochChoice(groups)
    history, sums, epoch, step = _take_up(stepper, choice, state)
    done = (epoch - 1) * steps + step
    log = EventLog(events, epochs=epoch - 1, steps=done)
    report.advance(done, note=_note(history, epoch, recipe))
    for record in history:
        report.tell(record)
    last_saved = time.monotonic()
    while epoch <= recipe.epochs and not _is_over(history, choice, recipe):
        for number, inputs, labels in _training_batches(reader, training, size, seed=seed, epoch=epoch, start=step):
            drawn = np.random.default_rng([seed, epoch, number, 1])
            figures = stepper.train(inputs, labels, drawn)
            sums.add(figures, len(labels))
            step = number + 1
            log.add_step((epoch - 1) * steps + step, figures["loss"])
            report.advance(1, note=_note(history, epoch, recipe))
            if time.monotonic() - last_saved >= state_seconds:
                _save(state, log, stepper, choice, history, sums, epoch, step)
                last_saved = time.monotonic()
        losses, right = _score(stepper, reader, validation, size)
        history.append(_record(epoch, sums.means(), losses, right))
        if choice.keeps(epoch, losses):
            stepper.keep()
        log.add_epoch(history[-1], learning_rate=stepper.learning_rate)
        epoch, step, sums = epoch + 1, 0, _Sums()
        _save(state, log, stepper, choice, history, sums, epoch, step)
        last_saved = time.monotonic()
        report.tell(history[-1])
    log.close()
    stepper.restore_kept()
    report.flush()
    return mark_kept(history, choice.kept)


def _take_up(stepper: Stepper, choice: EpochChoice, state: TrainingState) -> tuple[list[EpochRecord], _Sums, int, int]:
    found = state.load()
    if found is None:
        return [], _Sums(), 1, 0
    facts, arrays = found
    choice.take_up(facts["kept"], arrays.pop(_LOWEST))
    stepper.load(arrays)
    history = [EpochRecord(**record) for record in facts["history"]]
    return history, _Sums(facts["sums"], facts["rows"]), facts["epoch"], facts["step"]


def _save(
    state: TrainingState,
    log: EventLog,
    stepper: Stepper,
    choice: EpochChoice,
    history: Sequence[EpochRecord],
    sums: _Sums,
    epoch: int,
    step: int,
) -> None:
    log.flush()  # before the state: after a kill a point may be written again, but none may be missing
    facts = {
        "history": [asdict(record) for record in history],
        "sums": sums.values,
        "rows": sums.rows,
        "epoch": epoch,
        "step": step,
        "kept": choice.kept,
    }
    state.save(facts, {**stepper.arrays(), _LOWEST: choice.lowest})


def _is_over(history: Sequence[EpochRecord], choice: EpochChoice, recipe: Recipe) -> bool:
    return bool(recipe.patience and history) and history[-1].epoch - choice.kept >= recipe.patience


def _training_batches(
    reader: Reader, part: Rows, size: int, *, seed: int, epoch: int, start: int
) -> Iterator[tuple[int, list[Any], Labels]]:
    """Number, inputs and labels of each step of an epoch from ``start``; one batch is read ahead."""
    order = np.random.default_rng([seed, epoch]).permutation(len(part.rows))
    batches = [order[place : place + size] for place in range(0, len(order), size)]

    def read(number: int) -> list[Any]:
        return reader.read(part.rows[batches[number]], np.random.default_rng([seed, epoch, number, 0]))

    numbers = range(start, len(batches))
    for number, inputs in read_ahead(read, numbers):
        yield number, _tensors(inputs), part.labels[batches[number]]


def _score(stepper: Stepper, reader: Reader, part: Rows, size: int) -> tuple[Losses, NDArray[np.bool_]]:
    """Of every row: its cross-entropy, and whether it was right."""
    batches = [slice(place, place + size) for place in range(0, len(part.rows), size)]
    with stepper.averaged():
        scored = [
            stepper.score(_tensors(inputs), part.labels[batch])
            for batch, inputs in read_ahead(lambda rows: reader.read(part.rows[rows], None), batches)
        ]
    losses = np.concatenate([losses for losses, _ in scored])
    if not np.isfinite(losses).all():
        raise TumorlensError(_DIVERGED)
    return losses, np.concatenate([right for _, right in scored])


def _tensors(inputs: list[NDArray[Any]]) -> list[Any]:
    return [tf.convert_to_tensor(values) for values in inputs]


def _record(epoch: int, trained: dict[str, float], losses: Losses, right: NDArray[np.bool_]) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        train_loss=trained["loss"],
        train_cross_entropy=trained["cross_entropy"],
        train_accuracy=trained["accuracy"],
        val_loss=float(losses.mean()),
        val_cross_entropy=float(losses.mean()),
        val_accuracy=float(right.mean()),
    )


def _note(history: Sequence[EpochRecord], epoch: int, recipe: Recipe) -> str:
    where = f"epoch {min(epoch, recipe.epochs)} of {recipe.epochs}"  # after the last one there is none
    if not history:
        return where
    last = history[-1]
    return f"{where}, loss {last.train_loss:.3f}, validation loss {last.val_loss:.3f}, accuracy {last.val_accuracy:.3f}"
