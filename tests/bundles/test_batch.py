"""Answers come in order, one a scan; zip files are unpacked into a folder of the user's own."""

from __future__ import annotations

import os
import stat
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tumorlens.bundles import batch, predict_files
from tumorlens.errors import NotFoundError, StorageError
from tumorlens.scans import Reading, Scan


@dataclass
class FakePredictor:
    """Answers with the source."""

    reading: Reading = field(default_factory=Reading)

    def answer(self, scan: Scan, *, marks: tuple[str, ...] = (), views: int = 1) -> Any:
        return (scan.source, marks)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(batch.tempfile, "gettempdir", lambda: str(folder))
    return folder


def zipped(path: Path, **contents: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(f"study/{name}.png", data)
    return path


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="each user has a temporary folder")
def test_a_zip_is_unpacked_privately_and_leftovers_of_killed_processes_go(tmp_path: Path, temporary: Path) -> None:
    own = temporary / f"tumorlens-{os.getuid()}"
    left = own / ".tmp-999999999-ab12-unpacked"
    left.mkdir(parents=True)
    (left / "patient").touch()
    Image.new("L", (8, 8), 90).save(tmp_path / "a.png")
    study = zipped(tmp_path / "x.zip", a=(tmp_path / "a.png").read_bytes(), b=b"none")
    answers = predict_files(FakePredictor(), [study, tmp_path / "a.png"])
    first = next(answers)
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    assert not left.exists() and len(list(own.iterdir())) == 1
    second, third = answers
    assert first.source == study / "study" / "a.png" and first.prediction == (str(first.source), ())
    assert second.source == study / "study" / "b.png" and str(study / "study" / "b.png") in (second.error or "")
    assert third.source == tmp_path / "a.png"
    assert not list(own.iterdir())


def test_a_zip_without_scans_is_named_and_not_its_folder(tmp_path: Path, temporary: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(NotFoundError, match=r"No scans are in .*/x\.zip:") as caught:
        list(predict_files(FakePredictor(), [tmp_path / "x.zip"]))
    assert str(temporary) not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="each user has a temporary folder")
def test_a_folder_that_is_not_ones_own_is_not_used(tmp_path: Path, temporary: Path) -> None:
    (temporary / f"tumorlens-{os.getuid()}").symlink_to(tmp_path)
    with pytest.raises(StorageError, match="belongs to another user"):
        list(predict_files(FakePredictor(), [zipped(tmp_path / "x.zip", a=b"x")]))
