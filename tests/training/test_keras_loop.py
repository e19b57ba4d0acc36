from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tumorlens.errors import IntegrityError, TumorlensError
from tumorlens.training.keras_loop import COMPILE_METRICS, Part, train

ACCURACY, ENTROPY = COMPILE_METRICS["accuracy"], COMPILE_METRICS["entropy"]


class FakeModel:
    """Answers with the labels' mean as loss in training and a given series in validation."""

    def __init__(self, val_losses: list[float]) -> None:
        self.val_losses = val_losses
        self.weights = 0
        self.seen: list[list[int]] = []

    def reset_metrics(self) -> None: ...

    def train_on_batch(self, inputs: NDArray[Any], labels: NDArray[np.int64], *, return_dict: bool) -> dict[str, float]:
        self.weights += 1
        self.seen.append(inputs.tolist())
        return {"loss": float(labels.mean()), ENTROPY: 0.0, ACCURACY: 1.0}

    def test_on_batch(self, inputs: NDArray[Any], labels: NDArray[np.int64], *, return_dict: bool) -> dict[str, float]:
        epoch = self.weights // 3 - 1
        return {"loss": self.val_losses[epoch], ENTROPY: 0.1, ACCURACY: 0.5}


def make_part(n: int = 10) -> Part:
    return Part(lambda rows: rows, np.arange(n), np.arange(n))


def run(model: FakeModel, **others: Any) -> list[dict[str, Any]]:
    settings: dict[str, Any] = {"epochs": 4, "batch_size": 4, "seed": 0}
    return train(model, make_part(), make_part(3), say=lambda message: None, **{**settings, **others})


def test_batches_cover_all_rows_and_are_no_larger_than_asked() -> None:
    sizes = []

    def read(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        sizes.append(len(rows))
        return rows * 10

    part = Part(read, np.array([7, 8, 9, 2, 4]), np.array([0, 1, 0, 1, 1]))
    batches = list(part.batches(2, order=np.array([4, 0, 1, 2, 3])))
    assert np.concatenate([inputs for inputs, _ in batches]).tolist() == [40, 70, 80, 90, 20]
    assert np.concatenate([labels for _, labels in batches]).tolist() == [1, 0, 1, 0, 1]
    assert sizes == [2, 2, 1]


def test_only_one_batch_is_read_ahead() -> None:
    reads = []
    part = Part(lambda rows: reads.append(1) or rows, np.arange(100), np.arange(100))
    batches = part.batches(10)
    next(batches)
    assert len(reads) <= 2
    batches.close()


def test_an_error_of_the_reader_comes_through() -> None:
    def read(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        raise IntegrityError("damaged")

    with pytest.raises(IntegrityError, match="damaged"):
        list(Part(read, np.arange(4), np.arange(4)).batches(2))


def test_every_epoch_sees_every_row_in_another_order() -> None:
    model = FakeModel([1.0] * 4)
    run(model, epochs=2)
    epochs = [[row for batch in part for row in batch] for part in (model.seen[:3], model.seen[3:])]
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 2
    assert epochs[0] != epochs[1]


def test_the_seed_decides_the_order() -> None:
    seen = []
    for seed in (1, 1, 2):
        model = FakeModel([1.0] * 4)
        run(model, seed=seed)
        seen.append(model.seen)
    assert seen[0] == seen[1] != seen[2]


def test_means_are_over_rows_not_batches() -> None:
    history = run(FakeModel([1.0] * 4))
    assert history[0]["train_loss"] == pytest.approx(np.arange(10).mean())
    assert [record["epoch"] for record in history] == [1, 2, 3, 4]


def test_the_last_weights_stay() -> None:
    model = FakeModel([1.0, 2.0, 3.0, 4.0])
    assert len(run(model)) == 4
    assert model.weights == 4 * 3


def test_a_loss_that_is_not_finite_stops_with_a_sentence() -> None:
    with pytest.raises(TumorlensError, match="diverged"):
        run(FakeModel([float("nan")] * 4))


def test_all_steps_are_reported() -> None:
    messages: list[dict[str, Any]] = []
    train(
        FakeModel([1.0] * 4),
        make_part(),
        make_part(3),
        epochs=4,
        batch_size=4,
        seed=0,
        say=messages.append,
    )
    assert sum(message["steps"] for message in messages) == 4 * (3 + 1)
    assert messages[-1]["note"].startswith("epoch 4 of 4")
