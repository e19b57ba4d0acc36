from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tumorlens.datasets.synthesis import SynthesisSettings, folder, synthesize
from tumorlens.datasets.synthesis.folder import COLUMNS
from tumorlens.errors import InputError, StorageError

_SETTINGS = SynthesisSettings(patients=4, slices_each=3, spacing_mm=8.0, size=48, seed=7)

_CHILD = """
import socket, sys
from pathlib import Path
from tumorlens.datasets.synthesis import SynthesisSettings, synthesize
def refuse(*_, **__):
    raise SystemExit("the network was used")
socket.socket.connect = socket.getaddrinfo = refuse
synthesize(Path(sys.argv[1]), SynthesisSettings(
    patients=4, slices_each=3, spacing_mm=8.0, size=48, seed=7))
"""


def _digest(root: Path) -> str:
    total = hashlib.sha256()
    for file in sorted(root.rglob("*")):
        if file.is_file():
            total.update(file.relative_to(root).as_posix().encode() + file.read_bytes())
    return total.hexdigest()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(tmp_path_factory.mktemp("synthesis") / "scans", _SETTINGS)


def test_labels_images_and_masks_agree(made: Path) -> None:
    labels = pd.read_csv(made / "labels.csv")
    assert tuple(labels.columns) == COLUMNS
    assert len(labels) == 12
    assert set(labels.Image) == {file.name for file in (made / "images").iterdir()}
    assert set(labels.Image) == {file.name for file in (made / "masks").iterdir()}
    for row in labels.itertuples():
        mask = np.asarray(Image.open(made / "masks" / row.Image))
        assert set(np.unique(mask)) <= {0, 255}
        assert np.count_nonzero(mask) * 25 == pytest.approx(row.mask_area_mm2)
        assert row.Class == ("tumor" if mask.any() else "no_tumor")
        assert row.patient_has_tumor or not mask.any()
        with Image.open(made / "images" / row.Image) as image:
            assert (image.size, image.mode) == ((48, 48), "L")


def test_patients_are_groups_of_three_and_half_have_a_tumor(made: Path) -> None:
    labels = pd.read_csv(made / "labels.csv")
    patients = labels.groupby("patient_id")
    assert patients.size().tolist() == [3] * 4
    assert patients.patient_has_tumor.nunique().tolist() == [1] * 4
    assert patients.patient_has_tumor.first().sum() == 2
    assert patients.slice_mm.apply(lambda heights: heights.is_monotonic_increasing).all()


def test_description_says_synthetic_and_names_source_and_licence(made: Path) -> None:
    described = json.loads((made / "synthesis.json").read_text(encoding="utf-8"))
    assert described["synthetic"] is True
    assert described["settings"]["seed"] == 7
    assert described["slices"]["tumor"] + described["slices"]["no_tumor"] == 12
    assert "MNI152" in described["templates"]["source"]
    assert "McGill" in described["templates"]["licence"]
    assert described["shortcut"] is None


def test_another_process_gives_the_same_bytes_without_network(made: Path, tmp_path: Path) -> None:
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    target = tmp_path / "again"
    subprocess.run(
        [sys.executable, "-c", _CHILD, str(target)],
        check=True,
        env={**os.environ, **threads},
        timeout=120,
    )
    assert _digest(target) == _digest(made)


def test_one_thread_gives_the_same_bytes(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert _digest(synthesize(tmp_path / "again", _SETTINGS)) == _digest(made)


def test_progress_counts_every_slice(tmp_path: Path) -> None:
    seen: list[int] = []

    class Task:
        def advance(self, amount: int = 1, *, note: str | None = None) -> None:
            seen.append(amount)

    class Progress:
        @contextmanager
        def task(self, title: str, *, total: int | None) -> Iterator[Task]:
            assert total == 12
            yield Task()

        def say(self, message: str) -> None:
            raise AssertionError(message)

    synthesize(tmp_path / "scans", _SETTINGS, progress=Progress())
    assert sum(seen) == 12


def test_folder_with_content_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="exists already"):
        synthesize(tmp_path, _SETTINGS)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_file_in_the_way_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "scans"
    target.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="exists already"):
        synthesize(target, _SETTINGS)


def test_empty_folder_is_used(tmp_path: Path) -> None:
    target = tmp_path / "scans"
    target.mkdir()
    synthesize(target, SynthesisSettings(patients=2, slices_each=1, size=32, tumor_share=0.0))
    assert (target / "labels.csv").is_file()


def test_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder, "_write_png", refuse)
    with pytest.raises(StorageError, match="disk is full"):
        synthesize(tmp_path / "scans", _SETTINGS)
    assert not list(tmp_path.iterdir())
