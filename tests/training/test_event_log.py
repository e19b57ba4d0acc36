"""Files for TensorBoard: an attempt that was cut off is taken up without losing a point or writing one twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumorlens.training import EpochRecord


def record(epoch: int) -> EpochRecord:
    values = dict.fromkeys(
        ("train_loss", "train_cross_entropy", "train_accuracy", "val_loss", "val_cross_entropy", "val_accuracy"), 0.5
    )
    return EpochRecord(epoch=epoch, **values)


@pytest.mark.slow
def test_points_beyond_the_state_go_and_a_file_cut_in_the_middle_is_read(tmp_path: Path, read_scalars) -> None:
    from tumorlens.training.event_log import EventLog

    log = EventLog(tmp_path, epochs=0, steps=0)
    for step in range(1, 41):
        log.add_step(step, float(step))
    for epoch in (1, 2):
        log.add_epoch(record(epoch), learning_rate=0.1)
    log.flush()
    (file,) = (tmp_path / "train").iterdir()
    with file.open("ab") as opened:
        opened.write(b"\x20\x00\x00")  # the beginning of a record
    again = EventLog(tmp_path, epochs=1, steps=25)
    for step in range(26, 41):
        again.add_step(step, -float(step))
    again.close()
    train = read_scalars(tmp_path / "train")
    losses = {step: value for (tag, step), value in train.items() if tag == "batch_loss"}
    assert losses == {10: 10.0, 20: 20.0, 30: -30.0, 40: -40.0}
    assert {step for tag, step in train if tag.startswith("epoch_")} == {1}
    assert {tag for tag, _ in train} == {
        "batch_loss",
        "epoch_loss",
        "epoch_cross_entropy",
        "epoch_accuracy",
        "epoch_learning_rate",
    }
    assert len(read_scalars(tmp_path / "validation")) == 3
    assert [file.name for file in (tmp_path / "train").iterdir()] == ["events.out.tfevents.0000000002.tumorlens"]
