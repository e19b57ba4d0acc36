"""What a training's state is known by: its own scans, their labels and groups, and no other scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tumorlens.progress import SILENT
from tumorlens.training import BoundarySource, Recipe, tuning_job
from tumorlens.training.tuning_job import tune_in_child

LABELS = np.array([0, 1, 0, 1, 0, 1, 0, 1])
GROUPS = np.array([7, 7, 5, 5, 9, 9, 3, 3])


class _AskedError(Exception):
    """In the place of the child."""


def work(monkeypatch: pytest.MonkeyPatch, folder: Path, rows: list[int], **changes: Any) -> str:
    """The digest of a training on the first four of ``rows``, validated on the next two, of a set of these rows."""
    asked: list[dict[str, Any]] = []

    def child(job: dict[str, Any], **_: Any) -> None:
        asked.append(job)
        raise _AskedError

    monkeypatch.setattr(tuning_job, "train_in_child", child)
    labels, groups = changes.get("labels", LABELS)[rows], changes.get("groups", GROUPS)[rows]
    source = BoundarySource(folder, [b"p"], [(1, 1, 2)], [f"{row:064x}" for row in rows])
    with pytest.raises(_AskedError):
        tune_in_child(
            "fine_tune",
            {"layer": "a"},
            source,
            labels=labels,
            train_rows=np.arange(4),
            val_rows=np.arange(4, 6),
            val_groups=np.unique(groups, return_inverse=True)[1][4:6],
            n_classes=2,
            recipe=Recipe(),
            folder=folder,
            size=64,
            seed=0,
            state_seconds=60.0,
            threads=1,
            progress=SILENT,
            title="",
            kind="fine-tuned",
            takes="pooled",
        )
    return str(asked[0]["work"])


def test_other_scans_of_the_data_set_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert work(monkeypatch, tmp_path, list(range(8))) == work(monkeypatch, tmp_path, list(range(6)))


def test_its_own_scans_labels_and_groups_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = list(range(8))
    first = work(monkeypatch, tmp_path, rows)
    labels, groups = LABELS.copy(), GROUPS.copy()
    labels[0], groups[5] = 1, 5
    others = [
        work(monkeypatch, tmp_path, [6, *rows[1:]]),
        work(monkeypatch, tmp_path, rows, labels=labels),
        work(monkeypatch, tmp_path, rows, groups=groups),
    ]
    assert len({first, *others}) == 4
