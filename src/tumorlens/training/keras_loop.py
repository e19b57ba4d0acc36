"""Trains a compiled Keras model batch by batch, as ``fit`` does, from a function that reads rows.
Child process only.

Written out because ``fit`` would either hold the whole input or hide errors of the reader behind
its own. One batch is read ahead in a thread. Losses and accuracies of an epoch are the means over
its steps that ``fit`` prints, so they compare with published ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorlens.errors import TumorlensError
from tumorlens.training.child import Say
from tumorlens.training.fitted import EpochRecord, mark_kept
from tumorlens.training.read_ahead import read_ahead
from tumorlens.training.reporter import Reporter
from tumorlens.types import Labels

__all__ = ["COMPILE_METRICS", "Part", "train"]

COMPILE_METRICS = {
    "accuracy": "sparse_categorical_accuracy",
    "entropy": "sparse_categorical_crossentropy",
}
"""Metrics the model must be compiled with, in this order; the names are Keras' own."""


@dataclass(frozen=True)
class Part:
    """Rows of one part and how to read them.

    Attributes:
        read: Gives the input of some rows, ``(b, …)``.
        rows: ``(n,)`` rows of the part.
        labels: ``(n,)`` class index of each.
    """

    read: Callable[[NDArray[np.int64]], NDArray[Any]]
    rows: NDArray[np.int64]
    labels: Labels

    def batches(self, size: int, *, order: NDArray[np.int64] | None = None) -> Iterator[tuple[NDArray[Any], Labels]]:
        """Inputs and labels in ``order`` (default: as they are), one batch read ahead."""
        order = np.arange(len(self.rows)) if order is None else order
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        for part, inputs in read_ahead(lambda part: self.read(self.rows[part]), parts):
            yield inputs, self.labels[part]


def train(
    model: Any,
    training: Part,
    validation: Part,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    say: Say,
) -> list[dict[str, Any]]:
    """Train ``model``; the last epoch's weights are kept.

    Args:
        model: Compiled with a loss and :data:`COMPILE_METRICS`.
        training: Shuffled anew each epoch.
        validation: Scored after each epoch.
        epochs: Passes.
        batch_size: Rows a step.
        seed: Seed of the order.
        say: Told of the steps done.

    Returns:
        An :class:`EpochRecord` an epoch, as dictionaries.

    Raises:
        TumorlensError: The loss is no longer finite.
    """
    random = np.random.default_rng(seed)
    reporter = Reporter(say)
    history: list[EpochRecord] = []
    for epoch in range(1, epochs + 1):
        order = random.permutation(len(training.rows))
        trained = _pass(model.train_on_batch, model, training.batches(batch_size, order=order), reporter)
        scored = _pass(model.test_on_batch, model, validation.batches(batch_size), reporter)
        history.append(_record(epoch, trained, scored))
        reporter.advance(0, note=f"epoch {epoch} of {epochs}, validation accuracy {history[-1].val_accuracy:.3f}")
    reporter.flush()
    return [asdict(record) for record in mark_kept(history, epochs)]


def _pass(
    step: Callable[..., Any],
    model: Any,
    batches: Iterator[tuple[NDArray[Any], Labels]],
    reporter: Reporter,
) -> dict[str, float]:
    """One pass over the batches; means over its rows, as ``fit`` gives them."""
    totals: dict[str, float] = {}
    rows = 0
    for inputs, labels in batches:
        model.reset_metrics()  # versions of Keras differ in whether a step does
        for name, value in step(inputs, labels, return_dict=True).items():
            totals[name] = totals.get(name, 0.0) + float(value) * len(labels)
        rows += len(labels)
        reporter.advance()
    means = {name: total / rows for name, total in totals.items()}
    if not all(np.isfinite(value) for value in means.values()):
        raise TumorlensError(
            "Training diverged, the loss is no longer finite: check the features of this network and its weights."
        )
    return means


def _record(epoch: int, trained: dict[str, float], scored: dict[str, float]) -> EpochRecord:
    accuracy, entropy = COMPILE_METRICS["accuracy"], COMPILE_METRICS["entropy"]
    return EpochRecord(
        epoch=epoch,
        train_loss=trained["loss"],
        train_cross_entropy=trained[entropy],
        train_accuracy=trained[accuracy],
        val_loss=scored["loss"],
        val_cross_entropy=scored[entropy],
        val_accuracy=scored[accuracy],
    )
